"""EraseSubject: the text is gone, everything else stays, and a stop in between is put right."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
import pytest
from rapport.events.v1 import people_pb2, touchpoint_pb2
from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.api.erasing import reconcile
from services.runtime.vault import MasterKeys
from tests.support.databases import Database
from tests.support.ledger import SERVICE, LedgerUnderTest, ledger_on, new, told, touch, who

ANN, BOB, CAT = "people/ann", "people/bob", "people/cat"


async def erase(
    ledger: LedgerUnderTest, subject: str, event_id: str | None = None
) -> pb.EraseSubjectResponse:
    request = pb.EraseSubjectRequest(subject=subject, event_id=event_id or str(uuid4()))
    answer: pb.EraseSubjectResponse = await ledger.stub.EraseSubject(request, metadata=who())
    return answer


@pytest.fixture
async def ledger(database: Database) -> Any:
    async with ledger_on(database) as started:
        await started.create_tenant()
        yield started


async def test_an_erased_persons_texts_are_tombstones_and_the_facts_stay(
    ledger: LedgerUnderTest,
) -> None:
    event, other = touch(note="about both"), touch(ANN, CAT, note="about the others")
    mentioned = touch(ANN, CAT, note="about Bob too")
    mentioned.touchpoint.note.data_subjects.append(BOB)
    await ledger.append(event, other, mentioned)
    answer = await erase(ledger, BOB)
    assert (answer.event.home, answer.event.revision) == (BOB, 1)
    for each in (event, mentioned):
        opened = await ledger.get(each.event_id)
        assert (opened.touchpoint.note.erased, opened.touchpoint.note.text) == (True, "")
        assert opened.touchpoint.kind == "call"
    assert (await ledger.get(other.event_id)).touchpoint.note.text == "about the others"
    proof = await ledger.get(answer.event.event_id)
    assert proof.subject_erased.subject == BOB


async def test_what_was_recorded_before_an_erasure_is_still_a_replay(
    ledger: LedgerUnderTest,
) -> None:
    event, described = touch(note="n"), new(party_described=people_pb2.PartyDescribed(party=BOB))
    described.party_described.display_name.text = "Bob"
    await ledger.append(event, described)
    await erase(ledger, BOB)
    answer = await ledger.append(event, described, touch())
    assert [e.replayed for e in answer.events] == [True, True, False]
    # The text cannot be compared any more; all else is.
    event.touchpoint.note.text = "anything"
    assert (await ledger.append(event)).events[0].replayed
    event.touchpoint.sentiment = 1
    assert (await told(ledger.append(event))).metadata["field"] == "touchpoint.sentiment"


async def test_nothing_personal_is_taken_about_somebody_erased(ledger: LedgerUnderTest) -> None:
    target = touch()
    await ledger.append(target)
    await erase(ledger, BOB)
    fact = new(fact_learned=people_pb2.FactLearned(person=BOB))
    fact.fact_learned.text.text = "t"
    void = new(voided=touchpoint_pb2.Voided(target=target.event_id))
    void.voided.reason.text = "r"
    refusal = await told(ledger.append(touch(), fact, void))
    assert refusal.code is grpc.StatusCode.FAILED_PRECONDITION
    assert refusal.fields == ["events[1].fact_learned.text", "events[2].voided.reason"]
    void.voided.ClearField("reason")
    await ledger.append(void, touch())


async def test_erasing_again_answers_with_the_first_erasure(ledger: LedgerUnderTest) -> None:
    event_id = str(uuid4())
    first = await erase(ledger, BOB, event_id)
    assert first.event.event_id == event_id
    assert not first.event.replayed
    for again in (await erase(ledger, BOB, event_id), await erase(ledger, BOB)):
        assert again.event.replayed
        assert (again.event.event_id, again.event.position) == (event_id, first.event.position)


async def test_an_erasure_takes_no_id_of_another_event(ledger: LedgerUnderTest) -> None:
    event = touch(note="n")
    await ledger.append(event)
    proof = await erase(ledger, CAT)
    for taken in (event.event_id, proof.event.event_id):
        call = ledger.stub.EraseSubject(
            pb.EraseSubjectRequest(subject=BOB, event_id=taken), metadata=who()
        )
        assert (await told(call)).reason == "EVENT_ID_TAKEN"
    assert (await ledger.get(event.event_id)).touchpoint.note.text == "n"


async def test_an_erasure_is_of_one_tenant(ledger: LedgerUnderTest) -> None:
    await ledger.create_tenant("other")
    event = touch(note="n")
    await ledger.append(event)
    await ledger.append(event, tenant="other")
    await erase(ledger, BOB)
    assert (await ledger.get(event.event_id)).touchpoint.note.erased
    assert (await ledger.get(event.event_id, tenant="other")).touchpoint.note.text == "n"


async def test_a_wrong_erasure_names_its_fields(ledger: LedgerUnderTest) -> None:
    call = ledger.stub.EraseSubject(pb.EraseSubjectRequest(subject="x"), metadata=who())
    assert (await told(call)).fields == ["subject", "event_id"]


async def test_a_proof_that_a_stop_left_out_is_recorded_at_the_next_start(
    database: Database,
) -> None:
    keys = MasterKeys.from_text(MasterKeys.generate_line())
    event_id = str(uuid4())
    async with ledger_on(database, keys=keys) as ledger:
        await ledger.create_tenant()
        await ledger.append(touch(note="n"))
        await ledger.process.parts.vault.erase("acme", BOB, UUID(event_id))
    async with ledger_on(database, keys=keys) as ledger:
        proof = await ledger.get(event_id)
        assert (proof.home, proof.recorded_by.principal) == (BOB, "services/ledger")
        assert await reconcile(ledger.process.parts) == 0


async def test_a_key_that_an_old_backup_brings_back_is_destroyed_again(
    database: Database,
) -> None:
    keys = MasterKeys.from_text(MasterKeys.generate_line())
    event = touch(note="n")
    async with ledger_on(database, keys=keys) as ledger:
        await ledger.create_tenant()
        await ledger.append(event)
        owner = await asyncpg.connect(database.admin_dsn)
        backup = await owner.fetch("SELECT * FROM vault.subject_keys")
        await erase(ledger, BOB)
    # The key store as it was before the erasure.
    await owner.execute("TRUNCATE vault.subject_keys, vault.erased_subjects")
    await owner.copy_records_to_table("subject_keys", schema_name="vault", records=backup)
    await owner.close()
    async with ledger_on(database, keys=keys) as ledger:
        assert (await ledger.get(event.event_id)).touchpoint.note.erased
        assert (await erase(ledger, BOB)).event.replayed


async def test_the_text_is_nowhere_in_the_database(
    ledger: LedgerUnderTest, database: Database
) -> None:
    secret = "the-plain-text-of-a-note"
    event = touch(note=secret)
    event.touchpoint.attributes["k"].text = secret
    await ledger.append(event, principal=SERVICE)
    owner = await asyncpg.connect(database.admin_dsn)
    rows = await owner.fetch("SELECT payload FROM journal.events")
    await owner.close()
    assert len(rows) == 1
    assert secret.encode() not in rows[0]["payload"]
