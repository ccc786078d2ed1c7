"""Every edge under far more than it takes: refused politely, memory bounded, nothing lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import grpc
import pytest
from rapport import new_event_id, touchpoint
from rapport.v1 import attention_service_pb2, attention_service_pb2_grpc, capital_service_pb2_grpc
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import ledger_service_pb2 as pb
from rapport.v1 import ledger_service_pb2_grpc as pb_grpc

from services.runtime.limits import (
    CALLS_IN_FLIGHT_MAX,
    STREAMS_OPEN_MAX,
    SUBSCRIBERS_MAX,
)
from tests.faults.cluster import Cluster, Replica
from tests.faults.load import load
from tests.faults.overload import OVERLOAD_S, hammer, left_unread, lost, watched
from tests.faults.scene import Scene

NOTE = "x" * 4_000
# More streams and calls than a service takes at once.
STREAMS = SUBSCRIBERS_MAX + 50
WATCHERS = STREAMS_OPEN_MAX + 50
CALLERS = CALLS_IN_FLIGHT_MAX + 500
pytestmark = pytest.mark.timeout(300 + 3 * OVERLOAD_S)


def who(scene: Scene) -> tuple[tuple[str, str], ...]:
    return (("x-rapport-tenant", scene.name), ("x-rapport-principal", "services/tests"))


@asynccontextmanager
async def channels(replica: Replica, count: int = 8) -> AsyncIterator[list[grpc.aio.Channel]]:
    """Connections of their own, each with all the streams it may have."""
    options = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0))
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                grpc.aio.insecure_channel(replica.target, options=options)
            )
            for _ in range(count)
        ]


@asynccontextmanager
async def held(cluster: Cluster, rows: str) -> AsyncIterator[None]:
    """The lock of some rows, which everybody else has to wait for."""
    holder = await asyncpg.connect(cluster.database.admin_dsn)
    try:
        async with holder.transaction():
            await holder.execute(f"{rows} FOR UPDATE")
            yield
    finally:
        await holder.close()


async def warm(scene: Scene, ledger: Replica) -> None:
    """A ledger that has been at work, and something to read: 4 MB of it."""
    async with scene.patient(ledger=ledger.target) as client:
        for _ in range(10):
            await client.append([touchpoint("w1", "w2", "call", note=NOTE) for _ in range(100)])


def appending(
    scene: Scene,
    stubs: Sequence[Any],
    acknowledged: set[str],
    who_meets: str,
    *,
    note: str,
    events: int = 100,
    timeout_s: float = 60,
) -> Callable[[int], Awaitable[None]]:
    """Appends so many events of two people at each call, and notes the ids of those recorded."""

    async def append(number: int) -> None:
        ids = [new_event_id() for _ in range(events)]
        a, b = f"{who_meets}1", f"{who_meets}2"
        request = pb.AppendEventsRequest(
            events=[touchpoint(a, b, "call", event_id=key, note=note) for key in ids]
        )
        stub = stubs[number % len(stubs)]
        await stub.AppendEvents(request, metadata=who(scene), timeout=timeout_s)
        acknowledged.update(ids)

    return append


async def answers(scene: Scene, ledger: Replica) -> int:
    """A normal call, answered; its position."""
    async with scene.impatient(5.0, ledger=ledger.target) as client:
        return (await client.append([touchpoint("n1", "n2", "call")])).last_position


async def assert_recorded(scene: Scene, acknowledged: set[str]) -> None:
    assert not lost(acknowledged, (event.event_id for event in await scene.events()))


async def test_appends_beyond_what_a_ledger_takes(cluster: Cluster, scene: Scene) -> None:
    ledger = cluster.ledgers[0]
    await warm(scene, ledger)
    acknowledged: set[str] = set()
    async with channels(ledger) as several, watched(ledger) as pressure:
        stubs: list[Any] = [pb_grpc.LedgerServiceStub(channel) for channel in several]
        append = appending(scene, stubs, acknowledged, "a", note=NOTE[:500])

        hammering = asyncio.create_task(hammer(pressure, CALLERS, append, until=pressure.limit_met))
        # As long as nothing commits, calls pile up, however fast the ledger is.
        async with held(cluster, f"SELECT FROM journal.journals WHERE journal = '{scene.name}'"):
            while not pressure.limit_met() and not hammering.done():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await hammering
    pressure.assert_bounded("unary append")
    assert pressure.limit_met()
    await answers(scene, ledger)
    await assert_recorded(scene, acknowledged)


async def test_ingest_streams_whose_verdicts_nobody_reads(cluster: Cluster, scene: Scene) -> None:
    ledger = cluster.ledgers[0]
    await warm(scene, ledger)
    batch = [touchpoint("i1", "i2", "call", note=NOTE) for _ in range(200)]

    async def requests() -> AsyncIterator[pb.IngestEventsRequest]:
        number = 0
        while True:
            number += 1
            for event in batch:
                event.event_id = new_event_id()
            yield pb.IngestEventsRequest(batch=number, events=batch)

    async with channels(ledger) as several, watched(ledger) as pressure:
        stubs: list[Any] = [pb_grpc.LedgerServiceStub(channel) for channel in several]
        begun = iter(range(10**9))

        def begin() -> Any:
            stub = stubs[next(begun) % len(stubs)]
            return stub.IngestEvents(requests(), metadata=who(scene))

        # Of a ledger's 64 streams some are left over.
        await left_unread(pressure, begin, 80, until=pressure.limit_met)
    pressure.assert_bounded("ingest")
    assert pressure.limit_met()
    await answers(scene, ledger)


async def test_appends_that_are_large(cluster: Cluster, scene: Scene) -> None:
    ledger = cluster.ledgers[0]
    await warm(scene, ledger)
    acknowledged: set[str] = set()
    async with channels(ledger) as several, watched(ledger) as pressure:
        stubs: list[Any] = [pb_grpc.LedgerServiceStub(channel) for channel in several]

        append = appending(
            scene, stubs, acknowledged, "b", note="x" * 64_000, events=60, timeout_s=120
        )

        await hammer(pressure, 30, append, until=pressure.limit_met)
    pressure.assert_bounded("large append")
    assert pressure.limit_met()
    await answers(scene, ledger)
    await assert_recorded(scene, acknowledged)


@pytest.mark.parametrize("name", ["ReadEvents", "SubscribeEvents"])
async def test_readers_that_do_not_read(cluster: Cluster, scene: Scene, name: str) -> None:
    ledger = cluster.ledgers[0]
    await warm(scene, ledger)
    async with channels(ledger) as several, watched(ledger) as pressure:
        stubs: list[Any] = [pb_grpc.LedgerServiceStub(channel) for channel in several]
        request: Any = pb.SubscribeEventsRequest()
        if name == "ReadEvents":
            request = pb.ReadEventsRequest(journal=pb.JournalSource())
        begun = iter(range(10**9))

        def begin() -> Any:
            method = getattr(stubs[next(begun) % len(stubs)], name)
            return method(request, metadata=who(scene))

        async with load(scene, lambda _: scene.impatient(10.0, ledger=ledger.target)) as loaded:
            await left_unread(pressure, begin, STREAMS, until=pressure.limit_met)
    pressure.assert_bounded(name)
    assert pressure.limit_met()
    assert not loaded.told.refused
    await answers(scene, ledger)
    await assert_recorded(scene, set(loaded.told.acknowledged))


async def test_queries_beyond_what_a_projector_takes(cluster: Cluster, scene: Scene) -> None:
    ledger, projector = cluster.ledgers[0], cluster.projectors[0]
    await warm(scene, ledger)
    head = await scene.head()
    await scene.until_projected(head)
    async with channels(projector) as several, watched(projector) as pressure:
        stubs: list[Any] = [capital_service_pb2_grpc.CapitalServiceStub(one) for one in several]

        async def ask(number: int) -> None:
            beyond = head + 1 if number % 5 else head  # four of five wait in vain
            request = capital.GetBalanceRequest(
                relationship="relationships/w1~w2",
                as_of=capital.AsOf(min_position=beyond),
            )
            stub = stubs[number % len(stubs)]
            await stub.GetBalance(request, metadata=who(scene), timeout=5)

        await hammer(pressure, CALLERS, ask, until=pressure.limit_met)
    pressure.assert_bounded("queries")
    assert pressure.answered
    assert pressure.limit_met()
    async with scene.impatient(10.0, projector=projector.target) as client:
        await client.balance("w1", "w2", min_position=head)


async def test_watchers_of_attention_that_do_not_read(cluster: Cluster, scene: Scene) -> None:
    ledger, projector = cluster.ledgers[0], cluster.projectors[0]
    await warm(scene, ledger)
    head = await scene.head()
    await scene.until_projected(head)
    async with channels(projector) as several, watched(projector) as pressure:
        stubs: list[Any] = [
            attention_service_pb2_grpc.AttentionServiceStub(channel) for channel in several
        ]
        begun = iter(range(10**9))

        def begin() -> Any:
            stub = stubs[next(begun) % len(stubs)]
            request = attention_service_pb2.WatchAttentionRequest()
            return stub.WatchAttention(request, metadata=who(scene))

        await left_unread(pressure, begin, WATCHERS, until=pressure.limit_met)
    pressure.assert_bounded("WatchAttention")
    assert pressure.limit_met()
    async with scene.impatient(10.0, projector=projector.target) as client:
        await client.balance("w1", "w2", min_position=head)


async def test_a_relay_whose_nats_does_not_answer(cluster: Cluster, scene: Scene) -> None:
    await warm(scene, cluster.ledgers[0])
    await scene.until_streamed(await scene.head())
    ledger = await relay_of(scene)
    cluster.nats.stop()
    acknowledged: set[str] = set()
    try:
        async with channels(ledger, 1) as (channel,), watched(ledger) as pressure:
            stub: Any = pb_grpc.LedgerServiceStub(channel)
            append = appending(scene, [stub], acknowledged, "r", note=NOTE)
            await hammer(pressure, 8, append)
    finally:
        await asyncio.to_thread(cluster.nats.start)
    pressure.assert_bounded("relay without NATS")
    await assert_recorded(scene, acknowledged)
    head = await answers(scene, ledger)
    await scene.until_streamed(head)


async def test_an_intake_whose_postgres_is_slow(cluster: Cluster, scene: Scene) -> None:
    ledger, projector = cluster.ledgers[0], cluster.projectors[0]
    await warm(scene, ledger)
    await scene.until_projected(await scene.head())
    acknowledged: set[str] = set()
    checkpoint = f"SELECT FROM views.checkpoints WHERE journal = '{scene.name}'"
    async with held(cluster, checkpoint), channels(ledger, 1) as (channel,):
        stub: Any = pb_grpc.LedgerServiceStub(channel)
        async with watched(projector) as pressure:
            append = appending(scene, [stub], acknowledged, "s", note=NOTE)
            await hammer(pressure, 8, append)
    pressure.assert_bounded("intake behind a lock")
    await assert_recorded(scene, acknowledged)
    await scene.until_projected(await answers(scene, ledger))


async def relay_of(scene: Scene) -> Replica:
    """The ledger that publishes the scene's journal."""
    async with load(scene, lambda _: scene.patient()):
        return await scene.leader()
