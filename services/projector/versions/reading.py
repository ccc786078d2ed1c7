"""Events of a journal from the ledger in large batches, read ahead while one is written."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import asyncpg

from services.projector.facts import Delivered
from services.projector.intake.ledger import JournalInfo, LedgerJournals
from services.projector.projections import apply as applying
from services.projector.projections import checkpoint, parties, tenants
from services.projector.projections.apply import apply_with, project
from services.projector.projections.arrivals import sort_events
from services.projector.projections.outcomes import Applied, IncarnationChanged

BATCH_EVENTS: Final = 5_000
_AHEAD_BATCHES: Final = 3


class TooManyParked(Exception):  # noqa: N818 - says what is
    """More events could not be taken than the events themselves can be blamed for."""


async def keep_raw(conn: asyncpg.Connection, events: Sequence[Delivered], *, today: int) -> None:
    """Write events as they are and nothing that follows from them but names and terms."""
    journal, arrivals = events[0].journal, sort_events(events)
    await applying.keep(conn, journal, arrivals)
    await tenants.settle(conn, journal, arrivals.tenants, today)
    await parties.insert(conn, journal, arrivals)


async def apply_raw(
    conn: asyncpg.Connection, events: Sequence[Delivered], *, today: int
) -> Applied:
    """Apply a batch as raw rows. Raises TooManyParked, and what `apply` raises."""
    return _unless_stopped(await apply_with(conn, events, partial(keep_raw, today=today)))


async def apply_whole(
    conn: asyncpg.Connection, events: Sequence[Delivered], *, today: int
) -> Applied:
    """Apply a batch as the live version does. Raises TooManyParked, and what `apply` raises."""
    return _unless_stopped(await apply_with(conn, events, partial(project, today=today)))


async def position_of(conn: asyncpg.Connection, info: JournalInfo) -> int:
    """How far the version being built is in a journal; it begins anew for another incarnation."""
    found = await checkpoint.read(conn, info.journal)
    if found is not None and found.incarnation != info.incarnation:
        raise IncarnationChanged(info.journal, found.incarnation, info.incarnation)
    return 0 if found is None else found.position


@asynccontextmanager
async def batches(
    ledger: LedgerJournals, journal: str, after: int, through: int
) -> AsyncIterator[AsyncIterator[list[Delivered]]]:
    """The events after a position up to another, `BATCH_EVENTS` at a time."""
    queue: asyncio.Queue[list[Delivered] | None] = asyncio.Queue(_AHEAD_BATCHES)

    async def read() -> None:
        pending: list[Delivered] = []
        position = after
        if after >= through:
            await queue.put(None)
            return
        async with ledger.follow(journal, after + 1) as parts:
            async for part in parts:
                pending += [event for event in part.events if event.position <= through]
                position = pending[-1].position if pending else position
                if len(pending) >= BATCH_EVENTS or position >= through:
                    await queue.put(pending)
                    pending = []
                if position >= through:
                    break
        await queue.put(None)

    async def taken() -> AsyncIterator[list[Delivered]]:
        while True:
            get = asyncio.ensure_future(queue.get())
            await asyncio.wait({get, reader}, return_when=asyncio.FIRST_COMPLETED)
            if not get.done():
                if queue.empty():
                    get.cancel()
                    reader.result()  # the error that ended it
                    return
                await get
            batch = get.result()
            if batch is None:
                return
            yield batch

    reader = asyncio.create_task(read())
    try:
        yield taken()
    finally:
        reader.cancel()
        await asyncio.wait({reader})


def _unless_stopped(applied: Applied) -> Applied:
    if applied.stopped:
        raise TooManyParked(f"{applied.parked_total} events are parked")
    return applied
