"""Callers at work under fire: each writes down what it asks and what it is told."""

import asyncio
import itertools
import random
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from rapport import (
    Rapport,
    RapportError,
    RetryPolicy,
    as_of,
    relationship,
)
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import timeline_service_pb2 as timelines
from rapport.v1.ledger_service_pb2 import AppendEventsResponse, NewEvent

from services.runtime.clock import date_from_day
from tests.faults.torture.history import HistoryWriter
from tests.faults.torture.inventing import Inventor, Made
from tests.faults.torture.records import (
    WRITES,
    Acknowledged,
    Answer,
    BalanceAnswer,
    Definite,
    Invoke,
    Ok,
    Op,
    Standing,
    StandingsAnswer,
    TimelineAnswer,
    Unknown,
)

_PAGE_LINES: Final = 50
_RECENT: Final = 50
# Between two attempts.
_PAUSE_S: Final = 0.3


@dataclass(slots=True)
class Desk:
    """Where the callers of one tenant meet: the history, and what was acknowledged lately."""

    history: HistoryWriter
    calls: "itertools.count[int]"
    counts: Counter[str]
    journal: str
    tenant: str
    on_day: int
    _open: dict[int, Op] = field(default_factory=dict)
    # (pair, position) of the newest acknowledged events.
    recent: deque[tuple[tuple[str, str], int]] = field(
        default_factory=lambda: deque(maxlen=_RECENT)
    )

    def invoke(self, client: str, op: Op, request: str, attempt: int, **fields: object) -> int:
        """Write down that a call is about to be sent; its number."""
        call = next(self.calls)
        self.counts[op] += 1
        self._open[call] = op
        self.history.write(
            Invoke(
                call=call,
                client=client,
                op=op,
                journal=self.journal,
                tenant=self.tenant,
                attempt=attempt,
                request=request,
                **fields,  # type: ignore[arg-type]
            )
        )
        return call

    def failed(self, call: int, error: RapportError) -> None:
        """Write down that a call failed, for certain or not."""
        op = self._open.pop(call)
        self.counts["definite" if error.is_definite else "unknown"] += 1
        if not error.is_definite:
            self.counts["writes unknown" if op in WRITES else "reads unknown"] += 1
        self.counts[f"reason {error.reason}"] += 1
        kind = Definite if error.is_definite else Unknown
        self.history.write(kind(call=call, reason=error.reason))

    def acknowledged(self, call: int, sent: "Sequence[Made]", answer: AppendEventsResponse) -> None:
        """Write down what a write was answered."""
        self._open.pop(call)
        self.counts["ok"] += 1
        events = tuple(
            Acknowledged(
                event_id=each.event_id,
                position=each.position,
                revision=each.revision,
                replayed=each.replayed,
            )
            for each in answer.events
        )
        self.history.write(Ok(call=call, events=events))
        for made, event in zip(sent, answer.events, strict=True):
            self.recent.append((made.pair, event.position))

    def answered(self, call: int, position: int, target: str, answer: Answer) -> None:
        """Write down what a read was answered."""
        self._open.pop(call)
        self.counts["ok"] += 1
        self.history.write(Ok(call=call, position=position, target=target, answer=answer))


def once(attempt_s: float) -> RetryPolicy:
    """One attempt a call: every failure is heard of."""
    return RetryPolicy(timeout_s=attempt_s, first_delay_s=1e6, delay_max_s=1e6, random=lambda: 1.0)


class Appender:
    """Appends batch after batch, each until it is known what became of it."""

    def __init__(self, name: str, desk: Desk, client: Rapport, dice: random.Random) -> None:
        self.name, self._desk, self._client, self._dice = name, desk, client, dice
        self._inventor = Inventor(f"{desk.tenant} {name}", dice)
        self._requests = itertools.count(1)

    async def run(self, stop: asyncio.Event, pause_s: float) -> None:
        """Append until told to stop; the last batch is brought to its end."""
        while not stop.is_set():
            chance = self._dice.random()
            if chance < 0.15:
                batch = self._inventor.expecting()
            else:
                batch = self._inventor.batch(1 if chance < 0.6 else self._dice.randint(2, 20))
            await self.settle(batch, f"{self.name} {next(self._requests)}")
            await asyncio.sleep(self._dice.random() * 2 * pause_s)

    async def settle(
        self, batch: list[Made], request: str, attempt: int = 1, *, maybe_written: bool = False
    ) -> None:
        """Returns when the batch is recorded, or surely is not."""
        events, sent = [made.event for made in batch], tuple(made.sent for made in batch)
        while True:
            call = self._desk.invoke(self.name, "append", request, attempt, events=sent)
            try:
                answer = await self._client.append(events)
            except RapportError as error:
                self._desk.failed(call, error)
                maybe_written = maybe_written or not error.is_definite
                # Not every caller tries again what was refused for certain.
                gives_up = not maybe_written and self._dice.random() < 0.3
                if gives_up or not error.is_passing:
                    return
                await asyncio.sleep(_PAUSE_S * (1 + self._dice.random()))
                attempt += 1
                continue
            self._desk.acknowledged(call, batch, answer)
            self._inventor.recorded(batch, answer)
            return


