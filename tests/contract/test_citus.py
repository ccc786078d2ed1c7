"""The schema distributes by `journal`: what `deploy/citus` says of a migrated database is true.

Citus itself is not asked: it is not there. This is about what it would want of the catalog.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from tests.support.databases import Database

CITUS: Final = Path(__file__).resolve().parents[2] / "deploy/citus"
SCHEMAS: Final = ("journal", "views")
# Partitions lie where their table does.
TABLES: Final = """
SELECT n.nspname || '.' || c.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""
UNIQUE_KEYS: Final = """
SELECT n.nspname || '.' || c.relname AS table, k.relname AS key,
       array_agg(a.attname ORDER BY s.place)::text[] AS columns
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class k ON k.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS s (attnum, place)
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = s.attnum
 WHERE n.nspname = ANY ($1) AND i.indisunique AND NOT c.relispartition
 GROUP BY 1, 2
"""
FOREIGN_KEYS: Final = """
SELECT f.conname AS name, f.conrelid::regclass::text AS from_table,
       f.confrelid::regclass::text AS to_table,
       (SELECT array_agg(a.attname ORDER BY a.attnum)::text[] FROM pg_attribute a
         WHERE a.attrelid = f.conrelid AND a.attnum = ANY (f.conkey)) AS columns
  FROM pg_constraint f JOIN pg_namespace n ON n.oid = f.connamespace
 WHERE f.contype = 'f' AND n.nspname = ANY ($1) AND f.conparentid = 0
"""
TRIGGERS: Final = """
SELECT t.tgrelid::regclass::text AS table, p.oid::regprocedure::text AS function
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE NOT t.tgisinternal AND n.nspname = ANY ($1)
"""


def named(function: str) -> set[str]:
    """The tables `distribute.sql` gives to a function of Citus."""
    text = (CITUS / "distribute.sql").read_text()
    found = re.findall(rf"^SELECT {function}\('([a-z_.]+)'", text, re.MULTILINE)
    assert len(found) == len(set(found)), "a table is named twice"
    return set(found)


DISTRIBUTED: Final = named("create_distributed_table")
REFERENCE: Final = named("create_reference_table")
LOCAL: Final = named("citus_add_local_table_to_metadata")


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    made = await asyncpg.connect(database.admin_dsn)
    yield made
    await made.close()


async def test_every_table_is_distributed_by_journal_or_named_as_what_it_is(
    owner: asyncpg.Connection,
) -> None:
    tables = {row[0] for row in await owner.fetch(TABLES, SCHEMAS)}
    assert tables == DISTRIBUTED | REFERENCE | LOCAL
    assert len(tables) == len(DISTRIBUTED) + len(REFERENCE) + len(LOCAL), "named twice"
    text = (CITUS / "distribute.sql").read_text()
    for table in DISTRIBUTED - {"journal.journals"}:
        assert f"('{table}', 'journal', colocate_with => 'journal.journals')" in text


async def test_every_unique_key_of_a_distributed_table_begins_with_the_journal(
    owner: asyncpg.Connection,
) -> None:
    keys = await owner.fetch(UNIQUE_KEYS, SCHEMAS)
    assert {row["table"] for row in keys} >= DISTRIBUTED, "a table without a key"
    wrong = [
        row["key"] for row in keys if row["table"] in DISTRIBUTED and row["columns"][0] != "journal"
    ]
    assert not wrong


async def test_foreign_keys_stay_within_a_journal_but_for_those_that_are_dropped(
    owner: asyncpg.Connection,
) -> None:
    dropped = set(re.findall(r"DROP CONSTRAINT (\w+)", (CITUS / "prepare.sql").read_text()))
    keys = {row["name"]: row for row in await owner.fetch(FOREIGN_KEYS, SCHEMAS)}
    assert dropped <= set(keys)
    for name in set(keys) - dropped:
        assert {keys[name]["from_table"], keys[name]["to_table"]} <= DISTRIBUTED
        assert "journal" in keys[name]["columns"]


async def test_once_prepared_no_table_has_a_trigger_and_none_ever_had_a_sequence(
    owner: asyncpg.Connection,
) -> None:
    transaction = owner.transaction()
    await transaction.start()
    assert await owner.fetch(TRIGGERS, SCHEMAS)
    await owner.execute((CITUS / "prepare.sql").read_text())
    assert not await owner.fetch(TRIGGERS, SCHEMAS)
    # The next partition is made without the triggers that are gone.
    await owner.execute("UPDATE journal.journals SET head = 9000000")
    await owner.fetchval("SELECT journal.ensure_partitions()")
    assert not await owner.fetch(TRIGGERS, SCHEMAS)
    sequences = "SELECT FROM pg_sequences WHERE schemaname = ANY ($1)"
    assert not await owner.fetch(sequences, SCHEMAS)
    await transaction.rollback()


async def test_the_function_that_is_distributed_exists_once_and_takes_the_journal(
    owner: asyncpg.Connection,
) -> None:
    arguments = await owner.fetch(
        "SELECT p.proargnames FROM pg_proc p WHERE p.pronamespace = 'journal'::regnamespace"
        " AND p.proname = 'append_group'"
    )
    assert [row[0][0] for row in arguments] == ["p_journal"]
