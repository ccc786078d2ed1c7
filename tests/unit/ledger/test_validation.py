"""What a request must look like: every violation at once, with its path."""

from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from rapport.events.v1 import common_pb2, people_pb2, practice_pb2, touchpoint_pb2
from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.api.drafts import Draft, Scope, read_batch
from services.runtime.clock import instant_from_iso, timestamp_from_instant
from services.runtime.errors import RapportError, Reason
from services.runtime.policy import default_policy

NOW_US = instant_from_iso("2026-03-01T12:00:00Z")
ANN, BOB = "people/ann", "people/bob"
ID = str(uuid4())
ITEM = "overdue-0123456789abcdef0123456789abcdef"
_ORG = "organizations/o"
_UNKNOWN_VALUE: Any = 7


def read(*events: pb.NewEvent, size_bytes: int = 100) -> list[Draft]:
    kinds = default_policy().kinds
    scope = Scope("acme", "services/crm", NOW_US, lambda kind: kind in kinds)
    return read_batch(events, size_bytes, scope)


def refused(*events: pb.NewEvent, size_bytes: int = 100) -> RapportError:
    with pytest.raises(RapportError) as caught:
        read(*events, size_bytes=size_bytes)
    return caught.value


def found(*events: pb.NewEvent) -> dict[str, Reason]:
    return {violation.field: violation.reason for violation in refused(*events).violations}


def event(**payload: Any) -> pb.NewEvent:
    return pb.NewEvent(event_id=str(uuid4()), **payload)


def touch(**fields: Any) -> pb.NewEvent:
    given = {"initiator": ANN, "counterpart": BOB, "kind": "call", **fields}
    return event(touchpoint=touchpoint_pb2.Touchpoint(**given))


def text(value: str = "t", **fields: Any) -> common_pb2.PersonalText:
    return common_pb2.PersonalText(text=value, **fields)


def day(year: int = 2026, month: int = 2, date: int = 28) -> common_pb2.Date:
    return common_pb2.Date(year=year, month=month, day=date)


def at(instant_us: int) -> Timestamp:
    seconds, nanos = timestamp_from_instant(instant_us)
    return Timestamp(seconds=seconds, nanos=nanos)


def test_a_full_touchpoint_is_taken_as_it_is() -> None:
    minutes = touchpoint_pb2.Minutes(prep=0, live=100_000, follow_up=1)
    provenance = touchpoint_pb2.Provenance(
        method="import", tool="csv 1", author="services/x", confidence=1000
    )
    sent = touch(
        channel="email",
        initiative=4,
        audience=3,
        minutes=minutes,
        depth=3,
        topic=3,
        sentiment=-2,
        sentiment_source=3,
        in_reply_to=ID,
        due_on=day(),
        fulfils=ID,
        occasion_id=ID,
        facts_used=[ID] * 64,
        note=text("n" * 65_536, data_subjects=[_ORG] * 16),
        external_id="x" * 1024,
        provenance=provenance,
        visibility=3,
        attributes={f"k_{i}.x": text() for i in range(32)},
    )
    sent.occurred_at.CopyFrom(at(NOW_US + 300_000_000))
    (draft,) = read(sent)
    assert draft.home == "relationships/ann~bob"
    assert draft.kind == "call"
    assert draft.occurred_at_us == NOW_US + 300_000_000
    assert draft.schema_version == 1
    assert len(draft.texts) == 33


