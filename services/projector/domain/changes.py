"""What a change among touchpoints changes in the sums of a pair, without the rest of its history.

What a touchpoint posts depends on few others: on those of its saturation cell, an ISO week, or on
the incidents and recovery steps of its pair. Taking out what these posted before and adding what
they post now leaves the same bits as folding the whole history.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.projector.domain.buckets import Buckets
from services.projector.domain.calendar import first_day_of_week, week_of
from services.projector.domain.contact import is_counted_contact
from services.projector.domain.entries import Entry, fold
from services.projector.domain.facts import Touchpoint
from services.projector.domain.saturation import saturate_alone
from services.projector.domain.weights import independent, weigher_of
from services.runtime.policy import INCIDENT, RECOVERY, Policy


@dataclass(slots=True)
class Change:
    """Which touchpoints of one raw pair count now and did not, and the other way round.

    One that counts otherwise (corrected) is in both: in `gone` as it stood, in `come` as it stands.
    """

    gone: list[Touchpoint] = field(default_factory=list)
    come: list[Touchpoint] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reach:
    """Which other touchpoints of the pair have a say: all of some ISO weeks, and, where `recovery`,
    all incidents and recovery steps.
    """

    weeks: frozenset[int] = frozenset()
    recovery: bool = False

    def __bool__(self) -> bool:
        return self.recovery or bool(self.weeks)


_NOWHERE: Final = Reach()


def reach_of(change: Change, policy: Policy, through_day: int | None) -> Reach:
    """What has a say in a change; `through_day` is that of the pair's buckets before it.

    A cell of a week that begins after `through_day` holds nobody else: he would have posted there.
    """
    weeks: set[int] = set()
    recovery = False
    for touchpoint in change.gone:
        weeks.add(week_of(touchpoint.day))
        recovery = recovery or _is_recovery(touchpoint, policy)
    for touchpoint in change.come:
        if independent(touchpoint, policy):
            continue
        if _is_recovery(touchpoint, policy):
            recovery = True
        else:
            week = week_of(touchpoint.day)
            if through_day is not None and first_day_of_week(week) <= through_day:
                weeks.add(week)
    return Reach(frozenset(weeks), recovery) if weeks or recovery else _NOWHERE


def post(
    change: Change,
    others: Sequence[Touchpoint],
    policy: Policy,
    buckets: Buckets,
    contact_days: list[int],
) -> bool:
    """Bring buckets and contact-days (ascending) over a change; False, and neither touched, when
    only the whole history can tell.

    `others`: the effective touchpoints that its reach names, those changed not among them; more of
    the pair do no harm. The history must tell when the last thing posted is gone: which day the
    buckets answer from is then that of the one before.
    """
    if not others and not change.gone and _apart(change.come, policy):
        for touchpoint in change.come:
            _post_alone(touchpoint, policy, buckets)
            if is_counted_contact(touchpoint, policy):
                add_day(contact_days, touchpoint.day)
        return True
    before: Sequence[Entry] = ()
    if others or change.gone:
        before = fold([*others, *change.gone], policy).entries
    after = fold([*others, *change.come], policy).entries
    through_before = _through(before)
    if through_before is not None and through_before == buckets.through_day:
        through_after = _through(after)
        if through_after is None or through_after < through_before:
            return False
    for entry in before:
        buckets.subtract(entry)
    for entry in after:
        buckets.add(entry)
    come = {touch.day for touch in change.come if is_counted_contact(touch, policy)}
    gone = {touch.day for touch in change.gone if is_counted_contact(touch, policy)} - come
    if gone:
        gone -= {touch.day for touch in others if is_counted_contact(touch, policy)}
    for day in come:
        add_day(contact_days, day)
    for day in gone:
        contact_days.remove(day)
    return True


def add_day(days: list[int], day: int) -> None:
    """Put a day into ascending days, unless it is there."""
    if not days or day > days[-1]:
        days.append(day)
    elif days[bisect_left(days, day)] != day:
        insort(days, day)


def _apart(come: Sequence[Touchpoint], policy: Policy) -> bool:
    """Whether none of these has a say in another."""
    return len(come) == 1 or all(independent(touchpoint, policy) for touchpoint in come)


def _post_alone(touchpoint: Touchpoint, policy: Policy, buckets: Buckets) -> None:
    """Add to buckets what `fold` makes of a touchpoint on which no other has a say.

    That is one by itself, or the only one of its saturation cell. A recovery step alone posts
    nothing.
    """
    weight = weigher_of(policy).weigh(touchpoint)
    if weight is None or touchpoint.kind == RECOVERY:
        return
    know_mp, care_mp, day = weight.know_mp, weight.care_mp, touchpoint.day
    if weight.group:
        know_mp, care_mp = saturate_alone(weight, policy.saturation[weight.group].marginal)
    buckets.post(day, weight.half_life_days, know_mp, care_mp)
    buckets.extend_through(day)


def _is_recovery(touchpoint: Touchpoint, policy: Policy) -> bool:
    return touchpoint.kind in (INCIDENT, RECOVERY) and touchpoint.kind in policy.kinds


def _through(entries: Iterable[Entry]) -> int | None:
    """The latest day that any entry is of, or counts from."""
    return max((max(entry.day, entry.effective_from) for entry in entries), default=None)
