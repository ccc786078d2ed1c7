"""Parties: every one that any event names, with the description in force today."""

from collections.abc import Collection, Mapping

import asyncpg

from services.projector.facts import side_number
from services.projector.projections.arrivals import VOID, Arrivals
from services.projector.projections.statements import SQL, Named, columns
from services.projector.projections.tenants import Terms
from services.runtime.clock import US_PER_DAY


async def insert_descriptions(conn: asyncpg.Connection, journal: str, arrivals: Arrivals) -> None:
    """Add the descriptions of a batch."""
    if not arrivals.descriptions:
        return
    rows = [
        (
            event.tenant,
            described.party,
            event.occurred_at_us,
            event.position,
            event.event_id,
            event.recorded_at_us,
            event.recorded_by,
            side_number(described.side),
            described.team,
            described.tier,
            event.payload,
        )
        for event, described in arrivals.descriptions
    ]
    await conn.execute(SQL["insert_descriptions"], journal, *columns(rows, 11))


async def insert(
    conn: asyncpg.Connection, journal: str, arrivals: Arrivals, *, late: bool = False
) -> None:
    """Add the parties that a batch names for the first time, and note whose texts are gone."""
    named = [(*party, position) for party, position in arrivals.first_named.items()]
    if named:
        keys = columns(named, 3)
        await conn.execute(SQL["insert_parties"], journal, *keys)
        if late:
            await conn.execute(SQL["lower_first_positions"], journal, *keys)
    if arrivals.erased:
        await conn.execute(SQL["erase_parties"], journal, *columns(arrivals.erased, 2))


async def update(
    conn: asyncpg.Connection,
    journal: str,
    arrivals: Arrivals,
    terms: Mapping[str, Terms],
    *,
    late: bool = False,
) -> None:
    """Bring the rows of parties to what a batch says about them.

    After `insert_descriptions` and the amendments. `late`: events beyond the batch were applied
    before (the retry of a parked event).
    """
    await insert(conn, journal, arrivals, late=late)
    described = {Named(event.tenant, said.party) for event, said in arrivals.descriptions}
    voids = [(void.event.tenant, void.target) for void in arrivals.of_role(VOID)]
    if voids:
        rows = await conn.fetch(SQL["described_by"], journal, *columns(voids, 2))
        described |= {Named(*row) for row in rows}
    await redescribe(conn, journal, described, terms)
    for tenant, term in terms.items():
        if term.day_before is not None and term.day_before < term.day:
            await redescribe_since(conn, journal, tenant, terms)


async def redescribe_since(
    conn: asyncpg.Connection, journal: str, tenant: str, terms: Mapping[str, Terms]
) -> None:
    """Put in force what was described for days after the tenant's day before.

    Few rows: nothing may be recorded that happens more than 5 minutes from now.
    """
    before = terms[tenant].day_before
    assert before is not None
    since_us = (before + 1) * US_PER_DAY
    rows = await conn.fetch(SQL["described_since"], journal, tenant, since_us)
    await redescribe(conn, journal, {Named(*row) for row in rows}, terms)


async def redescribe(
    conn: asyncpg.Connection, journal: str, parties: Collection[Named], terms: Mapping[str, Terms]
) -> None:
    """Put the description in force on the tenant's day into the rows of parties."""
    if not parties:
        return
    rows = [(*party, (terms[party.tenant].day + 1) * US_PER_DAY) for party in sorted(parties)]
    await conn.execute(SQL["redescribe_parties"], journal, *columns(rows, 3))
