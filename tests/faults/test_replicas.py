"""Two ledgers, two relays and two projectors at once: any of them may go, at any time."""

from tests.faults.cluster import Cluster, any_of
from tests.faults.load import load
from tests.faults.scene import Scene


async def test_one_of_each_killed_in_turn_loses_nothing_and_stops_nobody(
    cluster: Cluster, scene: Scene
) -> None:
    async with load(scene, lambda n: scene.impatient(ledger=any_of(cluster.ledgers, n))) as loaded:
        await loaded.grown_by(60)
        for victim in (None, *cluster.projectors, None):
            killed = victim or await scene.leader()
            await killed.kill()
            await loaded.grown_by(60)
            await scene.until_streamed(await scene.head())
            await scene.until_projected(await scene.head())
            await killed.start()
            await loaded.grown_by(20)
    await scene.assert_whole(loaded.told.acknowledged)


async def test_a_frozen_relay_leader_is_replaced_and_fenced_when_it_wakes(
    cluster: Cluster, scene: Scene
) -> None:
    async with load(scene, lambda n: scene.impatient(ledger=cluster.ledgers[n].target)) as loaded:
        await loaded.grown_by(60)
        frozen = await scene.leader()
        frozen.freeze()
        await loaded.grown_by(100)  # by the caller of the other ledger
        await scene.until_streamed(await scene.head())  # by the other relay
        frozen.thaw()
        await loaded.grown_by(60)
    assert loaded.told.refused
    await scene.assert_whole(loaded.told.acknowledged)


async def test_a_projector_frozen_in_mid_transaction_holds_up_the_other_for_seconds_only(
    cluster: Cluster, scene: Scene
) -> None:
    async with load(scene, lambda n: scene.impatient(ledger=cluster.ledgers[n].target)) as loaded:
        await loaded.grown_by(60)
        frozen = await scene.freeze_in_transaction()
        await loaded.grown_by(40)
    await scene.until_projected(await scene.head())
    frozen.thaw()
    await scene.assert_whole(loaded.told.acknowledged)
