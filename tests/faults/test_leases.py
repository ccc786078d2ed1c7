"""Projectors share the journals: each follows its part, and takes over what another leaves."""

import time
from collections.abc import Iterator
from statistics import median
from typing import Final

import pytest
from rapport import touchpoint

from services.projector.intake.leases import fair_share
from tests.faults.cluster import Cluster, Replica, until
from tests.faults.load import load
from tests.faults.scene import Scene

_AT_LEAST: Final = 6


async def held(projector: Replica) -> set[str]:
    """The journals it follows."""
    name = "rapport_projector_holds_journal"
    samples = await projector.metrics()
    return {key[1] for key, value in samples.items() if key[0] == name and value == 1}


async def journals(scene: Scene) -> set[str]:
    return {row["journal"] for row in await scene.owner("SELECT journal FROM journal.journals")}


async def until_shared(scene: Scene, *projectors: Replica) -> list[int]:
    """Returns when every journal is followed once and none has more than its share; the numbers."""

    async def look() -> list[int] | None:
        everything = await journals(scene)
        parts = [await held(each) for each in projectors]
        share = fair_share(len(everything), len(projectors))
        once = set.union(*parts) == everything and sum(map(len, parts)) == len(everything)
        return [len(part) for part in parts] if once and max(map(len, parts)) <= share else None

    found: list[int] = await until(look, "a fair share each")
    return found


@pytest.fixture
async def many(cluster: Cluster, scene: Scene) -> int:
    """Six journals or more, an even number of them; how many."""
    async with cluster.client() as client:
        while (count := len(await journals(scene))) < _AT_LEAST or count % 2:
            await client.create_journal(f"{scene.name}-{count}")
    return count


@pytest.fixture
def third(cluster: Cluster) -> Iterator[Replica]:
    """A projector more, not started yet."""
    cluster.state.env["PROJECTOR_3_VIEWS"] = cluster.database.views_dsn
    made = cluster.make("projector-3")
    yield made
    made.end()


async def test_two_share_evenly_a_third_takes_its_part_and_the_dead_ones_part_is_taken(
    cluster: Cluster, scene: Scene, many: int, third: Replica
) -> None:
    one, two = cluster.projectors
    assert await until_shared(scene, one, two) == [many // 2, many // 2]
    async with load(scene, lambda _: scene.patient()) as loaded:
        await loaded.grown_by(30)
        await third.start()
        await until_shared(scene, one, two, third)
        await loaded.grown_by(30)
        await two.kill()
        await until_shared(scene, one, third)
        await loaded.grown_by(30)
        await third.kill()
        began_s = time.monotonic()
        await until_shared(scene, one)
        print(f"taken over in {time.monotonic() - began_s:.2f} s")
        await loaded.grown_by(30)
    await two.start()
    await scene.assert_whole(loaded.told.acknowledged)


async def test_a_frozen_one_is_replaced_and_when_it_wakes_nothing_is_applied_twice(
    cluster: Cluster, scene: Scene, many: int
) -> None:
    applied = ("rapport_projector_applied_events_total", scene.name)
    await until_shared(scene, *cluster.projectors)
    async with load(scene, lambda _: scene.patient()) as loaded:
        await loaded.grown_by(30)
        frozen = await scene.freeze_in_transaction()
        (other,) = (each for each in cluster.projectors if each is not frozen)
        began_s = time.monotonic()
        await until_shared(scene, other)
        print(f"taken over in {time.monotonic() - began_s:.2f} s")
        await loaded.grown_by(30)
        await scene.until_projected(await scene.head())
        frozen.thaw()
        await loaded.grown_by(30)
    await until_shared(scene, *cluster.projectors)
    await scene.assert_whole(loaded.told.acknowledged)
    counts = [(await each.metrics()).get(applied, 0) for each in cluster.projectors]
    assert sum(counts) == await scene.head()


async def test_who_does_not_follow_a_journal_answers_as_soon_as_who_does_roughly(
    cluster: Cluster, scene: Scene, many: int
) -> None:
    await until_shared(scene, *cluster.projectors)
    holder = await scene.holder()
    (other,) = (each for each in cluster.projectors if each is not holder)
    seen_s: dict[str, list[float]] = {holder.name: [], other.name: []}
    async with (
        scene.patient(projector=holder.target) as here,
        scene.patient(projector=other.target) as there,
    ):
        for name, client in ((holder.name, here), (other.name, there)) * 40:
            began_s = time.monotonic()
            answer = await client.append(touchpoint("ann", "bob", "call"))
            await client.balance("ann", "bob", min_position=answer.last_position)
            seen_s[name].append(time.monotonic() - began_s)
    here_s, there_s = (median(seen_s[each.name]) for each in (holder, other))
    print(f"append to visible, p50: {here_s * 1e3:.1f} ms here, {there_s * 1e3:.1f} ms there")
    assert there_s < here_s + 0.5
