"""Half to even, ISO weeks, and tables of powers of two."""

from datetime import date
from fractions import Fraction
from itertools import pairwise

import pytest

from services.projector.domain.calendar import first_day_of_week, iso_week, week_of
from services.projector.domain.decay import decay_table
from services.projector.domain.rounding import ceiling, divide_half_even, round_half_even
from services.runtime.clock import day_from_date


@pytest.mark.parametrize(
    ("numerator", "rounded"),
    [(5, 2), (15, 8), (25, 12), (-5, -2), (-15, -8), (-25, -12), (24, 12), (26, 13), (-26, -13)],
)
def test_exactly_one_half_goes_to_the_even_neighbour(numerator: int, rounded: int) -> None:
    assert divide_half_even(numerator, 2) == rounded
    assert divide_half_even(numerator * 10, 20) == rounded
    assert round_half_even(Fraction(numerator, 2)) == rounded


def test_a_ceiling_is_never_below() -> None:
    assert ceiling(Fraction(1, 3)) == 1
    assert ceiling(Fraction(-1, 3)) == 0
    assert ceiling(Fraction(2)) == 2


@pytest.mark.parametrize(
    "day",
    [date(1, 1, 1), date(1999, 12, 27), date(2000, 1, 1), date(2024, 12, 30), date(2026, 3, 1)],
)
def test_a_week_is_the_iso_week(day: date) -> None:
    number = day_from_date(day)

    monday = first_day_of_week(week_of(number))
    same = [iso_week(n) for n in range(max(monday, day_from_date(date(1, 1, 1))), monday + 7)]

    assert set(same) == {(day.isocalendar()[0], day.isocalendar()[1])}
    assert week_of(monday) == week_of(number) == week_of(monday + 6)
    assert week_of(monday + 7) == week_of(number) + 1


def test_a_table_starts_at_2_to_the_40_and_stays_below_twice_that() -> None:
    for half_life_days in (1, 2, 7, 3650):
        table = decay_table(half_life_days)
        assert len(table) == half_life_days
        assert table[0] == 2**40
        assert all(a < b for a, b in pairwise(table))
        assert table[-1] < 2**41


def test_half_way_is_the_square_root_of_two() -> None:
    # sqrt(2) x 2^40 = 1554944255987.6...; its square brackets 2^81.
    middle = decay_table(30)[15]
    assert middle == 1_554_944_255_988
    assert (2 * middle - 1) ** 2 < 2**83 < (2 * middle + 1) ** 2
