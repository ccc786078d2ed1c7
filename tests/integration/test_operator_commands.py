"""What the operator's commands change, and what they refuse."""

import secrets
import uuid
from collections.abc import AsyncIterator

import asyncpg
import nats
import pytest
from rapport.events.v1 import touchpoint_pb2

from services.ledger.journal.store import Journal
from services.operator.doctor.examination import examine
from services.operator.doctor.report import Report
from services.operator.outcomes import Refused
from services.operator.parking import discard_parked, list_parked, retry_parked
from services.operator.rebuilding import rebuild_streams, rebuild_views
from services.operator.restoring import restored
from services.projector.projections import checkpoint
from services.runtime import streams
from services.runtime.vault.master import MasterKeys
from services.runtime.vault.store import Vault
from tests.support.databases import Database
from tests.support.operated import ANN, BOB, CAT, DAN, MASTER_KEY, TENANT, Operated
from tests.support.servers import NatsEndpoint


@pytest.fixture
async def operated(database: Database, nats_server: NatsEndpoint) -> AsyncIterator[Operated]:
    journal = await Journal.connect(database.journal_dsn)
    await journal.start()
    name = f"j-{secrets.token_hex(6)}"
    await journal.create_journal(name)
    await journal.create_tenant(TENANT, name)
    made = Operated(database, nats_server, journal, name)
    yield made
    await journal.close()
    await made.forget_stream()


async def count(operated: Operated, table: str) -> int:
    conn = await asyncpg.connect(operated.database.admin_dsn)
    try:
        found = await conn.fetchval(f"SELECT count(*) FROM {table}")
        return int(found)
    finally:
        await conn.close()


async def erase_in_key_store(operated: Operated, subject: str, event_id: str) -> None:
    pool = await asyncpg.create_pool(operated.database.vault_dsn, min_size=0, max_size=1)
    try:
        await Vault(pool, MasterKeys.from_text(MASTER_KEY)).erase(
            TENANT, subject, uuid.UUID(event_id)
        )
    finally:
        await pool.close()


async def test_restored_records_what_only_the_key_store_knows_under_its_own_event_id(
    operated: Operated,
) -> None:
    await operated.touch(ANN, BOB, "call")
    erasure = str(uuid.uuid4())
    await erase_in_key_store(operated, BOB, erasure)
    before = (await operated.journal.head(operated.name)).incarnation
    done = await restored(operated.installation, operated.name)
    assert done.recorded == [erasure]
    row = await operated.journal.head(operated.name)
    assert row.head == 2
    assert done.incarnations == {operated.name: row.incarnation}
    assert row.incarnation != before
    await operated.publish()
    await operated.project()
    assert (await examine(operated.installation, journal=operated.name)).exit_code == 0
    again = await restored(operated.installation, operated.name)
    assert (again.recorded, again.listed, again.destroyed) == ([], 0, 0)


async def test_an_event_id_that_a_restored_journal_gave_away_is_replaced_by_a_derived_one(
    operated: Operated,
) -> None:
    taken = await operated.touch(ANN, BOB, "call")
    await erase_in_key_store(operated, CAT, taken)
    done = await restored(operated.installation, operated.name)
    assert done.recorded == [str(uuid.uuid5(uuid.UUID(taken), CAT))]


async def test_restored_erases_what_only_the_journal_knows(operated: Operated) -> None:
    await operated.erase(DAN)
    await operated.erase(CAT, destroy=False)  # a key store from before this erasure
    assert await count(operated, "vault.subject_keys WHERE subject = 'people/cat'") == 1
    done = await restored(operated.installation, operated.name)
    assert (done.listed, done.recorded) == (1, [])
    assert await count(operated, "vault.subject_keys WHERE subject = 'people/cat'") == 0
    assert await count(operated, "vault.erased_subjects") == 2


async def test_restored_names_erasures_of_tenants_that_are_in_no_journal(
    operated: Operated,
) -> None:
    conn = await asyncpg.connect(operated.database.admin_dsn)
    await conn.execute(
        "INSERT INTO vault.erased_subjects (tenant, subject, event_id)"
        " VALUES ('gone', 'people/x', gen_random_uuid())"
    )
    await conn.close()
    done = await restored(operated.installation)
    assert done.orphaned == [("gone", "people/x")]
    assert set(done.incarnations) == {"main", operated.name}


