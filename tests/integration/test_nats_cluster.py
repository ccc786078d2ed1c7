"""Three NATS servers of the deployed configuration: R3 streams, and a leader that is killed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import nats.errors
import pytest
from nats.aio.client import Client
from nats.js.api import StreamInfo
from nats.js.errors import Error as JetStreamError
from prometheus_client import CollectorRegistry
from rapport.events.connecting import connect

from services.ledger.journal.store import Journal
from services.ledger.relay.relay import Relay
from services.runtime import streams
from services.runtime.jetstream import servers_of
from tests.support.databases import Database
from tests.support.journals import fill
from tests.support.nats_cluster import NODES, NatsCluster, nats_cluster
from tests.support.servers import TestRun

_STREAM: Final = streams.stream_name("main")
_WAIT_S: Final = 60.0
_EVENTS: Final = 6_000


@pytest.fixture
def cluster(test_run: TestRun, tmp_path: Path) -> Iterator[NatsCluster]:
    with nats_cluster(tmp_path, test_run.config.nats_bin) as made:
        yield made


@pytest.fixture
async def journal(database: Database) -> AsyncIterator[Journal]:
    journal = await Journal.connect(database.journal_dsn)
    await journal.start()
    yield journal
    await journal.close()


@pytest.fixture
async def relay(cluster: NatsCluster, journal: Journal, database: Database) -> AsyncIterator[Relay]:
    made = Relay(
        journal,
        nats_url=cluster.url,
        dsn=database.journal_dsn,
        registry=CollectorRegistry(),
        on_health=lambda _: None,
        replicas=NODES,
    )
    made.start()
    yield made
    await made.stop()


@asynccontextmanager
async def client_of(cluster: NatsCluster) -> AsyncIterator[Client]:
    """A client that stays with the cluster, whoever of it goes."""
    async with asyncio.timeout(_WAIT_S):
        while True:
            try:
                client = await connect(servers_of(cluster.url), error_cb=_quiet)
                break
            except (nats.errors.Error, OSError):
                await asyncio.sleep(0.1)
    try:
        yield client
    finally:
        await client.close()


async def at(client: Client, position: int, *, peers: int = 0) -> StreamInfo:
    """The stream, once it holds the position and so many current copies beside the leader's."""
    async with asyncio.timeout(_WAIT_S):
        while True:
            try:
                info = await client.jetstream(timeout=2).stream_info(_STREAM)
                found = info.cluster
                current = [peer for peer in (found and found.replicas) or [] if peer.current]
                led = found is not None and found.leader is not None
                if led and info.state.last_seq >= position and len(current) >= peers:
                    return info
            except (JetStreamError, nats.errors.Error, OSError):
                pass  # an election is under way
            await asyncio.sleep(0.05)


async def test_with_the_leader_killed_in_mid_stream_every_sequence_is_its_position(
    cluster: NatsCluster, journal: Journal, relay: Relay
) -> None:
    async with client_of(cluster) as client:
        await fill(journal, 500)
        info = await at(client, 500, peers=NODES - 1)
        assert info.config.num_replicas == NODES
        appending = asyncio.create_task(fill(journal, _EVENTS, first=501))
        info = await at(client, 1_000)
        assert info.cluster is not None
        assert info.cluster.leader is not None
        killed = info.cluster.leader
        await asyncio.to_thread(cluster.kill, killed)
        await appending
        info = await at(client, _EVENTS + 500)
        assert info.cluster is not None
        assert info.cluster.leader != killed
        await asyncio.to_thread(cluster.start, killed)
        await at(client, _EVENTS + 500, peers=NODES - 1)
        await assert_sequence_is_position(client, journal, _EVENTS + 500)


async def assert_sequence_is_position(client: Client, journal: Journal, count: int) -> None:
    expected = [
        event
        async for chunk in journal.read_journal("main", from_position=1)
        for event in chunk.events
    ]
    assert [event.position for event in expected] == list(range(1, count + 1))
    subscription = await client.jetstream().subscribe(
        streams.journal_subjects("main"), stream=_STREAM, ordered_consumer=True
    )
    for event in expected:
        message = await subscription.next_msg(timeout=_WAIT_S)
        assert message.metadata.sequence.stream == event.position
        assert (message.headers or {})[streams.EVENT_ID] == event.event_id
        assert message.data == event.payload


async def _quiet(_: Exception) -> None:
    """Errors come as exceptions of what was asked for."""
