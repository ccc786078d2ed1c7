"""Little things: whether anybody thinks of it, week by week. Source: the contract, section 6."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.projector.domain.calendar import week_of
from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.view import RelationshipView


@dataclass(frozen=True, slots=True)
class LittleThings:
    """ISO weeks with at least one little thing, of the last `of_weeks`, the running one included.

    `by_person` says for each canonical id in how many of them he gave one (mutual: both).
    `last_day` is that of the latest ever, None for none; `weeks_since` how many weeks ago its week
    was: 0 in the running one.
    """

    weeks: int
    of_weeks: int
    by_person: Mapping[str, int]
    last_day: int | None
    weeks_since: int | None


def little_things(view: RelationshipView) -> LittleThings:
    """The weeks with a little thing.

    It must be counted contact: what a machine wrote, or what went to everybody, is none.
    """
    of_weeks = view.policy.measures.little_things_weeks
    this_week = week_of(view.on)
    little = [touch for touch in view.counted if _is_little(view, touch)]
    recent = [touch for touch in little if week_of(touch.day) > this_week - of_weeks]
    by_person = {
        person: len({week_of(t.day) for t in recent if person in view.givers(t)})
        for person in view.pair
    }
    last_day = little[-1].day if little else None
    return LittleThings(
        weeks=len({week_of(touch.day) for touch in recent}),
        of_weeks=of_weeks,
        by_person=by_person,
        last_day=last_day,
        weeks_since=None if last_day is None else this_week - week_of(last_day),
    )


def _is_little(view: RelationshipView, touch: Touchpoint) -> bool:
    kind = view.policy.kinds.get(touch.kind)
    return kind is not None and kind.little
