"""Parked events: those a projection could not take."""

from dataclasses import dataclass

from services.operator import connecting
from services.operator.config import Installation
from services.operator.outcomes import Refused
from services.projector.projections.apply import retry
from services.projector.projections.parked import ParkedRow, discard, listed
from services.runtime.clock import SystemClock, day_of


@dataclass(frozen=True, slots=True)
class Retried:
    """A parked event tried again; `reason` is why it is still parked, None when it is not."""

    journal: str
    position: int
    event_id: str
    reason: str | None


async def list_parked(installation: Installation, journal: str | None = None) -> list[ParkedRow]:
    """The parked events, by journal and position. Raises Usage, Unavailable."""
    async with connecting.postgres(installation.views_dsn, "RAPPORT_VIEWS_DSN") as conn:
        return await listed(conn, journal or "")


async def discard_parked(
    installation: Installation, journal: str | None, position: int, *, reason: str, by: str
) -> list[ParkedRow]:
    """Decide to do without a parked event; the row as it is now.

    Raises Refused when none is parked there, or one was discarded before; Usage, Unavailable.
    """
    async with connecting.postgres(installation.views_dsn, "RAPPORT_VIEWS_DSN") as conn:
        rows = [row for row in await listed(conn, journal or "") if row.position == position]
        if len(rows) != 1:
            what = "no event is" if not rows else "events of several journals are"
            raise Refused(f"{what} parked at position {position}: see `rapport parked list`")
        name = rows[0].journal
        if not await discard(conn, name, position, reason=reason, by=by):
            raise Refused(f"{rows[0].discarded_by} discarded it: {rows[0].discarded_because}")
        return [row for row in await listed(conn, name) if row.position == position]


async def retry_parked(
    installation: Installation, journal: str | None = None, position: int | None = None
) -> list[Retried]:
    """Try parked events again, in order of position; each in a transaction of its own.

    Those discarded only when asked for by position. Raises Refused when the one asked for is not
    parked; Usage, Unavailable.
    """
    tried = []
    today = day_of(SystemClock().now_us())
    async with connecting.postgres(installation.views_dsn, "RAPPORT_VIEWS_DSN") as conn:
        rows = [
            row
            for row in await listed(conn, journal or "")
            if (row.discarded_by is None if position is None else row.position == position)
        ]
        if position is not None and not rows:
            raise Refused(f"no event is parked at position {position}")
        for row in rows:
            try:
                again = await retry(conn, row.journal, row.position, today=today)
            except LookupError:
                continue  # somebody else was faster
            reason = None if again is None else again.reason
            tried.append(Retried(row.journal, row.position, row.event_id, reason))
    return tried
