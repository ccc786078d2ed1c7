"""The peak: the highest buffer a relationship ever had, and when.

Between two days on which something is posted every half-life's total only shrinks towards zero, so
a stretch of days is bounded from above by its positive totals on the first day and its negative
ones on the last. Stretches below the best day so far are done; others are halved. Without negative
totals the first day of a stretch is its best.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from services.projector.domain.buckets import Buckets, group_totals
from services.projector.domain.course import Course
from services.projector.domain.decay import decay_table
from services.projector.domain.facts import Touchpoint
from services.projector.domain.rounding import round_half_even
from services.runtime.policy import Policy

# Bounds are integers of mp / 2^FRACTION_BITS (x 1000 for the share of KNOW), never too low.
FRACTION_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class Peak:
    """The exact highest buffer in mp, and the first day that had it."""

    day: int
    buffer: Fraction

    @property
    def buffer_mp(self) -> int:
        """The highest buffer, rounded once."""
        return round_half_even(self.buffer)


def peak(touchpoints: Iterable[Touchpoint], policy: Policy, on: int) -> Peak | None:
    """The peak of effective touchpoints up to a day, under one policy; None if nothing is posted.

    The buffer of each day is that of the touchpoints up to it, as folding every day would tell.
    """
    course = Course((touch for touch in touchpoints if touch.day <= on), policy)
    days = [day for day in course.days if day <= on]
    best: Peak | None = None
    for start, after in pairwise([*days, on + 1]):
        course.balance(start)
        best = _best_of_stretch(course.buckets, policy, start, after - 1, best)
    return best


type _Totals = list[tuple[int, int, int]]


def _best_of_stretch(
    buckets: Buckets, policy: Policy, first: int, last: int, best: Peak | None
) -> Peak | None:
    know, care = group_totals(buckets.know), group_totals(buckets.care)
    falling = all(total[2] > 0 for total in (*know, *care))
    share, cap = policy.buffer.know_share, policy.buffer.know_cap << FRACTION_BITS
    to_beat = None if best is None else _scaled(best.buffer)
    pending = [(first, first if falling else last)]
    while pending:
        start, end = pending.pop()
        if to_beat is not None:
            known = min(max(_at_most(know, start, end), 0), cap)
            if _at_most(care, start, end) * 1000 + known * share <= to_beat:
                continue
        if start < end:
            middle = (start + end) // 2
            pending.append((middle + 1, end))
            pending.append((start, middle))
            continue
        buffer = buckets.balance(start).buffer(policy)
        if best is None or buffer > best.buffer:
            best = Peak(start, buffer)
            to_beat = _scaled(buffer)
    return best


def _scaled(buffer: Fraction) -> int:
    """A buffer in the unit of the bounds, floored: what is at most this is at most the buffer."""
    return (buffer.numerator * 1000 << FRACTION_BITS) // buffer.denominator


def _at_most(totals: _Totals, start: int, end: int) -> int:
    """An upper bound of an account on every day from start to end, in mp / 2^64."""
    bound = 0
    for half_life_days, base, numerator in totals:
        quotient, remainder = divmod(start if numerator > 0 else end, half_life_days)
        scale = decay_table(half_life_days)[remainder]
        shift = FRACTION_BITS + base - quotient
        # Ceilings, so that no term is too low.
        if shift >= 0:
            bound -= (-numerator << shift) // scale
        else:
            bound -= -numerator // (scale << -shift)
    return bound
