"""Callers at work under fire: each writes down what it asks and what it is told."""

import asyncio
import hashlib
import itertools
import random
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, cast

import grpc
from nats.errors import Error as NatsError
from rapport import (
    Rapport,
    RapportError,
    RetryPolicy,
    corrected,
    derived_event_id,
    relationship,
    voided,
)
from rapport import touchpoint as made_touchpoint
from rapport.events import EventSubscriber
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import timeline_service_pb2 as timelines
from rapport.v1.ledger_service_pb2 import AppendEventsResponse, NewEvent

from services.runtime.clock import date_from_day
from tests.faults.torture.history import HistoryWriter
from tests.faults.torture.records import (
    Acknowledged,
    Answer,
    BalanceAnswer,
    Definite,
    Ended,
    Invoke,
    Ok,
    Op,
    Received,
    Sent,
    Subscribed,
    TimelineAnswer,
    Unknown,
)

_KINDS: Final = ("call", "meal_or_social", "email.one_to_one", "social.like", "thanks.given")
_SINCE: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
_PEOPLE: Final = 8
_PAGE_LINES: Final = 50
_RECENT: Final = 50
# Between two attempts, and before a broken subscription goes on.
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
    # (pair, position) of the newest acknowledged events.
    recent: deque[tuple[tuple[str, str], int]] = field(
        default_factory=lambda: deque(maxlen=_RECENT)
    )

    def invoke(self, client: str, op: Op, request: str, attempt: int, **fields: object) -> int:
        """Write down that a call is about to be sent; its number."""
        call = next(self.calls)
        self.counts[op] += 1
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
        self.counts["definite" if error.is_definite else "unknown"] += 1
        self.counts[f"reason {error.reason}"] += 1
        kind = Definite if error.is_definite else Unknown
        self.history.write(kind(call=call, reason=error.reason))

    def acknowledged(self, call: int, sent: "Sequence[Made]", answer: AppendEventsResponse) -> None:
        """Write down what a write was answered."""
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
        self.counts["ok"] += 1
        self.history.write(Ok(call=call, position=position, target=target, answer=answer))


@dataclass(frozen=True, slots=True)
class Made:
    """An event to be sent, and the pair it is about."""

    event: NewEvent
    pair: tuple[str, str]

    @property
    def sent(self) -> Sent:
        """As the history has it."""
        expected = (
            self.event.expected_revision if self.event.HasField("expected_revision") else None
        )
        return Sent(
            event_id=self.event.event_id, home=relationship(*self.pair), expected_revision=expected
        )


class Inventor:
    """Makes the events of one writer: touchpoints, and voids and corrections of its own ones."""

    def __init__(self, name: str, dice: random.Random) -> None:
        self._name, self._dice = name, dice
        self._made = 0
        self._known: dict[str, Made] = {}
        # Touchpoints that are surely recorded, and the newest revision seen of each pair.
        self._targets: list[str] = []
        self._revisions: dict[tuple[str, str], int] = {}

    def batch(self, size: int) -> list[Made]:
        """The next events."""
        return [self._event() for _ in range(size)]

    def expecting(self) -> list[Made]:
        """One event that wants its relationship at the revision last seen, right or wrong."""
        made = self._touchpoint()
        made.event.expected_revision = self._revisions.get(made.pair, 0)
        return [made]

    def recorded(self, batch: Sequence[Made], answer: AppendEventsResponse) -> None:
        """They are in the journal: they may be taken back or corrected."""
        for made, event in zip(batch, answer.events, strict=True):
            self._revisions[made.pair] = max(self._revisions.get(made.pair, 0), event.revision)
            if made.event.HasField("touchpoint"):
                self._known[event.event_id] = made
                self._targets.append(event.event_id)

    def _event(self) -> Made:
        chance = self._dice.random()
        if chance > 0.15 or not self._targets:
            return self._touchpoint()
        target = self._dice.choice(self._targets)
        original = self._known[target]
        event_id = self._next_id()
        if chance < 0.05:
            return Made(voided(target, event_id=event_id), original.pair)
        changed = original.event.touchpoint.__class__()
        changed.CopyFrom(original.event.touchpoint)
        changed.ClearField("note")
        changed.kind = self._dice.choice(_KINDS)
        return Made(corrected(target, changed, event_id=event_id), original.pair)

    def _touchpoint(self) -> Made:
        dice = self._dice
        a, b = dice.sample(range(_PEOPLE), 2)
        event = made_touchpoint(
            f"p{a}",
            f"p{b}",
            dice.choice(_KINDS),
            event_id=self._next_id(),
            occurred_at=_SINCE + timedelta(hours=dice.randint(0, 24 * 90)),
            note="met by chance" if dice.random() < 0.05 else None,
        )
        return Made(event, (f"people/p{min(a, b)}", f"people/p{max(a, b)}"))

    def _next_id(self) -> str:
        self._made += 1
        return derived_event_id(self._name, str(self._made))


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
                ask = self._balance if self._dice.random() < 0.6 else self._timeline
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

    def _invoke(self, op: Op, a: str, b: str, position: int) -> int:
        request = f"{self.name} {next(self._requests)}"
        return self._desk.invoke(
            self.name, op, request, 1, min_position=position, on_day=self._desk.on_day, a=a, b=b
        )


class Subscriber:
    """Follows a journal for the whole run; what breaks it off it writes down, and goes on."""

    def __init__(
        self, name: str, history: HistoryWriter, journal: str, counts: Counter[str]
    ) -> None:
        self.name, self._history, self._journal, self._counts = name, history, journal, counts
        self.position = 0

    async def over_nats(self, url: str) -> None:
        """By the stream, for ever."""
        while True:
            self._begin("nats", None)
            try:
                retry = RetryPolicy(first_delay_s=0.2, delay_max_s=1.0)
                async with EventSubscriber(
                    url, self._journal, from_position=self.position + 1, retry=retry
                ) as events:
                    async for event in events:
                        sha256 = hashlib.sha256(event.payload).hexdigest()
                        self._received(event.position, event.event_id, sha256)
            except (RapportError, NatsError, OSError, TimeoutError) as error:
                self._end(error)
            await asyncio.sleep(_PAUSE_S)

    async def over_grpc(self, tenant: str, client: Callable[[], Rapport]) -> None:
        """By the ledger, as one tenant sees it, for ever."""
        while True:
            self._begin("ledger", tenant)
            try:
                async with client() as ledger:
                    async for event in ledger.subscribe(self.position + 1):
                        sha256 = event.payload_sha256.hex()
                        self._received(event.position, event.event_id, sha256)
            except (RapportError, grpc.aio.AioRpcError) as error:
                self._end(error)
            await asyncio.sleep(_PAUSE_S)

    def _begin(self, source: str, tenant: str | None) -> None:
        self._history.write(
            Subscribed(
                subscription=self.name,
                source="nats" if source == "nats" else "ledger",
                journal=self._journal,
                from_position=self.position + 1,
                tenant=tenant,
            )
        )

    def _received(self, position: int, event_id: str, sha256: str) -> None:
        self._counts["received"] += 1
        self.position = position
        self._history.write(
            Received(subscription=self.name, position=position, event_id=event_id, sha256=sha256)
        )

    def _end(self, error: Exception) -> None:
        reason = error.reason if isinstance(error, RapportError) else type(error).__name__
        self._history.write(Ended(subscription=self.name, reason=reason))
