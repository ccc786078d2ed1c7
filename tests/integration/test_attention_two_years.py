"""Two years of a small company, turned day by day by a projector that keeps being killed.

The undisturbed run is the pure one: every day alone, in memory, never interrupted.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

import asyncpg
import nats
import pytest
from nats.js.errors import NotFoundError
from rapport.v1 import attention_service_pb2 as wire

from services.projector.attention.publishing import AttentionSource, attention_stream
from services.projector.attention.turning import GRACE_S, AttentionTurning
from services.projector.domain.attention.ration import ration
from services.projector.domain.attention.turn import catch_up
from services.projector.facts import Delivered
from services.projector.projections.apply import apply
from services.projector.projections.attention import read_open
from services.projector.projections.checkpoint import Checkpoint
from services.runtime import streams
from services.runtime.clock import US_PER_DAY, US_PER_SECOND, FixedClock
from services.runtime.leadership import Leadership
from services.runtime.pg import create_pool
from services.runtime.publishing import Publisher
from tests.property.attention_world import POLICY, world
from tests.support.attention_events import events_of, told
from tests.support.databases import Database
from tests.support.servers import NatsEndpoint

TWO_YEARS = 731
TENANT = "acme"
SEED, BURSTS = 3, 14
WAIT_S = 60.0


async def settled(_journal: str, _day: int, _found: Checkpoint) -> bool:
    """The test applies what was recorded before a day, then lets it begin."""
    return True


class NoLock:
    """Leads until it is told otherwise, on no connection."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()


@dataclass
class Company:
    """A database with the views of one journal, brought forward day by day."""

    journal: str
    dsn: str
    pool: asyncpg.Pool
    admin: asyncpg.Connection
    random: Random
    events: list[Delivered]
    clock: FixedClock = field(default_factory=FixedClock)
    kills: int = 0

    async def reach(self, day: int) -> None:
        """Record everything before a day, and let the day begin."""
        before = [event for event in self.events if event.recorded_at_us < day * US_PER_DAY]
        self.events = self.events[len(before) :]
        async with self.pool.acquire() as conn:
            for start in range(0, len(before), 50):
                done = await apply(conn, before[start : start + 50], today=day)
                assert done.parked == ()
        now_us = day * US_PER_DAY + GRACE_S * US_PER_SECOND
        self.clock.advance_us(now_us - self.clock.now_us())

    async def turn(self) -> None:
        """Turn what is behind; now and then by two at once, and by some that are killed."""
        while True:
            fate = self.random.random()
            if fate < 0.06:
                await self._killed()
            elif fate < 0.1:
                both = (turning(self, self.pool).turn_next() for _ in range(2))
                if not any(await asyncio.gather(*both)):
                    return
            elif not await turning(self, self.pool).turn_next():
                return

    async def _killed(self) -> None:
        """A process of its own whose connections, or all of it, go away at some moment."""
        self.kills += 1
        pool = await pool_of(self.dsn, "doomed")
        task = asyncio.ensure_future(turning(self, pool).turn_next())
        for _ in range(self.random.randrange(30)):
            await self.admin.execute("SELECT")
        if self.random.random() < 0.5:
            await self.admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'doomed' AND datname = current_database()"
            )
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        pool.terminate()


def turning(company: Company, pool: asyncpg.Pool) -> AttentionTurning:
    """As after every start of the process: with nothing but the database."""
    return AttentionTurning(
        company.journal, pool=pool, settled=settled, clock=company.clock, pause_s=0
    )


async def pool_of(dsn: str, name: str) -> asyncpg.Pool:
    return await create_pool(
        dsn,
        application_name=name,
        size_min=1,
        size_max=4,
        statement_timeout_ms=30_000,
        lock_timeout_ms=10_000,
        idle_in_transaction_timeout_ms=30_000,
    )


@pytest.fixture
async def company(database: Database) -> AsyncIterator[Company]:
    journal = f"years-{uuid.uuid4().hex[:8]}"
    events = events_of(world(SEED, TWO_YEARS, BURSTS), TENANT, journal)
    admin = await asyncpg.connect(database.admin_dsn)
    pool = await pool_of(database.views_dsn, "two-years")
    yield Company(journal, database.views_dsn, pool, admin, Random(7), events)
    await pool.close()
    await admin.close()


