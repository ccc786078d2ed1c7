"""The intake against a real ledger, relay, NATS and Postgres, with each of them failing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rapport.events.connecting import connect
from rapport.v1 import ledger_service_pb2 as pb

from deploy.local.nats import NatsServer
from services.ledger.relay.stream import EventStream
from services.projector.app import Running, running
from services.projector.config import ProjectorConfig
from services.projector.intake.state import State
from services.projector.projections.content import content, stored_facts
from services.projector.projections.parked import PARKED_MAX
from services.projector.projections.rebuild import clear
from services.runtime import streams
from services.runtime.vault import MasterKeys
from tests.support.databases import Database
from tests.support.ledger import SERVICE, LedgerUnderTest, ledger_on, touch, who

JOURNAL = "main"
PATIENCE_S = 60.0


@pytest.fixture
def keys() -> MasterKeys:
    return MasterKeys.from_text(MasterKeys.generate_line())


@pytest.fixture
async def ledger(
    database: Database, private_nats: NatsServer, keys: MasterKeys
) -> AsyncIterator[LedgerUnderTest]:
    async with ledger_on(database, keys=keys, nats_url=private_nats.url) as made:
        await made.create_tenant()
        yield made


@pytest.fixture
async def conn(database: Database) -> AsyncIterator[asyncpg.Connection]:
    made = await asyncpg.connect(database.views_dsn)
    yield made
    await made.close()


@asynccontextmanager
async def projector_on(
    database: Database, ledger: LedgerUnderTest, nats_url: str | None, keys: MasterKeys
) -> AsyncIterator[Running]:
    config = ProjectorConfig(
        views_dsn=database.views_dsn,
        vault_dsn=database.vault_dsn,
        master_keys=keys,
        ledger_target=f"127.0.0.1:{ledger.process.port}",
        nats_url=nats_url,
        drain_notice_s=0,
        drain_grace_s=0.2,
    )
    async with running(config, discover_s=0.2, silence_s=1.0) as projector:
        assert projector is not None
        yield projector


async def until(condition: Callable[[], Any]) -> None:
    """Returns once a condition holds, which may be awaitable."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = condition()
            if hasattr(found, "__await__"):
                found = await found
            if found:
                return
            await asyncio.sleep(0.02)


def state_of(projector: Running) -> State | None:
    intake = projector.intake.journals.get(JOURNAL)
    return None if intake is None else intake.state


async def append(ledger: LedgerUnderTest, count: int) -> int:
    """Record touchpoints, 50 a batch at most; the last position."""
    last = 0
    while count:
        size = min(count, 50)
        last = (await ledger.append(*(touch() for _ in range(size)))).last_position
        count -= size
    return last


async def positions(conn: asyncpg.Connection) -> list[int]:
    through = 10**9
    return [fact.position async for fact in stored_facts(conn, JOURNAL, through=through)]


def reached(conn: asyncpg.Connection, position: int) -> Callable[[], Any]:
    async def at_position() -> bool:
        found = await conn.fetchval("SELECT position FROM views.checkpoints")
        return found is not None and int(found) >= position

    return at_position


def is_serving(projector: Running, name: str = "rapport.projector") -> Callable[[], Any]:
    async def serving() -> bool:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{projector.port}") as channel:
            answer = await health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=name)
            )
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    return serving


def is_not_serving(projector: Running) -> Callable[[], Any]:
    async def not_serving() -> bool:
        return not await is_serving(projector)()

    return not_serving


async def test_events_come_from_nats_and_are_announced(
    database: Database,
    private_nats: NatsServer,
    ledger: LedgerUnderTest,
    keys: MasterKeys,
    conn: asyncpg.Connection,
) -> None:
    async with projector_on(database, ledger, private_nats.url, keys) as projector:
        last = await append(ledger, 3)
        await projector.positions.wait_for(JOURNAL, last, PATIENCE_S)
        await until(lambda: state_of(projector) is State.FOLLOWING_NATS)

        last = await append(ledger, 120)
        await projector.positions.wait_for(JOURNAL, last, PATIENCE_S)

        assert await positions(conn) == list(range(1, last + 1))
        await until(lambda: state_of(projector) is State.FOLLOWING_NATS)
        await until(is_serving(projector))
        await until(is_serving(projector, ""))


