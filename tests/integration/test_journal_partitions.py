"""Partitions of events are there before they are needed, whoever appends."""

import asyncio
from typing import Any

import asyncpg

from services.ledger.journal import partitions
from services.ledger.journal.store import Journal
from tests.support.batches import JOURNAL, all_events, batch, open_journal, record
from tests.support.databases import Database

MARGIN = 20_000


async def with_small_partitions(database: Database, positions: int) -> Any:
    connection = await asyncpg.connect(database.admin_dsn)
    await connection.execute("UPDATE journal.settings SET partition_positions = $1", positions)
    return connection


async def ranges(connection: Any) -> list[tuple[int, int]]:
    rows = await connection.fetch(
        "SELECT from_position, through_position FROM journal.partitions ORDER BY from_position"
    )
    return [tuple(row) for row in rows]


async def test_a_partition_holds_five_million_positions_unless_the_owner_says_otherwise(
    database: Database,
) -> None:
    async with open_journal(database.journal_dsn):
        pass
    connection = await asyncpg.connect(database.admin_dsn)
    assert await ranges(connection) == [(1, 5_000_000)]
    await connection.close()


async def test_partitions_adjoin_and_reach_well_beyond_every_head(database: Database) -> None:
    connection = await with_small_partitions(database, 7_000)
    async with open_journal(database.journal_dsn) as journal:
        await journal.create_journal("ahead")
        await connection.execute("UPDATE journal.journals SET head = 9000 WHERE journal = 'ahead'")
        async with open_journal(database.journal_dsn):
            pass
        assert await ranges(connection) == [
            (7_000 * n + 1, 7_000 * (n + 1)) for n in range(5)
        ]  # 35,000, the first end beyond 9,000 + MARGIN
    await connection.close()


async def test_replicas_that_ask_at_once_make_each_partition_once(database: Database) -> None:
    connection = await with_small_partitions(database, 5_000)
    async with open_journal(database.journal_dsn), open_journal(database.journal_dsn):
        pass
    journals = await asyncio.gather(*(Journal.connect(database.journal_dsn) for _ in range(4)))
    await asyncio.gather(*(journal.start() for journal in journals))
    await asyncio.gather(*(journal.close() for journal in journals))
    assert await ranges(connection) == [(5_000 * n + 1, 5_000 * (n + 1)) for n in range(4)]
    await connection.close()


async def test_a_journal_that_outgrew_its_partitions_gets_one_in_the_middle_of_an_append(
    database: Database,
) -> None:
    connection = await with_small_partitions(database, MARGIN)
    async with open_journal(database.journal_dsn) as journal:
        await journal.append(batch(record(1)))
        # As if the journal had grown by more than the margin without anybody looking.
        await connection.execute("UPDATE journal.journals SET head = $1", MARGIN - 2)
        recorded = await journal.append(batch(*(record(n) for n in range(2, 7))))
        assert [r.position for r in recorded] == list(range(MARGIN - 1, MARGIN + 4))
        assert [e.position for e in await all_events(journal)][1:] == [r.position for r in recorded]
        assert len(await ranges(connection)) == 2
    await connection.close()


async def test_growth_alone_makes_the_next_partition(database: Database) -> None:
    size = 15_000
    connection = await with_small_partitions(database, size)
    async with open_journal(database.journal_dsn) as journal:
        assert len(await ranges(connection)) == 2
        events = partitions.CHECK_EVERY_POSITIONS + 1_000
        for start in range(0, events, 1_000):
            await journal.append(batch(*(record(start + n) for n in range(1_000))))
    # Closed, so that what ran in the background has ended.
    assert (await ranges(connection))[-1][1] >= events + MARGIN - 1_000
    await connection.close()


async def test_events_of_several_journals_share_partitions(database: Database) -> None:
    async with open_journal(database.journal_dsn) as journal:
        await journal.create_journal("second")
        await journal.create_tenant("two", "second")
        await journal.append(batch(record(1)))
        await journal.append(batch(record(2), journal="second", tenant="two"))
        assert [e.position for e in await all_events(journal, JOURNAL)] == [1]
        assert [e.position for e in await all_events(journal, "second")] == [1]
