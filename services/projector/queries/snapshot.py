"""One consistent read: a snapshot of the read models that knows its own position.

A transaction; or, for what is asked most, a single statement, which is a snapshot too and takes a
quarter of the round trips.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

import asyncpg

from services.projector.door import one_version
from services.runtime.errors import RapportError, Reason
from services.runtime.pg import POSTGRES_ERRORS, is_connection_lost, load_sql, retry_read

SQL: Final = load_sql("services.projector.queries.sql")

_ACQUIRE_TIMEOUT_S: Final = 10.0
# Tenants known to need more than one statement; forgotten together when they are too many.
_TENANTS_MAX: Final = 10_000
# The columns of `policies`.
_POLICY: Final = ("position", "event_id", "name", "version", "hash", "effective_from")


async def plan_by_index(conn: asyncpg.Connection) -> None:
    """Prepare a connection of the pool that Views is given; see the statement of that name."""
    await conn.execute(SQL["plan_by_index"])


class ViewsBehind(Exception):  # noqa: N818 - the sentence reads without "Error"
    """The snapshot is older than was asked for."""


class _MoreWanted(Exception):  # noqa: N818
    """Something was asked of one statement's snapshot that the statement does not answer."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """A statement that is likely all that will be asked; `open_with_<stem>` reads it on opening."""

    stem: str
    binds: tuple[object, ...]


class _Reading(Protocol):
    async def fetch(self, query: str, *binds: object) -> list[Any]: ...

    async def fetchrow(self, query: str, *binds: object) -> Any: ...

    async def fetchval(self, query: str, *binds: object) -> Any: ...


class _Answer(NamedTuple):
    query: str
    binds: tuple[object, ...]
    rows: list[Any]


@dataclass(frozen=True, slots=True)
class _Answered:
    """Instead of a connection: the rows of some statements, and of no other."""

    answers: tuple[_Answer, ...]

    async def fetch(self, query: str, *binds: object) -> list[Any]:
        for answer in self.answers:
            if query is answer.query and binds == answer.binds:
                return answer.rows
        raise _MoreWanted

    async def fetchrow(self, query: str, *binds: object) -> Any:
        raise _MoreWanted

    async def fetchval(self, query: str, *binds: object) -> Any:
        raise _MoreWanted


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
    _conn: _Reading = field(repr=False)

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
    """The read models, for reading: a pool of the rapport_projector login.

    Reading ahead wants connections prepared by `plan_by_index`.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._want_more: set[tuple[str, str]] = set()

    async def read[T](
        self,
        journal: str,
        tenant: str,
        work: Callable[[Snapshot], Awaitable[T]],
        *,
        min_position: int = 0,
        ahead: Ahead | None = None,
    ) -> T:
        """What `work` makes of one snapshot: one REPEATABLE READ, read-only transaction.

        Or the one statement that `ahead` stands for; when `work` asks for more than that, it runs
        again in a transaction. Runs `work` again, on a new snapshot, when the connection was lost.
        Raises ViewsBehind for views that are not at `min_position`, and UNAVAILABLE when Postgres
        cannot be reached or is too slow.
        """

        async def once() -> T:
            assert ahead is not None
            snapshot = await self._read_ahead(journal, tenant, ahead)
            if snapshot.position < min_position:
                raise ViewsBehind
            try:
                return await work(snapshot)
            except _MoreWanted:
                if snapshot.has_links:
                    self._wants_more(journal, tenant)
                raise

        async def attempt() -> T:
            async with (
                self._pool.acquire(timeout=_ACQUIRE_TIMEOUT_S) as conn,
                one_version(conn),
            ):
                row = await conn.fetchrow(SQL["open"], journal, tenant)
                assert row is not None, "the statement always has one row"
                has_policies = row["has_policies"] is not None
                snapshot = _snapshot(row, journal, tenant, conn, has_policies=has_policies)
                if snapshot.position < min_position:
                    raise ViewsBehind
                return await work(snapshot)

        if ahead is not None and (journal, tenant) not in self._want_more:
            with suppress(_MoreWanted):
                return await _available(once)
        return await _available(attempt)

    async def _read_ahead(self, journal: str, tenant: str, ahead: Ahead) -> Snapshot:
        """A snapshot that knows of nothing else."""
        async with self._pool.acquire(timeout=_ACQUIRE_TIMEOUT_S) as conn:
            query = SQL[f"open_with_{ahead.stem}"]
            rows = await conn.fetch(query, journal, tenant, *ahead.binds)
        found = [row for row in rows if row["a"] is not None]
        policies = [dict(zip(_POLICY, each, strict=True)) for each in rows[0]["policies"]]
        # Nothing of a snapshot was recorded after its position.
        now = (journal, tenant, rows[0]["position"] or 0)
        answers = (
            _Answer(SQL[ahead.stem], (journal, tenant, *ahead.binds), found),
            _Answer(SQL["policies"], now, policies),
        )
        reading = _Answered(answers)
        return _snapshot(rows[0], journal, tenant, reading, has_policies=bool(policies))

    def _wants_more(self, journal: str, tenant: str) -> None:
        if len(self._want_more) >= _TENANTS_MAX:
            self._want_more.clear()
        self._want_more.add((journal, tenant))

    async def position(self, journal: str) -> int:
        """How far the views of a journal are: 0 before its first event."""

        async def attempt() -> int:
            async with self._pool.acquire(timeout=_ACQUIRE_TIMEOUT_S) as conn:
                return int(await conn.fetchval(SQL["checkpoint"], journal) or 0)

        return await _available(attempt)


def _snapshot(
    row: Any, journal: str, tenant: str, conn: _Reading, *, has_policies: bool
) -> Snapshot:
    standings = None
    if row["day"] is not None:
        standings = StandingsState(row["day"], row["standings_policy_hash"], row["built"])
    return Snapshot(
        journal=journal,
        tenant=tenant,
        position=row["position"] or 0,
        standings=standings,
        has_policies=has_policies,
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
