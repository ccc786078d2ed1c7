"""Fact expectation due: the day to come back to something has come.

Counted contact from that day on that uses the fact clears it, other contact does not: whoever
asked about the graduation says so by naming the fact.
"""

from collections.abc import Iterator

from services.projector.domain.attention.case import Case, RelationshipRule
from services.projector.domain.attention.items import Item, Reason, Rule
from services.projector.domain.people.learned import uses
from services.projector.domain.words import counted


def _items(case: Case) -> Iterator[Item]:
    """From the day expected on."""
    if case.last_contact is None:
        return
    for person in case.view.internal:
        for fact in case.surroundings.facts.get(case.view.other(person), ()):
            if fact.expect_on is None or not fact.due(case.on):
                continue
            if _used(case, fact.event_id, fact.expect_on):
                continue
            due_days = case.on - fact.expect_on
            yield case.item(
                Rule.FACT_DUE,
                person,
                "the day to come back to something they told is today"
                if due_days == 0
                else "the day to come back to something they told was "
                f"{counted(due_days, 'day')} ago",
                cause=[fact.event_id, fact.expect_on],
                events=[fact.event_id],
                due_days=due_days,
                expect_on=fact.expect_on,
            )


def _used(case: Case, fact_id: str, expect_on: int) -> bool:
    since = [touch for touch in case.view.counted if touch.day >= expect_on]
    return bool(uses(fact_id, since, case.surroundings.facts_used))


def _settled(item: Item, case: Case) -> Reason | None:
    used = _used(case, item.event_ids[-1], item.number("expect_on"))
    return Reason.FACT_USED if used else None


RULE = RelationshipRule(Rule.FACT_DUE, _items, _settled)
