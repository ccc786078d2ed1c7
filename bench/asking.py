"""Calls of which the latency counts: one after the other, or at a steady rate."""

import asyncio
import time
from collections.abc import Callable, Sequence

import grpc
from rapport.ids import relationship
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import ledger_service_pb2 as pb
from rapport.v1 import timeline_service_pb2 as timeline
from rapport.v1.capital_service_pb2_grpc import CapitalServiceStub
from rapport.v1.ledger_service_pb2_grpc import LedgerServiceStub
from rapport.v1.timeline_service_pb2_grpc import TimelineServiceStub

from bench.latency import corrected, intended_starts, percentile

TIMEOUT_S = 60.0
PAGE_SIZE = 50

type Pair = tuple[str, str]


class Asking:
    """Asks over the channels it is given, in the name of one caller."""

    def __init__(
        self, channel: Callable[[str], grpc.aio.Channel], metadata: tuple[tuple[str, str], ...]
    ) -> None:
        self._channel, self._metadata = channel, metadata

    async def visible(
        self, ledger: str, projector: str, per_s: float, batches: Sequence[Sequence[pb.NewEvent]]
    ) -> dict[str, float]:
        """From the intended start of an append until GetBalance has answered with it in."""
        intended = intended_starts(per_s, len(batches))
        ended = [0.0] * len(batches)
        started = time.perf_counter()

        async def one(number: int) -> None:
            await self._seen(ledger, projector, batches[number])
            ended[number] = time.perf_counter() - started

        async with asyncio.TaskGroup() as calls:
            for number, start_s in enumerate(intended):
                wait_s = start_s - (time.perf_counter() - started)
                if wait_s > 0:
                    await asyncio.sleep(wait_s)
                calls.create_task(one(number))
        latencies = corrected(intended, ended)
        return {"p50_s": percentile(latencies, 0.5), "p99_s": percentile(latencies, 0.99)}

    async def visible_alone(
        self, ledger: str, projector: str, batches: Sequence[Sequence[pb.NewEvent]]
    ) -> dict[str, float]:
        """p50 of an append and until it is visible, one after the other."""
        appended, seen = [], []
        for events in batches:
            started = time.perf_counter()
            appended.append(await self._seen(ledger, projector, events) - started)
            seen.append(time.perf_counter() - started)
        return {"append_p50_s": percentile(appended, 0.5), "p50_s": percentile(seen, 0.5)}

    async def _seen(self, ledger: str, projector: str, events: Sequence[pb.NewEvent]) -> float:
        """Append, and ask until it is seen; when the append was answered."""
        answer = await LedgerServiceStub(self._channel(ledger)).AppendEvents(
            pb.AppendEventsRequest(events=events), metadata=self._metadata, timeout=TIMEOUT_S
        )
        answered_s = time.perf_counter()
        a, b = _pair_of(events[0])
        question = capital.GetBalanceRequest(relationship=relationship(a, b))
        question.as_of.min_position = answer.last_position
        await CapitalServiceStub(self._channel(projector)).GetBalance(
            question, metadata=self._metadata, timeout=TIMEOUT_S
        )
        return answered_s

    async def ask(
        self, target: str, what: str, count: int, batches: Sequence[Sequence[pb.NewEvent]]
    ) -> dict[str, float]:
        """The p50 of `count` calls, one after the other, each about another relationship."""
        call = {"append": self._append, "timeline": self._timeline, "balance": self._balance}[what]
        channel, latencies = self._channel(target), []
        for events in batches[:count]:
            started = time.perf_counter()
            await call(channel, events)
            latencies.append(time.perf_counter() - started)
        return {"p50_s": percentile(latencies, 0.5)}

    async def _append(self, channel: grpc.aio.Channel, events: Sequence[pb.NewEvent]) -> None:
        request = pb.AppendEventsRequest(events=events)
        await LedgerServiceStub(channel).AppendEvents(
            request, metadata=self._metadata, timeout=TIMEOUT_S
        )

    async def _timeline(self, channel: grpc.aio.Channel, events: Sequence[pb.NewEvent]) -> None:
        a, b = _pair_of(events[0])
        request = timeline.ListTimelineRequest(parent=relationship(a, b), page_size=PAGE_SIZE)
        await TimelineServiceStub(channel).ListTimeline(
            request, metadata=self._metadata, timeout=TIMEOUT_S
        )

    async def _balance(self, channel: grpc.aio.Channel, events: Sequence[pb.NewEvent]) -> None:
        a, b = _pair_of(events[0])
        request = capital.GetBalanceRequest(relationship=relationship(a, b))
        await CapitalServiceStub(channel).GetBalance(
            request, metadata=self._metadata, timeout=TIMEOUT_S
        )


def _pair_of(event: pb.NewEvent) -> Pair:
    """Whose relationship an event is of; some that is always there for the others."""
    touched = event.touchpoint
    if event.HasField("touchpoint"):
        return touched.initiator, touched.counterpart
    return "people/i0000000", "people/x0000000"
