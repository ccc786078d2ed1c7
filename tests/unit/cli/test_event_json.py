"""Events as JSON lines."""

from typing import Any

import pytest
from rapport.cli.event_json import EventJsonError, parse_event
from rapport.cli.event_output import event_document
from rapport.events.v1 import touchpoint_pb2
from rapport.v1 import ledger_service_pb2 as ledger

ID = "78afd2c1-0d0b-5b8e-b19d-14ab3635a446"


def touch(**more: Any) -> dict[str, Any]:
    return {
        "type": "Touchpoint",
        "event_id": ID,
        "initiator": "people/a",
        "counterpart": "people/b",
        "kind": "call",
    } | more


def test_a_touchpoint_is_read_with_enums_minutes_times_and_notes() -> None:
    event = parse_event(
        touch(
            occurred_at="2026-01-12T10:00:00.000001+01:00",
            expected_revision=0,
            initiative="PROACTIVE",
            attribution="ours",
            recovery_step="FOLLOW_UP",
            minutes={"prep": 10, "live": 0},
            sentiment=-2,
            due_on="2026-02-28",
            note="hello",
            facts_used=["f1", "f2"],
            attributes={"crm.id": "7", "crm.owner": {"text": "x", "data_subjects": ["people/c"]}},
            recorded_at="2026-06-01T00:00:00Z",
        )
    )
    what = event.touchpoint
    assert (event.occurred_at.seconds, event.occurred_at.nanos) == (1_768_208_400, 1_000)
    assert event.HasField("expected_revision")
    assert what.initiative == touchpoint_pb2.INITIATIVE_PROACTIVE
    assert what.attribution == touchpoint_pb2.ATTRIBUTION_OURS
    assert what.recovery_step == touchpoint_pb2.RECOVERY_STEP_FOLLOW_UP
    assert (what.minutes.HasField("live"), what.minutes.HasField("follow_up")) == (True, False)
    assert (what.sentiment, what.due_on.day, what.note.text) == (-2, 28, "hello")
    assert list(what.facts_used) == ["f1", "f2"]
    assert list(what.attributes["crm.owner"].data_subjects) == ["people/c"]


def test_a_corrected_touchpoint_carries_its_own_time() -> None:
    event = parse_event(
        {
            "type": "Corrected",
            "event_id": ID,
            "replaces": "x",
            "touchpoint": {
                "kind": "call",
                "initiator": "people/a",
                "counterpart": "people/b",
                "occurred_at": "2026-01-12T10:00:00Z",
            },
        }
    )
    assert event.corrected.occurred_at.seconds == 1_768_212_000
    assert not event.HasField("occurred_at")


def test_null_stands_for_absent() -> None:
    assert not parse_event(touch(note=None, occurred_at=None)).touchpoint.HasField("note")


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], ""),
        ({"type": "Gossip"}, "type"),
        ({"type": "SubjectErased", "event_id": ID}, "type"),
        (touch(event_id=None), "event_id"),
        (touch(colour="red"), "colour"),
        (touch(kind=7), "kind"),
        (touch(mutual="yes"), "mutual"),
        (touch(sentiment=True), "sentiment"),
        (touch(sentiment=1.5), "sentiment"),
        (touch(sentiment=2**40), "sentiment"),
        (touch(initiative="SLEEPY"), "initiative"),
        (touch(initiative="UNSPECIFIED"), "initiative"),
        (touch(minutes={"live": "an hour"}), "minutes.live"),
        (touch(minutes={"nap": 1}), "minutes.nap"),
        (touch(minutes=15), "minutes"),
        (touch(occurred_at="2026-01-12T10:00:00"), "occurred_at"),
        (touch(occurred_at="2026-01-12T10:00:00.1234567Z"), "occurred_at"),
        (touch(occurred_at="yesterday"), "occurred_at"),
        (touch(occurred_at=5), "occurred_at"),
        (touch(due_on="2026-02-30"), "due_on"),
        (touch(facts_used="f1"), "facts_used"),
        (touch(facts_used=[1]), "facts_used[0]"),
        (touch(note=3), "note"),
        (touch(note="\ud800"), "note"),
        (touch(attributes={"a": 1}), "attributes[a]"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_field(document: Any, field: str) -> None:
    with pytest.raises(EventJsonError) as caught:
        parse_event(document)
    assert caught.value.field == field


def test_what_tail_prints_can_be_appended() -> None:
    document = touch(
        occurred_at="2026-01-12T10:00:00Z",
        initiative="RESPONSIVE",
        minutes={"live": 0, "prep": 3},
        sentiment=0,
        due_on="2026-02-28",
        note="hello",
        attributes={"crm.id": "7"},
    )
    first = parse_event(document)
    event = ledger.Event(
        type="rapport.events.v1.Touchpoint",
        event_id=first.event_id,
        position=7,
        journal="main",
        touchpoint=first.touchpoint,
    )
    event.occurred_at.CopyFrom(first.occurred_at)
    printed = event_document(event)
    assert document.items() <= printed.items()
    assert parse_event(printed) == first


def test_a_printed_correction_can_be_appended_with_its_time() -> None:
    original = {
        "type": "Corrected",
        "event_id": ID,
        "occurred_at": "2026-03-01T00:00:00Z",
        "replaces": "x",
        "touchpoint": {"kind": "call", "occurred_at": "2026-01-12T10:00:00Z"},
    }
    first = parse_event(original)
    event = ledger.Event(type="rapport.events.v1.Corrected", event_id=ID, corrected=first.corrected)
    event.occurred_at.CopyFrom(first.occurred_at)
    assert parse_event(event_document(event)) == first
