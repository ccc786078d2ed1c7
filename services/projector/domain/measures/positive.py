"""Positive touches: contact that added something. Source: the domain contract, section 6."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.view import RelationshipView
from services.runtime.policy import INCIDENT, RECOVERY


@dataclass(frozen=True, slots=True)
class PositiveTouches:
    """Positive touches by (occurred_at, event_id): all, and by canonical id those a person got.

    `inbound[p]` are those that the other person initiated, or that were mutual: for one of ours
    facing an external person, what came from outside.
    """

    touches: tuple[Touchpoint, ...]
    inbound: Mapping[str, tuple[Touchpoint, ...]]


def positive_touches(view: RelationshipView) -> PositiveTouches:
    """The positive touches up to the day, whole history."""
    touches = tuple(touch for touch in view.counted if is_positive(view, touch))
    inbound = {
        person: tuple(touch for touch in touches if view.other(person) in view.givers(touch))
        for person in view.pair
    }
    return PositiveTouches(touches, inbound)


def is_positive(view: RelationshipView, touchpoint: Touchpoint) -> bool:
    """Counted contact, neither incident nor recovery, whose posted know + care is above 0."""
    if touchpoint.kind in (INCIDENT, RECOVERY) or not view.is_counted(touchpoint):
        return False
    entry = view.entry_of.get(touchpoint.event_id)
    return entry is not None and entry.know_mp + entry.care_mp > 0