class Ingester(Appender):
    """Loads by streams of a few batches; what a broken stream left open is appended again."""

    def __init__(
        self, name: str, desk: Desk, client: Rapport, dice: random.Random, loading: Rapport
    ) -> None:
        """`loading` has the patience that `client` has not."""
        super().__init__(name, desk, client, dice)
        self._loading = loading

    async def run(self, stop: asyncio.Event, pause_s: float) -> None:
        """Stream after stream until told to stop."""
        while not stop.is_set():
            batches = [
                self._inventor.batch(self._dice.randint(5, 60))
                for _ in range(self._dice.randint(2, 6))
            ]
            await self._load(batches)
            await asyncio.sleep(self._dice.random() * 2 * pause_s)

    async def _load(self, batches: list[list[Made]]) -> None:
        requests = [f"{self.name} {next(self._requests)}" for _ in batches]
        open_calls: dict[int, int] = {}

        async def source() -> AsyncIterator[list[NewEvent]]:
            for number, batch in enumerate(batches):
                sent = tuple(made.sent for made in batch)
                open_calls[number] = self._desk.invoke(
                    self.name, "ingest", requests[number], 1, events=sent
                )
                yield [made.event for made in batch]

        try:
            async for verdict in self._loading.ingest(source(), stalled_s_max=15.0):
                call = open_calls.pop(verdict.batch - 1)
                if verdict.appended is not None:
                    batch = batches[verdict.batch - 1]
                    self._desk.acknowledged(call, batch, verdict.appended)
                    self._inventor.recorded(batch, verdict.appended)
                else:
                    self._desk.failed(call, cast(RapportError, verdict.refused))
        except RapportError as error:
            for call in open_calls.values():
                self._desk.failed(call, error.of_unknown_outcome())
            for number in sorted(open_calls):
                await self.settle(batches[number], requests[number], 2, maybe_written=True)


class Querier:
    """Asks one projector about what was acknowledged, and wants to see it."""

    def __init__(
        self, name: str, desk: Desk, client: Rapport, target: str, dice: random.Random
    ) -> None:
        self.name, self._desk, self._client = name, desk, client
        self._target, self._dice = target, dice
        self._requests = itertools.count(1)

    async def run(self, stop: asyncio.Event, pause_s: float) -> None:
        """Ask until told to stop."""
        while not stop.is_set():
            if self._desk.recent:
                (a, b), position = self._dice.choice(self._desk.recent)
                chance = self._dice.random()
                if chance < 0.2:
                    await self._standings(position)
                else:
                    ask = self._balance if chance < 0.65 else self._timeline
                    await ask(a, b, position)
            await asyncio.sleep(self._dice.random() * 2 * pause_s)

    async def _balance(self, a: str, b: str, position: int) -> None:
        call = self._invoke("balance", a, b, position)
        try:
            answer: capital.GetBalanceResponse = await self._client.balance(
                a, b, on=date_from_day(self._desk.on_day), min_position=position
            )
        except RapportError as error:
            self._desk.failed(call, error)
            return
        balance = answer.balance
        found = BalanceAnswer(
            know_mp=balance.know_mp, care_mp=balance.care_mp, buffer_mp=balance.buffer_mp
        )
        self._desk.answered(call, answer.computed.position, self._target, found)

    async def _timeline(self, a: str, b: str, position: int) -> None:
        call = self._invoke("timeline", a, b, position)
        request = timelines.ListTimelineRequest(
            parent=relationship(a, b),
            include_voided=True,
            page_size=_PAGE_LINES,
            min_position=position,
        )
        try:
            answer = await self._client.timeline_page(request)
        except RapportError as error:
            self._desk.failed(call, error)
            return
        found = TimelineAnswer(
            event_ids=tuple(line.event_id for line in answer.lines),
            limit=_PAGE_LINES,
            states=tuple(int(line.state) for line in answer.lines),
        )
        self._desk.answered(call, answer.position, self._target, found)

    async def _standings(self, position: int) -> None:
        call = self._invoke("standings", None, None, position)
        request = capital.ListBalancesRequest(
            page_size=_PAGE_LINES,
            as_of=as_of(on=date_from_day(self._desk.on_day), min_position=position),
        )
        try:
            answer = await self._client.balances_page(request)
        except RapportError as error:
            self._desk.failed(call, error)
            return
        found = StandingsAnswer(pairs=tuple(map(_standing, answer.balances)), limit=_PAGE_LINES)
        self._desk.answered(call, answer.computed.position, self._target, found)

    def _invoke(self, op: Op, a: str | None, b: str | None, position: int) -> int:
        request = f"{self.name} {next(self._requests)}"
        return self._desk.invoke(
            self.name, op, request, 1, min_position=position, on_day=self._desk.on_day, a=a, b=b
        )


def _standing(balance: capital.Balance) -> Standing:
    a, b = balance.relationship.removeprefix("relationships/").split("~")
    return Standing(a=f"people/{a}", b=f"people/{b}", buffer_mp=balance.buffer_mp)
