"""Directories of migrations: how the files are named and what they may not hold."""

from pathlib import Path

import pytest

from services.runtime.migrations import MigrationError, expected_version, migrate, read_migrations


def write(directory: Path, *names: str) -> Path:
    for name in names:
        (directory / name).write_text("SELECT 1;")
    return directory


def test_files_are_read_in_order_with_their_checksums(tmp_path: Path) -> None:
    first, second = read_migrations(write(tmp_path, "0002_b.sql", "0001_a.sql"))
    assert (first.label, second.label) == ("0001_a", "0002_b")
    assert first.sha256 == second.sha256
    assert len(first.sha256) == 64
    assert expected_version(tmp_path) == 2


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["0001_a.sql", "0003_c.sql"], "should hold migration 0002 where 0003_c stands"),
        (["0001_a.sql", "0001_b.sql"], "should hold migration 0002 where 0001_b stands"),
        (["0002_b.sql"], "should hold migration 0001 where 0002_b stands"),
        (["1_a.sql"], "is not named NNNN_name.sql"),
        (["0001_A.sql"], "is not named NNNN_name.sql"),
        ([], "holds no migrations"),
    ],
)
def test_gaps_and_other_names_are_refused(tmp_path: Path, names: list[str], message: str) -> None:
    with pytest.raises(MigrationError, match=message):
        read_migrations(write(tmp_path, *names))


@pytest.mark.parametrize(
    "sql", ["BEGIN; SELECT 1;", "SELECT 1;\n-- done\nCommit;", "SELECT 1; rollback", "END;"]
)
def test_a_file_that_ends_its_transaction_is_refused(tmp_path: Path, sql: str) -> None:
    (tmp_path / "0001_a.sql").write_text(sql)
    with pytest.raises(MigrationError, match="begins or ends a transaction"):
        read_migrations(tmp_path)


def test_blocks_of_functions_are_no_transactions(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_text(
        "DO $$\nBEGIN; COMMIT; END $$; -- ; commit\nSELECT 'a;end'"
    )
    assert expected_version(tmp_path) == 1


async def test_a_schema_is_a_plain_identifier(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a schema name is"):
        await migrate("postgresql://", 'x"; DROP', tmp_path)
