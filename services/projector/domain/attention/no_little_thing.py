"""No little thing for weeks: nobody has thought of the other without a reason."""

from collections.abc import Iterator

from services.projector.domain.attention.case import Case, RelationshipRule
from services.projector.domain.attention.items import Item, Reason, Rule
from services.projector.domain.calendar import week_of
from services.projector.domain.facts import Touchpoint


def _items(case: Case) -> Iterator[Item]:
    """When the policy's last ISO weeks, the running one included, had none by either.

    Counted from the week of the first contact where there never was one.
    """
    if case.last_contact is None:
        return
    little = _little(case)
    last = little[-1] if little else None
    since_day = case.view.contact_days[0] if last is None else last.day
    weeks = week_of(case.on) - week_of(since_day)
    wanted = case.surroundings.policy.attention.no_little_thing_weeks
    if weeks < wanted:
        return
    for person in case.view.internal:
        yield case.item(
            Rule.NO_LITTLE_THING,
            person,
            f"no little thing in the {weeks} weeks up to this one",
            cause=["" if last is None else last.event_id],
            events=[] if last is None else [last.event_id],
            weeks=weeks,
        )


def _little(case: Case) -> list[Touchpoint]:
    kinds = case.view.policy.kinds
    return [t for t in case.view.counted if t.kind in kinds and kinds[t.kind].little]


def _settled(item: Item, case: Case) -> Reason | None:
    little = _little(case)
    newest = [little[-1].event_id] if little else []
    return Reason.LITTLE_THING if newest != list(item.event_ids) and newest else None


RULE = RelationshipRule(Rule.NO_LITTLE_THING, _items, _settled)
