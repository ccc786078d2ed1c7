"""One consistent read: a snapshot of the read models that knows its own position."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

from services.projector.door import one_version
from services.runtime.errors import RapportError, Reason
from services.runtime.pg import POSTGRES_ERRORS, is_connection_lost, load_sql, retry_read

SQL: Final = load_sql("services.projector.queries.sql")

_ACQUIRE_TIMEOUT_S: Final = 10.0


class ViewsBehind(Exception):  # noqa: N818 - the sentence reads without "Error"
    """The snapshot is older than was asked for."""


@dataclass(frozen=True, slots=True)
class StandingsState:
    """What a tenant's list of today holds for: a day, a policy, and whether all of it does yet."""

    day: int
    policy_hash: str
    built: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the views said at `position`, for one tenant; gone when its transaction ends.

    Everything up to `position` of the journal is in it and nothing after it. `standings` is None
    before the tenant's first event. Only for the task that it was opened for.
    """

    journal: str
    tenant: str
    position: int
    standings: StandingsState | None
    has_policies: bool
    has_links: bool
    _conn: asyncpg.Connection = field(repr=False)

    async def fetch(self, stem: str, *binds: object) -> list[Any]:
        """The rows of a statement whose first two binds are journal and tenant."""
        rows: list[Any] = await self._conn.fetch(SQL[stem], self.journal, self.tenant, *binds)
        return rows

    async def fetch_row(self, stem: str, *binds: object) -> Any | None:
        """The only row of such a statement, or None."""
        return await self._conn.fetchrow(SQL[stem], self.journal, self.tenant, *binds)

    async def position_at(self, instant_us: int) -> int:
        """The last position recorded at an instant or before, 0 for none, at most `position`."""
        found = await self._conn.fetchval(SQL["position_at"], self.journal, instant_us)
        return int(found or 0)


class Views:
    """The read models, for reading: a pool of the rapport_projector login."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def read[T](
        self,
        journal: str,
        tenant: str,
        work: Callable[[Snapshot], Awaitable[T]],
        *,
        min_position: int = 0,
    ) -> T:
        """What `work` makes of one snapshot: one REPEATABLE READ, read-only transaction.

        Runs `work` again, on a new snapshot, when the connection was lost. Raises ViewsBehind for
        views that are not at `min_position`, and UNAVAILABLE when Postgres cannot be reached or is
        too slow.
        """

        async def attempt() -> T:
            async with (
                self._pool.acquire(timeout=_ACQUIRE_TIMEOUT_S) as conn,
                one_version(conn),
            ):
                snapshot = await _open(conn, journal, tenant)
                if snapshot.position < min_position:
                    raise ViewsBehind
                return await work(snapshot)

        return await _available(attempt)

    async def position(self, journal: str) -> int:
        """How far the views of a journal are: 0 before its first event."""

        async def attempt() -> int:
            async with self._pool.acquire(timeout=_ACQUIRE_TIMEOUT_S) as conn:
                return int(await conn.fetchval(SQL["checkpoint"], journal) or 0)

        return await _available(attempt)


async def _open(conn: asyncpg.Connection, journal: str, tenant: str) -> Snapshot:
    row = await conn.fetchrow(SQL["open"], journal, tenant)
    assert row is not None, "the statement always has one row"
    standings = None
    if row["day"] is not None:
        standings = StandingsState(row["day"], row["policy_hash"], row["built"])
    return Snapshot(
        journal=journal,
        tenant=tenant,
        position=row["position"] or 0,
        standings=standings,
        has_policies=row["has_policies"] is not None,
        has_links=row["has_links"] is not None,
        _conn=conn,
    )


async def _available[T](attempt: Callable[[], Awaitable[T]]) -> T:
    try:
        return await retry_read(attempt)
    except (TimeoutError, asyncpg.QueryCanceledError):
        raise RapportError(Reason.UNAVAILABLE, "the read models are too slow; retry") from None
    except POSTGRES_ERRORS as error:
        if not is_connection_lost(error):
            raise
        raise RapportError(
            Reason.UNAVAILABLE, "the read models cannot be reached; retry"
        ) from error
