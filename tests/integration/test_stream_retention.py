"""Streams that keep little: the relay goes on, and whoever is behind reads on from the ledger."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import nats
import pytest
from rapport import Rapport, RapportError, RetryPolicy
from rapport.events import EventSubscriber

from deploy.local.nats import NatsServer
from services.projector.intake.state import State
from services.runtime import streams
from services.runtime.jetstream import Retention
from services.runtime.vault import MasterKeys
from tests.integration.test_intake import (
    append,
    positions,
    projector_on,
    reached,
    state_of,
    until,
)
from tests.support.databases import Database
from tests.support.ledger import TENANT, LedgerUnderTest, ledger_on

JOURNAL = "main"
# Some thirty messages.
LITTLE = Retention(bytes_max=40_000)
QUICK = RetryPolicy(first_delay_s=0.01, delay_max_s=0.05)


@pytest.fixture
def keys() -> MasterKeys:
    return MasterKeys.from_text(MasterKeys.generate_line())


@pytest.fixture
async def conn(database: Database) -> AsyncIterator[asyncpg.Connection]:
    made = await asyncpg.connect(database.views_dsn)
    yield made
    await made.close()


async def info_of(server: NatsServer) -> Any:
    client = await nats.connect(server.url)
    try:
        return await client.jetstream().stream_info(streams.stream_name(JOURNAL))
    except nats.js.errors.NotFoundError:
        return None
    finally:
        await client.close()


async def until_streamed(server: NatsServer, position: int) -> Any:
    async def there() -> bool:
        info = await info_of(server)
        return info is not None and info.state.last_seq >= position

    await until(there)
    return await info_of(server)


def client_of(ledger: LedgerUnderTest) -> Rapport:
    target = f"127.0.0.1:{ledger.process.port}"
    return Rapport(target, tenant=TENANT, principal="services/reader", retry=QUICK)


async def test_a_projector_reads_what_the_stream_has_dropped_from_the_ledger(
    database: Database, private_nats: NatsServer, keys: MasterKeys, conn: asyncpg.Connection
) -> None:
    options: dict[str, Any] = {"nats_url": private_nats.url, "stream_retention": LITTLE}
    async with ledger_on(database, keys=keys, **options) as ledger:
        await ledger.create_tenant()
        last = await append(ledger, 200)
        info = await until_streamed(private_nats, last)
        assert 100 < info.state.first_seq < last
        assert info.config.deny_delete
        assert info.config.deny_purge
        async with projector_on(database, ledger, private_nats.url, keys) as projector:
            await until(reached(conn, last))
            await until(lambda: state_of(projector) is State.FOLLOWING_NATS)
            last = await append(ledger, 20)
            await until(reached(conn, last))
        last = await append(ledger, 200)  # nobody projects
        await until_streamed(private_nats, last)
        async with projector_on(database, ledger, private_nats.url, keys):
            await until(reached(conn, last))
    assert await positions(conn) == list(range(1, last + 1))


async def test_a_stream_all_of_whose_messages_have_expired_goes_on_where_it_was(
    database: Database, private_nats: NatsServer, keys: MasterKeys, conn: asyncpg.Connection
) -> None:
    short: dict[str, Any] = {
        "nats_url": private_nats.url,
        "stream_retention": Retention(age_max_s=0.5),
    }
    async with ledger_on(database, keys=keys, **short) as ledger:
        await ledger.create_tenant()
        last = await append(ledger, 30)
        await until_streamed(private_nats, last)

        async def empty() -> bool:
            return int((await info_of(private_nats)).state.messages) == 0

        await until(empty)
    await asyncio.to_thread(private_nats.stop)
    await asyncio.to_thread(private_nats.start)
    async with ledger_on(database, keys=keys, **short) as ledger:
        last = await append(ledger, 5)
        assert (await until_streamed(private_nats, last)).state.last_seq == last == 35
        await until(empty)
        async with projector_on(database, ledger, private_nats.url, keys):
            await until(reached(conn, last))
            last = await append(ledger, 5)
            await until(reached(conn, last))
    assert await positions(conn) == list(range(1, last + 1))


async def test_retention_that_is_set_later_is_taken_over_by_the_stream(
    database: Database, private_nats: NatsServer, keys: MasterKeys
) -> None:
    async with ledger_on(database, keys=keys, nats_url=private_nats.url) as ledger:
        await ledger.create_tenant()
        await append(ledger, 100)
        assert (await until_streamed(private_nats, 100)).config.max_bytes == -1
    options: dict[str, Any] = {"nats_url": private_nats.url, "stream_retention": LITTLE}
    async with ledger_on(database, keys=keys, **options) as ledger:
        await append(ledger, 1)
        info = await until_streamed(private_nats, 101)
        assert info.config.max_bytes == LITTLE.bytes_max
        assert info.state.first_seq > 1
    async with ledger_on(database, keys=keys, nats_url=private_nats.url) as ledger:
        await append(ledger, 1)
        info = await until_streamed(private_nats, 102)
        assert info.config.max_bytes == LITTLE.bytes_max


async def test_a_subscriber_with_a_ledger_misses_nothing_that_a_stream_has_dropped(
    database: Database, private_nats: NatsServer, keys: MasterKeys
) -> None:
    options: dict[str, Any] = {"nats_url": private_nats.url, "stream_retention": LITTLE}
    async with ledger_on(database, keys=keys, **options) as ledger:
        await ledger.create_tenant()
        await until_streamed(private_nats, await append(ledger, 100))
        for tenant in (None, TENANT):
            async with EventSubscriber(private_nats.url, JOURNAL, tenant=tenant) as events:
                with pytest.raises(RapportError, match="begins at position") as gone:
                    await anext(aiter(events))
            assert gone.value.reason == "HISTORY_GONE"
        taken = []
        async with (
            client_of(ledger) as client,
            EventSubscriber(
                private_nats.url, JOURNAL, tenant=TENANT, ledger=client, retry=QUICK
            ) as events,
        ):
            head = 100
            async with asyncio.timeout(60):
                async for event in events:
                    taken.append(event.position)
                    assert event.message is not None
                    assert event.incarnation
                    if len(taken) in (100, 101):  # it dawdles, and all it has not fetched goes
                        head = await append(ledger, 150 if len(taken) == 101 else 1)
                        await until_streamed(private_nats, head)
                    if event.position == head == 251:
                        break
        assert taken == list(range(1, 252))
