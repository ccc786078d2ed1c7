"""Throw the views of a journal away, to be built again from its beginning."""

from typing import Final
from uuid import UUID

import asyncpg

from services.projector.projections.statements import SQL
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
