"""Effort: the time given. Source: the domain contract, section 6."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.view import RelationshipView

NO_MINUTES: Final = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minutes recorded: of preparation, together, and of follow-up."""

    prep: int = 0
    live: int = 0
    follow_up: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.prep + self.live + self.follow_up


@dataclass(frozen=True, slots=True)
class Effort:
    """Minutes that each of the two gave in the window; what one gave the other received.

    `recorded` of the window's `touchpoints` say minutes at all.
    """

    first_day: int
    by_a: Minutes
    by_b: Minutes
    touchpoints: int
    recorded: int


@dataclass(frozen=True, slots=True)
class PersonEffort:
    """Minutes one person gave and received in the window, over several relationships.

    `recorded` of the window's `touchpoints` say minutes at all.
    """

    window_days: int
    given: Minutes
    received: Minutes
    touchpoints: int
    recorded: int


@dataclass(frozen=True, slots=True)
class EffortPart:
    """What one relationship adds to a person's effort: gifts by occasion, not yet counted once."""

    given: tuple["_Gift", ...]
    received: tuple["_Gift", ...]
    touchpoints: int
    recorded: int


def effort(view: RelationshipView, window_days: int | None = None) -> Effort:
    """The minutes of the window (the policy's proactivity window unless told).

    Time together is given by both when the touch was mutual, else by its initiator; preparation
    and follow-up are always the initiator's own, since nobody recorded the other's. All effective
    touchpoints count, incidents and recoveries too: the time was given. Touchpoints of one
    occasion count once a person, at the largest minutes of each sort.
    """
    days = _window_days(view, window_days)
    touches = view.window(days)
    by_a, by_b = (_sum(_given(view, touches, person)) for person in view.pair)
    return Effort(view.on - days + 1, by_a, by_b, len(touches), _recorded(touches))


def effort_of_person(
    person: str, views: Iterable[RelationshipView], window_days: int
) -> PersonEffort:
    """The minutes of one human over his relationships, an occasion counted once among all.

    `views` are of one day, in any order; those he is not in are left out. A group meeting of an
    hour is an hour given and an hour received, however many were there.
    """
    parts = [effort_part(person, view, window_days) for view in views if person in view.pair]
    return person_effort(parts, window_days)


def effort_part(person: str, view: RelationshipView, window_days: int) -> EffortPart:
    """What the relationship adds to the effort of one of its two humans."""
    touches = view.window(window_days)
    return EffortPart(
        tuple(_given(view, touches, person)),
        tuple(_given(view, touches, view.other(person))),
        len(touches),
        _recorded(touches),
    )


def person_effort(parts: Iterable[EffortPart], window_days: int) -> PersonEffort:
    """The parts of one person's relationships together, in any order; each relationship once."""
    known = list(parts)
    return PersonEffort(
        window_days,
        _sum(gift for part in known for gift in part.given),
        _sum(gift for part in known for gift in part.received),
        sum(part.touchpoints for part in known),
        sum(part.recorded for part in known),
    )


type _Gift = tuple[str, tuple[int, int, int]]


def _recorded(touches: Iterable[Touchpoint]) -> int:
    return sum(_minutes(touch) != (None, None, None) for touch in touches)


def _window_days(view: RelationshipView, window_days: int | None) -> int:
    return view.policy.measures.proactivity_window_days if window_days is None else window_days


def _minutes(touch: Touchpoint) -> tuple[int | None, int | None, int | None]:
    return touch.prep_minutes, touch.live_minutes, touch.follow_up_minutes


def _given(view: RelationshipView, touches: Iterable[Touchpoint], person: str) -> Iterator[_Gift]:
    """The occasion (or else the event) and the minutes (prep, live, follow-up) of each gift."""
    for touch in touches:
        prep, live, follow_up = (minutes or 0 for minutes in _minutes(touch))
        what = touch.occasion_id or touch.event_id
        if person == view.initiator(touch):
            yield what, (prep, live, follow_up)
        elif touch.mutual:
            yield what, (0, live, 0)


def _sum(given: Iterable[_Gift]) -> Minutes:
    largest: dict[str, tuple[int, int, int]] = {}
    for what, (prep, live, follow_up) in given:
        before = largest.get(what, NO_MINUTES)
        largest[what] = max(prep, before[0]), max(live, before[1]), max(follow_up, before[2])
    return Minutes(*(sum(column) for column in zip(*largest.values(), strict=True)))
