"""Builders of events and times."""

from datetime import UTC, date, datetime

import pytest
from rapport import as_of, corrected, touchpoint, voided
from rapport.times import day_of, instant, timestamp, wire_date


def test_a_touchpoint_takes_names_times_notes_and_any_other_field() -> None:
    event = touchpoint(
        "ann",
        "people/bob",
        "promise.made",
        occurred_at=datetime(1, 1, 1, tzinfo=UTC),
        expected_revision=0,
        note="his daughter graduates",
        minutes=15,
        due_on=date(2026, 5, 1),
        channel="phone",
        sentiment=0,
    )
    what = event.touchpoint
    assert (what.initiator, what.counterpart) == ("people/ann", "people/bob")
    assert event.occurred_at.seconds == -62_135_596_800
    assert event.HasField("expected_revision")
    assert what.note.text == "his daughter graduates"
    assert (what.minutes.live, what.minutes.HasField("prep")) == (15, False)
    assert what.HasField("sentiment"), "neutral is something else than not recorded"
    assert what.channel == "phone"


def test_every_event_gets_an_id_of_its_own() -> None:
    first, second = touchpoint("a", "b", "call"), touchpoint("a", "b", "call")
    assert first.event_id != second.event_id
    assert voided(first.event_id).voided.target == first.event_id
    assert corrected(first.event_id, second.touchpoint).corrected.replaces == first.event_id


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        timestamp(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    "when",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
def test_instants_come_back_to_the_microsecond(when: datetime) -> None:
    assert instant(timestamp(when)) == when


def test_a_day_comes_back_and_an_absent_one_is_none() -> None:
    assert day_of(wire_date(date(2026, 2, 28))) == date(2026, 2, 28)
    assert day_of(as_of().on) is None


def test_what_may_be_known_is_a_position_or_a_time() -> None:
    assert as_of(known_at=7).known_at_position == 7
    assert as_of(known_at=datetime(2026, 1, 1, tzinfo=UTC)).known_at_time.seconds == 1_767_225_600
    assert as_of().WhichOneof("known_at") is None
