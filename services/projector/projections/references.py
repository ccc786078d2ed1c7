"""What facts are looked up by besides where they are kept: what they fulfil, whom they join."""

import asyncpg

from services.projector.projections.arrivals import Arrivals
from services.projector.projections.statements import SQL, columns


async def insert(conn: asyncpg.Connection, journal: str, arrivals: Arrivals) -> None:
    """Add the references of a batch. They say what was recorded: nothing takes them back."""
    fulfilments = [
        (event.tenant, target, event.position, event_id)
        for event, event_id, target in arrivals.fulfilments
    ]
    if fulfilments:
        await conn.execute(SQL["insert_fulfilments"], journal, *columns(fulfilments, 4))
    affiliations = [
        (event.tenant, organization, event.position, person, event.event_id)
        for event, organization, person in arrivals.affiliations
    ]
    if affiliations:
        await conn.execute(SQL["insert_affiliations"], journal, *columns(affiliations, 5))
