"""Statements from files, and which errors are worth another try."""

import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from services.runtime import pg
from services.runtime.pg import InvalidSqlFile


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    directory = tmp_path / "sql_under_test"
    directory.mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield directory
    sys.modules.pop("sql_under_test", None)


def test_a_statement_is_found_by_the_name_of_its_file(package: Path) -> None:
    (package / "b.sql").write_text("-- Says it.\n-- $1 text: what\nSELECT $1::text;\n")
    (package / "a.sql").write_text("-- One.\nSELECT 1\n")
    queries = pg.load_sql("sql_under_test")
    assert list(queries) == ["a", "b"]
    assert queries["b"] == "-- sql_under_test/b\nSELECT $1::text"
    with pytest.raises(KeyError, match=r"no c\.sql"):
        queries["c"]


def test_quoted_semicolons_and_dollars_are_not_mistaken(package: Path) -> None:
    text = """-- $1 text: what
SELECT 'a;$2', ";", $$ ; $3 $$, $1 -- ; $4
  /* ; $5 */"""
    (package / "a.sql").write_text("-- Says it.\n" + text)
    assert pg.load_sql("sql_under_test")["a"].endswith("/* ; $5 */")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("SELECT 1", "a comment that says"),
        ("-- Nothing.\n", "a comment that says"),
        ("-- Two.\nSELECT 1; SELECT 2", "one statement"),
        ("-- Unlisted.\nSELECT $1::text", "list the binds"),
        ("-- Unused.\n-- $1 text: what\nSELECT 1", "list the binds"),
        ("-- Gap.\n-- $2 text: what\nSELECT $2::text", "list the binds"),
        ("-- Order.\n-- $2 text: b\n-- $1 text: a\nSELECT $1::text, $2::text", "list the binds"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused_by_name(package: Path, text: str, rule: str) -> None:
    (package / "a.sql").write_text(text)
    with pytest.raises(InvalidSqlFile, match=rf"sql_under_test/a\.sql: .*{rule}"):
        pg.load_sql("sql_under_test")


def test_a_package_without_statements_is_an_incomplete_installation(package: Path) -> None:
    (package / "__init__.py").write_text("")
    with pytest.raises(InvalidSqlFile, match="complete"):
        pg.load_sql("sql_under_test")


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (ConnectionResetError(), True),
        (asyncpg.ConnectionDoesNotExistError(), True),
        (asyncpg.AdminShutdownError(), True),
        (asyncpg.CannotConnectNowError(), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InterfaceError("another operation is in progress"), False),
        (asyncpg.UniqueViolationError(), False),
        (asyncpg.QueryCanceledError(), False),
        (TimeoutError(), False),
    ],
)
def test_only_a_lost_connection_counts_as_one(error: Exception, lost: bool) -> None:
    assert pg.is_connection_lost(error) is lost


class Flaky:
    """A read that fails some times before it answers, and the pauses made meanwhile."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.pauses_s: list[float] = []

    async def read(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    async def sleep(self, seconds: float) -> None:
        self.pauses_s.append(seconds)


async def test_a_read_is_tried_again_after_a_lost_connection() -> None:
    flaky = Flaky(ConnectionResetError(), asyncpg.InternalClientError())
    assert await pg.retry_read(flaky.read, sleep=flaky.sleep) == "answer"
    assert flaky.pauses_s == [0.05, 0.1]


async def test_a_read_is_given_up_after_its_attempts() -> None:
    flaky = Flaky(*[ConnectionResetError()] * 3)
    with pytest.raises(ConnectionResetError):
        await pg.retry_read(flaky.read, attempts=2, sleep=flaky.sleep)
    assert len(flaky.errors) == 1


async def test_another_error_of_a_read_is_raised_at_once() -> None:
    flaky = Flaky(asyncpg.UniqueViolationError())
    with pytest.raises(asyncpg.UniqueViolationError):
        await pg.retry_read(flaky.read, sleep=flaky.sleep)
    assert flaky.pauses_s == []