def test_every_violation_of_a_request_is_told_at_once() -> None:
    wrong = touch(sentiment=3, kind="Call", initiator="ann")
    wrong.event_id = "x"
    assert found(touch(), wrong, touch(depth=4)) == {
        "events[1].event_id": Reason.FIELD_MALFORMED,
        "events[1].touchpoint.initiator": Reason.FIELD_MALFORMED,
        "events[1].touchpoint.kind": Reason.FIELD_MALFORMED,
        "events[1].touchpoint.sentiment": Reason.OUT_OF_RANGE,
        "events[2].touchpoint.depth": Reason.OUT_OF_RANGE,
    }


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"initiator": ""}, "initiator", Reason.FIELD_REQUIRED),
        ({"counterpart": _ORG}, "counterpart", Reason.FIELD_MALFORMED),
        ({"counterpart": ANN}, "counterpart", Reason.SAME_PERSON),
        ({"kind": ""}, "kind", Reason.FIELD_REQUIRED),
        ({"kind": "no.such_kind"}, "kind", Reason.KIND_UNKNOWN),
        ({"channel": "Email"}, "channel", Reason.FIELD_MALFORMED),
        ({"channel": "e" * 65}, "channel", Reason.TOO_LARGE),
        ({"initiative": 9}, "initiative", Reason.ENUM_VALUE_UNKNOWN),
        ({"audience": -1}, "audience", Reason.ENUM_VALUE_UNKNOWN),
        ({"sentiment": 3}, "sentiment", Reason.OUT_OF_RANGE),
        ({"sentiment": -3}, "sentiment", Reason.OUT_OF_RANGE),
        ({"depth": -1}, "depth", Reason.OUT_OF_RANGE),
        ({"minutes": touchpoint_pb2.Minutes(live=-1)}, "minutes.live", Reason.OUT_OF_RANGE),
        ({"minutes": touchpoint_pb2.Minutes(prep=100_001)}, "minutes.prep", Reason.OUT_OF_RANGE),
        ({"severity": 1}, "severity", Reason.FIELD_NOT_ALLOWED),
        ({"attribution": 1}, "attribution", Reason.FIELD_NOT_ALLOWED),
        ({"category": "c"}, "category", Reason.FIELD_NOT_ALLOWED),
        ({"resolves": ID}, "resolves", Reason.FIELD_NOT_ALLOWED),
        ({"recovery_step": 1}, "recovery_step", Reason.FIELD_NOT_ALLOWED),
        ({"kind": "incident"}, "severity", Reason.FIELD_REQUIRED),
        ({"kind": "incident", "severity": 5}, "severity", Reason.OUT_OF_RANGE),
        ({"kind": "incident", "severity": -1}, "severity", Reason.OUT_OF_RANGE),
        ({"kind": "recovery", "recovery_step": 1}, "resolves", Reason.FIELD_REQUIRED),
        ({"kind": "recovery", "resolves": ID}, "recovery_step", Reason.FIELD_REQUIRED),
        ({"in_reply_to": ID.upper()}, "in_reply_to", Reason.FIELD_MALFORMED),
        ({"due_on": day(2026, 2, 29)}, "due_on", Reason.FIELD_MALFORMED),
        ({"facts_used": [ID, "x"]}, "facts_used[1]", Reason.FIELD_MALFORMED),
        ({"facts_used": [ID] * 65}, "facts_used", Reason.TOO_MANY),
        ({"note": text("é" * 32_769)}, "note.text", Reason.TOO_LARGE),
        ({"note": text(sealed=b"x")}, "note.sealed", Reason.FIELD_NOT_ALLOWED),
        ({"note": text(sealed_for=[ANN])}, "note.sealed_for", Reason.FIELD_NOT_ALLOWED),
        ({"note": text(erased=True)}, "note.erased", Reason.FIELD_NOT_ALLOWED),
        ({"note": text(withheld=True)}, "note.withheld", Reason.FIELD_NOT_ALLOWED),
        ({"note": text(data_subjects=["x"])}, "note.data_subjects[0]", Reason.FIELD_MALFORMED),
        ({"note": text(data_subjects=[ANN] * 17)}, "note.data_subjects", Reason.TOO_MANY),
        ({"external_id": "x" * 1025}, "external_id", Reason.TOO_LARGE),
        (
            {"provenance": touchpoint_pb2.Provenance(author="ann")},
            "provenance.author",
            Reason.FIELD_MALFORMED,
        ),
        (
            {"provenance": touchpoint_pb2.Provenance(confidence=1001)},
            "provenance.confidence",
            Reason.OUT_OF_RANGE,
        ),
        ({"visibility": 4}, "visibility", Reason.ENUM_VALUE_UNKNOWN),
        ({"attributes": {"K": text()}}, "attributes", Reason.FIELD_MALFORMED),
        ({"attributes": {"k": text(sealed=b"x")}}, 'attributes["k"].sealed', None),
        ({"attributes": {f"k{i}": text() for i in range(33)}}, "attributes", Reason.TOO_MANY),
    ],
)
def test_a_wrong_field_of_a_touchpoint_is_named(
    fields: dict[str, Any], field: str, reason: Reason | None
) -> None:
    expected = {f"events[0].touchpoint.{field}": reason or Reason.FIELD_NOT_ALLOWED}
    assert found(touch(**fields)) == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"voided": touchpoint_pb2.Voided()}, {"voided.target": Reason.FIELD_REQUIRED}),
        (
            {"corrected": touchpoint_pb2.Corrected()},
            {
                "corrected.replaces": Reason.FIELD_REQUIRED,
                "corrected.touchpoint": Reason.FIELD_REQUIRED,
            },
        ),
        (
            {
                "corrected": touchpoint_pb2.Corrected(
                    replaces=ID,
                    touchpoint=touchpoint_pb2.Touchpoint(
                        initiator=ANN, counterpart=ANN, kind="nope"
                    ),
                    occurred_at=at(NOW_US + 300_000_001),
                )
            },
            {
                "corrected.touchpoint.counterpart": Reason.SAME_PERSON,
                "corrected.touchpoint.kind": Reason.KIND_UNKNOWN,
                "corrected.occurred_at": Reason.TIME_AHEAD,
            },
        ),
        (
            {
                "party_described": people_pb2.PartyDescribed(
                    party=_ORG, kind=people_pb2.PARTY_KIND_PERSON, side=people_pb2.SIDE_INTERNAL
                )
            },
            {
                "party_described.kind": Reason.FIELD_NOT_ALLOWED,
                "party_described.side": Reason.FIELD_NOT_ALLOWED,
            },
        ),
        (
            {
                "party_described": people_pb2.PartyDescribed(
                    party=ANN,
                    display_name=text("n" * 1025),
                    team="Sales",
                    portrait=people_pb2.Portrait(uri="u", sha256=b"x"),
                )
            },
            {
                "party_described.display_name.text": Reason.TOO_LARGE,
                "party_described.team": Reason.FIELD_MALFORMED,
                "party_described.portrait.sha256": Reason.FIELD_MALFORMED,
            },
        ),
        (
            {"affiliation_started": people_pb2.AffiliationStarted(person=_ORG, organization=ANN)},
            {
                "affiliation_started.person": Reason.FIELD_MALFORMED,
                "affiliation_started.organization": Reason.FIELD_MALFORMED,
            },
        ),
        (
            {"affiliation_ended": people_pb2.AffiliationEnded(person=ANN, organization=_ORG)},
            {"affiliation_ended.ends": Reason.FIELD_REQUIRED},
        ),
        (
            {"identity_linked": people_pb2.IdentityLinked(a=ANN, b=ANN, strength=_UNKNOWN_VALUE)},
            {
                "identity_linked.b": Reason.SAME_PERSON,
                "identity_linked.strength": Reason.ENUM_VALUE_UNKNOWN,
            },
        ),
        (
            {"fact_learned": people_pb2.FactLearned(person=ANN, text=text(""))},
            {"fact_learned.text.text": Reason.FIELD_REQUIRED},
        ),
        (
            {"date_noted": people_pb2.DateNoted(person=ANN, label=text(), month=2, day=30)},
            {"date_noted.day": Reason.OUT_OF_RANGE},
        ),
        (
            {"date_noted": people_pb2.DateNoted(person=ANN, label=text(), month=13, day=1, year=0)},
            {"date_noted.month": Reason.OUT_OF_RANGE, "date_noted.year": Reason.OUT_OF_RANGE},
        ),
        (
            {"signal_observed": people_pb2.SignalObserved(url="u" * 2049)},
            {
                "signal_observed.about": Reason.FIELD_REQUIRED,
                "signal_observed.url": Reason.TOO_LARGE,
            },
        ),
        (
            {"policy_adopted": practice_pb2.PolicyAdopted(policy_json="{}x")},
            {"policy_adopted.policy_json": Reason.POLICY_INVALID},
        ),
        (
            {"watch_list_saved": practice_pb2.WatchListSaved(list="L", parties=[ANN, "x"])},
            {
                "watch_list_saved.list": Reason.FIELD_MALFORMED,
                "watch_list_saved.parties[1]": Reason.FIELD_MALFORMED,
            },
        ),
        (
            {
                "attention_answered": practice_pb2.AttentionAnswered(
                    item=ITEM, response=practice_pb2.ATTENTION_RESPONSE_SNOOZED
                )
            },
            {"attention_answered.until": Reason.FIELD_REQUIRED},
        ),
        (
            {
                "attention_answered": practice_pb2.AttentionAnswered(
                    item=ITEM, response=practice_pb2.ATTENTION_RESPONSE_NOT_RELEVANT, until=day()
                )
            },
            {"attention_answered.until": Reason.FIELD_NOT_ALLOWED},
        ),
        (
            {
                "attention_answered": practice_pb2.AttentionAnswered(
                    item="call bob", response=practice_pb2.ATTENTION_RESPONSE_NOT_RELEVANT
                )
            },
            {"attention_answered.item": Reason.FIELD_MALFORMED},
        ),
    ],
)
def test_a_wrong_field_of_any_payload_is_named(
    payload: dict[str, Any], expected: dict[str, Reason]
) -> None:
    assert found(event(**payload)) == {f"events[0].{k}": v for k, v in expected.items()}


