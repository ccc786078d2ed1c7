"""Wilson's lower bound and the median, by hand."""

from fractions import Fraction

import pytest

from services.projector.domain.collective.median import median
from services.projector.domain.collective.wilson import wilson_lower_per_mille


@pytest.mark.parametrize(
    ("survived", "decided", "per_mille"),
    [
        # All of n: n / (n + z^2) with z^2 = 3.8416. 1/4.8416 = 0.20654, 3/6.8416 = 0.43849.
        (1, 1, 207),
        (3, 3, 438),
        # None of n: p = 0, and z^2/2n - z sqrt(z^2/4n^2) = 0.
        (0, 1, 0),
        (0, 7, 0),
        # 5 of 10: (0.5 + 0.19208 - 1.96 sqrt(0.025 + 0.009604)) / 1.38416
        #        = (0.69208 - 0.364602) / 1.38416 = 0.327478 / 1.38416 = 0.236590.
        (5, 10, 237),
        # 9 of 10: (0.9 + 0.19208 - 1.96 sqrt(0.009 + 0.009604)) / 1.38416
        #        = (1.09208 - 0.267336) / 1.38416 = 0.824744 / 1.38416 = 0.595845.
        (9, 10, 596),
    ],
)
def test_the_lower_bound_is_wilsons(survived: int, decided: int, per_mille: int) -> None:
    assert wilson_lower_per_mille(survived, decided) == per_mille


def test_nine_of_ten_prove_more_than_three_of_three() -> None:
    nine_of_ten, three_of_three = wilson_lower_per_mille(9, 10), wilson_lower_per_mille(3, 3)

    assert nine_of_ten is not None
    assert three_of_three is not None
    assert nine_of_ten > three_of_three


def test_nothing_decided_has_no_bound() -> None:
    assert wilson_lower_per_mille(0, 0) is None


@pytest.mark.parametrize(("survived", "decided"), [(2, 1), (-1, 3)])
def test_more_survived_than_decided_is_a_mistake(survived: int, decided: int) -> None:
    with pytest.raises(ValueError, match="between 0 and the trials"):
        wilson_lower_per_mille(survived, decided)


def test_the_median_is_the_middle_or_the_mean_of_the_two_middle_ones() -> None:
    assert median([]) is None
    assert median([9, 1, 5]) == 5
    assert median([4, 1, 2, 100]) == 3  # (2 + 4) / 2
    assert median([1, 2]) == Fraction(3, 2)
    assert median([Fraction(1, 3), Fraction(1, 2)]) == Fraction(5, 12)
