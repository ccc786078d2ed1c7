"""Several replicas, killed backends and lost answers: the journal stays whole."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from deploy.local.postgres import PostgresServer
from services.ledger.domain.events import Batch, Recorded
from services.ledger.journal.outcomes import Busy, OutcomeUnknown, Unavailable
from services.ledger.journal.store import Journal
from services.runtime.pg import create_pool
from tests.support.batches import JOURNAL, all_events, batch, event_id, open_journal, record
from tests.support.databases import Database

KILL_APPENDERS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'rapport-ledger-append'
"""
WAITING_FOR_A_LOCK = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'rapport-ledger-append'
   AND wait_event_type = 'Lock'
"""


async def append_until_known(journal: Journal, sent: Batch) -> Sequence[Recorded]:
    """What a good client does: the same ids again until the outcome is known."""
    for _ in range(1_000):
        try:
            return await journal.append(sent)
        except (OutcomeUnknown, Unavailable):
            await asyncio.sleep(0)
    raise AssertionError("the journal never came back")


async def assert_whole(journal: Journal, acknowledged: dict[str, int]) -> None:
    """No gap, nothing twice, revisions of every home contiguous, nothing acknowledged is lost."""
    events = await all_events(journal)
    assert [e.position for e in events] == list(range(1, len(events) + 1))
    assert (await journal.head(JOURNAL)).head == len(events)
    assert len({e.event_id for e in events}) == len(events)
    revisions: defaultdict[str, int] = defaultdict(int)
    for event in events:
        revisions[event.home] += 1
        assert event.revision == revisions[event.home]
    times = [e.recorded_at_us for e in events]
    assert times == sorted(times)
    at = {e.event_id: e.position for e in events}
    assert acknowledged.items() <= at.items()


async def test_two_replicas_with_killed_backends_and_vanishing_callers_leave_no_gap(
    database: Database,
) -> None:
    draw = random.Random(20)
    acknowledged: dict[str, int] = {}
    vanished: set[str] = set()

    def next_batch(number: int) -> Batch:
        return batch(
            *(
                record(number * 100 + n, home=f"people/p{draw.randrange(5)}", occurred_at_us=None)
                for n in range(draw.randrange(1, 8))
            )
        )

    async def caller(journal: Journal, numbers: range) -> None:
        for number in numbers:
            sent = next_batch(number)
            attempt = asyncio.create_task(append_until_known(journal, sent))
            if draw.random() < 0.2:
                for _ in range(draw.randrange(20)):
                    await asyncio.sleep(0)
                attempt.cancel()
            try:
                for recorded in await attempt:
                    acknowledged[recorded.event_id] = recorded.position
            except asyncio.CancelledError:
                vanished.update(r.event_id for r in sent.records)

    async def killer(connection: Any, callers: Sequence[asyncio.Task[None]]) -> int:
        killed = 0
        while killed < 12 and not all(task.done() for task in callers):
            killed += await connection.fetchval(KILL_APPENDERS)
            for _ in range(draw.randrange(50)):
                await connection.fetchval("SELECT 1")
        return killed

    async with (
        open_journal(database.journal_dsn) as first,
        open_journal(database.journal_dsn) as second,
    ):
        callers = [
            asyncio.create_task(caller((first, second)[n % 2], range(n * 20, n * 20 + 20)))
            for n in range(16)
        ]
        connection = await asyncpg.connect(database.admin_dsn)
        killed, *_ = await asyncio.gather(killer(connection, callers), *callers)
        await connection.close()
        assert killed
        assert vanished
        await assert_whole(first, acknowledged)


async def test_an_unknown_outcome_is_settled_by_the_same_ids_when_nothing_was_written(
    database: Database,
) -> None:
    connection = await asyncpg.connect(database.admin_dsn)
    async with open_journal(database.journal_dsn) as journal:
        sent = batch(record(1), record(2))
        async with connection.transaction():
            await connection.execute("SELECT FROM journal.journals FOR UPDATE")
            appending = asyncio.create_task(journal.append(sent))
            while not await connection.fetchval(WAITING_FOR_A_LOCK):
                pass
            assert await connection.fetchval(KILL_APPENDERS)
            with pytest.raises(OutcomeUnknown):
                await appending
        recorded = await append_until_known(journal, sent)
        assert [(r.position, r.replayed) for r in recorded] == [(1, False), (2, False)]
    await connection.close()


class LosesTheNextAnswer:
    """A pool whose connection is gone when the commit is done and its answer on the way."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.armed = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    async def acquire(self, *, timeout: float) -> Any:
        connection = await self._pool.acquire(timeout=timeout)
        return _Losing(connection) if self.armed else connection

    async def release(self, connection: Any) -> None:
        if isinstance(connection, _Losing):
            self.armed, connection = False, connection.connection
        await self._pool.release(connection)