def test_feb_29_is_a_day_that_matters() -> None:
    read(event(date_noted=people_pb2.DateNoted(person=ANN, label=text(), month=2, day=29)))


def test_a_policy_names_its_wrong_keys() -> None:
    text_of = default_policy().canonical_json.replace('"half_life_days":90', '"half_life_days":0')
    fields = found(event(policy_adopted=practice_pb2.PolicyAdopted(policy_json=text_of)))
    assert "events[0].policy_adopted.policy_json.kinds.call.half_life_days" in fields
    assert set(fields.values()) == {Reason.POLICY_INVALID}


def test_a_kind_of_a_policy_earlier_in_the_batch_is_known() -> None:
    adopted = default_policy().canonical_json.replace('"ask":', '"our.own_kind":')
    adoption = event(policy_adopted=practice_pb2.PolicyAdopted(policy_json=adopted))
    assert len(read(adoption, touch(kind="our.own_kind"))) == 2
    assert "events[0].touchpoint.kind" in found(touch(kind="our.own_kind"), adoption)


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"event_id": ""}, "event_id", Reason.FIELD_REQUIRED),
        ({"event_id": ID.upper()}, "event_id", Reason.FIELD_MALFORMED),
        ({"expected_revision": -1}, "expected_revision", Reason.OUT_OF_RANGE),
        ({"correlation_id": "é"}, "correlation_id", Reason.FIELD_MALFORMED),
        ({"correlation_id": "c" * 129}, "correlation_id", Reason.FIELD_MALFORMED),
        ({"causation_id": "c"}, "causation_id", Reason.FIELD_MALFORMED),
        ({"schema_version": 2}, "schema_version", Reason.TYPE_UNKNOWN),
        ({"schema_version": -1}, "schema_version", Reason.TYPE_UNKNOWN),
    ],
)
def test_a_wrong_envelope_is_named(changes: dict[str, Any], field: str, reason: Reason) -> None:
    sent = touch()
    for name, value in changes.items():
        setattr(sent, name, value)
    assert found(sent) == {f"events[0].{field}": reason}


