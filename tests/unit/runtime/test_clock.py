"""Instants: microseconds since 2000-01-01, forth and back, and what is refused."""

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime import clock
from services.runtime.clock import InvalidInstant

INSTANTS = st.integers(clock.INSTANT_US_MIN, clock.INSTANT_US_MAX)


def test_instants_and_days_count_from_the_year_2000() -> None:
    assert clock.instant_from_iso("2000-01-01T00:00:00Z") == 0
    assert clock.instant_from_iso("2000-01-02T00:00:00.000001Z") == clock.US_PER_DAY + 1
    assert clock.instant_from_timestamp(946_684_800, 5_000) == 5
    assert clock.day_of(-1) == -1
    assert clock.day_from_date(date(2000, 3, 1)) == 60
    assert clock.date_from_day(-1) == date(1999, 12, 31)


def test_the_first_and_the_last_microsecond_are_instants() -> None:
    assert clock.instant_from_iso("0001-01-01T00:00:00Z") == clock.INSTANT_US_MIN
    assert clock.instant_from_timestamp(-62_135_596_800, 0) == clock.INSTANT_US_MIN
    assert clock.instant_from_timestamp(253_402_300_799, 999_999_000) == clock.INSTANT_US_MAX


@given(INSTANTS)
def test_an_instant_survives_every_way_of_writing_it(instant_us: int) -> None:
    assert clock.instant_from_timestamp(*clock.timestamp_from_instant(instant_us)) == instant_us
    assert clock.instant_from_iso(clock.iso_from_instant(instant_us)) == instant_us
    moment = clock.datetime_from_instant(instant_us)
    assert clock.instant_from_datetime(moment) == instant_us
    assert clock.date_from_day(clock.day_of(instant_us)) == moment.date()


def test_an_offset_is_taken_into_account() -> None:
    assert clock.instant_from_iso("2000-01-01T02:00:00+02:00") == 0
    moment = datetime(2000, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert clock.instant_from_datetime(moment) == 0


@pytest.mark.parametrize(
    ("instant_us", "text"),
    [
        (0, "2000-01-01T00:00:00Z"),
        (120_000, "2000-01-01T00:00:00.120Z"),
        (120_001, "2000-01-01T00:00:00.120001Z"),
        (-1, "1999-12-31T23:59:59.999999Z"),
        (clock.INSTANT_US_MIN, "0001-01-01T00:00:00Z"),
    ],
)
def test_an_instant_is_written_with_as_many_digits_as_it_needs(instant_us: int, text: str) -> None:
    assert clock.iso_from_instant(instant_us) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-03-01",
        "2026-03-01T09:30:00",
        "2026-03-01T09:30:00.1234567Z",
        "2026-03-01T09:30:00,1234560Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_a_text_that_is_no_exact_instant_is_refused(text: str) -> None:
    with pytest.raises(InvalidInstant):
        clock.instant_from_iso(text)


@pytest.mark.parametrize(
    ("seconds", "nanos"),
    [(0, 1), (0, -1_000), (0, 1_000_000_000), (-62_135_596_801, 0), (253_402_300_800, 0)],
)
def test_a_timestamp_that_is_no_exact_instant_is_refused(seconds: int, nanos: int) -> None:
    with pytest.raises(InvalidInstant):
        clock.instant_from_timestamp(seconds, nanos)


def test_a_datetime_without_offset_and_a_day_beyond_the_calendar_are_refused() -> None:
    with pytest.raises(InvalidInstant):
        clock.instant_from_datetime(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(InvalidInstant):
        clock.date_from_day(10**9)


def test_a_fixed_clock_stands_still_until_it_is_moved() -> None:
    fixed = clock.FixedClock(5)
    assert (fixed.now_us(), fixed.now_us()) == (5, 5)
    fixed.advance_us(2_000_000)
    assert (fixed.now_us(), fixed.monotonic_s()) == (2_000_005, 2.000005)
