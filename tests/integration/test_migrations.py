"""Migrations against a real server: once, in order, and never twice the same number."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from services.runtime import vault
from services.runtime.migrations import (
    MigrationError,
    MigrationFailed,
    expected_version,
    migrate,
    schema_version,
)
from tests.support.databases import Database, DatabaseFactory


@pytest.fixture
def empty(databases: DatabaseFactory) -> Iterator[Database]:
    made = databases.create(migrated=False)
    yield made
    databases.drop(made)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (x int); -- unqualified: own")
    (tmp_path / "0002_second.sql").write_text(
        "CREATE TABLE drill.second (x int);\n"
        "DO $$ BEGIN INSERT INTO drill.second VALUES (1); END $$;"
    )
    return tmp_path


async def version_of(dsn: str) -> int:
    conn = await asyncpg.connect(dsn)
    try:
        return await schema_version(conn, "drill")
    finally:
        await conn.close()


async def test_migrations_run_in_order_and_once(empty: Database, files: Path) -> None:
    assert await version_of(empty.admin_dsn) == 0
    assert await migrate(empty.admin_dsn, "drill", files) == ["0001_first", "0002_second"]
    assert await migrate(empty.admin_dsn, "drill", files) == []
    assert await version_of(empty.admin_dsn) == expected_version(files) == 2
    conn = await asyncpg.connect(empty.admin_dsn)
    try:
        assert await conn.fetchval("SELECT count(*) FROM drill.first, drill.second") == 0
        assert await conn.fetchval("SELECT count(*) FROM drill.second") == 1
    finally:
        await conn.close()


async def test_of_many_who_migrate_at_once_one_does_the_work(empty: Database, files: Path) -> None:
    done = await asyncio.gather(*[migrate(empty.admin_dsn, "drill", files) for _ in range(5)])
    assert sorted(len(labels) for labels in done) == [0, 0, 0, 0, 2]


async def test_two_databases_may_make_the_same_group_role_at_once(
    databases: DatabaseFactory,
) -> None:
    made = [databases.create(migrated=False) for _ in range(3)]
    try:
        done = await asyncio.gather(
            *[migrate(each.admin_dsn, vault.SCHEMA, vault.MIGRATIONS) for each in made]
        )
        assert len({tuple(labels) for labels in done}) == 1
    finally:
        for each in made:
            databases.drop(each)


async def test_a_failing_migration_leaves_no_trace_and_those_before_it_stay(
    empty: Database, files: Path
) -> None:
    (files / "0003_third.sql").write_text("CREATE TABLE drill.third (x int); SELECT 1/0;")
    with pytest.raises(MigrationFailed, match="0003_third failed and was rolled back: 22012"):
        await migrate(empty.admin_dsn, "drill", files)
    assert await version_of(empty.admin_dsn) == 2
    (files / "0003_third.sql").write_text("CREATE TABLE drill.third (x int);")
    assert await migrate(empty.admin_dsn, "drill", files) == ["0003_third"]


async def test_an_applied_migration_that_was_changed_is_refused(
    empty: Database, files: Path
) -> None:
    await migrate(empty.admin_dsn, "drill", files)
    (files / "0002_second.sql").write_text("CREATE TABLE drill.second (x bigint);")
    (files / "0003_third.sql").write_text("CREATE TABLE drill.third (x int);")
    with pytest.raises(MigrationError, match="put the applied file back"):
        await migrate(empty.admin_dsn, "drill", files)
    assert await version_of(empty.admin_dsn) == 2


async def test_an_applied_migration_that_was_renamed_or_is_missing_is_refused(
    empty: Database, files: Path
) -> None:
    await migrate(empty.admin_dsn, "drill", files)
    second = files / "0002_second.sql"
    shutil.move(second, files / "0002_other.sql")
    with pytest.raises(MigrationError, match="0002_other is not the 0002_second"):
        await migrate(empty.admin_dsn, "drill", files)
    (files / "0002_other.sql").unlink()
    with pytest.raises(MigrationError, match="run the newer version that applied it"):
        await migrate(empty.admin_dsn, "drill", files)


async def test_a_record_removed_by_hand_is_noticed(empty: Database, files: Path) -> None:
    await migrate(empty.admin_dsn, "drill", files)
    conn = await asyncpg.connect(empty.admin_dsn)
    try:
        await conn.execute("DELETE FROM drill.schema_migrations WHERE number = 1")
    finally:
        await conn.close()
    with pytest.raises(MigrationError, match="edited by hand"):
        await migrate(empty.admin_dsn, "drill", files)


async def test_a_service_login_may_ask_for_the_schema_version(database: Database) -> None:
    conn = await asyncpg.connect(database.vault_dsn)
    try:
        expected = expected_version(vault.MIGRATIONS)
        assert await schema_version(conn, vault.SCHEMA) == expected
    finally:
        await conn.close()
