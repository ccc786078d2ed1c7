"""The limits: the same rows and messages through the bare client libraries.

These run in the process that also makes the load, so that both sides pay the same for a client.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import asyncpg
import nats

from bench.stack import JOURNAL
from services.ledger.domain.events import StoredEvent
from services.ledger.relay.message import message_of
from services.ledger.relay.stream import EventStream
from services.runtime.jetstream import Message

COPY_EVENTS: Final = 500
CHUNK_MESSAGES: Final = 1_000
# The journal whose stream the raw publisher fills; there is no such journal.
LIMIT_JOURNAL: Final = "limit"
_PARTITION: Final = """
SELECT name FROM journal.partitions WHERE $1 BETWEEN from_position AND through_position
"""


async def rows_of(dsn: str, table: str, first: int, last: int) -> list[tuple[Any, ...]]:
    """The stored rows of a table of the journal at these positions, by position."""
    conn = await asyncpg.connect(dsn)
    try:
        rows = await conn.fetch(
            f"SELECT * FROM journal.{table} WHERE position BETWEEN $1 AND $2 ORDER BY position",  # noqa: S608
            first,
            last,
        )
    finally:
        await conn.close()
    return [tuple(row) for row in rows]


async def copied(dsn: str, source_dsn: str, first: int, last: int) -> tuple[float, float]:
    """Seconds to COPY what the ledger stored at these positions, durable every COPY_EVENTS.

    And those of CPU in this process. Same rows, same two tables with their indexes (the partition
    itself), one connection, two COPYs and a commit a batch.
    """
    events = await rows_of(source_dsn, "events", first, last)
    keys = await rows_of(source_dsn, "event_keys", first, last)
    conn = await asyncpg.connect(dsn)
    try:
        partition = await conn.fetchval(_PARTITION, first)
        await _copy(conn, partition, events[:0], keys[:0])  # statements are prepared now
        started, spent_s = time.perf_counter(), time.process_time()
        for start in range(0, len(events), COPY_EVENTS):
            some = slice(start, start + COPY_EVENTS)
            await _copy(conn, partition, events[some], keys[some])
        return time.perf_counter() - started, time.process_time() - spent_s
    finally:
        await conn.close()


async def _copy(
    conn: asyncpg.Connection,
    partition: str,
    events: Sequence[tuple[Any, ...]],
    keys: Sequence[tuple[Any, ...]],
) -> None:
    async with conn.transaction():
        await conn.copy_records_to_table(partition, schema_name="journal", records=events)
        await conn.copy_records_to_table("event_keys", schema_name="journal", records=keys)


async def committed(dsn: str, source_dsn: str, first: int, last: int) -> list[float]:
    """Seconds of each INSERT of one row, committed by itself, one after the other."""
    events = await rows_of(source_dsn, "events", first, last)
    conn = await asyncpg.connect(dsn)
    try:
        partition = await conn.fetchval(_PARTITION, first)
        binds = ", ".join(f"${number}" for number in range(1, len(events[0]) + 1))
        insert = await conn.prepare(f"INSERT INTO journal.{partition} VALUES ({binds})")  # noqa: S608
        latencies = []
        for event in events:
            started = time.perf_counter()
            await insert.fetch(*event)
            latencies.append(time.perf_counter() - started)
        return latencies
    finally:
        await conn.close()


async def facts_of(source_dsn: str, first: int, last: int) -> list[tuple[str, str, bytes]]:
    """Home, type and payload of the events at these positions, for a peer."""
    conn = await asyncpg.connect(source_dsn)
    try:
        rows = await conn.fetch(
            "SELECT home, type, payload FROM journal.events WHERE position BETWEEN $1 AND $2 "
            "ORDER BY position",
            first,
            last,
        )
    finally:
        await conn.close()
    return [tuple(row) for row in rows]


async def messages_of(source_dsn: str, first: int, last: int) -> list[Message]:
    """The messages the relay makes of these positions, for the limit's own stream."""
    conn = await asyncpg.connect(source_dsn)
    try:
        rows = await conn.fetch(
            "SELECT * FROM journal.events WHERE journal = $1 AND position BETWEEN $2 AND $3 "
            "ORDER BY position",
            JOURNAL,
            first,
            last,
        )
    finally:
        await conn.close()
    incarnation = "00000000-0000-0000-0000-000000000000"
    return [message_of(_stored(dict(row)), incarnation) for row in rows]


def _stored(row: dict[str, Any]) -> StoredEvent:
    row["journal"], row["event_id"] = LIMIT_JOURNAL, str(row["event_id"])
    row["correlation_id"] = row["correlation_id"] or ""
    row["causation_id"] = str(row["causation_id"] or "")
    return StoredEvent(**row)


async def published(admin_url: str, messages: Sequence[Message]) -> tuple[float, float]:
    """Seconds to publish into a new stream, pipelined, without any fence; and those of CPU here.

    Only the last message of a chunk is acknowledged, and the next chunk does not wait for that.
    """
    client = await nats.connect(admin_url)
    try:
        await EventStream(client, LIMIT_JOURNAL).recreate()
        started, spent_s = time.perf_counter(), time.process_time()
        waiting: asyncio.Task[Any] | None = None
        for chunk in _chunks(messages):
            for message in chunk[:-1]:
                await client.publish(message.subject, message.body, headers=message.headers)
            if waiting is not None:
                await waiting
            last = chunk[-1]
            waiting = asyncio.create_task(
                client.request(last.subject, last.body, timeout=30, headers=last.headers)
            )
        assert waiting is not None
        answer = json.loads((await waiting).data)
        took_s, cpu_s = time.perf_counter() - started, time.process_time() - spent_s
        if answer.get("seq") != len(messages):
            raise RuntimeError(f"the stream took {answer} of {len(messages)} messages")
        return took_s, cpu_s
    finally:
        await client.close()


async def read(admin_url: str, count: int) -> float:
    """Seconds to read as many messages back, in order, in a plain callback."""
    client = await nats.connect(admin_url)
    try:
        done, seen = asyncio.Event(), 0

        async def took(_: Any) -> None:
            nonlocal seen
            seen += 1
            if seen == count:
                done.set()

        stream = EventStream(client, LIMIT_JOURNAL)
        started = time.perf_counter()
        await client.jetstream().subscribe(
            f"rapport.v1.events.{LIMIT_JOURNAL}.>",
            stream=stream.name,
            ordered_consumer=True,
            cb=took,
        )
        async with asyncio.timeout(120):
            await done.wait()
        return time.perf_counter() - started
    finally:
        await client.close()


def _chunks(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    for start in range(0, len(messages), CHUNK_MESSAGES):
        yield messages[start : start + CHUNK_MESSAGES]
