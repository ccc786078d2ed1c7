"""Which journals this replica follows: leases, so that replicas share the work of the intake.

A lease is a Postgres advisory lock on one connection of the replica, and being counted is another:
both end with the connection, at once when a replica dies, after SILENCE_MAX_S when it freezes.
Nothing stands in a table and no clock is compared. A lease keeps replicas from doing the same work;
what keeps the read models right is the checkpoint, which is locked and compared in the transaction
that writes them, whoever believes to hold what.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final, Protocol

import asyncpg

from services.projector.metrics import ProjectorMetrics
from services.runtime.leadership import SILENCE_MAX_S, lock_connection
from services.runtime.leadership import SQL as LOCKS
from services.runtime.logs import get_logger

_log = get_logger(__name__)

GROUP: Final = "rapport.projectors"
# How soon a journal is taken that another replica let go of.
LOOK_S: Final = 0.5
_AGAIN_S: Final = 0.5


def lease_of(journal: str) -> str:
    """The name of a journal's lease."""
    return f"rapport.intake/{journal}"


def fair_share(journals: int, replicas: int) -> int:
    """How many journals a replica may hold: rounded up, so that none is left to nobody."""
    return -(-journals // max(replicas, 1))


class Locks(Protocol):
    """The locks of one connection. Everything raises when that is lost."""

    async def members(self) -> int:
        """How many replicas there are, this one included."""
        ...

    async def take(self, names: Sequence[str], most: int) -> list[str]:
        """Those taken, at most so many."""
        ...

    async def let_go(self, name: str) -> None:
        """Another may take it."""
        ...


class Leases:
    """Holds this replica's share of the journals while it runs.

    `known` are the journals there are. `take(journal)` begins to follow one; `give_up(journal)`
    returns when nothing of it goes on here. Whatever is held when the connection is lost is given
    up, and taken again if nobody else was faster.
    """

    def __init__(
        self,
        dsn: str,
        metrics: ProjectorMetrics,
        *,
        known: Callable[[], Collection[str]],
        take: Callable[[str], None],
        give_up: Callable[[str], Awaitable[None]],
    ) -> None:
        self._dsn, self._metrics = dsn, metrics
        self._known, self._take, self._give_up = known, take, give_up
        # In the order they were taken.
        self.held: list[str] = []

    async def run(self) -> None:
        """Hold a fair share for ever; ends only by cancellation, which gives everything up."""
        while True:
            try:
                await self._while_connected()
            except (
                OSError,
                TimeoutError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                asyncpg.InternalClientError,
            ) as error:
                _log.warning("leases lost", exc_info=error)
            await asyncio.sleep(_AGAIN_S)

    async def look(self, locks: Locks) -> None:
        """Take what is missing to a fair share, let go of what is over it."""
        known, replicas = self._known(), await locks.members()
        share = fair_share(len(known), replicas)
        self._metrics.replicas(replicas)
        # The youngest first: what is followed longest has the warmest caches.
        for journal in reversed(self.held[share:]):
            await self._drop(journal)
            await locks.let_go(lease_of(journal))
        missing = {lease_of(journal): journal for journal in known if journal not in self.held}
        if missing and len(self.held) < share:
            for name in await locks.take(list(missing), share - len(self.held)):
                journal = missing[name]
                self.held.append(journal)
                self._metrics.holds(journal, True)
                _log.info("lease taken", journal=journal, count=len(self.held))
                self._take(journal)

    async def _while_connected(self) -> None:
        connection = await lock_connection(self._dsn, "rapport-projector-leases")
        try:
            locks = _PostgresLocks(connection)
            await locks.join()
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _: lost.set())
            while not lost.is_set():
                await self.look(locks)
                try:
                    async with asyncio.timeout(LOOK_S):
                        await lost.wait()
                except TimeoutError:
                    pass
        finally:
            # Nobody else begins before this replica has ended what it does.
            await self._give_up_all()
            connection.terminate()

    async def _give_up_all(self) -> None:
        for journal in list(reversed(self.held)):
            await self._drop(journal)

    async def _drop(self, journal: str) -> None:
        await self._give_up(journal)
        self.held.remove(journal)
        self._metrics.holds(journal, False)
        _log.info("lease given up", journal=journal, count=len(self.held))


class _PostgresLocks:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def join(self) -> None:
        """Be counted."""
        await self._connection.execute(LOCKS["join_group"], GROUP, timeout=SILENCE_MAX_S)

    async def members(self) -> int:
        return int(
            await self._connection.fetchval(LOCKS["count_group"], GROUP, timeout=SILENCE_MAX_S)
        )

    async def take(self, names: Sequence[str], most: int) -> list[str]:
        rows = await self._connection.fetch(LOCKS["take_some"], names, most, timeout=SILENCE_MAX_S)
        return [row["name"] for row in rows]

    async def let_go(self, name: str) -> None:
        await self._connection.fetchval(LOCKS["let_go"], name, timeout=SILENCE_MAX_S)
