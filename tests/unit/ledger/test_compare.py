"""Comparing an event with the stored one of its id."""

from typing import Any

import pytest
from rapport.events.v1 import common_pb2, practice_pb2, touchpoint_pb2

from services.ledger.api.compare import first_difference

BASE = touchpoint_pb2.Touchpoint(
    initiator="people/a",
    counterpart="people/b",
    kind="call",
    minutes=touchpoint_pb2.Minutes(live=3),
    facts_used=["x", "y"],
)


def difference(sent: Any, stored: Any) -> str | None:
    return first_difference(sent, stored, lambda *_: None)


def changed(**fields: Any) -> touchpoint_pb2.Touchpoint:
    copy = touchpoint_pb2.Touchpoint()
    copy.CopyFrom(BASE)
    copy.MergeFrom(touchpoint_pb2.Touchpoint(**fields))
    return copy


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (changed(), None),
        (changed(kind="ask"), "kind"),
        (changed(counterpart="people/c", kind="ask"), "counterpart"),
        (changed(minutes=touchpoint_pb2.Minutes(live=4)), "minutes.live"),
        (changed(minutes=touchpoint_pb2.Minutes(prep=0)), "minutes.prep"),
        (changed(sentiment=0), "sentiment"),
        (changed(facts_used=["z"]), "facts_used"),
        (changed(due_on=common_pb2.Date()), "due_on"),
        (changed(attributes={"k": common_pb2.PersonalText()}), "attributes"),
    ],
)
def test_the_first_field_that_differs_is_named(
    sent: touchpoint_pb2.Touchpoint, field: str | None
) -> None:
    assert difference(sent, BASE) == field
    assert difference(BASE, sent) == field


def test_an_unset_and_a_zero_are_told_apart_where_the_message_does() -> None:
    unset = touchpoint_pb2.Minutes()
    assert difference(touchpoint_pb2.Minutes(prep=0), unset) == "prep"
    assert difference(touchpoint_pb2.Touchpoint(severity=0), touchpoint_pb2.Touchpoint()) is None


def test_unknown_fields_count_wherever_they_are() -> None:
    unknown = touchpoint_pb2.Touchpoint()
    unknown.CopyFrom(BASE)
    unknown.MergeFromString(b"\xf8\x3f\x2a")
    assert difference(unknown, BASE) == "unknown_fields"
    assert difference(unknown, unknown) is None
    inner = touchpoint_pb2.Touchpoint()
    inner.CopyFrom(BASE)
    inner.minutes.MergeFromString(b"\xf8\x3f\x2a")
    assert difference(inner, BASE) == "minutes.unknown_fields"


def test_the_order_of_unknown_fields_of_different_numbers_does_not_matter() -> None:
    one, two = touchpoint_pb2.Voided(), touchpoint_pb2.Voided()
    one.MergeFromString(b"\xf8\x3f\x01\xf0\x3f\x02")
    two.MergeFromString(b"\xf0\x3f\x02\xf8\x3f\x01")
    assert difference(one, two) is None
    two.MergeFromString(b"\xf0\x3f\x03")
    assert difference(one, two) == "unknown_fields"


def test_repeated_items_differ_in_length_order_and_content() -> None:
    one = practice_pb2.WatchListSaved(list="l", parties=["people/a", "people/b"])
    two = practice_pb2.WatchListSaved(list="l", parties=["people/b", "people/a"])
    assert difference(one, two) == "parties"


def test_texts_are_left_to_whoever_has_the_keys() -> None:
    asked: list[str] = []

    def compare(path: str, sent: Any, stored: Any) -> str | None:
        asked.append(path)
        return "text" if path == 'touchpoint.attributes["k"]' else None

    text = common_pb2.PersonalText(text="t")
    sealed = common_pb2.PersonalText(sealed=b"s", sealed_for=["people/a"])
    sent = touchpoint_pb2.Corrected(
        touchpoint=touchpoint_pb2.Touchpoint(note=text, attributes={"k": text})
    )
    stored = touchpoint_pb2.Corrected(
        touchpoint=touchpoint_pb2.Touchpoint(note=sealed, attributes={"k": sealed})
    )
    assert first_difference(sent, stored, compare) == 'touchpoint.attributes["k"].text'
    assert asked == ["touchpoint.note", 'touchpoint.attributes["k"]']
