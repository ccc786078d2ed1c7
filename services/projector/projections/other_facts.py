"""Facts without views of their own yet: kept, so that those can be built from here."""

import asyncpg

from services.projector.projections.arrivals import Arrivals
from services.projector.projections.statements import SQL, columns


async def insert(conn: asyncpg.Connection, journal: str, arrivals: Arrivals) -> None:
    """Add the other facts of a batch."""
    if not arrivals.others:
        return
    rows = [
        (
            event.tenant,
            event.home,
            event.position,
            event.event_id,
            event.type,
            event.occurred_at_us,
            event.recorded_at_us,
            event.recorded_by,
            event.payload,
        )
        for event in arrivals.others
    ]
    await conn.execute(SQL["insert_other_facts"], journal, *columns(rows, 9))
