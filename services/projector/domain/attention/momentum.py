"""Momentum: after a good meeting is the time to come closer by a rung."""

from collections.abc import Iterator
from dataclasses import replace

from services.projector.domain.attention.case import Case, RelationshipRule
from services.projector.domain.attention.items import Item, Reason, Rule
from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.positive import is_positive
from services.projector.domain.measures.rung import Rung, rung
from services.projector.domain.words import counted


def _items(case: Case) -> Iterator[Item]:
    """While a positive meeting is within the policy's days and its next rung is untried.

    A meeting is a positive touch of a kind that effort applies to: time spent together. Coming
    closer by one rung is enough for one meeting; the next meeting may go one further.
    """
    found = _found(case)
    if found is None:
        return
    meeting, ladder = found
    days = case.on - meeting.day
    for person in case.view.internal:
        yield case.item(
            Rule.MOMENTUM,
            person,
            f"a good meeting {counted(days, 'day')} ago, and rung {ladder.next_rung} is untried",
            cause=[ladder.next_rung or 0],
            events=[meeting.event_id],
            days_since_meeting=days,
            next_rung=ladder.next_rung or 0,
        )


def _found(case: Case) -> tuple[Touchpoint, Rung] | None:
    view = case.view
    meetings = [
        touch
        for touch in view.window(case.surroundings.policy.attention.momentum_days)
        if _is_meeting(case, touch) and is_positive(view, touch)
    ]
    if not meetings or not view.internal:
        return None
    ladder = rung(view)
    if not ladder.next_untried:
        return None
    meeting = meetings[-1]
    until = tuple(touch for touch in view.touchpoints if touch.order <= meeting.order)
    if rung(replace(view, touchpoints=until)).next_rung != ladder.next_rung:
        return None
    return meeting, ladder


def _is_meeting(case: Case, touch: Touchpoint) -> bool:
    kind = case.view.policy.kinds.get(touch.kind)
    return kind is not None and kind.effort


def _settled(item: Item, case: Case) -> Reason | None:
    wanted = item.number("next_rung")
    if any(channel.rung >= wanted for channel in rung(case.view).channels):
        return Reason.NEXT_RUNG
    meeting = case.view.by_id[item.event_ids[0]]
    over = case.on - meeting.day >= case.surroundings.policy.attention.momentum_days
    return Reason.PASSED if over else None


RULE = RelationshipRule(Rule.MOMENTUM, _items, _settled)
