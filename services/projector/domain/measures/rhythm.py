"""Rhythm: how often they are in touch, and when that is overdue. Source: the contract, section 6.

The pair's own rhythm and the tier's maximum are both needed: rhythm alone hides that a
relationship is dying (Miritello et al. 2013).
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Final

from services.projector.domain.measures.evidence import enough_evidence
from services.projector.domain.measures.view import RelationshipView
from services.runtime.policy import Policy

# Amber comes with half as long again as usual.
AMBER_RATIO: Final = Fraction(3, 2)


class Overdue(StrEnum):
    """How overdue contact is."""

    NO = "NO"
    AMBER = "AMBER"
    RED = "RED"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Gaps between contact-days, and how long the silence may last.

    `gaps_days` are the latest, oldest first; `median_days` their exact median, None for none.
    `silent_days` counts from the last contact-day, None without any. Silence of more than
    `amber_above_days` is amber from `amber_on`, of more than `red_above_days` red from `red_on`;
    None where nothing sets such a bound.
    """

    gaps_days: tuple[int, ...]
    median_days: Fraction | None
    tier: str | None
    last_day: int | None
    silent_days: int | None
    amber_above_days: Fraction | None
    red_above_days: int | None
    amber_on: int | None
    red_on: int | None
    overdue: Overdue


def rhythm(view: RelationshipView) -> Rhythm:
    """The pair's rhythm, with the tier of whom it is about.

    Amber above the larger of the tier's ideal and 1.5 x the median gap, red above the tier's
    maximum; any counted contact, by either, clears both. Without a tier the median alone says
    amber, provided there is evidence enough, and nothing is red. Without any contact nothing is
    overdue: there is no relationship yet.
    """
    days = view.contact_days
    gaps = tuple(later - day for day, later in pairwise(days))[-view.policy.measures.rhythm_gaps :]
    median = _median(gaps)
    tier = tier_of(view)
    amber_above: Fraction | None = None
    red_above: int | None = None
    if tier is not None:
        bounds = view.policy.tiers[tier]
        amber_above = Fraction(bounds.ideal_days)
        red_above = bounds.max_days
    if median is not None and (tier is not None or enough_evidence(view)):
        amber_above = max(amber_above or Fraction(0), median * AMBER_RATIO)
    last = days[-1] if days else None
    amber_on = None if last is None or amber_above is None else last + int(amber_above) + 1
    red_on = None if last is None or red_above is None else last + red_above + 1
    overdue = Overdue.NO
    if red_on is not None and view.on >= red_on:
        overdue = Overdue.RED
    elif amber_on is not None and view.on >= amber_on:
        overdue = Overdue.AMBER
    return Rhythm(
        gaps_days=gaps,
        median_days=median,
        tier=tier,
        last_day=last,
        silent_days=None if last is None else view.on - last,
        amber_above_days=amber_above,
        red_above_days=red_above,
        amber_on=amber_on,
        red_on=red_on,
        overdue=overdue,
    )


def tier_of(view: RelationshipView) -> str | None:
    """The tier that sets the cadence: the external person's, where exactly one is external.

    Of one of ours with somebody nobody gave a side, the other's own: what our tier says of one of
    us says nothing of them. Else (two colleagues, say) the stricter of the two: the smaller
    max_days, then ideal_days, then name. A tier the policy does not have is none.
    """
    policy = view.policy
    about: tuple[str, ...] = view.pair
    if len(view.external) == 1:
        about = view.external
    elif len(view.internal) == len(view.sideless) == 1:
        about = view.sideless
    tiers = {view.tier(person) for person in about}
    known = [tier for tier in tiers if tier is not None and tier in policy.tiers]
    return min(known, key=lambda tier: _strictness(policy, tier), default=None)


def _strictness(policy: Policy, tier: str) -> tuple[int, int, str]:
    bounds = policy.tiers[tier]
    return bounds.max_days, bounds.ideal_days, tier


def _median(gaps: tuple[int, ...]) -> Fraction | None:
    if not gaps:
        return None
    ordered, middle = sorted(gaps), len(gaps) // 2
    if len(ordered) % 2:
        return Fraction(ordered[middle])
    return Fraction(ordered[middle - 1] + ordered[middle], 2)
