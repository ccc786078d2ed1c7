"""The relay against a real Postgres and a real NATS of the test's own."""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import StreamConfig
from nats.js.errors import NotFoundError
from prometheus_client import CollectorRegistry
from rapport.events.connecting import connect

from deploy.local.nats import NatsServer
from services.ledger.journal.store import Journal
from services.ledger.relay import relay as relays
from services.ledger.relay.message import message_of
from services.ledger.relay.rebuild import rebuild_stream
from services.ledger.relay.relay import Relay
from services.ledger.relay.stream import EventStream
from services.runtime import streams
from services.runtime.jetstream import EXPECTED_LAST_SEQUENCE, FEW_MESSAGES_MAX, Refused, Tail
from tests.support.databases import Database
from tests.support.journals import fill

STREAM = streams.stream_name("main")
WAIT_S = 60.0


@pytest.fixture
async def journal(database: Database) -> AsyncIterator[Journal]:
    journal = await Journal.connect(database.journal_dsn)
    await journal.start()
    yield journal
    await journal.close()


class Watched:
    """A relay with its health, and conditions to wait for."""

    def __init__(self, journal: Journal, database: Database, server: NatsServer) -> None:
        self.healthy = False
        self.registry = CollectorRegistry()
        self.relay = Relay(
            journal,
            nats_url=server.url,
            dsn=database.journal_dsn,
            registry=self.registry,
            on_health=self._on_health,
        )

    def _on_health(self, healthy: bool) -> None:
        self.healthy = healthy

    def lag(self, unit: str) -> float | None:
        """How far the stream of `main` is behind, in `positions` or `seconds`, as metrics say."""
        return self.registry.get_sample_value(f"rapport_relay_lag_{unit}", {"journal": "main"})


@asynccontextmanager
async def relaying(
    journal: Journal, database: Database, server: NatsServer
) -> AsyncIterator[Watched]:
    watched = Watched(journal, database, server)
    watched.relay.start()
    try:
        yield watched
    finally:
        await watched.relay.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110 - what is waited for is another process's doing
            await asyncio.sleep(0.02)


async def messages(server: NatsServer, count: int) -> list[Msg]:
    """The first `count` messages of the stream, as soon as they are there."""
    client = await connect(server.url)
    try:
        found: list[Msg] = []
        async with asyncio.timeout(WAIT_S):
            while True:
                try:
                    subscription = await client.jetstream().subscribe(
                        streams.journal_subjects("main"), stream=STREAM, ordered_consumer=True
                    )
                    break
                except NotFoundError:
                    await asyncio.sleep(0.05)
            while len(found) < count:
                found.append(await subscription.next_msg(timeout=WAIT_S))
        return found
    finally:
        await client.close()


async def renew_incarnations(database: Database) -> None:
    """As after a restore."""
    admin = await asyncpg.connect(database.admin_dsn)
    await admin.execute("UPDATE journal.journals SET incarnation = $1", uuid.uuid4())
    await admin.close()


async def assert_follows(journal: Journal, server: NatsServer, count: int) -> None:
    """Every message stands at its own position and carries the journal's bytes."""
    expected = [
        event
        async for chunk in journal.read_journal("main", from_position=1)
        for event in chunk.events
    ]
    assert len(expected) == count
    for event, message in zip(expected, await messages(server, count), strict=True):
        assert message.headers is not None
        assert message.metadata.sequence.stream == event.position
        assert message.headers[streams.POSITION] == str(event.position)
        assert message.headers[streams.EVENT_ID] == event.event_id
        assert message.data == event.payload


async def test_every_event_stands_at_its_own_sequence_with_the_journals_bytes(
    journal: Journal, database: Database, private_nats: NatsServer
) -> None:
    await fill(journal, 2_500)
    async with relaying(journal, database, private_nats) as watched:
        await assert_follows(journal, private_nats, 2_500)
        await fill(journal, 3, first=2_501)
        await assert_follows(journal, private_nats, 2_503)
        await watched.relay.flushed()
        assert watched.healthy


async def test_a_message_carries_the_envelope_as_cloudevents_headers(
    journal: Journal, database: Database, private_nats: NatsServer
) -> None:
    (recorded,) = await fill(journal, 1)
    async with relaying(journal, database, private_nats):
        (message,) = await messages(private_nats, 1)
    row = await journal.head("main")
    assert message.subject == "rapport.v1.events.main.acme.touchpoint.call"
    headers = dict(message.headers or {})
    assert headers.pop(EXPECTED_LAST_SEQUENCE) == "0"
    recorded_at = headers.pop(streams.RECORDED_AT)
    assert recorded_at.endswith("Z")
    assert headers == {
        "ce-specversion": "1.0",
        "ce-id": recorded.event_id,
        "ce-source": "/rapport/journals/main",
        "ce-type": "rapport.events.v1.Touchpoint",
        "ce-time": "2000-01-01T00:00:01Z",
        "ce-subject": "relationships/a1~b1",
        "ce-datacontenttype": "application/protobuf",
        "ce-tenant": "acme",
        "ce-position": "1",
        "ce-revision": "1",
        "ce-recordedby": "people/tester",
        "ce-schemaversion": "1",
        "ce-incarnation": row.incarnation,
    }


