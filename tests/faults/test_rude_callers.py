"""Callers that vanish, never read, or send rubbish: no other caller is harmed."""

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from rapport import RapportError, touchpoint
from rapport.errors import error_of
from rapport.v1 import ledger_service_pb2 as pb
from rapport.v1 import ledger_service_pb2_grpc as pb_grpc

from tests.faults.cluster import Cluster, Replica, until
from tests.faults.load import load
from tests.faults.scene import Scene

LEDGER = "/rapport.v1.LedgerService/"
HTTP = b"GET / HTTP/1.1\r\n\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# What a caller beside the rude ones waits for one append at most: far beyond usual, on busy cores.
PATIENCE_S = 20.0
# Opens a subscription and an ingest, says so, and waits to be killed with both under way.
VANISHING = textwrap.dedent("""
    import asyncio, sys
    import grpc
    from rapport import touchpoint
    from rapport.v1 import ledger_service_pb2 as pb
    from rapport.v1.ledger_service_pb2_grpc import LedgerServiceStub

    async def main(target, tenant):
        who = (("x-rapport-tenant", tenant), ("x-rapport-principal", "services/vanishing"))
        stub = LedgerServiceStub(grpc.aio.insecure_channel(target))
        followed = stub.SubscribeEvents(pb.SubscribeEventsRequest(), metadata=who)
        await followed.read()
        ingest = stub.IngestEvents(metadata=who)
        await ingest.read()
        number = 0
        while True:
            number += 1
            events = [touchpoint("v1", "v2", "call") for _ in range(100)]
            await ingest.write(pb.IngestEventsRequest(batch=number, events=events))
            if number == 3:
                print("under way", flush=True)
            await ingest.read()

    asyncio.run(main(*sys.argv[1:]))
""")


async def test_callers_that_vanish_in_mid_stream_leave_nothing_behind(
    cluster: Cluster, scene: Scene
) -> None:
    ledger = cluster.ledgers[0]
    async with load(scene, lambda _: scene.impatient(PATIENCE_S, ledger=ledger.target)) as loaded:
        before = await open_streams(ledger)
        for _ in range(2):
            caller = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", VANISHING, ledger.target, scene.name),
                stdout=subprocess.PIPE,
            )
            assert caller.stdout is not None
            async with asyncio.timeout(60):
                assert await caller.stdout.readline() == b"under way\n"
            caller.kill()
            await caller.wait()
            await loaded.grown_by(20)
        await until(lambda: streams_are(ledger, before), "their streams are closed")
    assert not loaded.told.refused
    await scene.assert_whole(loaded.told.acknowledged)


async def test_callers_that_never_read_their_streams_hold_up_nobody(
    cluster: Cluster, scene: Scene
) -> None:
    ledger = cluster.ledgers[0]
    events = [touchpoint("n1", "n2", "call", note="x" * 2_000) for _ in range(500)]
    async with scene.patient(ledger=ledger.target) as client:
        await client.append(events)
    async with (
        raw_channel(ledger) as channel,
        load(scene, lambda _: scene.impatient(PATIENCE_S, ledger=ledger.target)) as loaded,
    ):
        stub: Any = pb_grpc.LedgerServiceStub(channel)
        # More than fits between the two ends, and nobody takes it.
        deaf = [
            stub.SubscribeEvents(pb.SubscribeEventsRequest(), metadata=who(scene))
            for _ in range(10)
        ]
        ingests = [stub.IngestEvents(metadata=who(scene)) for _ in range(2)]
        senders = [asyncio.create_task(pour(ingest)) for ingest in ingests]
        await loaded.grown_by(100)
        for call in (*deaf, *ingests):
            call.cancel()
        await asyncio.gather(*senders, return_exceptions=True)
        await loaded.grown_by(20)
    assert not loaded.told.refused
    await scene.assert_whole(loaded.told.acknowledged)


async def test_rubbish_on_the_wire_is_answered_and_harms_nobody(
    cluster: Cluster, scene: Scene
) -> None:
    ledger = cluster.ledgers[0]
    async with (
        raw_channel(ledger) as channel,
        load(scene, lambda _: scene.impatient(PATIENCE_S, ledger=ledger.target)) as loaded,
    ):
        for size in (1, 7, 64, 5_000):
            rubbish = b"\xff" + scene.dice.randbytes(size)
            for call in (unary, subscribed, ingested):
                with pytest.raises(RapportError) as refused:
                    await call(channel, rubbish, who(scene))
                assert refused.value.reason == "REQUEST_MALFORMED"
                assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT
        with pytest.raises(grpc.aio.AioRpcError) as too_large:
            await unary_raw(channel, b"\x00" * (10 * 1024 * 1024), who(scene))
        assert too_large.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await loaded.grown_by(20)
        for rubbish in (HTTP, scene.dice.randbytes(4_000), PREFACE + b"\xff" * 90):
            await at_the_socket(ledger, rubbish)
        await loaded.grown_by(20)
    assert not loaded.told.refused
    await scene.assert_whole(loaded.told.acknowledged)
    assert not [name for name in await ledger.metrics() if "INTERNAL" in name]


async def unary(channel: grpc.aio.Channel, data: bytes, metadata: Any) -> None:
    try:
        await unary_raw(channel, data, metadata)
    except grpc.aio.AioRpcError as error:
        raise error_of(error) from error


async def unary_raw(channel: grpc.aio.Channel, data: bytes, metadata: Any) -> None:
    call: Any = channel.unary_unary(f"{LEDGER}AppendEvents")
    await call(data, metadata=metadata, timeout=60)


async def subscribed(channel: grpc.aio.Channel, data: bytes, metadata: Any) -> None:
    call: Any = channel.unary_stream(f"{LEDGER}SubscribeEvents")
    await drained(call(data, metadata=metadata, timeout=60))


async def ingested(channel: grpc.aio.Channel, data: bytes, metadata: Any) -> None:
    begin: Any = channel.stream_stream(f"{LEDGER}IngestEvents")
    call = begin(metadata=metadata, timeout=60)
    await call.read()
    await call.write(data)
    await drained(call)


async def drained(call: Any) -> None:
    try:
        while await call.read() is not grpc.aio.EOF:
            pass
    except grpc.aio.AioRpcError as error:
        raise error_of(error) from error


async def at_the_socket(replica: Replica, data: bytes) -> None:
    """Say something to the port that is no gRPC; the server hangs up, or we do."""
    host, _, port = replica.target.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    await writer.drain()
    writer.write_eof()
    async with asyncio.timeout(60):
        try:
            while await reader.read(65_536):
                pass
        except ConnectionError:
            pass
    writer.close()


async def pour(ingest: Any) -> None:
    """Write batch after batch and read no verdict, until there is no room."""
    number = 0
    while True:
        number += 1
        events = [touchpoint("n3", "n4", "call") for _ in range(10)]
        await ingest.write(pb.IngestEventsRequest(batch=number, events=events))


def who(scene: Scene) -> tuple[tuple[str, str], ...]:
    return (("x-rapport-tenant", scene.name), ("x-rapport-principal", "services/tests"))


@asynccontextmanager
async def raw_channel(replica: Replica) -> AsyncIterator[grpc.aio.Channel]:
    options = (("grpc.max_send_message_length", -1),)
    async with grpc.aio.insecure_channel(replica.target, options=options) as channel:
        yield channel


async def open_streams(replica: Replica) -> float:
    return (await replica.metrics())[("rapport_open_streams",)]


async def streams_are(replica: Replica, number: float) -> bool:
    return await open_streams(replica) <= number
