"""Promise due: the day of a promise or a need has come, and nobody settled it."""

from collections.abc import Iterator

from services.projector.domain.attention.case import Case, RelationshipRule
from services.projector.domain.attention.items import Item, Reason, Rule
from services.projector.domain.measures.obligations import Obligation, State, obligations
from services.projector.domain.words import counted


def _items(case: Case) -> Iterator[Item]:
    """From the due day on, for those of ours who owe it; else for ours to whom it is owed."""
    for owed in obligations(case.view):
        due_days = _due_days(owed)
        if due_days is None:
            continue
        debtors = [person for person in case.view.internal if person in owed.owed_by]
        what = "a need" if owed.is_need else "a promise"
        when = "is due today" if due_days == 0 else f"was due {counted(due_days, 'day')} ago"
        for person in debtors or case.view.internal:
            yield case.item(
                Rule.PROMISE_DUE,
                person,
                f"{what} of {'ours' if debtors else 'theirs'} to be met {when}"
                if owed.is_need
                else f"{what} of {'ours' if debtors else 'theirs'} {when}",
                cause=[owed.event_id],
                events=[owed.event_id],
                due_days=due_days,
                need=int(owed.is_need),
                owed_by_us=int(bool(debtors)),
            )


def _due_days(owed: Obligation) -> int | None:
    """Days since the due day; None while it is not due, or settled."""
    if owed.state not in (State.OPEN, State.OVERDUE) or owed.due_in_days is None:
        return None
    return -owed.due_in_days if owed.due_in_days <= 0 else None


def _settled(item: Item, case: Case) -> Reason | None:
    for owed in obligations(case.view):
        if owed.event_id == item.event_ids[0]:
            if owed.state is State.BROKEN:
                return Reason.BROKEN
            if owed.state is State.KEPT:
                return Reason.MET if owed.is_need else Reason.KEPT
    return None


RULE = RelationshipRule(Rule.PROMISE_DUE, _items, _settled)
