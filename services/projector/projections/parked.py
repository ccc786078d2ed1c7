"""Parked events: put aside whole, with the reason, never skipped in silence."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from services.projector.facts import Delivered
from services.projector.projections.outcomes import Parked
from services.projector.projections.statements import SQL

# More than this many of one journal blame the code rather than the events: it stops itself.
PARKED_MAX: Final = 100
_LISTED_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """A parked event as operators see it; discarded: who decided to do without it, and why."""

    journal: str
    position: int
    tenant: str
    event_id: str
    type: str
    reason: str
    parked_at: datetime
    discarded_because: str | None
    discarded_by: str | None


async def put(conn: asyncpg.Connection, event: Delivered, reason: str) -> Parked:
    """Put an event aside; with the new reason if it was parked before."""
    await conn.execute(
        SQL["park_event"],
        event.journal,
        event.position,
        event.incarnation,
        event.tenant,
        event.event_id,
        _storable(event.type),
        _storable(event.home),
        event.revision,
        _storable(event.kind),
        event.occurred_at_us,
        event.recorded_at_us,
        _storable(event.recorded_by),
        event.schema_version,
        event.payload,
        _storable(reason),
    )
    return Parked(event.position, event.event_id, event.type, reason)


async def take(conn: asyncpg.Connection, journal: str, position: int) -> Delivered | None:
    """The parked event at a position; None if that is not parked."""
    row = await conn.fetchrow(SQL["parked_event"], journal, position)
    if row is None:
        return None
    values = dict(row)
    values["incarnation"] = str(row["incarnation"])
    values["event_id"] = str(row["event_id"])
    return Delivered(**values)


async def discard(
    conn: asyncpg.Connection, journal: str, position: int, *, reason: str, by: str
) -> bool:
    """Note that a parked event is done without; whether that was news.

    It stays among the parked ones, whole, and may still be retried; it counts no more towards the
    number that stops the journal, and stays discarded when the views are built anew.
    """
    noted = await conn.fetchval(SQL["discard_event"], journal, position, reason, by)
    return noted is not None


async def remove(conn: asyncpg.Connection, journal: str, position: int) -> None:
    """Forget that an event was parked, and that it was discarded."""
    await conn.execute(SQL["unpark_event"], journal, position)
    await conn.execute(SQL["forget_discard"], journal, position)


async def listed(
    conn: asyncpg.Connection, journal: str = "", limit: int = _LISTED_MAX
) -> list[ParkedRow]:
    """The parked events of a journal, or of all, by journal and position."""
    rows = await conn.fetch(SQL["list_parked"], journal, limit)
    return [ParkedRow(**{**dict(row), "event_id": str(row["event_id"])}) for row in rows]


def _storable(text: str) -> str:
    """The text without what no text column takes: whatever is wrong with it must not stop this."""
    return text.replace("\0", "").encode(errors="replace").decode()
