"""Amendments: what points at other events, before or after these arrive."""

import asyncpg

from services.projector.projections.arrivals import CORRECTION, VOID, Arrivals
from services.projector.projections.statements import SQL, PairKey, columns


async def insert(conn: asyncpg.Connection, journal: str, arrivals: Arrivals) -> None:
    """Add the amendments of a batch."""
    if not arrivals.amendments:
        return
    rows = [
        (
            amendment.event.tenant,
            amendment.event.event_id,
            amendment.target,
            amendment.role,
            amendment.event.position,
            amendment.event.occurred_at_us,
            amendment.event.recorded_at_us,
            amendment.event.recorded_by,
            amendment.a,
            amendment.b,
            amendment.event.payload,
        )
        for amendment in arrivals.amendments
    ]
    await conn.execute(SQL["insert_amendments"], journal, *columns(rows, 11))


async def amended_touchpoints(
    conn: asyncpg.Connection, journal: str, arrivals: Arrivals
) -> dict[PairKey, set[str]]:
    """The touchpoints that may stand otherwise after a batch, by raw pair.

    Those it brings that were amended before they arrived, and those stored that it amends, also by
    voiding a correction. After the touchpoints and amendments were added.
    """
    amended: dict[PairKey, set[str]] = {}
    pairs = {
        (event.tenant, event.event_id): PairKey(event.tenant, *touchpoint.pair)
        for event, touchpoint in arrivals.touchpoints
    }
    if pairs:
        for tenant, target in await conn.fetch(
            SQL["amended_among"], journal, *columns(pairs.keys(), 2)
        ):
            amended.setdefault(pairs[tenant, str(target)], set()).add(str(target))
    targets = [(item.event.tenant, item.target) for item in arrivals.of_role(VOID, CORRECTION)]
    if targets:
        for tenant, a, b, event_id in await conn.fetch(
            SQL["amended_by"], journal, *columns(targets, 2)
        ):
            amended.setdefault(PairKey(tenant, a, b), set()).add(str(event_id))
    return amended
