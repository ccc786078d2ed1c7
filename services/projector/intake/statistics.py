"""Statistics for the planner while the views are young.

A first import fills empty tables within the minute that autovacuum takes to look at them, and
without statistics a look-up may read all rows of a journal.
"""

from typing import Final

import asyncpg

from services.projector.projections.statements import SQL

_FIRST_EVENTS: Final = 500
_TIMES: Final = 4


class YoungTables:
    """Counts what this process applied, and gathers statistics at 500, 2,000, 8,000 … events."""

    def __init__(self) -> None:
        self._applied = 0
        self._next = _FIRST_EVENTS

    async def applied(self, conn: asyncpg.Connection, events: int) -> None:
        """So many more events were applied; takes some 100 ms when it is time."""
        self._applied += events
        if self._applied < self._next:
            return
        while self._next <= self._applied:
            self._next *= _TIMES
        await conn.fetchval(SQL["gather_statistics"])
