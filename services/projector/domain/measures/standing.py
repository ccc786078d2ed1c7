"""Where a relationship stands: two accounts, their buffer, and what it would survive today."""

from dataclasses import dataclass

from services.projector.domain.forecast import impact_of
from services.projector.domain.measures.view import RelationshipView
from services.runtime.policy import Attribution


@dataclass(frozen=True, slots=True)
class Standing:
    """KNOW, CARE and the buffer in mp, each rounded once from its exact value.

    `survives_severity` is the highest severity of an incident of ours that the exact buffer holds
    (equal is enough), None for none. `unknown` counts the touchpoints of kinds the policy does
    not have, which weigh nothing.
    """

    know_mp: int
    care_mp: int
    buffer_mp: int
    survives_severity: int | None
    touchpoints: int
    unknown: int


def standing(view: RelationshipView) -> Standing:
    """The balance of the day, rounded, and what it would bear."""
    policy = view.policy
    survived = [
        severity
        for severity in policy.incident.severity
        if view.buffer >= impact_of(policy, severity, Attribution.OURS)
    ]
    return Standing(
        know_mp=view.balance.know_mp,
        care_mp=view.balance.care_mp,
        buffer_mp=view.buffer_mp,
        survives_severity=max(survived, default=None),
        touchpoints=len(view.touchpoints),
        unknown=len(view.folded.unknown),
    )
