"""What comes from NATS is checked against the journal before anything believes it."""

from types import SimpleNamespace
from typing import Any

import pytest

from services.projector.facts import TOUCHPOINT, VOIDED
from services.projector.intake.state import Patience
from services.projector.intake.wire import NotOfTheJournal, from_message
from services.runtime import streams
from services.runtime.clock import US_PER_SECOND, FixedClock

INCARNATION = "6f1c3f6e-3f0b-4f5c-9c39-2f4c8f7d1a11"
EVENT_ID = "0abcdef0-0000-4000-8000-00000000000a"


def message(sequence: int = 12, **changed: str) -> Any:
    headers = {
        streams.POSITION: "12",
        streams.INCARNATION: INCARNATION,
        streams.SOURCE: "/rapport/journals/main",
        streams.EVENT_ID: EVENT_ID,
        streams.TYPE: TOUCHPOINT,
        streams.TENANT: "acme",
        streams.SUBJECT: "relationships/a~b",
        streams.REVISION: "3",
        streams.TIME: "2000-01-01T00:00:00.000001Z",
        streams.RECORDED_AT: "2026-01-01T00:00:00Z",
        streams.RECORDED_BY: "people/a",
        streams.SCHEMA_VERSION: "1",
    }
    headers.update({key.replace("_", "-"): value for key, value in changed.items()})
    return SimpleNamespace(
        reply=f"$JS.ACK.rapport-events-main.c1.1.{sequence}.1.1700000000.0",
        subject="rapport.v1.events.main.acme.touchpoint.meeting-in_person",
        headers={key: value for key, value in headers.items() if value},
        data=b"payload",
    )


def test_an_event_has_its_whole_envelope() -> None:
    event = from_message(message(), "main", INCARNATION)

    assert (event.position, event.revision, event.event_id) == (12, 3, EVENT_ID)
    assert (event.tenant, event.home, event.kind) == (
        "acme",
        "relationships/a~b",
        "meeting.in_person",
    )
    assert (event.occurred_at_us, event.payload) == (1, b"payload")


def test_what_is_no_touchpoint_has_no_kind() -> None:
    assert from_message(message(ce_type=VOIDED), "main", INCARNATION).kind == ""


def test_the_sequence_is_found_behind_a_domain_too() -> None:
    long = message()
    long.reply = "$JS.ACK.hub.account.rapport-events-main.c1.1.12.1.1700000000.0.x"

    assert from_message(long, "main", INCARNATION).position == 12


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ce_position": "13"}, "position_is_not_sequence"),
        ({"ce_position": ""}, "position_is_not_sequence"),
        ({"ce_incarnation": EVENT_ID}, "other_incarnation"),
        ({"ce_source": "/rapport/journals/second"}, "other_journal"),
        ({"ce_id": EVENT_ID.upper()}, "envelope_incomplete"),
        ({"ce_tenant": ""}, "envelope_incomplete"),
        ({"ce_type": ""}, "envelope_incomplete"),
        ({"ce_time": "yesterday"}, "envelope_malformed"),
        ({"ce_recordedat": ""}, "envelope_malformed"),
        ({"ce_revision": "x"}, "envelope_malformed"),
    ],
)
def test_a_message_that_does_not_fit_is_foreign(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotOfTheJournal, match=reason):
        from_message(message(**changed), "main", INCARNATION)


def test_a_message_without_headers_or_sequence_is_foreign() -> None:
    bare = SimpleNamespace(reply="", subject="x", headers=None, data=b"")

    with pytest.raises(NotOfTheJournal, match="no_sequence"):
        from_message(bare, "main", INCARNATION)  # type: ignore[arg-type]


def test_nats_is_left_alone_for_longer_each_time_and_forgiven_after_a_while() -> None:
    clock = FixedClock()
    patience = Patience(clock, first_s=5)

    waits = []
    for _ in range(6):
        patience.failed()
        waited = 0
        while not patience.over:
            clock.advance_us(US_PER_SECOND)
            waited += 1
        waits.append(waited)
    assert waits == [5, 10, 20, 40, 60, 60]

    clock.advance_us(121 * US_PER_SECOND)
    patience.failed()
    clock.advance_us(5 * US_PER_SECOND)
    assert patience.over
