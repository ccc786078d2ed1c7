"""One event as NATS delivers it."""

import pytest
from rapport import RapportError
from rapport.events.delivered import delivered

HEADERS = {
    "ce-id": "0190b4c2-7c1e-7d3a-8f00-000000000001",
    "ce-type": "rapport.events.v1.Touchpoint",
    "ce-position": "7",
    "ce-incarnation": "3f0c8a52-6d1e-4b7a-9c40-52a0f6f7d1b3",
    "ce-tenant": "default",
    "ce-subject": "relationships/ann~bob",
    "ce-revision": "1",
    "ce-time": "2026-03-01T09:30:00Z",
    "ce-recordedat": "2026-03-01T09:31:00Z",
    "ce-recordedby": "people/ann",
}


def test_an_event_whose_bytes_are_none_of_its_type_is_handed_out_as_they_are() -> None:
    event = delivered("main", 7, HEADERS, b"\xff\xff")
    assert (event.position, event.payload, event.message) == (7, b"\xff\xff", None)


def test_a_message_at_the_wrong_place_is_none_of_the_journal() -> None:
    with pytest.raises(RapportError) as refused:
        delivered("main", 8, HEADERS, b"")
    assert refused.value.reason == "STREAM_DIVERGED"
