"""Evidence: how much there is to go by. Source: the domain contract, section 6."""

from dataclasses import dataclass

from services.projector.domain.measures.view import RelationshipView


@dataclass(frozen=True, slots=True)
class Evidence:
    """Contact-days and age. Days are None, and the age too, without any contact.

    `age_days` runs from the first contact-day to the day asked. `enough`: at least as many
    contact-days as the policy wants; below, per-mille measures and the quadrant say too little
    evidence.
    """

    contact_days: int
    first_day: int | None
    last_day: int | None
    age_days: int | None
    enough: bool


def evidence(view: RelationshipView) -> Evidence:
    """How much contact there has been, and since when."""
    days = view.contact_days
    if not days:
        return Evidence(0, None, None, None, enough_evidence(view))
    return Evidence(len(days), days[0], days[-1], view.on - days[0], enough_evidence(view))


def enough_evidence(view: RelationshipView) -> bool:
    """Whether there are contact-days enough to tell a share from chance."""
    return len(view.contact_days) >= view.policy.measures.evidence_contact_days
