"""The schema of the version being built: tables, indexes and rights as the live one has them."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Final

import asyncpg

from services.projector.projections.tables import READ_MODELS
from services.projector.versions.beside import LIVE, NEXT
from services.runtime.pg import load_sql

SQL: Final = load_sql("services.projector.versions.sql")

# Whoever builds, compares, switches or drops; one at a time.
_LOCK_NAME: Final = "rapport.views.versions"

# Filled in bulk: what is looked up by is made once the rows are there. The primary keys of all but
# the touchpoints stay, small as they are: they keep out what is named twice.
WITHOUT_KEY: Final = frozenset({"touchpoints"})
FOLDED: Final = frozenset({"balances", "standings"})


class Phase(StrEnum):
    """How far a build is; each phase ends in the row of `build`, and is gone on with after a kill.

    Read: raw rows from the ledger. Index: what the folds look up by. Fold: balances and standings.
    Finish: what lists look up by. Follow: every event as the live version takes it.
    """

    READ = "read"
    INDEX = "index"
    FOLD = "fold"
    FINISH = "finish"
    FOLLOW = "follow"


class Occupied(Exception):  # noqa: N818 - says what is
    """Somebody else is building, comparing, switching or dropping versions."""


@asynccontextmanager
async def alone(conn: asyncpg.Connection) -> AsyncIterator[None]:
    """Hold the lock of the versions, for as long as the block or the session lasts."""
    if not await conn.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", _LOCK_NAME):
        raise Occupied
    try:
        yield
    finally:
        if not conn.is_closed():
            await conn.execute("SELECT pg_advisory_unlock(hashtextextended($1, 0))", _LOCK_NAME)


async def phase_of(conn: asyncpg.Connection) -> Phase | None:
    """How far the version being built is; None when none is."""
    if await conn.fetchval("SELECT to_regclass($1) IS NULL", f"{NEXT}.build"):
        return None
    return Phase(await conn.fetchval(f"SELECT phase FROM {NEXT}.build"))  # noqa: S608


async def enter(conn: asyncpg.Connection, phase: Phase) -> None:
    """Note that a phase begins; waits for whoever still works in the one before."""
    await conn.execute(f"UPDATE {NEXT}.build SET phase = $1, compared = NULL", phase)  # noqa: S608


async def create(conn: asyncpg.Connection, phase: Phase) -> None:
    """Make the schema with empty tables, all or nothing; throws away one that is there.

    In phase READ without the indexes that later phases make; in FOLLOW with all.
    """
    async with conn.transaction():
        await drop(conn, NEXT)
        await conn.execute(f"CREATE SCHEMA {NEXT}")
        for table in READ_MODELS:
            # In quotes the live schema is meant on any connection.
            await conn.execute(
                f'CREATE TABLE {NEXT}.{table} (LIKE "{LIVE}".{table} INCLUDING DEFAULTS'
                " INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING GENERATED INCLUDING IDENTITY)"
            )
            for row in await conn.fetch(SQL["grants"], table, LIVE, NEXT):
                await conn.execute(row["statement"])
        await conn.execute(
            f"CREATE TABLE {NEXT}.build (phase text NOT NULL, compared text,"
            " started_at timestamptz NOT NULL DEFAULT now())"
        )
        await conn.execute(f"INSERT INTO {NEXT}.build (phase) VALUES ($1)", phase)  # noqa: S608
        if phase is Phase.READ:
            for _, statement in await missing_indexes(conn, READ_MODELS, keys_only=True):
                await conn.execute(statement)
        else:
            for _, statement in await missing_indexes(conn, READ_MODELS):
                await conn.execute(statement)


async def drop(conn: asyncpg.Connection, schema: str) -> None:
    """Drop a version that is not live, wholly."""
    assert schema != LIVE
    await conn.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


async def missing_indexes(
    conn: asyncpg.Connection, tables: Collection[str], *, keys_only: bool = False
) -> Sequence[tuple[str, str]]:
    """The indexes that tables of the version being built lack: name and statement, in order.

    `keys_only`: the primary keys that rows are kept apart by while they are read.
    """
    rows = await conn.fetch(SQL["indexes"], list(tables), LIVE, NEXT)
    return [
        (row["index"], row["statement"])
        for row in rows
        if not keys_only or (row["primary_key"] and row["table"] not in WITHOUT_KEY)
    ]
