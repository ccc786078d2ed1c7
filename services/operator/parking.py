"""Parked events: those a projection could not take."""

from dataclasses import dataclass

from services.operator import connecting
from services.operator.config import Installation
from services.operator.outcomes import Refused
from services.projector.projections.apply import retry
from services.projector.projections.parked import ParkedRow, listed
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


async def retry_parked(
    installation: Installation, journal: str | None = None, position: int | None = None
) -> list[Retried]:
    """Try parked events again, in order of position; each in a transaction of its own.

    Raises Refused when the one asked for is not parked; Usage, Unavailable.
    """
    tried = []
    today = day_of(SystemClock().now_us())
    async with connecting.postgres(installation.views_dsn, "RAPPORT_VIEWS_DSN") as conn:
        rows = [
            row
            for row in await listed(conn, journal or "")
            if position is None or row.position == position
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