async def test_two_years_of_turns_killed_on_random_days_log_each_change_once(
    company: Company, nats_server: NatsEndpoint
) -> None:
    client = await nats.connect(nats_server.admin_url)
    source = AttentionSource(company.pool, company.journal)
    day = 0
    try:
        while day < TWO_YEARS:
            day = min(day + company.random.choice((1, 2, 3, 5, 40)), TWO_YEARS)
            await company.reach(day)
            await company.turn()
            await assert_within_the_ration(company, day)
            if company.random.random() < 0.1:
                await publish(company, source, client)
        assert company.kills > 10
        whole = world(SEED, TWO_YEARS, BURSTS)
        first = min(event.recorded_at_us for event in events_of(whole, TENANT, company.journal))
        undisturbed = [
            change
            for done in catch_up({}, first // US_PER_DAY, TWO_YEARS, whole.state)
            for change in done.changes
        ]
        rows = await company.pool.fetch(
            "SELECT number, payload FROM views.attention_log WHERE journal = $1 ORDER BY number",
            company.journal,
        )
        log = [wire.WatchAttentionResponse.FromString(row["payload"]) for row in rows]
        assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
        assert [message.number for message in log] == list(range(1, len(rows) + 1))
        # Ties are in the order of item ids, which hang on how the world calls its people.
        expected = sorted(change[:8] for change in told(undisturbed))
        assert sorted(said(message) for message in log) == expected
        assert [said(message)[0] for message in log] == [change.on for change in undisturbed]
        assert len(log) > 80
        assert_each_once(log)
        await publish(company, source, client)
        assert await published(client, company.journal, len(rows)) == [
            (row["number"], bytes(row["payload"])) for row in rows
        ]
    finally:
        with suppress(NotFoundError):
            await client.jetstream().delete_stream(streams.attention_stream_name(company.journal))
        await client.close()


def assert_each_once(log: list[wire.WatchAttentionResponse]) -> None:
    """An item is raised when it is not open, and cleared, for a reason, when it is."""
    is_open: set[str] = set()
    for message in log:
        if message.change == wire.ATTENTION_CHANGE_RAISED:
            assert message.item.item not in is_open
            is_open.add(message.item.item)
        else:
            assert message.reason
            is_open.remove(message.item.item)


async def assert_within_the_ration(company: Company, day: int) -> None:
    async with company.pool.acquire() as conn:
        items = [kept.item for kept in (await read_open(conn, company.journal, TENANT)).values()]
    for shown in ration(items, (), POLICY, day).values():
        assert len(shown.items) <= POLICY.attention.per_person_per_day
        assert {*shown.items, *shown.left_out} == {i for i in items if i.person == shown.person}


async def publish(company: Company, source: AttentionSource, client: Any) -> None:
    """Bring the stream to the log's end, by a publisher that is then killed."""
    head = (await source.head()).position
    lock: Any = NoLock()
    reached = asyncio.Event()

    def report(_state: object, position: int, _head: int) -> None:
        if position >= head:
            reached.set()

    leadership: Leadership = lock
    stream = attention_stream(client, company.journal)
    task = asyncio.ensure_future(Publisher(source, stream, report).run(leadership))
    async with asyncio.timeout(WAIT_S):
        await reached.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def published(client: Any, journal: str, count: int) -> list[tuple[int, bytes]]:
    jetstream = client.jetstream()
    name = streams.attention_stream_name(journal)
    info = await jetstream.stream_info(name)
    assert (info.state.first_seq, info.state.last_seq) == (1, count)
    subscription = await jetstream.subscribe(
        streams.attention_subjects(journal), stream=name, ordered_consumer=True
    )
    found = []
    for _ in range(count):
        message = await subscription.next_msg(timeout=WAIT_S)
        sequence = message.metadata.sequence.stream
        assert message.headers[streams.POSITION] == str(sequence)
        found.append((sequence, message.data))
    with pytest.raises(NotFoundError):
        await jetstream.get_msg(name, count + 1)
    return found


def said(message: wire.WatchAttentionResponse) -> tuple[Any, ...]:
    item = message.item
    return (
        day_number(message.on),
        wire.AttentionChange.Name(message.change).removeprefix("ATTENTION_CHANGE_"),
        item.rule,
        item.person.removeprefix("people/"),
        item.about.removeprefix("people/"),
        day_number(item.raised_on),
        message.reason,
        tuple(item.event_ids),
    )


def day_number(on: Any) -> int:
    return (date(on.year, on.month, on.day) - date(2000, 1, 1)).days
