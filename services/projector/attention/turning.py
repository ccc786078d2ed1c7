"""The turn of the day of attention items, for one journal: every day in order, none twice.

It keeps no state but the rows themselves. A day is worked out from what was known at its first
instant, whenever that is done, and written in one transaction that also moves the tenant's day:
killed at any moment, or after days without running, it goes on from the day it had reached, and
writes what it would have written.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg
import grpc

from services.projector.domain.attention.turn import turn
from services.projector.domain.measures.view import RelationshipView
from services.projector.intake.ledger import LedgerJournals
from services.projector.metrics import ProjectorMetrics
from services.projector.projections import attention, checkpoint
from services.projector.projections.attention import Knowledge
from services.projector.projections.checkpoint import Checkpoint
from services.projector.projections.outcomes import is_poison
from services.projector.queries.attention_days import (
    Around,
    Reading,
    ViewsWentBack,
    read_around,
    work_out,
)
from services.projector.queries.question import PolicyShelf, Question, policy_for
from services.projector.queries.snapshot import Snapshot, Views
from services.runtime.clock import US_PER_DAY, US_PER_SECOND, Clock, day_of
from services.runtime.errors import RapportError
from services.runtime.logs import get_logger

_log = get_logger(__name__)

# An append stamped before midnight may be committed after it, and clocks differ a little.
GRACE_S: Final = 10
LOOK_S: Final = 1.0
_AGAIN_S: Final = 2.0
# Between two chunks of relationships, and between two days, for whoever else wants the loop.
PAUSE_S: Final = 0.005

# A tenant whose day cannot be worked out must not keep the others from theirs.
FAILED_AGAIN_S: Final = 60.0
_PASSING: Final = (
    OSError,
    RapportError,
    grpc.aio.AioRpcError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    ViewsWentBack,
)

type Settled = Callable[[str, int, Checkpoint], Awaitable[bool]]


def _is_passing(fault: Exception) -> bool:
    """Whether the next try may do: not where Postgres blames what was to be written."""
    of_postgres = isinstance(fault, asyncpg.PostgresError | asyncpg.InterfaceError)
    return isinstance(fault, _PASSING) and not (of_postgres and is_poison(fault))


class AttentionTurning:
    """Turns the days of a journal's tenants, one tenant and day at a time.

    `settled(journal, day, checkpoint)` says whether the views hold everything recorded before a
    day began. `on_written` is called after every turn that was written.
    """

    def __init__(
        self,
        journal: str,
        *,
        pool: asyncpg.Pool,
        settled: Settled,
        clock: Clock,
        metrics: ProjectorMetrics | None = None,
        on_written: Callable[[], None] = lambda: None,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._pause_s = pause_s
        self._journal, self._pool, self._settled = journal, pool, settled
        self._clock, self._metrics, self._on_written = clock, metrics, on_written
        self._views = Views(pool)
        self._shelf = PolicyShelf()
        self._resting_until_s: dict[str, float] = {}

    async def run(self) -> None:
        """For ever; ends only by cancellation."""
        while True:
            delay_s = await self._once()
            await asyncio.sleep(delay_s)

    async def _once(self) -> float:
        try:
            done = await self.turn_next()
        except _PASSING as error:
            _log.warning("attention waits", journal=self._journal, exc_info=error)
            return _AGAIN_S
        return PAUSE_S if done else LOOK_S

    async def turn_next(self) -> bool:
        """Turn the next day of each tenant that is behind; whether any was written.

        Raises the errors of the database but those that blame the data, those of `settled`, and
        ViewsWentBack; what was being worked out is then not written, and is done again. A tenant
        whose day fails otherwise stays where it is, is tried again a minute later, and keeps nobody
        else from turning.
        """
        today = day_of(self._clock.now_us() - GRACE_S * US_PER_SECOND)
        async with self._pool.acquire() as conn:
            tenants = await attention.behind(conn, self._journal, today)
            found = await checkpoint.read(conn, self._journal)
        if not tenants or found is None:
            return False
        if not await self._settled(self._journal, today, found):
            return False
        written = False
        for tenant, through in tenants:
            if self._clock.monotonic_s() < self._resting_until_s.get(tenant, 0.0):
                continue
            try:
                written = await self._turn(tenant, through + 1, found.incarnation) or written
            except Exception as fault:
                if _is_passing(fault):
                    raise
                self._failed(tenant, fault)  # it stands still, and everybody is told
        return written

    def _failed(self, tenant: str, fault: Exception) -> None:
        self._resting_until_s[tenant] = self._clock.monotonic_s() + FAILED_AGAIN_S
        _log.error("turn failed", journal=self._journal, tenant=tenant, exc_info=fault)
        if self._metrics is not None:
            self._metrics.attention_failed(self._journal)

    async def _turn(self, tenant: str, on: int, incarnation: str) -> bool:
        async with self._pool.acquire() as conn:
            previous = await attention.read_open(conn, self._journal, tenant)
        around = await self._read(tenant, lambda snapshot: self._around(snapshot, on))

        async def read(work: Reading[list[RelationshipView]]) -> list[RelationshipView]:
            return await self._read(tenant, work)

        found = await work_out(read, around, previous, pause_s=self._pause_s)
        done = turn(previous, found.items, on, found.reason)
        question = around.question
        known = Knowledge(incarnation, question.position, question.policy.hash)
        async with self._pool.acquire() as conn:
            now_us = self._clock.now_us()
            written = await attention.keep(
                conn, self._journal, tenant, done, known, previous=previous, now_us=now_us
            )
        if written:
            if self._metrics is not None:
                self._metrics.attention_turned(self._journal, len(done.changes))
            self._on_written()
        return written

    async def _around(self, snapshot: Snapshot, on: int) -> Around:
        """The day as known at its first instant, under the policy in force as known then."""
        position = await snapshot.position_at(on * US_PER_DAY - 1)
        policy = await policy_for(snapshot, self._shelf, None, on, position)
        question = Question(on, position, position >= snapshot.position, policy)
        return await read_around(snapshot, question)

    async def _read[T](self, tenant: str, work: Reading[T]) -> T:
        return await self._views.read(self._journal, tenant, work)


class CaughtUp:
    """Says that views are settled: they are beyond the day's first instant, or at the head."""

    def __init__(self, ledger: LedgerJournals) -> None:
        self._ledger = ledger

    async def __call__(self, journal: str, day: int, found: Checkpoint) -> bool:
        """Asks the ledger where the journal ends, when the views alone cannot tell."""
        if found.recorded_at_us >= day * US_PER_DAY:
            return True
        for info in await self._ledger.journals():
            if info.journal == journal:
                return info.incarnation == found.incarnation and info.head <= found.position
        return False
