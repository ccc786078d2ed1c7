"""The course of a relationship: its balance over many days with one fold.

Saturation deals its places again whenever more comes into a week, up to the day asked. Between
those days an entry's mp stand still, so the whole course is a list of steps: on the day a touch
comes in, the differences it makes to the week's entries are posted, each decaying from its own day.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from services.projector.domain.balance import Balance
from services.projector.domain.buckets import Buckets
from services.projector.domain.entries import fold
from services.projector.domain.facts import Touchpoint
from services.projector.domain.saturation import Cell, Member, cell_of, saturate
from services.projector.domain.weights import weigher_of
from services.runtime.policy import Policy


class Step(NamedTuple):
    """mp that count from `effective_from` on and decay from `day`."""

    effective_from: int
    day: int
    half_life_days: int
    know_mp: int
    care_mp: int


class Course:
    """Balances of effective touchpoints on any days, in ascending order of days.

    Equal to folding up to each day. Going back to an earlier day is a ValueError.
    """

    def __init__(self, touchpoints: Iterable[Touchpoint], policy: Policy) -> None:
        self._steps = _steps(touchpoints, policy)
        self._next = 0
        self._buckets = Buckets()

    @property
    def days(self) -> list[int]:
        """The days on which something is posted, ascending."""
        return sorted({step.effective_from for step in self._steps})

    @property
    def buckets(self) -> Buckets:
        """What was posted up to the last day asked for; not to be changed."""
        return self._buckets

    def post_until(self, on: int) -> None:
        """Go on to a day not before the last one asked for."""
        while self._next < len(self._steps) and self._steps[self._next].effective_from <= on:
            step = self._steps[self._next]
            self._buckets.post(step.day, step.half_life_days, step.know_mp, step.care_mp)
            self._next += 1

    def balance(self, on: int) -> Balance:
        """The exact balance on a day not before the last one asked for."""
        self.post_until(on)
        balance = self._buckets.balance(on)
        self._buckets.extend_through(on)
        return balance


def balances(
    touchpoints: Iterable[Touchpoint], policy: Policy, days: Iterable[int]
) -> list[Balance]:
    """The exact balance on each of the days, which must ascend."""
    course = Course(touchpoints, policy)
    return [course.balance(day) for day in days]


def _steps(touchpoints: Iterable[Touchpoint], policy: Policy) -> list[Step]:
    weigh = weigher_of(policy).weigh
    cells: dict[Cell, list[Member]] = defaultdict(list)
    others: list[Touchpoint] = []
    for touchpoint in touchpoints:
        weight = weigh(touchpoint)
        if weight is not None and weight.group:
            cells[cell_of(touchpoint, weight, touchpoint.day)].append((touchpoint, weight))
        else:
            others.append(touchpoint)
    steps = [
        Step(e.effective_from, e.day, e.half_life_days, e.know_mp, e.care_mp)
        for e in fold(others, policy).entries
    ]
    for cell, members in cells.items():
        steps += _cell_steps(members, policy.saturation[cell[2]].marginal)
    steps.sort()
    return steps


def _cell_steps(members: list[Member], marginal: Sequence[int]) -> Iterator[Step]:
    """What each day of touches changes in its week, at most seven times."""
    posted: dict[str, tuple[int, int]] = {}
    for day in sorted({touchpoint.day for touchpoint, _ in members}):
        present = [member for member in members if member[0].day <= day]
        for (touchpoint, weight), saturated in zip(
            present, saturate(present, marginal), strict=True
        ):
            know_before, care_before = posted.get(touchpoint.event_id, (0, 0))
            know_mp = saturated.know_mp - know_before
            care_mp = saturated.care_mp - care_before
            if know_mp or care_mp or touchpoint.event_id not in posted:
                yield Step(day, touchpoint.day, weight.half_life_days, know_mp, care_mp)
            posted[touchpoint.event_id] = saturated.know_mp, saturated.care_mp
