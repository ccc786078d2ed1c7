"""The stream is a copy: whatever happens to it, or to NATS, the journal is what counts."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.client import Client
from rapport import RapportError, RetryPolicy
from rapport.events import EventSubscriber
from rapport.events.connecting import connect

from services.operator.rebuilding import rebuild_streams
from tests.faults.cluster import Cluster, until
from tests.faults.load import load
from tests.faults.scene import Scene

QUICK = RetryPolicy(first_delay_s=0.05, delay_max_s=0.5)


async def test_a_stream_deleted_under_load_is_filled_again_and_its_readers_go_on(
    cluster: Cluster, scene: Scene
) -> None:
    async with following(scene) as read:
        async with load(scene, lambda _: scene.patient()) as loaded:
            for _ in range(2):
                await loaded.grown_by(60)
                await scene.until_streamed(len(loaded.told.acknowledged))
                async with admin_of(cluster) as admin:
                    await admin.jetstream().delete_stream(scene.stream)
        assert not loaded.told.refused
        await assert_read_through(read, await scene.head())
    await scene.assert_whole(loaded.told.acknowledged)


async def test_an_older_store_put_back_is_brought_up_to_the_head(
    cluster: Cluster, scene: Scene
) -> None:
    older = cluster.nats.home / "older"
    async with following(scene) as read:
        async with load(scene, lambda _: scene.patient()) as loaded:
            await loaded.grown_by(30)
            await asyncio.to_thread(put_aside, cluster, older)
            await loaded.grown_by(60)
            await scene.until_streamed(len(loaded.told.acknowledged))
            await asyncio.to_thread(put_back, cluster, older)
            await loaded.grown_by(30)
        assert not loaded.told.refused
        await assert_read_through(read, await scene.head())
    await scene.assert_whole(loaded.told.acknowledged)


async def test_a_foreign_message_stops_relay_and_readers_but_no_append_until_it_is_repaired(
    cluster: Cluster, scene: Scene
) -> None:
    async with load(scene, lambda _: scene.patient()) as loaded:
        await loaded.grown_by(60)
        leader = await scene.leader()
        async with admin_of(cluster) as stranger:
            subject = f"rapport.v1.events.{scene.name}.{scene.name}.touchpoint.call"
            answer = await stranger.jetstream().publish(subject, b"!")
        await leader.until_serving("rapport.relay", serving=False)
        # Appends go on, and what they wrote can be read: from the ledger.
        await loaded.grown_by(60)
        await scene.until_projected(await scene.head())
        assert await last_sequence(scene) == answer.seq  # nothing was papered over
        assert await leader.is_serving()
        with pytest.raises(RapportError) as refused:
            await read_through(scene, answer.seq)
        assert refused.value.reason == "STREAM_DIVERGED"
        await rebuild_streams(cluster.installation, scene.name)
        await loaded.grown_by(30)
        await leader.until_serving("rapport.relay")
    assert not loaded.told.refused
    await scene.assert_whole(loaded.told.acknowledged)


async def test_while_nats_is_down_appends_and_reading_them_go_on(
    cluster: Cluster, scene: Scene
) -> None:
    async with load(scene, lambda _: scene.patient()) as loaded:
        await loaded.grown_by(60)
        await scene.until_intake("following-nats")
        await asyncio.to_thread(cluster.nats.kill)
        await loaded.grown_by(60)
        for projector in cluster.projectors:
            async with scene.patient(projector=projector.target) as client:
                # What everybody wrote so far, from both projectors.
                position = max(loaded.told.acknowledged.values())
                answer = await client.balance("p1", "p2", min_position=position, timeout_s=60)
                assert answer.computed.position >= position
        await scene.until_intake("following-ledger")
        for ledger in cluster.ledgers:
            assert await ledger.is_serving()
            await ledger.until_serving("rapport.relay", serving=False)
        await asyncio.to_thread(cluster.nats.start)
        await loaded.grown_by(30)
        await scene.until_intake("following-nats")
    assert not loaded.told.refused
    await scene.assert_whole(loaded.told.acknowledged)
    for ledger in cluster.ledgers:
        await ledger.until_serving("rapport.relay")


@asynccontextmanager
async def following(scene: Scene) -> AsyncIterator[list[int]]:
    """The positions that a subscriber on NATS is given, in the order it is given them."""
    found: list[int] = []

    async def follow() -> None:
        async with EventSubscriber(scene.cluster.nats.url, scene.name, retry=QUICK) as events:
            async for event in events:
                found.append(event.position)

    task = asyncio.create_task(follow())
    try:
        yield found
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def last_sequence(scene: Scene) -> int:
    """How far the stream is, as soon as NATS says so."""

    async def look() -> int | None:
        found = await scene.last_sequence()
        return None if found < 0 else found

    return int(await until(look, "an answer of NATS"))


async def read_through(scene: Scene, position: int) -> None:
    async with (
        asyncio.timeout(60),
        EventSubscriber(scene.cluster.nats.url, scene.name, retry=QUICK) as events,
    ):
        async for event in events:
            if event.position >= position:
                return


async def assert_read_through(read: list[int], head: int) -> None:
    async def look() -> bool:
        return bool(read) and read[-1] >= head

    await until(look, "the subscriber at the head")
    assert read == list(range(1, head + 1))


@asynccontextmanager
async def admin_of(cluster: Cluster) -> AsyncIterator[Client]:
    client = await connect(cluster.nats.admin_url)
    try:
        yield client
    finally:
        await client.close()


def put_aside(cluster: Cluster, older: Path) -> None:
    cluster.nats.stop()
    shutil.copytree(cluster.nats.store, older)
    cluster.nats.start()


def put_back(cluster: Cluster, older: Path) -> None:
    cluster.nats.kill()
    shutil.rmtree(cluster.nats.store)
    older.rename(cluster.nats.store)
    cluster.nats.start()
