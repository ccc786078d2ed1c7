"""Sums: what relationships are worth together. Source: the domain contract, section 6."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.projector.domain.collective.stake import Stake, each_once
from services.projector.domain.measures.quadrant import Quadrant, quadrant_of
from services.runtime.policy import Policy


@dataclass(frozen=True, slots=True)
class QuadrantCount:
    """How many relationships stand in a quadrant."""

    quadrant: Quadrant
    relationships: int


@dataclass(frozen=True, slots=True)
class Sums:
    """KNOW, CARE and buffers in mp: the sums of the rounded figures of each relationship.

    `quadrants` has all four, in the order of the enumeration; with `too_little_evidence`, those
    whose quadrant nobody can tell, they add up to `relationships`.
    """

    know_mp: int
    care_mp: int
    buffer_mp: int
    relationships: int
    quadrants: tuple[QuadrantCount, ...]
    too_little_evidence: int


def sums(stakes: Iterable[Stake], policy: Policy) -> Sums:
    """The sums of relationships, each canonical pair once."""
    distinct = each_once(stakes)
    counts = dict.fromkeys(Quadrant, 0)
    too_little = 0
    for stake in distinct:
        if stake.contact_days < policy.measures.evidence_contact_days:
            too_little += 1
            continue
        counts[quadrant_of(stake.know_mp, stake.care_mp, policy.measures.quadrant_mp)] += 1
    return Sums(
        know_mp=sum(stake.know_mp for stake in distinct),
        care_mp=sum(stake.care_mp for stake in distinct),
        buffer_mp=sum(stake.buffer_mp for stake in distinct),
        relationships=len(distinct),
        quadrants=tuple(QuadrantCount(*count) for count in counts.items()),
        too_little_evidence=too_little,
    )