@pytest.mark.parametrize(
    ("occurred_at", "reason"),
    [
        (at(NOW_US + 300_000_001), Reason.TIME_AHEAD),
        (Timestamp(seconds=1, nanos=1), Reason.FIELD_MALFORMED),
        (Timestamp(seconds=1, nanos=-1000), Reason.FIELD_MALFORMED),
        (Timestamp(seconds=-62_135_596_801), Reason.FIELD_MALFORMED),
        (Timestamp(seconds=2**62), Reason.FIELD_MALFORMED),
    ],
)
def test_a_time_is_whole_microseconds_from_year_1_and_hardly_ahead(
    occurred_at: Timestamp, reason: Reason
) -> None:
    sent = touch()
    sent.occurred_at.CopyFrom(occurred_at)
    error = refused(sent)
    assert [(v.field, v.reason) for v in error.violations] == [("events[0].occurred_at", reason)]
    if reason is Reason.TIME_AHEAD:
        assert error.metadata == {"now": "2026-03-01T12:00:00Z"}


def test_year_1_is_taken() -> None:
    sent = touch()
    sent.occurred_at.CopyFrom(Timestamp(seconds=-62_135_596_800))
    (draft,) = read(sent)
    assert draft.occurred_at_us == instant_from_iso("0001-01-01T00:00:00Z")


