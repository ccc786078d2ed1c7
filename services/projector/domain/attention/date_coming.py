"""Date coming: a day that matters to them is near.

Contact on the day itself clears it, or contact before that used the date (facts_used); talking of
other things the day before does not. Else it passes with the day.
"""

from collections.abc import Iterator

from services.projector.domain.attention.case import Case, RelationshipRule
from services.projector.domain.attention.items import Item, Reason, Rule, item_id
from services.projector.domain.facts import Touchpoint
from services.projector.domain.people.dates import NotedDate
from services.projector.domain.people.learned import uses
from services.projector.domain.words import counted


def _items(case: Case) -> Iterator[Item]:
    """From `date_ahead_days` before the day through the day."""
    if case.last_contact is None:
        return
    ahead_days = case.surroundings.policy.attention.date_ahead_days
    for person in case.view.internal:
        for date in case.surroundings.dates.get(case.view.other(person), ()):
            next_on = date.next_on(case.on)
            if next_on is None or next_on - case.on > ahead_days:
                continue
            if _remembered(case, date, next_on) is not None:
                continue
            days_until = next_on - case.on
            yield case.item(
                Rule.DATE_COMING,
                person,
                "a day that matters to them is today"
                if days_until == 0
                else f"a day that matters to them comes in {counted(days_until, 'day')}",
                cause=[date.event_id, next_on],
                events=[date.event_id],
                days_until=days_until,
                next_on=next_on,
            )


def _remembered(case: Case, date: NotedDate, next_on: int) -> Touchpoint | None:
    first = next_on - case.surroundings.policy.attention.date_ahead_days
    near = [touch for touch in case.view.counted if first <= touch.day <= next_on]
    for touch in near:
        if touch.day == next_on:
            return touch
    used = uses(date.event_id, near, case.surroundings.facts_used)
    return used[0] if used else None


def _settled(item: Item, case: Case) -> Reason | None:
    next_on = item.number("next_on")
    for date in case.surroundings.dates.get(case.view.other(item.person), ()):
        cause: list[str | int] = [date.event_id, next_on]
        if item_id(Rule.DATE_COMING, item.person, case.about, cause) != item.item:
            continue
        if _remembered(case, date, next_on) is not None:
            return Reason.CONTACT
    return Reason.PASSED if case.on > next_on else None


RULE = RelationshipRule(Rule.DATE_COMING, _items, _settled)
