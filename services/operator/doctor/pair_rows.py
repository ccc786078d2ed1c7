"""Rows of a table ordered by pair, read along with pairs that come in the same order."""

from collections.abc import AsyncIterator
from typing import Any

from services.projector.domain.facts import Pair


def pair_of_row(row: Any) -> Pair:
    """The pair of a row."""
    return row["a"], row["b"]


class PairRows:
    """Rows by pair, ascending, read along with the pairs that are computed."""

    def __init__(self, rows: AsyncIterator[Any]) -> None:
        self._rows, self._begun = rows, False
        self._next: Any = None
        self._skipped: Any = None

    async def at(self, pair: Pair) -> Any | None:
        """The row of a pair, asked for in ascending order; rows before it are skipped."""
        while (row := await self.beyond(pair)) is not None:
            if pair_of_row(row) == pair:
                return row
            self._skipped = self._skipped or row
        return None

    async def skipped(self) -> Any | None:
        """The first row skipped so far."""
        return self._skipped

    async def beyond(self, pair: Pair | None) -> Any | None:
        """Take the next row, if its pair is not after `pair` (None: whatever it is)."""
        if not self._begun:
            self._next, self._begun = await anext(self._rows, None), True
        row = self._next
        if row is None or (pair is not None and pair_of_row(row) > pair):
            return None
        self._next = await anext(self._rows, None)
        return row
