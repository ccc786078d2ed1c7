"""Silence clears nothing: what held at any time since the last contact holds until the next.

Shares move by themselves, since accounts fade at different paces and days leave their windows.
Without this a warning would go away by waiting. Days are searched as forecasts are: bounds of a
whole stretch first, single days where bounds do not decide.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from services.projector.domain.balance import Balance
from services.projector.domain.buckets import Buckets, group_totals
from services.projector.domain.decay import decay_table
from services.projector.domain.measures.view import RelationshipView
from services.runtime.policy import Audience

# Bounds are integers of mp / 2^FRACTION_BITS, each term less than one of them off.
FRACTION_BITS: Final = 64


type _Totals = list[tuple[int, int, int]]


class Bounds(NamedTuple):
    """Between what both accounts are on every day of a stretch, in mp / 2^64."""

    know_min: int
    know_max: int
    care_min: int
    care_max: int


@dataclass(frozen=True, eq=False)
class Stretch:
    """Days, from the first to the last, on which nothing is posted but what the buckets hold."""

    first: int
    last: int
    buckets: Buckets

    @cached_property
    def totals(self) -> tuple[_Totals, _Totals]:
        """KNOW and CARE by half-life, for bounds."""
        return group_totals(self.buckets.know), group_totals(self.buckets.care)


type Silence = Sequence[tuple[int, RelationshipView]]


def silence_of(view: RelationshipView, since: int) -> Silence:
    """The relationship from `since` on, and from each later day on which a machine posted.

    `since` is the day of the last counted contact: between these days its entries stand still.
    Each view may be of a later day than it stands for, but holds what was posted by then.
    """
    days = {since}
    for touch in view.touchpoints:
        if touch.day > since:
            entry = view.entry_of.get(touch.event_id)
            if entry is not None and (entry.know_mp or entry.care_mp or _ranked(touch.audience)):
                days.add(touch.day)
    latest = view.touchpoints[-1].day if view.touchpoints else since
    return [(day, view if latest <= day else view.as_of(day)) for day in sorted(days)]


def stretches(
    silence: Silence, through: int, buckets: Callable[[RelationshipView], Buckets]
) -> list[Stretch]:
    """The stretches that make up a silence, the last one through a day."""
    ends = [day - 1 for day, _ in silence[1:]] + [through]
    return [
        Stretch(day, end, buckets(view))
        for (day, view), end in zip(silence, ends, strict=True)
        if day <= end
    ]


def first_day(
    searched: Iterable[Stretch],
    possible: Callable[[Bounds], bool],
    holds: Callable[[Balance], bool],
    *,
    after: int | None = None,
) -> int | None:
    """The first day (later than `after`) on which something holds of the balance.

    `possible` must be true of the bounds of every stretch in which it holds on a day.
    """
    for stretch in searched:
        first = stretch.first if after is None else max(stretch.first, after + 1)
        if first > stretch.last:
            continue
        know, care = stretch.totals
        pending = [(first, stretch.last)]
        while pending:
            start, end = pending.pop()
            if not possible(_bounds(know, care, start, end)):
                continue
            if start == end:
                if holds(stretch.buckets.balance(start)):
                    return start
                continue
            middle = (start + end) // 2
            pending.append((middle + 1, end))
            pending.append((start, middle))
    return None


def window_days(days: Iterable[int], window: int, since: int, through: int) -> list[int]:
    """Today first, then `since` and the days between on which one of `days` left a window.

    On no other day of the silence does a window hold anything else.
    """
    left = {day + window for day in days} | {since}
    return [through, *sorted((day for day in left if since <= day < through), reverse=True)]


def _ranked(audience: Audience | None) -> bool:
    """What posts nothing may move others in its week; what goes to MANY weighs nothing at all."""
    return audience != Audience.MANY


def _bounds(know: _Totals, care: _Totals, start: int, end: int) -> Bounds:
    return Bounds(
        _at_least(know, start, end),
        _at_most(know, start, end),
        _at_least(care, start, end),
        _at_most(care, start, end),
    )


def _at_most(totals: _Totals, start: int, end: int) -> int:
    return -_at_least([(half_life, base, -total) for half_life, base, total in totals], start, end)


def _at_least(totals: _Totals, start: int, end: int) -> int:
    """Every half-life's total only shrinks: positive ones are least at the end."""
    bound = 0
    for half_life_days, base, numerator in totals:
        quotient, remainder = divmod(end if numerator > 0 else start, half_life_days)
        scale = decay_table(half_life_days)[remainder]
        shift = FRACTION_BITS + base - quotient
        if shift >= 0:
            bound += (numerator << shift) // scale
        else:
            bound += numerator // (scale << -shift)
    return bound