async def test_appends_go_on_while_nats_is_down_and_are_published_afterwards(
    journal: Journal, database: Database, private_nats: NatsServer
) -> None:
    async with relaying(journal, database, private_nats) as watched:
        await fill(journal, 10)
        await assert_follows(journal, private_nats, 10)
        await asyncio.to_thread(private_nats.stop)
        await fill(journal, 700, first=11)
        await until(lambda: not watched.healthy)
        await asyncio.to_thread(private_nats.start)
        await assert_follows(journal, private_nats, 710)
        await until(lambda: watched.healthy)


async def test_a_connection_that_nats_refuses_for_good_is_made_anew(
    journal: Journal, database: Database, private_nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Client] = []

    async def connected(*arguments: Any, **options: Any) -> Client:
        made.append(await connect(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(relays, "connect", connected)
    async with relaying(journal, database, private_nats) as watched:
        await fill(journal, 3)
        await assert_follows(journal, private_nats, 3)
        # As the server says it to a client; the library gives the connection up then.
        await made[0]._process_err("'maximum connections exceeded'")
        await until(lambda: made[0].is_closed)
        await fill(journal, 40, first=4)
        await assert_follows(journal, private_nats, 43)
        await until(lambda: watched.healthy)
    assert len(made) == 2


async def test_the_lag_grows_while_nats_is_down_and_ends_with_it(
    journal: Journal, database: Database, private_nats: NatsServer
) -> None:
    async with relaying(journal, database, private_nats) as watched:
        await fill(journal, 10)
        await assert_follows(journal, private_nats, 10)
        await asyncio.to_thread(private_nats.stop)
        await fill(journal, 7, first=11)
        await until(lambda: watched.lag("positions") == 7)
        behind_s = watched.lag("seconds")
        assert behind_s is not None
        await until(lambda: (watched.lag("seconds") or 0) > behind_s)
        await asyncio.to_thread(private_nats.start)
        await until(lambda: watched.lag("positions") == 0 and watched.lag("seconds") == 0)


async def test_a_relay_started_without_nats_waits_for_it(
    journal: Journal, database: Database, private_nats: NatsServer
) -> None:
    await fill(journal, 5)
    await asyncio.to_thread(private_nats.stop)
    async with relaying(journal, database, private_nats) as watched:
        assert not watched.healthy
        await asyncio.to_thread(private_nats.start)
        await assert_follows(journal, private_nats, 5)


async def test_a_deleted_stream_is_filled_again_though_nobody_appends(
    journal: Journal, database: Database, private_nats: NatsServer
) -> None:
    await fill(journal, 300)
    async with relaying(journal, database, private_nats):
        await assert_follows(journal, private_nats, 300)
        admin = await connect(private_nats.admin_url)
        await admin.jetstream().delete_stream(STREAM)
        await admin.close()
        await assert_follows(journal, private_nats, 300)


async def test_an_older_store_put_back_is_brought_up_to_the_head(
    journal: Journal, database: Database, private_nats: NatsServer
) -> None:
    await fill(journal, 100)
    async with relaying(journal, database, private_nats):
        await assert_follows(journal, private_nats, 100)
    await asyncio.to_thread(private_nats.stop)
    older = private_nats.home / "older"
    await asyncio.to_thread(_copy, private_nats.store, older)
    await asyncio.to_thread(private_nats.start)
    await fill(journal, 100, first=101)
    async with relaying(journal, database, private_nats):
        await assert_follows(journal, private_nats, 200)
        await asyncio.to_thread(private_nats.kill)
        await asyncio.to_thread(_copy, older, private_nats.store)
        await asyncio.to_thread(private_nats.start)
        await assert_follows(journal, private_nats, 200)


async def test_a_foreign_message_stops_the_relay_until_the_stream_is_rebuilt(
    journal: Journal, database: Database, private_nats: NatsServer
) -> None:
    await fill(journal, 20)
    async with relaying(journal, database, private_nats) as watched:
        await assert_follows(journal, private_nats, 20)
        await until(lambda: watched.healthy)
        stranger = await connect(private_nats.url)
        await stranger.jetstream().publish("rapport.v1.events.main.acme.touchpoint.call", b"!")
        await until(lambda: not watched.healthy)
        recorded = await fill(journal, 1, first=21)  # appends go on
        assert recorded[0].position == 21
        info = await stranger.jetstream().stream_info(STREAM)
        assert info.state.last_seq == 21  # the stranger's; nothing was papered over
        await stranger.close()
        await rebuild_stream(private_nats.admin_url, "main")
        await assert_follows(journal, private_nats, 21)
        await until(lambda: watched.healthy)


@pytest.mark.parametrize("count", [6, 2 + FEW_MESSAGES_MAX, 3 + FEW_MESSAGES_MAX])
async def test_a_foreign_message_in_the_place_of_a_chunk_makes_the_server_refuse_all_of_it(
    journal: Journal, database: Database, private_nats: NatsServer, count: int
) -> None:
    await fill(journal, count)
    row = await journal.head("main")
    events = [e async for chunk in journal.read_journal("main") for e in chunk.events]
    chunk = [message_of(event, row.incarnation) for event in events]
    client, stranger = [await connect(private_nats.admin_url) for _ in range(2)]
    stream = EventStream(client, "main")
    await stream.ensure()
    await stream.publish(chunk[:2])
    # It takes the place of the third event; the fourth one would fit after it.
    await stranger.jetstream().publish(chunk[2].subject, b"!")
    with pytest.raises(Refused):
        await stream.publish(chunk[2:])
    assert (await stream.tail()).last_sequence == 3
    await stream.recreate()
    await stream.publish(chunk[:2])
    await stream.publish(chunk[2:])
    assert await stream.tail() == Tail(count, events[-1].event_id, row.incarnation)
    await client.close()
    await stranger.close()


async def test_a_stream_without_atomic_batches_is_allowed_them(
    journal: Journal, database: Database, private_nats: NatsServer
) -> None:
    await fill(journal, 10)
    admin = await connect(private_nats.admin_url)
    subjects = [streams.journal_subjects("main")]
    await admin.jetstream().add_stream(StreamConfig(name=STREAM, subjects=subjects))
    await admin.close()
    async with relaying(journal, database, private_nats):
        await assert_follows(journal, private_nats, 10)


async def test_a_rebuild_may_leave_old_messages_out(
    journal: Journal, database: Database, private_nats: NatsServer
) -> None:
    await fill(journal, 50)
    await rebuild_stream(private_nats.admin_url, "main", first_position=41)
    async with relaying(journal, database, private_nats):
        found = await messages(private_nats, 10)
    assert [message.metadata.sequence.stream for message in found] == list(range(41, 51))


async def test_two_relays_publish_everything_once(
    journal: Journal, database: Database, private_nats: NatsServer
) -> None:
    async with (
        relaying(journal, database, private_nats) as first,
        relaying(journal, database, private_nats),
    ):
        await fill(journal, 1_000)
        await assert_follows(journal, private_nats, 1_000)
        await first.relay.stop()
        await fill(journal, 1_000, first=1_001)
        await assert_follows(journal, private_nats, 2_000)


async def test_a_relay_whose_lock_was_taken_from_it_is_fenced_by_the_sequence(
    journal: Journal, database: Database, private_nats: NatsServer
) -> None:
    async with (
        relaying(journal, database, private_nats),
        relaying(journal, database, private_nats),
    ):
        for round_ in range(5):
            await fill(journal, 400, first=1 + 400 * round_)
            await _end_relay_connections(database)
        await assert_follows(journal, private_nats, 2_000)


async def test_a_journal_with_another_incarnation_than_the_stream_stops_the_relay(
    journal: Journal, database: Database, private_nats: NatsServer
) -> None:
    await fill(journal, 10)
    async with relaying(journal, database, private_nats) as watched:
        await assert_follows(journal, private_nats, 10)
        await renew_incarnations(database)
        await until(lambda: not watched.healthy)
        await rebuild_stream(private_nats.admin_url, "main")
        await assert_follows(journal, private_nats, 10)
        await until(lambda: watched.healthy)


async def test_another_incarnation_stops_the_relay_also_while_appends_go_on(
    journal: Journal, database: Database, private_nats: NatsServer
) -> None:
    await fill(journal, 10)
    async with relaying(journal, database, private_nats) as watched:
        await assert_follows(journal, private_nats, 10)
        await until(lambda: watched.healthy)
        await renew_incarnations(database)
        last = 10
        async with asyncio.timeout(WAIT_S):
            while watched.healthy:
                last += 1
                await fill(journal, 1, first=last)


async def test_a_journal_that_went_back_stops_the_relay_before_its_incarnation_is_renewed(
    journal: Journal, database: Database, private_nats: NatsServer
) -> None:
    await fill(journal, 10)
    async with relaying(journal, database, private_nats) as watched:
        await assert_follows(journal, private_nats, 10)
        await until(lambda: watched.healthy)
        admin = await asyncpg.connect(database.admin_dsn)
        await admin.execute("UPDATE journal.journals SET head = 4")
        await admin.close()
        await until(lambda: not watched.healthy)


async def test_a_journal_created_later_gets_its_stream(
    journal: Journal, database: Database, private_nats: NatsServer
) -> None:
    async with relaying(journal, database, private_nats):
        await fill(journal, 1)
        await journal.create_journal("other")
        await fill(journal, 4, tenant="beta", name="other")
        client = await connect(private_nats.url)
        async with asyncio.timeout(WAIT_S):
            while True:
                try:
                    info = await client.jetstream().stream_info(streams.stream_name("other"))
                    if info.state.last_seq == 4:
                        break
                except NotFoundError:
                    pass
                await asyncio.sleep(0.05)
        await client.close()


async def _end_relay_connections(database: Database) -> None:
    admin = await asyncpg.connect(database.admin_dsn)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name LIKE 'rapport-relay%' AND datname = current_database()"
    )
    await admin.close()


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
