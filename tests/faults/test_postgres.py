"""PostgreSQL crashes under load: callers know what they know, and nothing is lost."""

import asyncio

from tests.faults.cluster import Cluster
from tests.faults.load import load
from tests.faults.scene import Scene


async def test_a_crash_of_postgres_leaves_definite_errors_and_outcomes_that_a_retry_settles(
    cluster: Cluster, scene: Scene
) -> None:
    # The writers check every answer: see Writer.
    async with load(
        scene, lambda n: scene.impatient(ledger=cluster.ledgers[n % 2].target), writers=4
    ) as loaded:
        for _ in range(2):
            await loaded.grown_by(60)
            refused = loaded.told.refused.total()
            await asyncio.to_thread(cluster.postgres.kill)
            await loaded.refused_more_than(refused)
            await asyncio.to_thread(cluster.postgres.start)
            await loaded.grown_by(60)
    # The last where an attempt waited for its turn until its time was up: also a definite answer.
    may_be = {"UNAVAILABLE", "OUTCOME_UNKNOWN", "TOO_BUSY", "DEADLINE_PASSED"}
    assert set(loaded.told.refused) <= may_be
    await scene.assert_whole(loaded.told.acknowledged)
    for replica in (*cluster.ledgers, *cluster.projectors):
        await replica.until_serving()
