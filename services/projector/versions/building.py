"""Build a version of the read models beside the live one, from the ledger, and follow it up.

Every step is committed with what says that it is done, in the schema being built: killed at any
moment, the next run goes on where this one was.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import asyncpg

from services.projector.facts import Delivered
from services.projector.intake.ledger import JournalInfo, LedgerJournals
from services.projector.projections.apply import retry
from services.projector.projections.outcomes import IncarnationChanged, is_poison, reason_of
from services.projector.projections.tables import READ_MODELS
from services.projector.projections.turn import turn_chunk
from services.projector.versions import folding, schema
from services.projector.versions.progress import Meter, Tell
from services.projector.versions.reading import apply_raw, apply_whole, batches, position_of
from services.projector.versions.schema import FOLDED, Phase
from services.runtime.clock import Clock, day_of
from services.runtime.logs import get_logger

_log = get_logger(__name__)

# Behind by less than this, the rest is taken within the switch.
CLOSE_EVENTS: Final = 500
_ROUNDS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds with one connection to the version beside (`connect_beside`), holding the lock."""

    conn: asyncpg.Connection
    ledger: LedgerJournals
    clock: Clock
    tell: Tell

    async def build(self, *, fresh: bool = False) -> dict[str, int]:
        """Build to the end of every journal; the positions reached.

        Goes on with what is there unless `fresh`. Facts that cannot be folded in bulk are taken
        one batch after another instead, as the live version takes them, so that the events to
        blame are parked. Raises TooManyParked, grpc.aio.AioRpcError and the database's errors.
        """
        phase = None if fresh else await schema.phase_of(self.conn)
        if phase is None:
            phase = Phase.READ
            await schema.create(self.conn, phase)
        # What a comparison found does not hold for what is built from now on.
        await schema.enter(self.conn, phase)
        try:
            return await self._from(phase)
        except IncarnationChanged:
            _log.warning("a journal was restored: the build begins anew")
        except Exception as error:
            if not is_poison(error) or await schema.phase_of(self.conn) is not Phase.FOLD:
                raise
            _log.warning("the build begins anew, event after event", reason=reason_of(error))
            await schema.create(self.conn, Phase.FOLLOW)
            return await self._from(Phase.FOLLOW)
        await schema.create(self.conn, Phase.READ)
        return await self._from(Phase.READ)

    async def is_built(self) -> bool:
        """Whether there is a version built whole."""
        return await schema.phase_of(self.conn) is Phase.FOLLOW

    async def _from(self, phase: Phase) -> dict[str, int]:
        steps = {
            Phase.READ: self._read,
            Phase.INDEX: self._index,
            Phase.FOLD: self._fold,
            Phase.FINISH: self._finish,
        }
        order = list(Phase)
        for each in order[order.index(phase) :]:
            if each is Phase.FOLLOW:
                break
            await steps[each]()
            await schema.enter(self.conn, order[order.index(each) + 1])
        return await self.follow()

    async def _read(self) -> None:
        for info in await self.ledger.journals():
            position = await position_of(self.conn, info)
            meter = Meter(self.clock, self.tell, Phase.READ, info.journal, info.head, position)
            async with batches(self.ledger, info.journal, position, info.head) as found:
                async for batch in found:
                    applied = await apply_raw(self.conn, batch, today=self._today())
                    meter.reached(applied.position)
            meter.reached(meter.done, last=True)

    async def _index(self) -> None:
        await self._make_indexes(Phase.INDEX, set(READ_MODELS) - FOLDED)

    async def _finish(self) -> None:
        await self._make_indexes(Phase.FINISH, set(READ_MODELS))

    async def _make_indexes(self, phase: Phase, tables: set[str]) -> None:
        missing = await schema.missing_indexes(self.conn, tables)
        meter = Meter(self.clock, self.tell, phase, "", len(missing))
        for number, (_, statement) in enumerate(missing, start=1):
            await self.conn.execute(statement)
            meter.reached(number)
        for table in sorted(FOLDED if phase is Phase.FINISH else tables):
            await self.conn.execute(f"VACUUM (ANALYZE) views.{table}")
        meter.reached(meter.done, last=True)

    async def _fold(self) -> None:
        conn = self.conn
        for info in await self.ledger.journals():
            journal = info.journal
            terms = await folding.who_is_who(conn, journal, self._today())
            total = await position_of(conn, info)
            meter = Meter(self.clock, self.tell, Phase.FOLD, journal, total)
            done = 0
            after = await folding.last_folded(conn, journal)
            async for pairs in folding.chunks(conn, journal, after):
                async with conn.transaction():
                    done += await folding.fold_pairs(conn, journal, terms, pairs)
                meter.reached(done)
            await folding.stand_linked(conn, journal, terms)
            await self._turn(journal)
            meter.reached(total, last=True)

    async def follow(self) -> dict[str, int]:
        """Take what was recorded since, until hardly anything is left; the positions reached."""
        for _ in range(_ROUNDS_MAX):
            infos = await self.ledger.journals()
            left = 0
            for info in infos:
                left += await self._follow(info)
            if left < CLOSE_EVENTS:
                break
        return {info.journal: await position_of(self.conn, info) for info in infos}

    async def _follow(self, info: JournalInfo) -> int:
        """Take one journal up to its head of now; how many events that was."""
        before = position = await position_of(self.conn, info)
        meter = Meter(self.clock, self.tell, Phase.FOLLOW, info.journal, info.head, position)
        await self._turn(info.journal)
        async for batch in self.events(info.journal, position, info.head):
            position = (await apply_whole(self.conn, batch, today=self._today())).position
            meter.reached(position)
        await self._turn(info.journal)
        meter.reached(position, last=True)
        return position - before

    async def reach(self, info: JournalInfo, position: int) -> bool:
        """Take a journal up to a position that the live version has; whether it is there exactly.

        False when the version being built is beyond it.
        """
        after = await position_of(self.conn, info)
        if after > position:
            return False
        async for batch in self.events(info.journal, after, position):
            await apply_whole(self.conn, batch, today=self._today())
        await self._turn(info.journal)
        return True

    async def retry(self, journal: str, position: int) -> bool:
        """Try an event that is parked beside again; whether it is parked no more."""
        try:
            return await retry(self.conn, journal, position, today=self._today()) is None
        except LookupError:
            return True

    async def events(
        self, journal: str, after: int, through: int
    ) -> AsyncIterator[list[Delivered]]:
        """Batches of a journal's events, small enough for transactions of ordinary length."""
        async with batches(self.ledger, journal, after, through) as found:
            async for batch in found:
                for start in range(0, len(batch), 1_000):
                    yield batch[start : start + 1_000]

    async def _turn(self, journal: str) -> None:
        while await turn_chunk(self.conn, journal, today=self._today()) is not None:
            pass

    def _today(self) -> int:
        return day_of(self.clock.now_us())
