"""Survival: what one relationship says about one of its people as a builder.

Source: the domain contract, section 6.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.positive import positive_touches
from services.projector.domain.measures.reciprocity import reciprocity
from services.projector.domain.measures.view import RelationshipView
from services.runtime.policy import INCIDENT, RecoveryStep

# The kinds that are gifts: those of this name and below it, a tenant's own among them.
GIFT: Final = "gift"


class Fate(StrEnum):
    """What became of a relationship after an incident."""

    SURVIVED = "SURVIVED"
    LOST = "LOST"
    # Too young to be decided.
    OPEN = "OPEN"


@dataclass(frozen=True, slots=True)
class IncidentFate:
    """An incident, and the first inbound positive touch that shows it was survived, if any."""

    event_id: str
    fate: Fate
    survived_by: str | None


@dataclass(frozen=True, slots=True)
class BuilderPart:
    """One relationship of one person over the policy's window.

    `contact_days` lie in the window. `fates` are those of its incidents, by (occurred_at,
    event_id). `outbound_mp` is the CARE above 0 that what the person gave posted (refunds and
    mutual touches too), undecayed; `gifts_mp` what of it were gifts and compensation.
    """

    person: str
    counterpart: str
    contact_days: int
    fates: tuple[IncidentFate, ...]
    reciprocity: Fraction | None
    gifts_mp: int
    outbound_mp: int

    @property
    def survived(self) -> int:
        """Incidents survived."""
        return sum(fate.fate is Fate.SURVIVED for fate in self.fates)

    @property
    def decided(self) -> int:
        """Incidents survived or not."""
        return sum(fate.fate is not Fate.OPEN for fate in self.fates)

    @property
    def open(self) -> int:
        """Incidents too young to be decided."""
        return len(self.fates) - self.decided


def builder_part(view: RelationshipView, person: str) -> BuilderPart | None:
    """What the relationship says about one of its two; None below the policy's contact-days.

    The window ends on the view's day, and contact-days, incidents and what was given are those in
    it. An incident is survived by an inbound positive touch 1 to 90 days (the policy's) after its
    day; at 90 days without one it is lost, before that open.
    """
    rule = view.policy.measures.builders
    window = view.window(rule.window_days)
    first_day = view.on - rule.window_days + 1
    contact_days = sum(day >= first_day for day in view.contact_days)
    if contact_days < rule.min_contact_days:
        return None
    inbound = positive_touches(view).inbound[person]
    gifts_mp = outbound_mp = 0
    for touch in window:
        entry = view.entry_of.get(touch.event_id)
        if entry is None or entry.care_mp <= 0 or person not in view.givers(touch):
            continue
        outbound_mp += entry.care_mp
        if _is_gift(touch) or touch.recovery_step is RecoveryStep.COMPENSATION:
            gifts_mp += entry.care_mp
    return BuilderPart(
        person=person,
        counterpart=view.other(person),
        contact_days=contact_days,
        fates=tuple(
            _fate(touch, inbound, rule.survive_days, view.on)
            for touch in window
            if touch.kind == INCIDENT
        ),
        reciprocity=reciprocity(view).share.exact,
        gifts_mp=gifts_mp,
        outbound_mp=outbound_mp,
    )


def _is_gift(touch: Touchpoint) -> bool:
    return touch.kind == GIFT or touch.kind.startswith(f"{GIFT}.")


def _fate(
    incident: Touchpoint, inbound: Sequence[Touchpoint], survive_days: int, on: int
) -> IncidentFate:
    after = bisect_right(inbound, incident.day, key=lambda touch: touch.day)
    if after < len(inbound) and inbound[after].day <= incident.day + survive_days:
        return IncidentFate(incident.event_id, Fate.SURVIVED, inbound[after].event_id)
    fate = Fate.OPEN if on - incident.day < survive_days else Fate.LOST
    return IncidentFate(incident.event_id, fate, None)
