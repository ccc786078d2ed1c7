"""Old partitions: frozen, detached to files, attached again; what still works meanwhile."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from rapport.events.v1 import people_pb2, touchpoint_pb2
from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.journal.store import Journal
from services.operator.archiving.attaching import attach
from services.operator.archiving.detaching import detach
from services.operator.archiving.files import hash_of_file, read_file
from services.operator.archiving.freezing import freeze
from services.operator.config import Installation
from services.operator.doctor.examination import examine
from services.operator.outcomes import Refused
from services.operator.rebuilding import rebuild_streams, rebuild_views
from tests.support.databases import Database
from tests.support.journals import fill
from tests.support.ledger import SERVICE, LedgerUnderTest, ledger_on, new, told, touch, who
from tests.support.operated import TENANT, Operated
from tests.support.servers import NatsEndpoint

SECRET = "the daughter's wedding is in May"
SMALL = """
DROP TABLE IF EXISTS journal.events_from_000000000001;
DELETE FROM journal.partitions;
CREATE TABLE journal.old PARTITION OF journal.events FOR VALUES FROM (1) TO (11);
CREATE TABLE journal.older PARTITION OF journal.events FOR VALUES FROM (11) TO (14);
CREATE TABLE journal.rest PARTITION OF journal.events FOR VALUES FROM (14) TO (9999999);
INSERT INTO journal.partitions VALUES (1, 10, 'old'), (11, 13, 'older'), (14, 9999998, 'rest');
"""


async def owner(database: Database, statement: str) -> None:
    connection = await asyncpg.connect(database.admin_dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def operated(database: Database, nats_server: NatsEndpoint) -> AsyncIterator[Operated]:
    journal = await Journal.connect(database.journal_dsn)
    await journal.start()
    await owner(database, SMALL)
    name = f"j-{secrets.token_hex(6)}"
    await journal.create_journal(name)
    await journal.create_tenant(TENANT, name)
    made = Operated(database, nats_server, journal, name)
    yield made
    await journal.close()
    await made.forget_stream()


async def assert_content(operated: Operated) -> list[str]:
    report = await examine(operated.installation, journal=operated.name, patience_s=0.0)
    assert report.exit_code == 0, str(report.document())
    (journal,) = (check for _, check in report.checks() if check.name == "journal")
    return journal.notes


async def test_the_doctor_is_content_before_while_and_after_events_are_in_files(
    operated: Operated, tmp_path: Path
) -> None:
    await operated.everything()
    before = await operated.events()
    assert await freeze(operated.installation) == ["old", "older"]
    assert await freeze(operated.installation) == []
    done = await detach(operated.installation, 14, tmp_path)
    assert [(each.from_position, each.through_position) for each in done] == [(1, 10), (11, 13)]
    assert await freeze(operated.installation) == ["old", "older"], "their tables are new"
    notes = await assert_content(operated)
    assert notes[0] == "events up to position 13 are in files: only their keys are left"
    assert done[0].file_name in notes[1]
    assert hash_of_file(tmp_path / done[0].file_name) in notes[1]
    with pytest.raises(Refused, match=rf"{done[1].file_name}, {done[0].file_name}"):
        await rebuild_views(operated.installation, operated.name)
    (rebuilt,) = await rebuild_streams(operated.installation, operated.name)
    assert rebuilt.from_position == 14
    await operated.publish(before[13:])
    await assert_content(operated)
    with pytest.raises(Refused, match=f"attach {done[1].file_name} first"):
        await attach(operated.installation, tmp_path / done[0].file_name)
    for manifest in reversed(done):
        await attach(operated.installation, tmp_path / manifest.file_name)
    assert await operated.events() == before
    assert await assert_content(operated) == []
    assert await freeze(operated.installation) == ["old", "older"], "they have rows again"
    again = await detach(operated.installation, 14, tmp_path)
    assert [each.content_sha256 for each in again] == [each.content_sha256 for each in done]


async def test_nothing_is_detached_that_read_models_or_stream_still_need(
    operated: Operated, tmp_path: Path
) -> None:
    await operated.tell_a_story()
    with pytest.raises(Refused, match="read models"):
        await detach(operated.installation, 14, tmp_path)
    await operated.project()
    await operated.publish((await operated.events())[:5])
    with pytest.raises(Refused, match="the stream of"):
        await detach(operated.installation, 14, tmp_path)
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240


async def test_a_file_that_was_changed_is_not_attached(operated: Operated, tmp_path: Path) -> None:
    await operated.everything()
    (done,) = await detach(operated.installation, 12, tmp_path)
    file = tmp_path / done.file_name
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(Refused, match="its hash differs"):
        await attach(operated.installation, file)
    file.write_bytes(whole)
    await owner(operated.database, "UPDATE journal.archives SET content_sha256 = '\\x00'")
    with pytest.raises(Refused, match="does not hold the events"):
        await attach(operated.installation, file)
    assert (await operated.journal.head(operated.name)).detached_through == 10


async def test_journals_that_still_stand_in_a_range_keep_their_events_and_go_on(
    operated: Operated, tmp_path: Path
) -> None:
    young = f"{operated.name}-young"
    await operated.journal.create_journal(young)
    await fill(operated.journal, 3, tenant="young", name=young)
    await operated.everything()
    assert await freeze(operated.installation) == ["older"]
    done = await detach(operated.installation, 14, tmp_path)
    assert {each.journal for each in done} == {operated.name}
    await fill(operated.journal, 12, first=4, tenant="young", name=young)
    assert (await operated.journal.head(young)).detached_through == 0
    found = operated.journal.read_journal(young)
    assert [e.position async for events, _ in found for e in events] == list(range(1, 16))
    await assert_content(operated)


# --- What callers see of it ---


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[LedgerUnderTest]:
    async with ledger_on(database) as started:
        await owner(database, SMALL)
        await started.create_tenant()
        yield started


async def detached(database: Database, directory: Path) -> Path:
    """Detach positions 1 to 10 of journal main; their file."""
    await owner(
        database,
        "INSERT INTO views.checkpoints SELECT journal, incarnation, head, 0 FROM journal.journals",
    )
    (done,) = await detach(installation_of(database), 11, directory)
    return directory / done.file_name


def installation_of(database: Database) -> Installation:
    return Installation.from_mapping(database.env())


async def test_an_event_in_a_file_sent_again_is_a_replay_and_another_one_is_taken(
    ledger: LedgerUnderTest, database: Database, tmp_path: Path
) -> None:
    events = [touch(note=SECRET) if n % 2 else touch() for n in range(16)]
    first = await ledger.append(*events)
    await detached(database, tmp_path)
    again = await ledger.append(*events)
    assert [e.position for e in again.events] == [e.position for e in first.events]
    assert all(event.replayed for event in again.events)
    for changed, field in (
        (touch(event_id=events[0].event_id, kind="thanks.given"), "payload"),
        (touch("people/cat", event_id=events[0].event_id), "home"),
    ):
        taken = await told(ledger.append(changed))
        assert taken.reason == "EVENT_ID_TAKEN"
        assert taken.metadata["field"] == field


async def test_reading_what_is_in_a_file_says_where_the_journal_begins(
    ledger: LedgerUnderTest, database: Database, tmp_path: Path
) -> None:
    described = people_pb2.PartyDescribed(party="people/ann", side=people_pb2.SIDE_INTERNAL)
    kept = new(party_described=described)
    events = [kept, *(touch() for _ in range(15))]
    await ledger.append(*events)
    file = await detached(database, tmp_path)
    assert (await ledger.get(kept.event_id)).position == 1
    for call in (
        ledger.get(events[3].event_id),
        read(ledger, journal=pb.JournalSource(from_position=10)),
        read(ledger, home=pb.HomeSource(home="relationships/ann~bob")),
    ):
        refused = await told(call)
        assert refused.reason == "ARCHIVED"
        assert refused.metadata == {"journal": "main", "first_position": "11"}
    assert await read(ledger, journal=pb.JournalSource(from_position=11)) == list(range(11, 17))
    back = {"direction": pb.DIRECTION_BACKWARDS, "limit": 6}
    assert await read(ledger, journal=pb.JournalSource(), **back) == list(range(16, 10, -1))
    assert (await told(read(ledger, journal=pb.JournalSource(), direction=2))).reason == "ARCHIVED"
    assert await read(ledger, home=pb.HomeSource(home="people/ann")) == [1]
    journals = await ledger.stub.ListJournals(pb.ListJournalsRequest(), metadata=who(None, SERVICE))
    assert journals.journals[0].first_position == 11
    await attach(installation_of(database), file)
    assert await read(ledger, journal=pb.JournalSource()) == list(range(1, 17))


async def test_an_event_in_a_file_can_be_voided_and_corrected(
    ledger: LedgerUnderTest, database: Database, tmp_path: Path
) -> None:
    events = [touch(note=SECRET) for _ in range(16)]
    await ledger.append(*events)
    await detached(database, tmp_path)
    voided = await ledger.append(new(voided=touchpoint_pb2.Voided(target=events[0].event_id)))
    assert voided.events[0].home == "relationships/ann~bob"
    corrected = touchpoint_pb2.Corrected(replaces=events[1].event_id)
    corrected.touchpoint.CopyFrom(touch().touchpoint)
    await ledger.append(new(corrected=corrected))
    corrected.touchpoint.counterpart = "people/cat"
    refused = await told(ledger.append(new(corrected=corrected)))
    assert refused.reason == "TARGET_NOT_CORRECTABLE"


async def test_a_file_holds_nothing_personal_in_plain_text(
    ledger: LedgerUnderTest, database: Database, tmp_path: Path
) -> None:
    await ledger.append(*(touch(note=SECRET) for _ in range(16)))
    file = await detached(database, tmp_path)
    rows = list(read_file(file))
    assert len(rows) == 10
    held = file.read_bytes() + b"".join(row["payload"] for row in rows)
    assert not [word for word in SECRET.split() if len(word) > 3 and word.encode() in held]


async def read(ledger: LedgerUnderTest, **request: Any) -> list[int]:
    call = ledger.stub.ReadEvents(pb.ReadEventsRequest(**request), metadata=who())
    return [event.position async for answer in call for event in answer.events]
