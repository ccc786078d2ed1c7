"""Dormant relationships and their peaks, by hand."""

from fractions import Fraction

from services.projector.domain.collective.peak import peak
from services.projector.domain.collective.reconnect import is_silent, reconnect, reconnects
from services.projector.domain.questions import balance_on
from tests.unit.collective.people import POLICY, view
from tests.unit.domain.people import touch

# A meeting in person: know 8000, care 8000, half-life 180 days: buffer 8000 + 8000/4 = 10000.
MEETING = touch(1, "meeting.in_person", "2026-01-05T10:00:00")
DAY = MEETING.day


def test_the_peak_of_one_meeting_is_its_own_day() -> None:
    told = peak([MEETING], POLICY, DAY + 400)

    assert told is not None
    assert (told.day, told.buffer, told.buffer_mp) == (DAY, Fraction(10_000), 10_000)


def test_the_peak_may_come_later_when_what_hurt_fades_first() -> None:
    # A favour (4000/8000, half-life 365) and a no-show (-4000/-4000, half-life 90) on one day:
    # day 0:   know 0,               care 4000,               buffer 4000
    # day 90:  know 3371.5 - 2000,   care 6743.0 - 2000,      buffer 4743 + 342.9 = 5086
    # day 180: know 2841.9 - 1000,   care 5683.8 - 1000,      buffer 4683.8 + 460.5 = 5144
    # day 365: know 2000 - 240.5,    care 4000 - 240.5,       buffer 3759.5 + 439.9 = 4199
    favour = touch(1, "favour.given", "2026-01-05T10:00:00")
    no_show = touch(2, "no_show", "2026-01-05T11:00:00")
    every_day = {
        day: balance_on([favour, no_show], POLICY, day).buffer(POLICY)
        for day in range(DAY, DAY + 366)
    }

    told = peak([favour, no_show], POLICY, DAY + 365)

    assert told is not None
    figures = [round(every_day[DAY + days]) for days in (0, 90, 180, 365)]
    assert figures == [4_000, 5_086, 5_144, 4_199]
    assert told.buffer == max(every_day.values())
    assert every_day[told.day] == told.buffer
    assert DAY + 90 < told.day < DAY + 180


def test_what_never_posted_anything_has_no_peak() -> None:
    assert peak([], POLICY, DAY) is None
    assert peak([MEETING], POLICY, DAY - 1) is None


def test_after_180_silent_days_and_half_its_peak_it_is_worth_waking() -> None:
    # On day 180 the buffer is 5000: the peak, 10000, is 10000 and twice today's, just so.
    told = reconnect(view([MEETING], DAY + 180))

    assert told is not None
    assert (told.pair, told.buffer_mp, told.peak_mp) == (("ann", "bob"), 5_000, 10_000)
    assert (told.peak_on, told.last_day, told.silent_days) == (DAY, DAY, 180)


def test_a_day_earlier_it_is_not_silent_yet() -> None:
    assert reconnect(view([MEETING], DAY + 179)) is None
    assert not is_silent(DAY, POLICY, DAY + 179)
    assert is_silent(DAY, POLICY, DAY + 180)


def test_what_was_never_strong_is_left_alone() -> None:
    # A call: 4000 + 4000/4 = 5000, below 10000.
    call = touch(1, "call", "2026-01-05T10:00:00")

    assert reconnect(view([call], DAY + 400)) is None


def test_what_is_still_half_as_strong_needs_no_waking() -> None:
    # Support in a hard time: care 12000, half-life 365. On day 180 it is 8526: 12000 < 17052.
    support = touch(1, "support.hard_time", "2026-01-05T10:00:00")

    assert reconnect(view([support], DAY + 180)) is None
    assert reconnect(view([support], DAY + 365)) is not None  # 6000


def test_an_automated_greeting_does_not_break_the_silence() -> None:
    bulk = touch(2, "email.bulk", "2026-07-01T10:00:00")

    told = reconnect(view([MEETING, bulk], DAY + 180))

    assert told is not None
    assert told.silent_days == 180


def test_without_contact_there_is_nothing_to_wake() -> None:
    assert reconnect(view([], DAY)) is None


def test_the_highest_peak_stands_first() -> None:
    dinner = touch(2, "meal_or_social", "2026-01-05T10:00:00", counterpart="cat")  # 12500
    both = [
        view([MEETING], DAY + 200),
        view([dinner], DAY + 200, ("ann", "cat")),
        view([MEETING], DAY + 200),
    ]

    assert [(worth.b, worth.peak_mp) for worth in reconnects(both)] == [
        ("cat", 12_500),
        ("bob", 10_000),
    ]
