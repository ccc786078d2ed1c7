"""`python -m bench.load`: where the load comes from, a process of its own.

It takes one command a line on standard input, JSON with the name under `do`, and answers each in
one line. Events are made and rows are fetched before a clock starts; both sides of a ratio run
here, so that both pay the same for a client.
"""

import asyncio
import gc
import json
import sys
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import uvloop
from rapport import Rapport
from rapport.batching import Source
from rapport.v1 import ledger_service_pb2 as pb
from rapport.v1.ledger_service_pb2_grpc import LedgerServiceStub

from bench import limits
from bench.asking import Asking
from bench.latency import percentile
from bench.made import made_events
from bench.pacing import following
from bench.peers import Peer
from bench.stack import PRINCIPAL, TENANT
from services.runtime.jetstream import clean

METADATA = (("x-rapport-tenant", TENANT), ("x-rapport-principal", PRINCIPAL))
TIMEOUT_S = 60.0
_CALLS_PER_CONNECTION = 128


class Load:
    """The commands; each returns what its answer holds."""

    def __init__(self) -> None:
        self._channels: dict[tuple[str, int], grpc.aio.Channel] = {}
        self._made: Iterator[list[pb.NewEvent]] = iter(())
        self._batches: list[list[pb.NewEvent]] = []
        self._peer: Peer | None = None
        self._asking = Asking(self._channel, METADATA)

    async def source(self, seed: int, relationships: int, events: int, days: int) -> None:
        """Begin a made tenant, whose past is as many days; `prepare` takes from it."""
        self._made = made_events(
            seed,
            relationships,
            events,
            until=datetime.now(UTC),
            span=timedelta(days=days),
            batch_events=1,
        )

    async def prepare(self, count: int, batch: int) -> None:
        """Make the next events, in batches, for what comes."""
        self._batches = []
        events: list[pb.NewEvent] = []
        for _ in range(count):
            events += next(self._made)
            if len(events) == batch:
                self._batches.append(events)
                events = []
        if events:
            self._batches.append(events)
        gc.collect()

    async def unary(self, target: str, in_flight: int) -> dict[str, float]:
        """Append the batches, so many calls at a time; calls a second, and own CPU."""
        # A server takes only so many calls at once over one connection.
        count = -(-in_flight // _CALLS_PER_CONNECTION)
        appends = [
            LedgerServiceStub(self._channel(target, number)).AppendEvents for number in range(count)
        ]
        requests = [pb.AppendEventsRequest(events=events) for events in self._batches]
        waiting = iter(requests)

        async def caller(number: int) -> None:
            for request in waiting:
                await appends[number % count](request, metadata=METADATA, timeout=TIMEOUT_S)

        started, spent_s = time.perf_counter(), time.process_time()
        await asyncio.gather(*(caller(number) for number in range(in_flight)))
        took_s, cpu_s = time.perf_counter() - started, time.process_time() - spent_s
        return {"per_s": len(requests) / took_s, "cpu_s": cpu_s}

    async def ingest(
        self, target: str, views_dsn: str = "", ahead_max: int = 0
    ) -> dict[str, float]:
        """Stream the batches as fast as they are taken; events acknowledged a second.

        With `views_dsn` never more than `ahead_max` events ahead of the read models, or one batch.
        It goes through the public client, and counts to the last verdict.
        """
        batches: Source = self._batches
        count = 0
        async with Rapport(target, tenant=TENANT, principal=PRINCIPAL) as client:
            if views_dsn:
                batches = following(self._batches, views_dsn, ahead_max)
            started, spent_s = time.perf_counter(), time.process_time()
            async for verdict in client.ingest(batches):
                if verdict.appended is None:
                    raise RuntimeError(f"refused: {verdict.refused}")
                count += len(verdict.events)
            took_s, cpu_s = time.perf_counter() - started, time.process_time() - spent_s
        return {"per_s": count / took_s, "cpu_s": cpu_s}

    async def copy(self, dsn: str, source_dsn: str, first: int, last: int) -> dict[str, float]:
        """COPY the same rows."""
        took_s, cpu_s = await limits.copied(dsn, source_dsn, first, last)
        return {"per_s": (last - first + 1) / took_s, "cpu_s": cpu_s}

    async def commits(self, dsn: str, source_dsn: str, first: int, last: int) -> dict[str, float]:
        """Commit single rows; the p50."""
        latencies = await limits.committed(dsn, source_dsn, first, last)
        return {"p50_s": percentile(latencies, 0.5)}

    async def publish(
        self, admin_url: str, source_dsn: str, first: int, last: int
    ) -> dict[str, float]:
        """Publish the same messages into a stream of their own, then read them back.

        Once more with headers that spare the client its cleaning, as the relay's do.
        """
        messages = await limits.messages_of(source_dsn, first, last)
        took_s, cpu_s = await limits.published(admin_url, messages)
        cleaned = [message._replace(headers=clean(message.headers)) for message in messages]
        clean_s, _ = await limits.published(admin_url, cleaned)
        read_s = await limits.read(admin_url, len(messages))
        took = {"per_s": took_s, "clean_per_s": clean_s, "read_per_s": read_s}
        return {**{name: len(messages) / each_s for name, each_s in took.items()}, "cpu_s": cpu_s}

    async def peer(self, dsn: str, threads: int) -> None:
        """Open the peer on its database."""
        self._peer = await asyncio.to_thread(Peer, dsn, threads=threads)

    async def peer_append(
        self, source_dsn: str, first: int, last: int, batch: int, threads: int
    ) -> dict[str, float]:
        """Record the same events through the peer, in batches or one by one from threads."""
        assert self._peer is not None
        rows = await limits.facts_of(source_dsn, first, last)
        if batch == 1:
            took_s = await asyncio.to_thread(self._peer.singly, rows, threads)
        else:
            took_s = await asyncio.to_thread(self._peer.batched, rows, batch)
        return {"per_s": len(rows) / took_s}

    async def visible(self, ledger: str, projector: str, per_s: float) -> dict[str, float]:
        """Append the batches at a steady rate, each until its balance is seen; p50 and p99."""
        return await self._asking.visible(ledger, projector, per_s, self._batches)

    async def visible_alone(self, ledger: str, projector: str) -> dict[str, float]:
        """The same one after the other; the p50 of an append, and until its balance is seen."""
        return await self._asking.visible_alone(ledger, projector, self._batches)

    async def ask(self, target: str, what: str, count: int) -> dict[str, float]:
        """Ask one question after the other: `append`, `timeline` or `balance`; the p50."""
        return await self._asking.ask(target, what, count, self._batches)

    async def close(self) -> None:
        """Close what is open."""
        if self._peer is not None:
            await asyncio.to_thread(self._peer.close)
        for channel in self._channels.values():
            await channel.close()

    def _channel(self, target: str, number: int = 0) -> grpc.aio.Channel:
        key = target, number
        if key not in self._channels:
            # Without this, channels to the same target share a connection.
            options = [("grpc.use_local_subchannel_pool", 1)]
            self._channels[key] = grpc.aio.insecure_channel(target, options=options)
        return self._channels[key]


async def main() -> None:
    """Answer until standard input ends."""
    load = Load()
    try:
        while line := await asyncio.to_thread(sys.stdin.readline):
            command: dict[str, Any] = json.loads(line)
            try:
                answer = await getattr(load, command.pop("do"))(**command) or {}
            except Exception:  # noqa: BLE001 - whatever broke, the one who asked must hear of it
                answer = {"error": traceback.format_exc()}
            print(json.dumps(answer), flush=True)
    finally:
        await load.close()


if __name__ == "__main__":
    uvloop.run(main())
