"""Build views again: all of a journal from its beginning, or one relationship at once."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

from services.projector.facts import Delivered
from services.projector.projections import checkpoint, links, standings
from services.projector.projections.apply import project
from services.projector.projections.statements import SQL, PairKey, columns
from services.projector.projections.tables import READ_MODELS

# The incarnation of a checkpoint that nobody sees.
_NOBODYS: Final = UUID(int=0)


async def clear(conn: asyncpg.Connection, journal: str) -> None:
    """Delete all rows of a journal's views and its checkpoint, in one transaction.

    Running projectors notice that the checkpoint moved back, and follow: from the first event on,
    under the incarnation the journal has now. Takes time in proportion to the rows; the statement
    timeout of `conn` must allow for it.
    """
    async with conn.transaction():
        # Where there is no checkpoint yet, one is made to be locked: a projector that begins
        # meanwhile would leave rows that it wrote after their table was emptied.
        while await conn.fetchrow(SQL["lock_checkpoint"], journal) is None:
            await conn.execute(SQL["ensure_checkpoint"], journal, _NOBODYS)
        for table in READ_MODELS:
            await conn.execute(f"DELETE FROM views.{table} WHERE journal = $1", journal)  # noqa: S608


async def rebuild_pair(
    conn: asyncpg.Connection,
    journal: str,
    pair: PairKey,
    events: Sequence[Delivered],
    *,
    today: int,
) -> int:
    """Write everything of a raw pair anew from its events, in one transaction; how many those are.

    `events`: all at home with the pair, as the ledger has them. Those beyond the checkpoint come
    later, as ever; parked ones stay parked. Amendments at home elsewhere are kept. LookupError when
    the views of the journal have not begun. What was damaged elsewhere than in this pair's rows
    stays so.
    """
    async with conn.transaction():
        found = await checkpoint.lock(conn, journal)
        if found is None:
            raise LookupError("the read models of this journal have not begun")
        positions = [event.position for event in events if event.position <= found.position]
        rows = await conn.fetch(SQL["parked_positions"], journal, positions)
        parked = {row["position"] for row in rows}
        await conn.fetchval(SQL["delete_pair"], journal, *pair, positions)
        canonical = await links.canonical_ids(conn, journal, standings.ends_of([pair]))
        if (stands := links.canonical_pair(canonical, pair)) is not None:
            await conn.execute(SQL["delete_standings"], journal, *columns([stands], 3))
        left = [e for e in events if e.position <= found.position and e.position not in parked]
        if left:
            await project(conn, left, today=today, incremental=False, late=True)
        return len(left)
