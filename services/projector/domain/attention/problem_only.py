"""Problem-only: every contact-day of the window was about incidents. The critical failure."""

from collections.abc import Iterator

from services.projector.domain.attention.case import Case, RelationshipRule, settled_by_contact
from services.projector.domain.attention.held import window_days
from services.projector.domain.attention.items import Item, Rule
from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.view import RelationshipView
from services.projector.domain.words import counted
from services.runtime.policy import INCIDENT, RECOVERY


def _items(case: Case) -> Iterator[Item]:
    """Contact-days enough in the window, all tied to incidents; held until the next contact."""
    found = _found(case)
    if not found:
        return
    days = len({touch.day for touch in found})
    window_days_ = case.view.policy.attention.problem_only.window_days
    for person in case.view.internal:
        yield case.item(
            Rule.PROBLEM_ONLY,
            person,
            f"all {counted(days, 'contact-day')} in {window_days_} days were about problems",
            events=[touch.event_id for touch in found],
            contact_days=days,
            window_days=window_days_,
        )


def _found(case: Case) -> list[Touchpoint]:
    view, since = case.view, case.quiet_since
    bound = view.policy.attention.problem_only
    if since is None or not view.internal:
        return []
    recent = [touch for touch in view.counted if touch.day > since - bound.window_days]
    tied = [touch for touch in recent if tied_to_incidents(view, touch)]
    if len({touch.day for touch in tied}) < bound.contact_days:
        return []
    for day in window_days((touch.day for touch in recent), bound.window_days, since, case.on):
        first = day - bound.window_days + 1
        inside = [touch for touch in recent if first <= touch.day]
        days = {touch.day for touch in inside}
        if len(days) >= bound.contact_days and all(t in tied for t in inside):
            return inside
    return []


def tied_to_incidents(view: RelationshipView, touch: Touchpoint) -> bool:
    """Whether it is an incident, a recovery, or in reply to such a one, however many replies on."""
    seen = set()
    found: Touchpoint | None = touch
    while found is not None and found.event_id not in seen:
        if found.kind in (INCIDENT, RECOVERY):
            return True
        seen.add(found.event_id)
        found = view.by_id.get(found.in_reply_to)
    return False


RULE = RelationshipRule(Rule.PROBLEM_ONLY, _items, settled_by_contact)