async def test_a_rebuilt_stream_begins_at_the_position_asked_for(operated: Operated) -> None:
    await operated.everything()
    (done,) = await rebuild_streams(operated.installation, operated.name, 11)
    assert (done.from_position, done.head) == (11, 16)
    await operated.publish(await operated.events(11))
    client = await nats.connect(operated.server.url)
    info = await client.jetstream().stream_info(streams.stream_name(operated.name))
    await client.close()
    assert (info.state.first_seq, info.state.last_seq) == (11, 16)
    assert (await examine(operated.installation, journal=operated.name)).exit_code == 0


async def test_a_stream_cannot_begin_beyond_the_next_position(operated: Operated) -> None:
    await operated.everything()
    with pytest.raises(Refused, match="positions 1 to 16"):
        await rebuild_streams(operated.installation, operated.name, 18)
    with pytest.raises(Refused, match="there is no journal nowhere"):
        await rebuild_streams(operated.installation, "nowhere")
    assert (await examine(operated.installation, journal=operated.name)).exit_code == 0


async def test_views_of_one_journal_go_and_those_of_others_stay(operated: Operated) -> None:
    await operated.everything()
    other = Operated(operated.database, operated.server, operated.journal, "main")
    await operated.journal.create_tenant("other", "main")
    assert await count(operated, "views.touchpoints") == 8
    await rebuild_views(operated.installation, other.name)
    assert await count(operated, "views.touchpoints") == 8
    (done,) = await rebuild_views(operated.installation, operated.name)
    assert done.head == 16
    tables = ("touchpoints", "balances", "standings", "parties", "ticks", "checkpoints", "tenants")
    assert [await count(operated, f"views.{table}") for table in tables] == [0] * len(tables)
    await operated.project()
    assert (await examine(operated.installation, journal=operated.name)).exit_code == 0


async def test_a_parked_event_is_listed_and_retried(operated: Operated) -> None:
    await operated.touch(ANN, BOB, "call")
    broken = await operated.record_bytes(b"\xff\xff", "relationships/ann~bob")
    await operated.project()
    (row,) = await list_parked(operated.installation, operated.name)
    assert (row.position, row.event_id) == (2, broken)
    (tried,) = await retry_parked(operated.installation, operated.name)
    assert tried.reason == row.reason
    with pytest.raises(Refused, match="no event is parked at position 1"):
        await retry_parked(operated.installation, operated.name, 1)
    # Code that can read it could not be simulated more simply than by bytes that can be read.
    payload = touchpoint_pb2.Touchpoint(initiator=ANN, counterpart=BOB, kind="call")
    conn = await asyncpg.connect(operated.database.views_dsn)
    await conn.execute("UPDATE views.parked SET payload = $1", payload.SerializeToString())
    await conn.close()
    (tried,) = await retry_parked(operated.installation, operated.name, 2)
    assert tried.reason is None
    assert await list_parked(operated.installation) == []
    assert await count(operated, "views.touchpoints") == 2


async def test_a_discarded_event_is_absent_on_purpose_and_stays_so(operated: Operated) -> None:
    await operated.touch(ANN, BOB, "call")
    await operated.record_bytes(b"\xff\xff", "relationships/ann~bob")
    await operated.publish()
    await operated.project()
    assert (await examine(operated.installation, journal=operated.name)).exit_code == 4
    with pytest.raises(Refused, match="no event is parked at position 1"):
        await discard_parked(operated.installation, operated.name, 1, reason="?", by="eve")
    (row,) = await discard_parked(
        operated.installation, operated.name, 2, reason="two bytes of nothing", by="eve"
    )
    assert (row.discarded_because, row.discarded_by) == ("two bytes of nothing", "eve")
    with pytest.raises(Refused, match="eve discarded it: two bytes of nothing"):
        await discard_parked(operated.installation, operated.name, 2, reason="again", by="bob")
    report = await examine(operated.installation, journal=operated.name)
    assert report.exit_code == 0
    assert any("discarded by eve: two bytes of nothing" in note for note in notes_of(report))
    # Built anew it is parked again, and the decision stands.
    await rebuild_views(operated.installation, operated.name)
    await operated.project()
    assert (await examine(operated.installation, journal=operated.name)).exit_code == 0
    assert await retry_parked(operated.installation, operated.name) == []
    conn = await asyncpg.connect(operated.database.views_dsn)
    found = await checkpoint.read(conn, operated.name)
    await conn.close()
    assert found is not None
    assert found.parked == 0, "it no longer counts towards those that stop the journal"


def notes_of(report: Report) -> list[str]:
    """What the checks noted."""
    return [note for found in report.journals for check in found.checks for note in check.notes]
