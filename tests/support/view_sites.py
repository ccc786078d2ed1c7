"""A version of the read models built beside the live one, from a ledger that a test writes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import asyncpg

from services.projector.facts import Delivered
from services.projector.intake.ledger import JournalInfo, LedgerJournals, Part
from services.projector.projections.apply import apply
from services.projector.projections.turn import turn_chunk
from services.projector.versions.beside import connect_beside
from services.projector.versions.building import Builder
from services.projector.versions.comparing import Compared, compare
from services.runtime.clock import US_PER_DAY, FixedClock
from tests.support.databases import Database
from tests.support.deliveries import INCARNATION, JOURNAL, TODAY, mixed_events


class Killed(BaseException):
    """The end of a process, at any moment."""


class FakeLedger:
    """The events of a test as the ledger gives them; dies after so many parts."""

    def __init__(self, events: list[Delivered]) -> None:
        self.events = events
        self.parts_left: int | None = None

    async def journals(self) -> list[JournalInfo]:
        """The only one."""
        return [JournalInfo(JOURNAL, INCARNATION, len(self.events))]

    @asynccontextmanager
    async def follow(self, journal: str, from_position: int) -> AsyncIterator[Any]:
        """Seven events at a time."""
        assert journal == JOURNAL

        async def parts() -> AsyncIterator[Part]:
            for start in range(from_position - 1, len(self.events), 7):
                if self.parts_left is not None:
                    self.parts_left -= 1
                    if self.parts_left < 0:
                        raise Killed
                yield Part(self.events[start : start + 7], INCARNATION, len(self.events))

        yield parts()


@dataclass
class Site:
    """Two plain connections of the owner, a builder, and the live version."""

    live: asyncpg.Connection
    holder: asyncpg.Connection
    builder: Builder
    ledger: FakeLedger
    dsn: str

    async def project(self, through: int) -> None:
        """Let the live version take events up to a position."""
        position = await self.live.fetchval("SELECT max(position) FROM views.checkpoints") or 0
        if through > position:
            await apply(self.live, self.ledger.events[position:through], today=TODAY)
        while await turn_chunk(self.live, JOURNAL, today=TODAY) is not None:
            pass

    async def compared(self) -> Compared:
        """The comparison."""
        return await compare(self.live, self.holder, self.builder)


@asynccontextmanager
async def site_on(database: Database) -> AsyncIterator[Site]:
    """A site of four hundred mixed events, none of them projected yet."""
    live, holder = [await asyncpg.connect(database.admin_dsn) for _ in range(2)]
    conn = await connect_beside(database.admin_dsn, "rapport-test")
    ledger = FakeLedger(mixed_events(7, 400)[:400])
    assert len(ledger.events) == 400
    clock = FixedClock(TODAY * US_PER_DAY + 1)
    builder = Builder(conn, cast(LedgerJournals, ledger), clock, lambda _: None)
    yield Site(live, holder, builder, ledger, database.admin_dsn)
    for each in (live, holder, conn):
        await each.close()
