"""AppendEvents, RecordOccasion and GetEvent, through a real server and a real Postgres."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from rapport.events.v1 import people_pb2, practice_pb2, touchpoint_pb2
from rapport.v1 import ledger_service_pb2 as pb

from services.runtime.policy import default_policy
from tests.support.databases import Database
from tests.support.ledger import SERVICE, LedgerUnderTest, ledger_on, new, told, touch, who

ANN, BOB, CAT = "people/ann", "people/bob", "people/cat"
STORED = pb.EVENT_VIEW_STORED


def voided(target: str, reason: str | None = None) -> pb.NewEvent:
    event = new(voided=touchpoint_pb2.Voided(target=target))
    if reason is not None:
        event.voided.reason.text = reason
    return event


def correction(of: str, a: str = ANN, b: str = BOB, **fields: Any) -> pb.NewEvent:
    touchpoint = touch(a, b, **fields).touchpoint
    return new(corrected=touchpoint_pb2.Corrected(replaces=of, touchpoint=touchpoint))


async def test_an_append_answers_with_positions_revisions_and_what_was_a_replay(
    database: Database,
) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        first, second = touch(), touch(BOB, ANN)
        answer = await ledger.append(first)
        assert (answer.journal, answer.last_position) == ("main", 1)
        mixed = await ledger.append(second, first, touch(ANN, CAT))
        assert [e.replayed for e in mixed.events] == [False, True, False]
        assert [e.position for e in mixed.events] == [2, 1, 3]
        assert [e.revision for e in mixed.events] == [2, 1, 1]
        assert mixed.events[1].recorded_at == answer.events[0].recorded_at
        assert mixed.last_position == 3
        assert mixed.events[0].home == "relationships/ann~bob"


async def test_a_replay_without_a_time_matches_what_was_stored_and_one_with_another_does_not(
    database: Database,
) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        event = touch()
        event.occurred_at.CopyFrom(Timestamp(seconds=1_000_000_000))
        await ledger.append(event)
        event.ClearField("occurred_at")
        assert (await ledger.append(event)).events[0].replayed
        event.occurred_at.CopyFrom(Timestamp(seconds=1_000_000_001))
        refusal = await told(ledger.append(touch(), event))
        assert refusal.code is grpc.StatusCode.ALREADY_EXISTS
        assert refusal.metadata == {
            "event_id": event.event_id,
            "position": "1",
            "field": "occurred_at",
        }


async def test_equal_messages_are_a_replay_whatever_their_bytes(database: Database) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        event = touch()
        event.touchpoint.MergeFromString(b"\xf8\x3f\x01\xf0\x3f\x02")
        await ledger.append(event)
        again = touch(event_id=event.event_id)
        again.touchpoint.MergeFromString(b"\xf0\x3f\x02\xf8\x3f\x01")
        answer = await ledger.append(again, touch())
        assert [e.replayed for e in answer.events] == [True, False]
        stored = await ledger.get(event.event_id, principal=SERVICE, view=STORED)
        assert stored.stored_payload.endswith(b"\xf8\x3f\x01\xf0\x3f\x02")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sentiment": 1}, "touchpoint.sentiment"),
        ({"note": "another"}, "touchpoint.note.text"),
        ({"note": None}, "touchpoint.note"),
        ({"b": CAT}, "touchpoint.counterpart"),
    ],
)
async def test_another_event_under_a_taken_id_names_the_first_field_that_differs(
    database: Database, change: dict[str, Any], field: str
) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        event = touch(note="a note")
        await ledger.append(event)
        again = touch(event_id=event.event_id, **{"note": "a note", **change})
        refusal = await told(ledger.append(again))
        assert (refusal.reason, refusal.metadata["field"]) == ("EVENT_ID_TAKEN", field)
        other_type = voided(str(uuid4()))
        other_type.event_id = event.event_id
        assert (await told(ledger.append(other_type))).metadata["field"] == "type"


async def test_a_void_belongs_to_its_targets_home_and_to_the_tenant_while_that_is_unknown(
    database: Database,
) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        target = touch()
        early, late = voided(target.event_id, "too early"), voided(target.event_id, "late")
        answer = await ledger.append(early)
        assert answer.events[0].home == "tenants/acme"
        both = await ledger.append(target, late)
        assert both.events[1].home == "relationships/ann~bob"
        # The early one is a replay now that its target is known, sealed as it was then.
        again = await ledger.append(early)
        assert again.events[0].replayed
        assert again.events[0].home == "tenants/acme"
        stored = await ledger.get(late.event_id, principal=SERVICE, view=STORED)
        sealed = touchpoint_pb2.Voided.FromString(stored.stored_payload).reason
        assert (list(sealed.sealed_for), sealed.text) == ([ANN, BOB], "")
        assert (await ledger.get(early.event_id)).voided.reason.text == "too early"
        changed = voided(target.event_id, "another reason")
        changed.event_id = early.event_id
        assert (await told(ledger.append(changed))).metadata["field"] == "voided.reason.text"


async def test_what_names_a_wrong_target_is_refused_in_the_batch_and_beyond(
    database: Database,
) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        target, void = touch(), voided(str(uuid4()))
        await ledger.append(target, void)
        again = voided(void.event_id)
        refusal = await told(ledger.append(again))
        assert (refusal.code, refusal.reason) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "TARGET_NOT_VOIDABLE",
        )
        assert refusal.metadata["target"] == void.event_id
        assert refusal.metadata["event_id"] == again.event_id
        first = voided(str(uuid4()))
        in_batch = await told(ledger.append(first, voided(first.event_id)))
        assert in_batch.fields == ["events[1].voided.target"]
        itself = voided(str(uuid4()))
        itself.voided.target = itself.event_id
        assert (await told(ledger.append(itself))).reason == "TARGET_NOT_VOIDABLE"

        for wrong in (correction(target.event_id, ANN, CAT), correction(void.event_id)):
            assert (await told(ledger.append(wrong))).reason == "TARGET_NOT_CORRECTABLE"
        right = correction(target.event_id, BOB, ANN)
        await ledger.append(right)
        of_a_correction = correction(right.event_id)
        assert (await told(ledger.append(of_a_correction))).reason == "TARGET_NOT_CORRECTABLE"

        linked = new(identity_linked=people_pb2.IdentityLinked(a=ANN, b=BOB))
        await ledger.append(linked)
        unlinked = people_pb2.IdentityUnlinked(a=ANN, b=CAT, ends=linked.event_id)
        assert (await told(ledger.append(new(identity_unlinked=unlinked)))).reason == (
            "TARGET_NOT_ENDABLE"
        )
        unlinked = people_pb2.IdentityUnlinked(a=BOB, b=ANN, ends=linked.event_id)
        await ledger.append(new(identity_unlinked=unlinked))


async def test_a_void_of_a_void_that_came_first_stays_what_it_is(database: Database) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        later = voided(str(uuid4()))
        early = voided(later.event_id)
        await ledger.append(early)
        await ledger.append(later)
        assert (await ledger.append(early)).events[0].replayed


async def test_voids_that_race_with_their_targets_are_resolved_again(database: Database) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        targets = [touch() for _ in range(30)]
        voids = [voided(target.event_id, "r") for target in targets]
        both = zip(targets, voids, strict=True)
        answers = await asyncio.gather(*(ledger.append(e) for pair in both for e in pair))
        for target, void in zip(answers[::2], answers[1::2], strict=True):
            knew = void.events[0].position > target.events[0].position
            home = "relationships/ann~bob" if knew else "tenants/acme"
            assert void.events[0].home == home


async def test_an_expected_revision_counts_earlier_events_of_the_batch(
    database: Database,
) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        first, second = touch(), touch()
        first.expected_revision, second.expected_revision = 0, 1
        await ledger.append(first, second)
        assert all(e.replayed for e in (await ledger.append(first, second)).events)
        third = touch()
        third.expected_revision = 1
        refusal = await told(ledger.append(third))
        assert refusal.code is grpc.StatusCode.ABORTED
        assert refusal.metadata == {
            "home": "relationships/ann~bob",
            "expected_revision": "1",
            "current_revision": "2",
            "event_id": third.event_id,
        }


async def test_a_kind_of_an_adopted_policy_is_known_to_every_replica_at_once(
    database: Database,
) -> None:
    adopted = default_policy().canonical_json.replace('"ask":', '"our.own_kind":')
    adoption = new(policy_adopted=practice_pb2.PolicyAdopted(policy_json=adopted))
    async with ledger_on(database) as ledger, ledger_on(database) as replica:
        await ledger.create_tenant()
        await ledger.create_tenant("other")
        refusal = await told(replica.append(touch(kind="our.own_kind")))
        assert refusal.metadata == {"kind": "our.own_kind"}
        answer = await ledger.append(adoption)
        assert answer.events[0].home == "tenants/acme"
        assert (await replica.append(touch(kind="our.own_kind"))).last_position == 2
        assert (await ledger.append(touch(kind="our.own_kind"))).last_position == 3
        refusal = await told(ledger.append(touch(kind="our.own_kind"), tenant="other"))
        assert refusal.reason == "KIND_UNKNOWN"


async def test_a_policy_that_does_not_lint_is_not_adopted(database: Database) -> None:
    free = default_policy().canonical_json.replace('"2":[-6000,-10000]', '"2":[-1,-1]')
    adoption = new(policy_adopted=practice_pb2.PolicyAdopted(policy_json=free))
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        refusal = await told(ledger.append(adoption))
        assert refusal.reason == "POLICY_INVALID"
        inside = 'policy_adopted.policy_json.incident.severity["2"]'
        assert refusal.fields == [f"events[0].{inside}"]
        assert "2 to 8 times the median positive kind" in refusal.message
        # Nothing was written.
        assert (await ledger.append(touch())).last_position == 1


async def test_lists_and_answers_belong_to_who_records_them(database: Database) -> None:
    saved = practice_pb2.WatchListSaved(list="vips", parties=[BOB, "organizations/o"])
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        answer = await ledger.append(new(watch_list_saved=saved), principal=ANN)
        assert answer.events[0].home == ANN
        answer = await ledger.append(new(watch_list_saved=saved), principal="services/crm")
        assert answer.events[0].home == "services/crm"


async def test_an_occasion_is_one_touchpoint_for_every_host_and_guest(database: Database) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        template = touch(kind="meeting.in_person", note="kick-off", mutual=True).touchpoint
        template.ClearField("initiator")
        template.ClearField("counterpart")
        occasion = str(uuid4())
        request = pb.RecordOccasionRequest(
            occasion_id=occasion, hosts=[BOB, ANN], guests=[CAT, "people/dan"], touchpoint=template
        )
        answer = await ledger.stub.RecordOccasion(request, metadata=who())
        homes = [e.home.removeprefix("relationships/") for e in answer.events]
        assert homes == ["bob~cat", "bob~dan", "ann~cat", "ann~dan"]
        assert all(UUID(e.event_id).version == 5 for e in answer.events)
        event = await ledger.get(answer.events[0].event_id)
        assert (event.touchpoint.initiator, event.touchpoint.occasion_id) == (BOB, occasion)
        assert event.touchpoint.note.text == "kick-off"
        again = await ledger.stub.RecordOccasion(request, metadata=who())
        assert all(e.replayed for e in again.events)
        assert again.last_position == answer.last_position == 4


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"occasion_id": "x"}, ["occasion_id"]),
        ({"hosts": []}, ["hosts"]),
        ({"guests": [BOB, ANN]}, ["guests[1]"]),
        ({"guests": [f"people/g{i}" for i in range(1001)]}, ["guests"]),
        (
            {
                "hosts": [f"people/h{i}" for i in range(40)],
                "guests": [f"people/g{i}" for i in range(26)],
            },
            ["guests"],
        ),
        ({"touchpoint": touchpoint_pb2.Touchpoint(kind="call", sentiment=5, initiator=ANN)}, None),
    ],
)
async def test_a_wrong_occasion_is_refused_with_its_fields(
    database: Database, changes: dict[str, Any], fields: list[str] | None
) -> None:
    request: dict[str, Any] = {
        "occasion_id": str(uuid4()),
        "hosts": [ANN],
        "guests": [BOB],
        "touchpoint": touchpoint_pb2.Touchpoint(kind="call"),
        **changes,
    }
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        call = ledger.stub.RecordOccasion(pb.RecordOccasionRequest(**request), metadata=who())
        expected = fields or ["touchpoint.initiator", "touchpoint.sentiment"]
        assert (await told(call)).fields == expected


async def test_a_tenant_sees_its_own_events_alone(database: Database) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        await ledger.create_tenant("other")
        event = touch()
        await ledger.append(event)
        refusal = await told(ledger.get(event.event_id, tenant="other"))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "EVENT_UNKNOWN")
        # The same id is another event there.
        assert (await ledger.append(event, tenant="other")).events[0].position == 2


async def test_a_recorded_event_is_answered_as_it_was_sent(database: Database) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        event = touch(note="hello", kind="incident", severity=2, category="delivery")
        event.touchpoint.note.data_subjects.append("organizations/o")
        event.touchpoint.attributes["k"].text = "v"
        event.correlation_id, event.causation_id = "deal 7", str(uuid4())
        event.occurred_at.CopyFrom(Timestamp(seconds=-62_135_596_800, nanos=1000))
        await ledger.append(event, principal="services/crm")
        opened = await ledger.get(event.event_id)
        assert opened.touchpoint == event.touchpoint
        assert opened.occurred_at == event.occurred_at
        assert (opened.correlation_id, opened.causation_id) == ("deal 7", event.causation_id)
        assert opened.recorded_by == pb.RecordedBy(principal="services/crm", verified=False)
        assert (opened.kind, opened.type) == ("incident", "rapport.events.v1.Touchpoint")
        assert not opened.stored_payload
        stored = await ledger.get(event.event_id, principal=SERVICE, view=STORED)
        assert stored.WhichOneof("payload") is None
        for secret in (b"hello", b"\x01v"):
            assert secret not in stored.stored_payload


@pytest.fixture
async def ledger(database: Database) -> Any:
    async with ledger_on(database) as started:
        await started.create_tenant()
        yield started


async def test_texts_are_withheld_from_those_who_may_not_see_them(
    ledger: LedgerUnderTest,
) -> None:
    for person, side in ((ANN, people_pb2.SIDE_INTERNAL), (BOB, people_pb2.SIDE_EXTERNAL)):
        described = people_pb2.PartyDescribed(party=person, side=side)
        await ledger.append(new(party_described=described))
    private = touch(note="p", visibility=touchpoint_pb2.VISIBILITY_PRIVATE)
    parties = touch(note="q", visibility=touchpoint_pb2.VISIBILITY_PARTIES)
    fixed = correction(private.event_id, note="r", visibility=touchpoint_pb2.VISIBILITY_PARTIES)
    await ledger.append(private, parties, fixed, principal="services/crm")

    async def seen(event: pb.NewEvent, principal: str) -> tuple[str, bool]:
        answer = await ledger.get(event.event_id, principal=principal)
        inner = answer.corrected.touchpoint if answer.HasField("corrected") else answer.touchpoint
        return inner.note.text, inner.note.withheld

    assert await seen(private, "services/crm") == ("p", False)
    assert await seen(private, ANN) == ("", True)
    assert await seen(parties, "services/crm") == ("q", False)
    assert await seen(parties, ANN) == ("q", False)
    assert await seen(parties, BOB) == ("", True)  # outside
    assert await seen(parties, CAT) == ("", True)
    assert await seen(fixed, ANN) == ("r", False)
    assert await seen(fixed, CAT) == ("", True)
    # The description is taken back: nobody described Ann, and she has no side.
    events = ledger.stub.ReadEvents(
        pb.ReadEventsRequest(home=pb.HomeSource(home=ANN)), metadata=who()
    )
    (described_id,) = [e.event_id async for answer in events for e in answer.events]
    await ledger.append(voided(described_id))
    assert await seen(parties, ANN) == ("", True)
