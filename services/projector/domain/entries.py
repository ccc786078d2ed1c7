"""Rule 7: what effective touchpoints post. Source: the domain contract, section 5."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from services.projector.domain.calendar import day_of
from services.projector.domain.facts import Touchpoint
from services.projector.domain.recovery import Refund, refunds
from services.projector.domain.saturation import Cell, Member, Rank, cell_of, saturate
from services.projector.domain.weights import Weight, weigher_of
from services.runtime.policy import INCIDENT, RECOVERY, Policy


class Entry(NamedTuple):
    """What one touchpoint posts: mp on both accounts that decay from `day` with the half-life.

    It counts from `effective_from` on. `weight` says how the numbers came about, the ranks what
    saturation made of them, `refund` (then the only one of the three that matters) what a recovery
    step gives back.
    """

    touchpoint: Touchpoint
    know_mp: int
    care_mp: int
    half_life_days: int
    day: int
    effective_from: int
    weight: Weight
    know_rank: Rank | None = None
    care_rank: Rank | None = None
    refund: Refund | None = None

    @property
    def event_id(self) -> str:
        """The event id of its touchpoint."""
        return self.touchpoint.event_id


@dataclass(frozen=True, slots=True)
class Folded:
    """Entries by (occurred_at, event_id), and touchpoints of kinds the policy does not have."""

    entries: tuple[Entry, ...]
    unknown: tuple[Touchpoint, ...]


def fold(touchpoints: Iterable[Touchpoint], policy: Policy, on: int | None = None) -> Folded:
    """What effective touchpoints with day <= `on` (all of them, without) post under a policy.

    They may be of several relationships: every rule keeps to its raw pair. In any order, but each
    once; a pair whose two ends are one human must have been left out. A recovery step that does
    not count has no entry.
    """
    weigh = weigher_of(policy).weigh
    entries: list[Entry] = []
    unknown: list[Touchpoint] = []
    cells: dict[Cell, list[Member]] = defaultdict(list)
    incidents: dict[str, Member] = {}
    steps: dict[str, Member] = {}
    for touchpoint in touchpoints:
        day = day_of(touchpoint.instant_us)
        if on is not None and day > on:
            continue
        weight = weigh(touchpoint)
        if weight is None:
            unknown.append(touchpoint)
            continue
        if touchpoint.kind == RECOVERY:
            steps[touchpoint.event_id] = touchpoint, weight
            continue
        if weight.group:
            cells[cell_of(touchpoint, weight, day)].append((touchpoint, weight))
            continue
        if touchpoint.kind == INCIDENT:
            incidents[touchpoint.event_id] = touchpoint, weight
        entries.append(_plain(touchpoint, weight, day))
    for (_, _, group, _), members in cells.items():
        entries += _saturated(members, policy.saturation[group].marginal)
    if steps and incidents:
        for step, refund in refunds(incidents, (member[0] for member in steps.values()), policy):
            entries.append(_refunded(step, steps[step.event_id][1], refund))
    entries.sort(key=_order)
    unknown.sort(key=lambda touchpoint: touchpoint.order)
    return Folded(tuple(entries), tuple(unknown))


def _order(entry: Entry) -> tuple[int, str]:
    touchpoint = entry.touchpoint
    return touchpoint.instant_us, touchpoint.event_id


def _plain(touchpoint: Touchpoint, weight: Weight, day: int) -> Entry:
    return Entry(
        touchpoint, weight.know_mp, weight.care_mp, weight.half_life_days, day, day, weight
    )


def _saturated(members: list[Member], marginal: tuple[int, ...]) -> Iterable[Entry]:
    for (touchpoint, weight), posted in zip(members, saturate(members, marginal), strict=True):
        day = touchpoint.day
        yield Entry(
            touchpoint,
            posted.know_mp,
            posted.care_mp,
            weight.half_life_days,
            day,
            day,
            weight,
            posted.know_rank,
            posted.care_rank,
        )


def _refunded(step: Touchpoint, weight: Weight, refund: Refund) -> Entry:
    return Entry(
        step,
        refund.know_mp,
        refund.care_mp,
        refund.half_life_days,
        refund.incident_day,
        step.day,
        weight,
        refund=refund,
    )
