"""How far the views of a journal are: moved in the transaction that writes them."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from services.projector.facts import Delivered
from services.projector.projections.outcomes import CheckpointElsewhere, IncarnationChanged
from services.projector.projections.statements import SQL


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Position and instant of the last event applied, and how many events are parked.

    `recorded_at_us` is the least bigint while nothing was applied.
    """

    incarnation: str
    position: int
    recorded_at_us: int
    parked: int


async def read(conn: asyncpg.Connection, journal: str) -> Checkpoint | None:
    """The checkpoint of a journal; None before its first event."""
    return _checkpoint(await conn.fetchrow(SQL["read_checkpoint"], journal))


async def lock(conn: asyncpg.Connection, journal: str) -> Checkpoint | None:
    """The checkpoint, locked until the transaction ends; None before the journal's first event."""
    return _checkpoint(await conn.fetchrow(SQL["lock_checkpoint"], journal))


async def lock_for(
    conn: asyncpg.Connection, events: Sequence[Delivered]
) -> tuple[Checkpoint, Sequence[Delivered]]:
    """Lock the checkpoint that a batch follows on; it and what is left to do of the batch.

    Raises IncarnationChanged, or CheckpointElsewhere when the batch begins beyond the next event.
    """
    return await _follow(conn, events, await lock(conn, events[0].journal))


async def locked_for(
    conn: asyncpg.Connection, events: Sequence[Delivered]
) -> tuple[Checkpoint, Sequence[Delivered]]:
    """The same in a transaction that has locked the checkpoint."""
    return await _follow(conn, events, await read(conn, events[0].journal))


async def _follow(
    conn: asyncpg.Connection, events: Sequence[Delivered], found: Checkpoint | None
) -> tuple[Checkpoint, Sequence[Delivered]]:
    first = events[0]
    if found is None:
        await conn.execute(SQL["ensure_checkpoint"], first.journal, first.incarnation)
        found = await lock(conn, first.journal)
        if found is None:
            raise CheckpointElsewhere(0)  # made by another replica, and cleared since
    if found.incarnation != first.incarnation:
        raise IncarnationChanged(first.journal, found.incarnation, first.incarnation)
    if first.position > found.position + 1:
        raise CheckpointElsewhere(found.position)
    done = found.position + 1 - first.position
    return found, events[done:] if done else events


async def move(conn: asyncpg.Connection, events: Sequence[Delivered]) -> None:
    """Move the locked checkpoint over events, and note their ticks."""
    last = events[-1]
    ticks = {event.recorded_at_us: event.position for event in events}
    await conn.execute(SQL["insert_ticks"], last.journal, list(ticks.keys()), list(ticks.values()))
    await conn.execute(SQL["move_checkpoint"], last.journal, last.position, last.recorded_at_us)


def _checkpoint(row: asyncpg.Record | None) -> Checkpoint | None:
    if row is None:
        return None
    return Checkpoint(str(row[0]), row[1], row[2], row[3])
