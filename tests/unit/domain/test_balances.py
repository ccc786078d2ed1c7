"""The buffer, buckets and their limits."""

import json
from fractions import Fraction

import pytest

from services.projector.domain.balance import Balance
from services.projector.domain.buckets import Buckets
from services.projector.domain.course import Course
from services.projector.domain.entries import fold
from services.projector.stored import buckets_from_text, text_from_buckets
from services.runtime.policy import default_policy
from tests.unit.domain.people import touch

POLICY = default_policy()
CALL = touch(1, "call", "2026-01-01T10:00:00")


@pytest.mark.parametrize(
    ("know", "care", "buffer"),
    [(8000, 1000, 3000), (40_000, 0, 10_000), (40_001, 0, 10_000), (-8000, -5, -5)],
)
def test_the_buffer_is_care_and_a_quarter_of_know_between_zero_and_its_cap(
    know: int, care: int, buffer: int
) -> None:
    assert Balance(Fraction(know), Fraction(care)).buffer(POLICY) == buffer


def test_the_buffer_is_exact_before_it_is_rounded() -> None:
    balance = Balance(Fraction(2), Fraction(1, 2))

    assert balance.buffer(POLICY) == 1
    assert (balance.care_mp, balance.buffer_mp(POLICY)) == (0, 1)


def test_nobody_has_any_capital_to_begin_with() -> None:
    assert Buckets().balance(-1000) == Balance()


def test_a_half_life_later_half_is_left_exactly() -> None:
    balance = Buckets(fold([CALL], POLICY).entries).balance(CALL.day + 90 * 1000)

    assert balance.know == Fraction(4000, 2**1000)


def test_buckets_answer_no_day_before_the_latest_one_in_them() -> None:
    buckets = Buckets(fold([CALL], POLICY).entries)

    assert buckets.through_day == CALL.day
    with pytest.raises(ValueError, match="no day before"):
        buckets.balance(CALL.day - 1)


def test_taking_an_entry_out_leaves_no_trace_but_the_day() -> None:
    (entry,) = fold([CALL], POLICY).entries
    buckets = Buckets([entry])

    buckets.subtract(entry)

    assert (buckets.know, buckets.care, buckets.through_day) == ({}, {}, CALL.day)


def test_stored_buckets_are_by_half_life_and_quotient() -> None:
    buckets = Buckets(fold([CALL], POLICY).entries)

    # Day 9497 is 105 x 90 + 47.
    text = text_from_buckets(buckets)
    ((half_life, quotients),) = json.loads(text).items()
    assert (half_life, list(quotients)) == ("90", ["105"])
    assert buckets_from_text(text, CALL.day) == buckets


def test_a_course_does_not_go_back() -> None:
    course = Course([CALL], POLICY)
    course.balance(CALL.day + 1)

    with pytest.raises(ValueError, match="no day before"):
        course.balance(CALL.day)
    assert course.days == [CALL.day]