class _Losing:
    def __init__(self, connection: Any) -> None:
        self.connection = connection

    async def fetchrow(self, *arguments: Any) -> Any:
        await self.connection.fetchrow(*arguments)
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle")

    def terminate(self) -> None:
        self.connection.terminate()


async def test_an_unknown_outcome_is_settled_by_the_same_ids_when_all_was_written(
    database: Database,
) -> None:
    def pool() -> Any:
        return create_pool(
            database.journal_dsn,
            application_name="test",
            size_min=1,
            size_max=2,
            statement_timeout_ms=5_000,
            lock_timeout_ms=5_000,
            idle_in_transaction_timeout_ms=5_000,
        )

    journal = Journal(LosesTheNextAnswer(await pool()), await pool())
    await journal.start()
    await journal.create_tenant("acme", JOURNAL)
    with pytest.raises(OutcomeUnknown):
        await journal.append(batch(record(1), record(2)))
    recorded = await journal.append(batch(record(1), record(2)))
    assert [(r.position, r.replayed) for r in recorded] == [(1, True), (2, True)]
    await journal.close()


async def test_a_replica_that_holds_the_lock_for_too_long_makes_the_others_busy_not_stuck(
    database: Database,
) -> None:
    frozen = await asyncpg.connect(database.admin_dsn)
    journal = await Journal.connect(database.journal_dsn, lock_timeout_ms=50)
    await journal.start()
    async with frozen.transaction():
        await frozen.execute("SELECT FROM journal.journals FOR UPDATE")
        with pytest.raises(Busy) as refused:
            await journal.append(batch(record(1)))
        assert refused.value.retry_after_ms > 0
    assert [r.position for r in await journal.append(batch(record(1)))] == [1]
    await journal.close()
    await frozen.close()


async def test_a_pipelined_caller_finds_its_batches_in_the_order_sent(database: Database) -> None:
    async with open_journal(database.journal_dsn) as journal:
        # Every one expects what the one before leaves behind: alone in its group, yet in order.
        answers = await asyncio.gather(
            *(
                journal.append(batch(record(2 * n, expected_revision=2 * n), record(2 * n + 1)))
                for n in range(10)
            )
        )
        assert [r.position for answer in answers for r in answer] == list(range(1, 21))


async def test_while_postgres_is_down_nothing_is_written_and_afterwards_all_goes_on(
    private_postgres: PostgresServer, private_database: Database
) -> None:
    async with open_journal(private_database.journal_dsn) as journal:
        await journal.append(batch(record(1)))
        private_postgres.abort()
        # The first one may still find a connection that looks alive.
        with pytest.raises((Unavailable, OutcomeUnknown)):
            await journal.append(batch(record(2)))
        with pytest.raises(Unavailable):
            await journal.append(batch(record(3)))
        private_postgres.start()
        (recorded,) = await append_until_known(journal, batch(record(3)))
        assert (recorded.position, recorded.event_id) == (2, event_id(3))


async def test_what_waits_when_the_journal_is_closed_is_refused_for_certain(
    database: Database,
) -> None:
    async with open_journal(database.journal_dsn) as journal:
        appending = [asyncio.create_task(journal.append(batch(record(n)))) for n in range(5)]
        await asyncio.sleep(0)
    answers = await asyncio.gather(*appending, return_exceptions=True)
    refused = [isinstance(answer, Unavailable) for answer in answers]
    async with open_journal(database.journal_dsn) as journal:
        stored = {e.event_id for e in await all_events(journal)}
    assert [event_id(n) not in stored for n in range(5)] == refused
