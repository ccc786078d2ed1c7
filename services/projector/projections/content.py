"""What the views hold, as counts and hashes: for `doctor`, and for tests that compare two ways.

The same events, applied in any batches, on the same day, give the same content; times of
processing are left out.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import asyncpg

from services.projector.door import one_version
from services.projector.projections.statements import SQL
from services.projector.projections.tables import TABLES, Table

_ROWS_PER_FETCH: Final = 2_000


@dataclass(frozen=True, slots=True)
class TableContent:
    """How many rows a table has of a journal, and the SHA-256 over them in order, in hex."""

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Content:
    """What the views of a journal hold at a position (0 before its first event)."""

    journal: str
    position: int
    tables: dict[str, TableContent]


@dataclass(frozen=True, slots=True)
class StoredFact:
    """An event as some raw table keeps it, to be compared with the journal."""

    position: int
    event_id: str
    payload_sha256: bytes


async def content(conn: asyncpg.Connection, journal: str) -> Content:
    """Count and hash every table of a journal's views, all as of one moment.

    Reads every row once, in order; takes memory for some thousand rows.
    """
    async with one_version(conn):
        # The text of rows must not depend on how the session is set.
        await conn.execute("SET LOCAL bytea_output = 'hex'")
        found = await conn.fetchrow(SQL["read_checkpoint"], journal)
        tables = {}
        for table in TABLES:
            tables[table.name] = await _table(conn, journal, table)
    return Content(journal, 0 if found is None else found["position"], tables)


async def stored_facts(
    conn: asyncpg.Connection, journal: str, *, after: int = 0, through: int
) -> AsyncIterator[StoredFact]:
    """The events that the views keep, parked ones included, by position: the journal's, exactly.

    From the one after `after` up to `through`.
    """
    async with one_version(conn):
        async for row in conn.cursor(
            SQL["stored_facts"], journal, after, through, prefetch=_ROWS_PER_FETCH
        ):
            yield StoredFact(row["position"], str(row["event_id"]), row["payload_sha256"])


async def _table(conn: asyncpg.Connection, journal: str, table: Table) -> TableContent:
    # Names come from TABLES alone.
    text, order = "t::text", ", ".join(table.key)
    if table.passing:
        text = f"(to_jsonb(t) - '{{{','.join(table.passing)}}}'::text[])::text"
    query = f"SELECT {text} FROM views.{table.name} t WHERE t.journal = $1 ORDER BY {order}"  # noqa: S608
    digest, rows = hashlib.sha256(), 0
    async for row in conn.cursor(query, journal, prefetch=_ROWS_PER_FETCH):
        digest.update(row[0].encode())
        digest.update(b"\n")
        rows += 1
    return TableContent(rows, digest.hexdigest())
