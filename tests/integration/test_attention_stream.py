"""The attention of a journal led by somebody: turned, published, fenced."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import asyncpg
import nats
import pytest
from nats.aio.client import Client
from nats.js.errors import NotFoundError
from prometheus_client import CollectorRegistry
from rapport.events.v1 import people_pb2
from rapport.v1 import attention_service_pb2 as wire

from services.operator.outcomes import Refused
from services.operator.rebuilding import rebuild_attention_streams
from services.projector.attention.journal import AttentionParts, lead
from services.projector.attention.publishing import TYPE
from services.projector.intake.ledger import JournalInfo
from services.projector.intake.link import NatsLink
from services.projector.metrics import ProjectorMetrics
from services.projector.projections.apply import apply
from services.runtime import streams
from services.runtime.clock import US_PER_DAY, FixedClock
from services.runtime.pg import create_pool
from services.runtime.publishing import PublisherState
from tests.support.databases import Database
from tests.support.deliveries import INCARNATION, deliver
from tests.support.servers import NatsEndpoint
from tests.support.views import described, touch

TENANT = "acme"
DAY = 9000
WAIT_S = 60.0


@dataclass
class Ledger:
    """Says where the journal ends."""

    journal: str
    head: int = 0

    async def journals(self) -> list[JournalInfo]:
        return [JournalInfo(self.journal, INCARNATION, self.head)]


@dataclass
class Led:
    """One journal, and replicas that lead its attention."""

    journal: str
    dsn: str
    pool: asyncpg.Pool
    nats_url: str
    admin_url: str
    client: Client
    ledger: Ledger
    clock: FixedClock
    states: dict[str, PublisherState] = field(default_factory=dict)
    health: list[bool] = field(default_factory=list)

    @property
    def installation(self) -> Any:
        """As much of one as making the stream anew takes."""
        return SimpleNamespace(views_dsn=self.dsn, nats_admin_url=self.admin_url)

    @property
    def stream(self) -> str:
        return streams.attention_stream_name(self.journal)

    @asynccontextmanager
    async def leading(self) -> AsyncIterator[None]:
        """A replica."""
        parts = AttentionParts(
            pool=self.pool,
            dsn=self.dsn,
            ledger=self.ledger,  # type: ignore[arg-type]
            metrics=ProjectorMetrics(CollectorRegistry()),
            clock=self.clock,
            on_health=self.health.append,
            states=self.states,
        )
        link = NatsLink(self.nats_url)
        tasks = [
            asyncio.create_task(link.run()),
            asyncio.create_task(lead(parts, link, self.journal)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await link.close()

    async def add(self, *payloads: Any, day: int) -> None:
        """Record events on a day, at its noon."""
        first = self.ledger.head + 1
        self.ledger.head += len(payloads)
        noon_us = day * US_PER_DAY + US_PER_DAY // 2
        events = [
            deliver(
                payload,
                position,
                journal=self.journal,
                tenant=TENANT,
                occurred_at_us=noon_us,
                recorded_at_us=noon_us,
            )
            for position, payload in enumerate(payloads, start=first)
        ]
        async with self.pool.acquire() as conn:
            assert (await apply(conn, events, today=day)).parked == ()

    def on(self, day: int) -> None:
        """It is a minute past midnight."""
        self.clock.advance_us(day * US_PER_DAY + 60_000_000 - self.clock.now_us())

    async def numbers(self) -> int:
        number = await self.pool.fetchval(
            "SELECT last_number FROM views.attention_journals WHERE journal = $1", self.journal
        )
        return number or 0

    async def last_sequence(self) -> int:
        with suppress(NotFoundError):
            info = await self.client.jetstream().stream_info(self.stream)
            return info.state.last_seq
        return -1


@pytest.fixture
async def led(database: Database, nats_server: NatsEndpoint) -> AsyncIterator[Led]:
    """ann, of ours, called bob on a day; nobody has done anything since."""
    journal = f"led-{uuid.uuid4().hex[:8]}"
    pool = await create_pool(
        database.views_dsn,
        application_name="led",
        size_min=1,
        size_max=6,
        statement_timeout_ms=30_000,
        lock_timeout_ms=10_000,
        idle_in_transaction_timeout_ms=30_000,
    )
    client = await nats.connect(nats_server.admin_url)
    found = Led(
        journal=journal,
        dsn=database.views_dsn,
        pool=pool,
        nats_url=nats_server.url,
        admin_url=nats_server.admin_url,
        client=client,
        ledger=Ledger(journal),
        clock=FixedClock(),
    )
    await found.add(
        described("people/ann", side=people_pb2.SIDE_INTERNAL),
        described("people/bob", side=people_pb2.SIDE_EXTERNAL, tier="inner"),
        touch("ann", "bob", "call"),
        day=DAY,
    )
    yield found
    with suppress(NotFoundError):
        await client.jetstream().delete_stream(found.stream)
    await client.close()
    await pool.close()


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not await condition():  # noqa: ASYNC110 - another task's doing
            await asyncio.sleep(0.02)


async def test_a_missed_month_is_turned_and_published_with_headers_that_name_nobody(
    led: Led,
) -> None:
    led.on(DAY + 30)
    async with led.leading():

        async def all_published() -> bool:
            return 0 < await led.numbers() == await led.last_sequence() and await through(
                led, DAY + 30
            )

        await until(all_published)
    message = await led.client.jetstream().get_msg(led.stream, 1)
    change = wire.WatchAttentionResponse.FromString(message.data or b"")
    assert change.number == 1
    assert message.subject == f"rapport.v1.attention.{led.journal}.{TENANT}.{change.item.rule}"
    headers = message.headers or {}
    assert headers[streams.SPEC_VERSION] == "1.0"
    assert headers[streams.TYPE] == TYPE == wire.WatchAttentionResponse.DESCRIPTOR.full_name
    assert headers[streams.SOURCE] == f"/rapport/journals/{led.journal}/attention"
    assert headers[streams.EVENT_ID] == f"{change.item.item}:1"
    assert headers[streams.POSITION] == "1"
    assert headers[streams.TENANT] == TENANT
    assert headers[streams.CHANGE] == "raised"
    assert all("no contact" not in value for value in headers.values())
    # Raised on the day it was due, not on the day it was found out.
    assert change.on == change.item.raised_on
    overdue = await led.pool.fetchval(
        "SELECT min(on_day) FROM views.attention_log WHERE journal = $1 AND rule = 'overdue'",
        led.journal,
    )
    assert overdue == DAY + 8


async def through(led: Led, day: int) -> bool:
    found = await led.pool.fetchval(
        "SELECT day FROM views.attention_tenants WHERE journal = $1", led.journal
    )
    return bool(found == day)


async def test_a_day_waits_until_the_views_hold_everything_recorded_before_it(led: Led) -> None:
    led.on(DAY + 1)
    led.ledger.head += 1
    async with led.leading():
        await until(lambda: led_by_somebody(led))
        assert not await through(led, DAY + 1)
        led.ledger.head -= 1
        await until(lambda: through(led, DAY + 1))


async def led_by_somebody(led: Led) -> bool:
    """Whether the days of the tenant have begun."""
    return await through(led, DAY)


async def test_another_replica_takes_over_and_publishes_nothing_twice(led: Led) -> None:
    led.on(DAY + 10)
    async with led.leading():
        async with led.leading():
            await until(lambda: through(led, DAY + 10))
        await led.add(touch("bob", "ann", "call"), day=DAY + 10)
        led.on(DAY + 11)
        await until(lambda: through(led, DAY + 11))

        async def all_published() -> bool:
            return await led.numbers() == await led.last_sequence()

        await until(all_published)
    jetstream = led.client.jetstream()
    seen, reasons = [], set()
    for number in range(1, await led.numbers() + 1):
        message = await jetstream.get_msg(led.stream, number)
        change = wire.WatchAttentionResponse.FromString(message.data or b"")
        assert change.number == number
        seen.append((change.change, change.item.item, change.on.SerializeToString()))
        reasons.add(change.reason)
    assert len(seen) == len(set(seen))
    assert "contact" in reasons


async def test_a_stream_of_another_log_is_left_alone_until_it_is_made_anew(led: Led) -> None:
    led.on(DAY + 10)
    async with led.leading():
        await until(lambda: through(led, DAY + 10))

        async def all_published() -> bool:
            return await led.numbers() == await led.last_sequence()

        await until(all_published)
    before = await led.last_sequence()
    # The database was restored from before anybody was told anything.
    admin_update = "UPDATE views.attention_journals SET incarnation = gen_random_uuid()"
    await led.pool.execute(admin_update)
    async with led.leading():

        async def diverged() -> bool:
            return led.states.get(led.journal) is PublisherState.DIVERGED

        await until(diverged)
        assert led.health[-1:] == [False]
        await led.add(touch("ann", "bob", "call"), day=DAY + 10)
        led.on(DAY + 11)
        await until(lambda: through(led, DAY + 11))
        assert await led.last_sequence() == before
        (done,) = await rebuild_attention_streams(led.installation, led.journal)
        assert (done.from_position, done.head) == (1, await led.numbers())
        await until(all_published)
        assert await led.numbers() > before
        assert led.health[-1:] == [True]
    with pytest.raises(Refused):
        await rebuild_attention_streams(led.installation, "nowhere")