def test_an_event_id_occurs_once_in_a_batch() -> None:
    first = touch()
    again = touch(sentiment=1)
    again.event_id = first.event_id
    assert found(first, again) == {"events[1].event_id": Reason.EVENT_ID_REPEATED}


def test_a_payload_is_required_and_must_be_of_a_known_type() -> None:
    empty = pb.NewEvent(event_id=str(uuid4()))
    assert found(empty) == {"events[0].payload": Reason.FIELD_REQUIRED}
    erased = pb.Event(subject_erased=people_pb2.SubjectErased(subject=ANN))
    forged = pb.NewEvent.FromString(empty.SerializeToString() + erased.SerializeToString())
    assert found(forged) == {"events[0].payload": Reason.TYPE_UNKNOWN}


def test_unknown_fields_of_a_payload_are_kept() -> None:
    sent = touch()
    unknown = b"\xf8\x3f\x2a"  # field 1023, varint 42
    data = sent.touchpoint.SerializeToString(deterministic=True) + unknown
    sent.touchpoint.ParseFromString(data)
    (draft,) = read(sent)
    assert draft.payload.SerializeToString(deterministic=True).endswith(unknown)


def test_a_batch_has_1_to_1000_events_and_at_most_8_mib() -> None:
    assert refused().reason is Reason.FIELD_REQUIRED
    many = refused(*[touch() for _ in range(1001)])
    assert (many.reason, many.metadata) == (Reason.TOO_MANY, {"count": "1001", "limit": "1000"})
    large = refused(touch(), size_bytes=8 * 1024 * 1024 + 1)
    assert large.reason is Reason.TOO_LARGE
    assert large.metadata == {"bytes": "8388609", "limit": "8388608"}


def test_an_event_has_at_most_256_kib() -> None:
    large = {f"k{i}": text("x" * 60_000) for i in range(5)}
    assert found(touch(attributes=large)) == {"events[0].touchpoint": Reason.TOO_LARGE}


def test_a_description_never_repeats_what_was_sent() -> None:
    secret = "Ann.Secret@example.com"
    error = refused(touch(initiator=secret, kind=secret, channel=secret, in_reply_to=secret))
    told = [error.message, *(v.description for v in error.violations), *error.metadata.values()]
    assert not [each for each in told if secret in each]


def snooze(**until: int) -> practice_pb2.AttentionAnswered:
    return practice_pb2.AttentionAnswered(
        item=ITEM, response=practice_pb2.ATTENTION_RESPONSE_SNOOZED, until=day(**until)
    )


def test_a_snooze_ends_not_before_the_day_it_was_said() -> None:
    said = event(attention_answered=snooze(), occurred_at=at(NOW_US))  # until February 28
    assert found(said) == {"events[0].attention_answered.until": Reason.OUT_OF_RANGE}
    for until in ({"month": 3, "date": 1}, {"year": 2027}):
        assert read(event(attention_answered=snooze(**until), occurred_at=at(NOW_US)))
    # Back-dating is normal; and without an instant the day of recording counts, which a later
    # repetition cannot be judged by.
    earlier = NOW_US - 5 * 86_400_000_000
    assert read(event(attention_answered=snooze(), occurred_at=at(earlier)))
    assert read(event(attention_answered=snooze()))
