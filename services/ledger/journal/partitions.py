"""Keeps partitions of events ahead of the journals' heads."""

import asyncio
from typing import Final

import asyncpg

from services.runtime.logs import get_logger
from services.runtime.pg import POSTGRES_ERRORS, load_sql

# Half of the least distance that ensure_partitions keeps.
CHECK_EVERY_POSITIONS: Final = 10_000

_SQL: Final = load_sql("services.ledger.journal.sql")
_log = get_logger(__name__)


class PartitionKeeper:
    """Asks for more partitions from time to time; when one is missing after all, at once.

    Other replicas' appends need no counting here: each replica asks after its own.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._since_check = 0
        self._task: asyncio.Task[None] | None = None

    async def ensure(self) -> int:
        """Make what is missing; the last position there is a partition for."""
        through: int = await self._pool.fetchval(_SQL["ensure_partitions"])
        return through

    def grown(self, events: int) -> None:
        """This process appended so many: look in the background when they add up."""
        self._since_check += events
        if self._since_check >= CHECK_EVERY_POSITIONS and self._task is None:
            self._since_check = 0
            self._task = asyncio.create_task(self._check(), name="journal partitions")

    async def close(self) -> None:
        """Wait for the look under way."""
        if self._task is not None:
            await self._task

    async def _check(self) -> None:
        try:
            await self.ensure()
        except POSTGRES_ERRORS:
            # The next look may do, and the append that needs a partition makes it itself.
            _log.warning("partitions could not be made ahead")
        finally:
            self._task = None
