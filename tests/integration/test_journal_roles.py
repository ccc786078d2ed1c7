"""Who may do what in schema journal, tried as every role."""

from collections.abc import AsyncIterator
from itertools import product
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from tests.support.batches import batch, open_journal, record
from tests.support.databases import Database

APPEND_ONLY = ["events", "event_keys"]
CHANGES = [
    "UPDATE journal.{} SET journal = journal",
    "DELETE FROM journal.{}",
    "TRUNCATE journal.{}",
]


@pytest_asyncio.fixture
async def filled(database: Database) -> Database:
    async with open_journal(database.journal_dsn) as journal:
        await journal.append(batch(record(1), record(2)))
    return database


@pytest_asyncio.fixture
async def writer(filled: Database) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(filled.journal_dsn)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def owner(filled: Database) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(filled.admin_dsn)
    yield connection
    await connection.close()


async def partition_of(connection: Any) -> str:
    name: str = await connection.fetchval("SELECT name FROM journal.partitions")
    return name


async def test_the_writer_may_only_read_and_insert(writer: Any) -> None:
    for table, statement in product([*APPEND_ONLY, "tenants"], CHANGES):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await writer.execute(statement.format(table))


async def test_the_writer_may_do_nothing_else(writer: Any) -> None:
    for statement in (
        "UPDATE journal.journals SET incarnation = gen_random_uuid()",
        "DELETE FROM journal.journals",
        "TRUNCATE journal.journals CASCADE",
        "UPDATE journal.settings SET partition_positions = 1",
        "INSERT INTO journal.partitions VALUES (1, 2, 'x')",
        "DELETE FROM journal.schema_migrations",
        "DROP TABLE journal.events",
        "ALTER TABLE journal.events DISABLE TRIGGER ALL",
        "CREATE TABLE journal.mine ()",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await writer.execute(statement)


async def test_the_writer_cannot_reach_a_partition_by_itself(writer: Any) -> None:
    partition = await partition_of(writer)
    for statement in ("SELECT FROM journal.{}", "DELETE FROM journal.{}", "TRUNCATE journal.{}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await writer.execute(statement.format(partition))


@pytest.mark.parametrize("replication_role", ["origin", "replica"])
async def test_the_triggers_refuse_the_owner_too(owner: Any, replication_role: str) -> None:
    await owner.execute(f"SET session_replication_role = {replication_role}")
    tables = [*APPEND_ONLY, await partition_of(owner)]
    for table, statement in product(tables, CHANGES):
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await owner.execute(statement.format(table))
    assert await owner.fetchval("SELECT count(*) FROM journal.events") == 2
    assert await owner.fetchval("SELECT count(*) FROM journal.event_keys") == 2


async def test_the_other_services_do_not_see_the_journal_at_all(filled: Database) -> None:
    for dsn in (filled.vault_dsn, filled.views_dsn):
        connection = await asyncpg.connect(dsn)
        for statement in (
            "SELECT FROM journal.events",
            "SELECT journal.ensure_partitions()",
            "SELECT FROM journal.schema_migrations",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        await connection.close()


async def test_readiness_can_ask_for_the_version_of_the_schema(filled: Database) -> None:
    async with open_journal(filled.journal_dsn) as journal:
        assert await journal.schema_version() >= 3
