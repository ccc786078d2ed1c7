"""Programme: weeks in which nobody was forgotten. Source: the domain contract, section 6.

It is a programme that needs discipline, not a campaign: a week counts as a whole or not at all.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from services.projector.domain.calendar import first_day_of_week, week_of
from services.projector.domain.facts import Pair
from services.projector.domain.measures.view import RelationshipView
from services.projector.domain.rounding import divide_half_even
from services.runtime.policy import Policy

PROGRAMME_WEEKS: Final = 12
# Before any day there is: year 1 begins on day -730,119.
ALWAYS: Final = -1_000_000

# (from day, tier or None), ascending: the tier in force on a day is the last one not after it.
type TierHistory = tuple[tuple[int, str | None], ...]


@dataclass(frozen=True, slots=True)
class Cadence:
    """When two humans were in touch, and the tiers they have had.

    `contact_days` ascend. Who is not in `tiers` never had one.
    """

    a: str
    b: str
    contact_days: tuple[int, ...]
    tiers: Mapping[str, TierHistory]

    @property
    def pair(self) -> Pair:
        """The canonical ids, the smaller first."""
        return self.a, self.b


@dataclass(frozen=True, slots=True)
class ProgrammeWeek:
    """A week from Monday on, as it stood on `last_day` (its Sunday, or today).

    `kept`: every one of its `relationships` was within its maximum. Without any the week is
    neither kept nor missed. `missed` by pair.
    """

    monday: int
    last_day: int
    relationships: int
    missed: tuple[Pair, ...]

    @property
    def kept(self) -> bool:
        """Whether there was something to keep, and all of it was kept."""
        return self.relationships > 0 and not self.missed


@dataclass(frozen=True, slots=True)
class Programme:
    """The last 12 weeks, the oldest first; `counted` are those with something to keep."""

    kept: int
    counted: int
    weeks: tuple[ProgrammeWeek, ...]

    @property
    def per_mille(self) -> int | None:
        """Weeks kept, rounded once; None when no week had anything to keep."""
        return divide_half_even(self.kept * 1000, self.counted) if self.counted else None


def cadence_of(view: RelationshipView, tiers: Mapping[str, TierHistory] | None = None) -> Cadence:
    """The cadence of a relationship; without histories its tiers of the day have always been."""
    if tiers is None:
        tiers = {person: ((ALWAYS, tier),) for person, tier in view.tiers.items()}
    return Cadence(view.a, view.b, view.contact_days, tiers)


def programme(
    cadences: Iterable[Cadence], people: Collection[str], policy: Policy, on: int
) -> Programme:
    """The weeks that one person, or the people of a team together, kept.

    A relationship counts in a week when one of `people` is in it, the other has a tier of the
    policy on the week's last day, and there was contact by then: before the first there is no
    relationship to keep. It is within when that day is at most the tier's maximum after the last
    contact-day. Of two of `people` the stricter tier holds. Days after `on` do not count.
    """
    by_pair = {cadence.pair: cadence for cadence in cadences}
    chosen = [by_pair[pair] for pair in sorted(by_pair) if any(end in people for end in pair)]
    this_week = week_of(on)
    weeks = tuple(
        _week(chosen, people, policy, first_day_of_week(week), on)
        for week in range(this_week - PROGRAMME_WEEKS + 1, this_week + 1)
    )
    return Programme(
        kept=sum(week.kept for week in weeks),
        counted=sum(week.relationships > 0 for week in weeks),
        weeks=weeks,
    )


def _week(
    cadences: list[Cadence], people: Collection[str], policy: Policy, monday: int, on: int
) -> ProgrammeWeek:
    last_day = min(monday + 6, on)
    relationships = 0
    missed = []
    for cadence in cadences:
        met = bisect_right(cadence.contact_days, last_day)
        max_days = _max_days(cadence, people, policy, last_day)
        if not met or max_days is None:
            continue
        relationships += 1
        if last_day - cadence.contact_days[met - 1] > max_days:
            missed.append(cadence.pair)
    return ProgrammeWeek(monday, last_day, relationships, tuple(missed))


def _max_days(cadence: Cadence, people: Collection[str], policy: Policy, day: int) -> int | None:
    """The strictest maximum of the counterparts of `people`; None without a tier."""
    ends = ((cadence.a, cadence.b), (cadence.b, cadence.a))
    tiers = [
        tier_on(cadence.tiers.get(counterpart, ()), day)
        for person, counterpart in ends
        if person in people
    ]
    known = [policy.tiers[tier].max_days for tier in tiers if tier and tier in policy.tiers]
    return min(known, default=None)


def tier_on(history: TierHistory, day: int) -> str | None:
    """The tier in force on a day."""
    found = None
    for from_day, tier in history:
        if from_day <= day:
            found = tier
    return found
