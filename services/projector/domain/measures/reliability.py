"""Reliability: whether promises are kept. Source: the domain contract, section 6."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.obligations import (
    PROMISE_BROKEN,
    State,
    loose_outcomes,
    obligations,
)
from services.projector.domain.measures.ratio import NO_SIDE, Ratio, ratio
from services.projector.domain.measures.view import RelationshipView


@dataclass(frozen=True, slots=True)
class Kept:
    """Promises of one person: counts, the touchpoints that settled them, (kept+1)/(kept+broken+2).

    `kept_events` and `broken_events` are the event ids of what settled them.
    """

    kept_events: tuple[str, ...]
    broken_events: tuple[str, ...]
    share: Ratio

    @property
    def kept(self) -> int:
        """How many were kept."""
        return len(self.kept_events)

    @property
    def broken(self) -> int:
        """How many were broken."""
        return len(self.broken_events)


@dataclass(frozen=True, slots=True)
class Reliability:
    """Promises kept by each person, by canonical id, and by ours together.

    `ours` says NO_SIDE when neither of the two is ours.
    """

    by_person: Mapping[str, Kept]
    ours: Kept


def reliability(view: RelationshipView) -> Reliability:
    """How far each one's word goes here.

    A promise counts once, for who made it, with what settled it first. A promise kept or broken
    that nobody recorded the making of counts for its initiator (mutual: both). What is open or
    overdue counts as neither: not kept yet is not broken. Needs are no promises.
    """
    settled: list[tuple[tuple[str, ...], Touchpoint, bool]] = []
    for obligation in obligations(view):
        if not obligation.is_need and obligation.settled_by is not None:
            kept = obligation.state is State.KEPT
            settled.append((obligation.owed_by, obligation.settled_by, kept))
    for touch in loose_outcomes(view):
        settled.append((view.givers(touch), touch, touch.kind != PROMISE_BROKEN))
    settled.sort(key=lambda item: item[1].order)

    def of(people: tuple[str, ...]) -> Kept:
        mine = [item for item in settled if set(item[0]) & set(people)]
        kept = tuple(touch.event_id for _, touch, good in mine if good)
        broken = tuple(touch.event_id for _, touch, good in mine if not good)
        share = ratio(view, len(kept) + 1, len(kept) + len(broken) + 2)
        return Kept(kept, broken, share if people else NO_SIDE)

    return Reliability({person: of((person,)) for person in view.pair}, of(view.internal))
