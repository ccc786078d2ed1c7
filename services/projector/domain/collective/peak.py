"""The peak: the highest buffer a relationship ever had, and when.

Between two days on which something is posted every half-life's total only shrinks towards zero, so
a stretch of days is bounded from above by its positive totals on the first day and its negative
ones on the last. Stretches below the best day so far are done; others are halved. Without negative
totals the first day of a stretch is its best. What bounds cannot tell apart is decided exactly.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple

from services.projector.domain.balance import Balance
from services.projector.domain.buckets import group_totals
from services.projector.domain.course import Course
from services.projector.domain.decay import decay_table
from services.projector.domain.facts import Touchpoint
from services.projector.domain.rounding import round_half_even
from services.runtime.policy import Policy

# Bounds are integers of mp / 2^FRACTION_BITS / 1000, each term less than one mp / 2^64 too high.
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
    bounds = _Bounds(policy)
    stretches = [
        (bounds.at_most(stretch, stretch.first, stretch.best_last), stretch)
        for stretch in _stretches(touchpoints, policy, on)
    ]
    stretches.sort(key=lambda item: (-item[0], item[1].first))
    days: list[tuple[int, int, _Stretch]] = []
    for upper, stretch in stretches:
        if bounds.best is not None and upper < bounds.best:
            break
        days += bounds.best_days(stretch)
    found = [
        Peak(day, stretch.balance(day).buffer(policy))
        for upper, day, stretch in days
        if bounds.best is not None and upper >= bounds.best
    ]
    return min(found, key=lambda peak: (-peak.buffer, peak.day), default=None)


type _Totals = list[tuple[int, int, int]]


class _Stretch(NamedTuple):
    """Days on which nothing new is posted, and what stands in each account, by half-life."""

    first: int
    last: int
    know: _Totals
    care: _Totals

    @property
    def best_last(self) -> int:
        """The last day that may be the best: the first, where everything only falls."""
        falling = all(total[2] > 0 for total in (*self.know, *self.care))
        return self.first if falling else self.last

    def balance(self, day: int) -> Balance:
        """The exact balance on one of its days."""
        return Balance(_exact(self.know, day), _exact(self.care, day))


def _stretches(touchpoints: Iterable[Touchpoint], policy: Policy, on: int) -> Iterator[_Stretch]:
    course = Course((touch for touch in touchpoints if touch.day <= on), policy)
    days = [day for day in course.days if day <= on]
    for first, after in pairwise([*days, on + 1]):
        course.post_until(first)
        buckets = course.buckets
        yield _Stretch(first, after - 1, group_totals(buckets.know), group_totals(buckets.care))


class _Bounds:
    """Upper bounds of buffers, and the largest lower bound of a single day so far."""

    def __init__(self, policy: Policy) -> None:
        self.best: int | None = None
        self._share = policy.buffer.know_share
        self._cap = policy.buffer.know_cap << FRACTION_BITS

    def at_most(self, stretch: _Stretch, start: int, end: int) -> int:
        """No buffer from start to end is above this."""
        known = min(max(_at_most(stretch.know, start, end), 0), self._cap)
        return _at_most(stretch.care, start, end) * 1000 + known * self._share

    def best_days(self, stretch: _Stretch) -> Iterator[tuple[int, int, _Stretch]]:
        """The days that no other is known to beat, each with its upper bound."""
        slack = len(stretch.care) * 1000 + len(stretch.know) * self._share
        pending = [(stretch.first, stretch.best_last)]
        while pending:
            start, end = pending.pop()
            upper = self.at_most(stretch, start, end)
            if self.best is not None and upper < self.best:
                continue
            if start < end:
                middle = (start + end) // 2
                pending.append((middle + 1, end))
                pending.append((start, middle))
                continue
            lower = upper - slack
            self.best = lower if self.best is None else max(self.best, lower)
            yield upper, start, stretch


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


def _exact(totals: _Totals, day: int) -> Fraction:
    value = Fraction(0)
    for half_life_days, base, numerator in totals:
        quotient, remainder = divmod(day, half_life_days)
        # No day of a stretch is before what is posted in it.
        halvings = quotient - base
        value += Fraction(numerator, decay_table(half_life_days)[remainder] << halvings)
    return value
