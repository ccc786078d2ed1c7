"""The intake of one journal: follows it from the checkpoint on, whatever it is read from."""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Final

import asyncpg
import grpc
from nats.aio.client import Client

from services.projector.facts import Delivered
from services.projector.intake.ledger import JournalInfo, LedgerJournals, Part
from services.projector.intake.link import NatsLink
from services.projector.intake.state import Patience, State
from services.projector.intake.statistics import YoungTables
from services.projector.intake.stream import BATCH_EVENTS_MAX, SILENCE_S, NatsGone, StreamSource
from services.projector.intake.wire import NotOfTheJournal
from services.projector.metrics import ProjectorMetrics
from services.projector.projections import checkpoint
from services.projector.projections.apply import apply
from services.projector.projections.outcomes import (
    Applied,
    CheckpointElsewhere,
    IncarnationChanged,
)
from services.projector.projections.parked import PARKED_MAX
from services.runtime.clock import Clock, day_of
from services.runtime.logs import get_logger

_log = get_logger(__name__)

STOPPED_LOOK_S: Final = 2.0
LOOK_BACK_S: Final = 2.0
# How often, and after how long each time, a stream that is back is given the benefit of the doubt.
_LOOKS_AT_NATS: Final = 5
_LOOK_AGAIN_S: Final = 0.1
_BREATH_S: Final = 0.05
_AGAIN_FIRST_S: Final = 0.25
_AGAIN_MAX_S: Final = 5.0
_NOT_A_WORD: Final = re.compile(r"[^A-Za-z0-9_.:/-]+")


class _Again(Exception):  # noqa: N818 - what to do, not what is wrong
    """Read the checkpoint and go on from there."""


