"""The pool on a real server: its settings, its cheap release, and connections that are lost."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest
import pytest_asyncio

from services.runtime.clock import SystemClock, instant_from_datetime
from services.runtime.pg import create_pool, is_connection_lost, retry_read
from tests.support.databases import Database


@pytest_asyncio.fixture
async def pool(database: Database) -> AsyncIterator[asyncpg.Pool]:
    made = await create_pool(
        database.admin_dsn,
        application_name="test-pool",
        size_min=1,
        size_max=1,
        statement_timeout_ms=1_000,
        lock_timeout_ms=20_000,
        idle_in_transaction_timeout_ms=30_000,
    )
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("application_name", "test-pool"),
        ("statement_timeout", "1s"),
        ("lock_timeout", "20s"),
        ("idle_in_transaction_session_timeout", "30s"),
        ("jit", "off"),
        ("timezone", "UTC"),
    ],
)
async def test_every_session_has_the_settings_of_the_pool(
    pool: asyncpg.Pool, setting: str, value: str
) -> None:
    for _ in range(2):
        assert await pool.fetchval("SELECT current_setting($1)", setting) == value


async def test_a_statement_that_takes_too_long_is_cancelled(pool: asyncpg.Pool) -> None:
    with pytest.raises(asyncpg.QueryCanceledError) as cancelled:
        await pool.fetch("SELECT pg_sleep(10)")
    assert not is_connection_lost(cancelled.value)


async def test_giving_a_connection_back_sends_nothing_to_the_server(pool: asyncpg.Pool) -> None:
    last = "SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()"
    sent: list[str] = []
    async with pool.acquire() as connection:
        connection.add_query_logger(lambda record: sent.append(record.query))
        await connection.fetch(last)
    assert sent == [last]


async def test_a_transaction_left_open_is_rolled_back(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute("BEGIN")
        await connection.execute("CREATE TABLE left_open ()")
    assert await pool.fetchval("SELECT to_regclass('left_open')") is None


async def test_a_read_survives_the_loss_of_its_connection(
    pool: asyncpg.Pool, database: Database
) -> None:
    tries = 0

    async def read() -> int:
        nonlocal tries
        tries += 1
        async with pool.acquire() as connection:
            if tries == 1:
                await connection.fetch("SELECT pg_terminate_backend(pg_backend_pid())")
            return int(await connection.fetchval("SELECT 42"))

    assert await retry_read(read) == 42
    assert tries == 2


async def test_the_clock_and_the_calendar_agree() -> None:
    before = instant_from_datetime(datetime.now(UTC))
    assert before <= SystemClock().now_us() <= instant_from_datetime(datetime.now(UTC))
