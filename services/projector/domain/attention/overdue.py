"""Overdue: silence beyond the pair's own rhythm or the tier's. Any counted contact clears it."""

from collections.abc import Iterator

from services.projector.domain.attention.case import Case, RelationshipRule, settled_by_contact
from services.projector.domain.attention.items import Item, Rule
from services.projector.domain.measures.rhythm import Overdue, rhythm
from services.projector.domain.words import counted


def _items(case: Case) -> Iterator[Item]:
    """From amber on; red changes the words, not the item. Its cause is the silence."""
    found = rhythm(case.view)
    last, silent_days = case.last_contact, found.silent_days
    if found.overdue is Overdue.NO or last is None or silent_days is None:
        return
    red = found.overdue is Overdue.RED
    above = found.red_above_days if red else found.amber_above_days
    allowed_days = int(above or 0)
    why = f"no contact for {counted(silent_days, 'day')}; {allowed_days} would have been in time"
    if red:
        why = (
            f"no contact for {counted(silent_days, 'day')}; the tier allows {allowed_days} at most"
        )
    for person in case.view.internal:
        yield case.item(
            Rule.OVERDUE,
            person,
            why,
            cause=[last.event_id],
            events=[last.event_id],
            silent_days=silent_days,
            allowed_days=allowed_days,
            red=int(red),
        )


RULE = RelationshipRule(Rule.OVERDUE, _items, settled_by_contact)