async def test_without_nats_the_ledger_is_followed_until_nats_is_back(
    database: Database,
    private_nats: NatsServer,
    ledger: LedgerUnderTest,
    keys: MasterKeys,
    conn: asyncpg.Connection,
) -> None:
    last = await append(ledger, 5)
    async with projector_on(database, ledger, private_nats.url, keys) as projector:
        await until(lambda: state_of(projector) is State.FOLLOWING_NATS)
        await until(reached(conn, last))

        private_nats.kill()
        last = await append(ledger, 5)
        await until(reached(conn, last))
        await until(lambda: state_of(projector) is State.FOLLOWING_LEDGER)

        private_nats.start()
        await until(lambda: state_of(projector) is State.FOLLOWING_NATS)
        last = await append(ledger, 5)
        await until(reached(conn, last))

    assert await positions(conn) == list(range(1, last + 1))


async def test_a_wiped_stream_costs_no_event(
    database: Database,
    private_nats: NatsServer,
    ledger: LedgerUnderTest,
    keys: MasterKeys,
    conn: asyncpg.Connection,
) -> None:
    last = await append(ledger, 20)
    async with projector_on(database, ledger, private_nats.url, keys) as projector:
        await until(reached(conn, last))
        await until(lambda: state_of(projector) is State.FOLLOWING_NATS)

        admin = await connect(private_nats.admin_url)
        await admin.jetstream().delete_stream(streams.stream_name(JOURNAL))
        await admin.close()
        last = await append(ledger, 20)
        await until(reached(conn, last))

    assert await positions(conn) == list(range(1, last + 1))


async def test_a_foreign_message_is_never_projected(
    database: Database,
    private_nats: NatsServer,
    ledger: LedgerUnderTest,
    keys: MasterKeys,
    conn: asyncpg.Connection,
) -> None:
    last = await append(ledger, 3)
    async with projector_on(database, ledger, private_nats.url, keys) as projector:
        await until(lambda: state_of(projector) is State.FOLLOWING_NATS)
        await until(reached(conn, last))

        client = await connect(private_nats.url)
        subject = streams.event_subject(JOURNAL, "acme", "Touchpoint", "call")
        await client.jetstream().publish(subject, b"foreign")
        await client.close()
        last = await append(ledger, 3)
        await until(reached(conn, last))
        last = await append(ledger, 3)
        await until(reached(conn, last))

        await until(lambda: state_of(projector) is State.FOLLOWING_LEDGER)
        await until(is_serving(projector))

    assert await positions(conn) == list(range(1, last + 1))


async def test_history_that_the_stream_does_not_hold_is_read_from_the_ledger(
    database: Database, private_nats: NatsServer, keys: MasterKeys, conn: asyncpg.Connection
) -> None:
    async with ledger_on(database, keys=keys) as alone:
        await alone.create_tenant()
        old = await append(alone, 70)
    admin = await connect(private_nats.admin_url)
    await EventStream(admin, JOURNAL).recreate(old + 1)
    await admin.close()

    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(
            ledger_on(database, keys=keys, nats_url=private_nats.url)
        )
        last = await append(ledger, 5)
        projector = await stack.enter_async_context(
            projector_on(database, ledger, private_nats.url, keys)
        )
        await until(reached(conn, last))
        await until(lambda: state_of(projector) is State.FOLLOWING_NATS)
        last = await append(ledger, 5)
        await until(reached(conn, last))

    assert await positions(conn) == list(range(1, last + 1))


