"""Obligations: promises and needs, and what became of them. Source: the contract, 3 and 6."""

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.view import RelationshipView

PROMISE_MADE: Final = "promise.made"
PROMISE_KEPT: Final = "promise.kept"
PROMISE_BROKEN: Final = "promise.broken"
NEED_STATED: Final = "need.stated"
OPENING: Final = frozenset({PROMISE_MADE, NEED_STATED})
BREAKING: Final = frozenset({PROMISE_BROKEN, "no_show"})


class State(StrEnum):
    """What became of an obligation."""

    OPEN = "OPEN"
    # Open, and its due day is over: on the day itself it is still open.
    OVERDUE = "OVERDUE"
    KEPT = "KEPT"
    BROKEN = "BROKEN"


@dataclass(frozen=True, slots=True)
class Obligation:
    """A promise or a need, and the touchpoint that settled it, if any.

    `owed_by` are the canonical ids of who owes it: who made the promise (both, when mutual); for a
    need the one it was stated to. `due_in_days` from the day asked, below 0 when over; None
    without a due day. `kept_late`: kept after its due day.
    """

    touchpoint: Touchpoint
    owed_by: tuple[str, ...]
    state: State
    due_in_days: int | None
    settled_by: Touchpoint | None
    kept_late: bool

    @property
    def event_id(self) -> str:
        """The event id of the promise or need."""
        return self.touchpoint.event_id

    @property
    def is_need(self) -> bool:
        """Whether it is a need; else a promise."""
        return self.touchpoint.kind == NEED_STATED


def obligations(view: RelationshipView) -> tuple[Obligation, ...]:
    """Promises and needs up to the day, by (occurred_at, event_id) of when they arose.

    What `fulfils` one settles it, in whatever relationship, and also if it is dated before it:
    promise.broken and no_show break it, other kinds keep it, but to promise what somebody needs
    settles nothing yet. The earliest by (occurred_at, event_id) decides; a mistake is voided, not
    overruled.
    """
    settling = _settling(view)
    return tuple(
        _obligation(view, touch, settling.get(touch.event_id, []))
        for touch in view.touchpoints
        if touch.kind in OPENING
    )


def loose_outcomes(view: RelationshipView) -> tuple[Touchpoint, ...]:
    """Promises kept or broken of which nobody recorded that they were made, in order."""
    made = {t.event_id for t in view.touchpoints if t.kind in OPENING}
    return tuple(
        touch
        for touch in view.touchpoints
        if touch.kind in (PROMISE_KEPT, PROMISE_BROKEN) and touch.fulfils not in made
    )


def _settling(view: RelationshipView) -> dict[str, list[Touchpoint]]:
    settling: dict[str, list[Touchpoint]] = defaultdict(list)
    for touch in sorted((*view.touchpoints, *view.settling), key=lambda touch: touch.order):
        if touch.fulfils and touch.kind not in OPENING:
            settling[touch.fulfils].append(touch)
    return settling


def _obligation(
    view: RelationshipView, touch: Touchpoint, settling: list[Touchpoint]
) -> Obligation:
    due_on = touch.due_on
    settled_by = settling[0] if settling else None
    late = settled_by is not None and due_on is not None and settled_by.day > due_on
    if settled_by is not None:
        state = State.BROKEN if settled_by.kind in BREAKING else State.KEPT
    else:
        state = State.OVERDUE if due_on is not None and due_on < view.on else State.OPEN
    owed_by = view.givers(touch)
    if touch.kind == NEED_STATED and not touch.mutual:
        owed_by = (view.other(owed_by[0]),)
    return Obligation(
        touchpoint=touch,
        owed_by=owed_by,
        state=state,
        due_in_days=None if due_on is None else due_on - view.on,
        settled_by=settled_by,
        kept_late=late and state is State.KEPT,
    )