class JournalIntake:
    """Applies the events of one journal, exactly once, for as long as it runs.

    `head` is the journal's as last seen by anybody. `on_moved` is told where the checkpoint
    is after every transaction that moved it, and when it was found elsewhere.
    """

    def __init__(
        self,
        journal: str,
        *,
        pool: asyncpg.Pool,
        ledger: LedgerJournals,
        link: NatsLink,
        metrics: ProjectorMetrics,
        clock: Clock,
        on_moved: Callable[[str, int], None],
        young_tables: YoungTables,
        silence_s: float = SILENCE_S,
    ) -> None:
        self.journal = journal
        self.state = State.STARTING
        self.position = self.recorded_at_us = self.head = 0
        self._pool, self._ledger, self._link = pool, ledger, link
        self._metrics, self._clock, self._on_moved = metrics, clock, on_moved
        self._young_tables, self._silence_s = young_tables, silence_s
        self._incarnation = self._listed_incarnation = ""
        # Of the event at `position`, where this process applied it.
        self._event_id = ""
        self._looked_s = 0.0
        self._patience = Patience(clock, silence_s)
        self._moved_s = clock.monotonic_s()

    async def run(self) -> None:
        """Follow the journal for ever; ends only by cancellation."""
        delay_s = _AGAIN_FIRST_S
        while True:
            try:
                await self._begin()
                delay_s = _AGAIN_FIRST_S
                await self._follow()
            except (_Again, CheckpointElsewhere, IncarnationChanged):
                await asyncio.sleep(_BREATH_S)
            except (
                grpc.aio.AioRpcError,
                OSError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                asyncpg.InternalClientError,
            ) as error:
                _log.warning("intake waits", journal=self.journal, exc_info=error)
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, _AGAIN_MAX_S)

    def saw(self, info: JournalInfo) -> None:
        """The journal, as the ledger lists it."""
        self._listed_incarnation = info.incarnation
        self._saw_head(info.head)

    async def _begin(self) -> None:
        """Find out where to go on; waits here while an operator is needed."""
        while True:
            async with self._pool.acquire() as conn:
                found = await checkpoint.read(conn, self.journal)
            info = await self._info()
            if found is None and info is None:
                await asyncio.sleep(STOPPED_LOOK_S)
                continue
            incarnation = found.incarnation if found is not None else ""
            self.position = 0 if found is None else found.position
            self.recorded_at_us = 0 if found is None else found.recorded_at_us
            parked = 0 if found is None else found.parked
            self._metrics.at(self.journal, self.position, parked)
            self._on_moved(self.journal, self.position)
            if info is not None:
                self.head = info.head
                if found is not None and info.incarnation != incarnation:
                    await self._stop(State.STOPPED_INCARNATION)
                    continue
                incarnation = info.incarnation
            if parked > PARKED_MAX:
                await self._stop(State.STOPPED_PARKED)
                continue
            self._incarnation, self._event_id = incarnation, ""
            if info is not None:
                self._listed_incarnation = info.incarnation
            self._moved_s = self._clock.monotonic_s()
            return

    async def _info(self) -> JournalInfo | None:
        """The journal as the ledger has it now; None while that does not answer."""
        try:
            infos = await self._ledger.journals()
        except grpc.aio.AioRpcError:
            return None
        return next((info for info in infos if info.journal == self.journal), None)

    async def _stop(self, state: State) -> None:
        if self.state is not state:
            log = _log.bind(journal=self.journal, position=self.position)
            if state is State.STOPPED_INCARNATION:
                log.error("the journal was restored: run rapport views rebuild")
            else:
                log.error("too many events are parked: see rapport parked list")
        self._enter(state)
        await asyncio.sleep(STOPPED_LOOK_S)

    async def _follow(self) -> None:
        """From NATS while that is there, else from the ledger until it is back."""
        if self._patience.over:
            # What is usual first: a moment without NATS is no reason to leave it.
            if await self._link.wait_connected(self._silence_s) is not None:
                try:
                    await self._follow_nats()
                except (NatsGone, NotOfTheJournal) as error:
                    _log.warning("nats left", journal=self.journal, reason=str(error))
                    self._patience.failed()
                    raise _Again from None
            self._patience.failed()
        await self._follow_ledger()

    async def _follow_nats(self) -> None:
        client = self._link.client
        if client is None:
            raise NatsGone("connection")
        generation = self._link.generation
        source = self._source(client)
        try:
            if not await source.stands_at(self.position, self._event_id):
                raise NatsGone("stream_is_elsewhere")
            first = await source.open(self.position + 1)
            self._enter(State.FOLLOWING_NATS)
            if first > self.position + 1:
                await self._fill(first - 1)
            while True:
                await self._take(await source.batch())
                await self._look_back()
                if self._link.generation != generation:
                    raise _Again  # the consumer may have gone with the connection
                if self._stalled():
                    raise NatsGone("stalled")
        finally:
            await source.close()

    async def _follow_ledger(self) -> None:
        self._enter(State.FOLLOWING_LEDGER)
        async with self._ledger.follow(self.journal, self.position + 1) as parts:
            async for part in parts:
                self._saw_head(part.head)
                await self._take_part(part, part.head)
                await self._look_back()
                if self.position >= part.head and await self._nats_is_back():
                    return

    async def _fill(self, through: int) -> None:
        """Apply what the stream does not have, up to a position, from the ledger."""
        _log.info(
            "history from the ledger",
            journal=self.journal,
            from_position=self.position + 1,
            to_position=through,
        )
        async with self._ledger.follow(self.journal, self.position + 1) as parts:
            async for part in parts:
                await self._take_part(part, through)
                if self.position >= through:
                    return

    async def _take_part(self, part: Part, through: int) -> None:
        """Apply events of the ledger, which has no holes."""
        self._same(part.incarnation)
        left = [event for event in part.events if self.position < event.position <= through]
        while left:
            await self._apply(left[:BATCH_EVENTS_MAX])
            left = [event for event in left if event.position > self.position]

    async def _take(self, events: Sequence[Delivered]) -> None:
        """Apply events: what is behind is done already, a hole is filled from the ledger."""
        left = [event for event in events if event.position > self.position]
        while left:
            if left[0].position > self.position + 1:
                await self._fill(left[0].position - 1)
            else:
                await self._apply(_without_gap(left)[:BATCH_EVENTS_MAX])
            left = [event for event in left if event.position > self.position]

    async def _apply(self, batch: Sequence[Delivered]) -> None:
        started_s = self._clock.monotonic_s()
        async with self._pool.acquire() as conn:
            applied = await apply(conn, batch, today=day_of(self._clock.now_us()))
            await self._young_tables.applied(conn, applied.events)
        self._moved_s = self._clock.monotonic_s()
        last = batch[-1]
        self._event_id = last.event_id if last.position == applied.position else ""
        self._report(applied, self._moved_s - started_s)
        if applied.stopped:
            raise _Again

    def _report(self, applied: Applied, duration_s: float) -> None:
        self.position, self.recorded_at_us = applied.position, applied.recorded_at_us
        self.head = max(self.head, self.position)
        self._metrics.applied(self.journal, applied, duration_s)
        self._lag()
        for parked in applied.parked:
            _log.error(
                "event parked",
                journal=self.journal,
                position=parked.position,
                event_id=parked.event_id,
                type=parked.type,
                reason=_NOT_A_WORD.sub("_", parked.reason),
            )
        self._on_moved(self.journal, self.position)

    def _lag(self) -> None:
        age_us = self._clock.now_us() - self.recorded_at_us
        self._metrics.lag(self.journal, self.head - self.position, age_us)

    async def _look_back(self) -> None:
        """Every few seconds: whether the checkpoint or the journal was moved behind our back."""
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_s < LOOK_BACK_S:
            return
        self._looked_s = now_s
        async with self._pool.acquire() as conn:
            found = await checkpoint.read(conn, self.journal)
        if found is None:
            moved = self.position > 0
        else:
            moved = found.position < self.position or found.incarnation != self._incarnation
            if found.position > self.position:
                self._event_id = ""  # another replica's work
                self.position, self.recorded_at_us = found.position, found.recorded_at_us
        if moved or self._listed_incarnation not in ("", self._incarnation):
            raise _Again

    def _same(self, incarnation: str) -> None:
        if incarnation != self._incarnation:
            raise IncarnationChanged(self.journal, self._incarnation, incarnation)

    def _saw_head(self, head: int) -> None:
        self.head = max(self.head, head)
        self._lag()

    def _stalled(self) -> bool:
        """Whether the ledger has had more for a while than NATS brings."""
        now_s = self._clock.monotonic_s()
        if self.head <= self.position:
            self._moved_s = now_s
        return now_s - self._moved_s > self._silence_s

    def _source(self, client: Client) -> StreamSource:
        return StreamSource(client, self.journal, self._incarnation, self._clock, self._silence_s)

    async def _nats_is_back(self) -> bool:
        client = self._link.client
        if client is None or not self._patience.over:
            return False
        source = self._source(client)
        for _ in range(_LOOKS_AT_NATS):
            if await source.stands_at(self.position, self._event_id):
                return True
            # While events come in, the stream is a moment behind what the ledger just said.
            await asyncio.sleep(_LOOK_AGAIN_S)
        self._patience.failed()
        return False

    def _enter(self, state: State) -> None:
        if state is not self.state:
            _log.info("intake", journal=self.journal, state=state.value, position=self.position)
            self.state = state
            self._metrics.state(self.journal, state.value)


def _without_gap(events: Sequence[Delivered]) -> Sequence[Delivered]:
    """The events up to the first gap."""
    first = events[0].position
    for index, event in enumerate(events):
        if event.position != first + index:
            return events[:index]
    return events
