"""The quadrant: know and care, each high or low. Source: the domain contract, section 6."""

from dataclasses import dataclass
from enum import StrEnum

from services.projector.domain.measures.evidence import enough_evidence
from services.projector.domain.measures.view import RelationshipView


class Quadrant(StrEnum):
    """Which of the two accounts hold at least the policy's bound."""

    NEITHER = "NEITHER"
    KNOW = "KNOW"
    CARE = "CARE"
    BOTH = "BOTH"


@dataclass(frozen=True, slots=True)
class QuadrantMeasure:
    """The quadrant; None says too little evidence. The bound is in mp and belongs to high."""

    quadrant: Quadrant | None
    bound_mp: int


def quadrant(view: RelationshipView) -> QuadrantMeasure:
    """Where the relationship stands between know and care."""
    bound_mp = view.policy.measures.quadrant_mp
    if not enough_evidence(view):
        return QuadrantMeasure(None, bound_mp)
    found = quadrant_of(view.balance.know_mp, view.balance.care_mp, bound_mp)
    return QuadrantMeasure(found, bound_mp)


def quadrant_of(know_mp: int, care_mp: int, bound_mp: int) -> Quadrant:
    """The quadrant of two rounded accounts, as people see them."""
    if know_mp >= bound_mp:
        return Quadrant.BOTH if care_mp >= bound_mp else Quadrant.KNOW
    return Quadrant.CARE if care_mp >= bound_mp else Quadrant.NEITHER
