"""The median, exactly."""

from collections.abc import Iterable
from fractions import Fraction


def median(values: Iterable[int | Fraction]) -> Fraction | None:
    """The middle value, the mean of the two middle ones of an even count; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return Fraction(ordered[middle])
    return (Fraction(ordered[middle - 1]) + Fraction(ordered[middle])) / 2