async def test_a_restored_journal_stops_its_intake_until_the_views_are_rebuilt(
    database: Database,
    private_nats: NatsServer,
    ledger: LedgerUnderTest,
    keys: MasterKeys,
    conn: asyncpg.Connection,
) -> None:
    last = await append(ledger, 5)
    async with projector_on(database, ledger, private_nats.url, keys) as projector:
        await until(reached(conn, last))
        await until(is_serving(projector))

        owner = await asyncpg.connect(database.admin_dsn)
        await owner.execute("UPDATE journal.journals SET incarnation = gen_random_uuid()")
        await owner.close()
        await until(lambda: state_of(projector) is State.STOPPED_INCARNATION)
        last = await append(ledger, 5)
        await until(is_not_serving(projector))
        assert await is_serving(projector, "rapport.v1.CapitalService")()
        assert await positions(conn) == list(range(1, 6))

        await clear(conn, JOURNAL)
        await until(reached(conn, last))
        await until(is_serving(projector))

    assert await positions(conn) == list(range(1, last + 1))


async def test_views_thrown_away_in_a_quiet_hour_are_built_again(
    database: Database,
    private_nats: NatsServer,
    ledger: LedgerUnderTest,
    keys: MasterKeys,
    conn: asyncpg.Connection,
) -> None:
    last = await append(ledger, 30)
    async with projector_on(database, ledger, private_nats.url, keys) as projector:
        await until(reached(conn, last))
        before = await content(conn, JOURNAL)

        await clear(conn, JOURNAL)

        await until(reached(conn, last))
        assert await content(conn, JOURNAL) == before
        assert not projector.intake.journals[JOURNAL].state.stopped


async def test_several_projectors_apply_every_event_once(
    database: Database,
    private_nats: NatsServer,
    ledger: LedgerUnderTest,
    keys: MasterKeys,
    conn: asyncpg.Connection,
) -> None:
    async with (
        projector_on(database, ledger, private_nats.url, keys),
        projector_on(database, ledger, None, keys),
        projector_on(database, ledger, private_nats.url, keys),
    ):
        last = await append(ledger, 400)
        await until(reached(conn, last))

    assert await positions(conn) == list(range(1, last + 1))
    assert await conn.fetchval("SELECT count(*) FROM views.parked") == 0


async def test_too_many_parked_events_stop_the_intake_and_fewer_let_it_go_on(
    database: Database,
    private_nats: NatsServer,
    ledger: LedgerUnderTest,
    keys: MasterKeys,
    conn: asyncpg.Connection,
) -> None:
    await conn.execute(
        """
        INSERT INTO views.parked
        SELECT 'main', -n, gen_random_uuid(), 'acme', gen_random_uuid(), 'x', '', 0, '', 0, 0, '',
               1, '', 'a test', now()
        FROM generate_series(0, $1) AS n
        """,
        PARKED_MAX,
    )
    await append(ledger, 3)
    async with projector_on(database, ledger, private_nats.url, keys) as projector:
        await until(lambda: state_of(projector) is not State.STARTING)
        last = await append(ledger, 3)
        await until(lambda: state_of(projector) is State.STOPPED_PARKED)
        await until(is_not_serving(projector))
        assert await conn.fetchval("SELECT count(*) FROM views.touchpoints") == 0

        await conn.execute("DELETE FROM views.parked")

        await until(reached(conn, last))
        await until(is_serving(projector))


async def test_a_new_journal_is_found(
    database: Database,
    private_nats: NatsServer,
    ledger: LedgerUnderTest,
    keys: MasterKeys,
) -> None:
    async with projector_on(database, ledger, private_nats.url, keys) as projector:
        await ledger.stub.CreateJournal(
            pb.CreateJournalRequest(journal="second"), metadata=who(None, SERVICE)
        )
        await ledger.create_tenant("other", "second")
        answer = await ledger.append(touch(), tenant="other")

        await until(lambda: "second" in projector.intake.journals)
        await projector.positions.wait_for("second", answer.last_position, PATIENCE_S)
