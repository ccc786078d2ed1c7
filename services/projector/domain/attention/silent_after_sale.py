"""Silent after the sale: they bought, and nobody has been in touch since."""

from collections.abc import Iterator
from typing import Final

from services.projector.domain.attention.case import Case, RelationshipRule, settled_by_contact
from services.projector.domain.attention.items import Item, Rule
from services.projector.domain.words import counted

SALE: Final = "transaction"


def _items(case: Case) -> Iterator[Item]:
    """From the policy's days after the first sale that no counted contact came after.

    Further sales do not start the clock again: they are no contact either.
    """
    last = case.last_contact
    sales = [
        touch
        for touch in case.view.touchpoints
        if touch.kind == SALE and (last is None or touch.instant_us >= last.instant_us)
    ]
    if not sales:
        return
    silent_days = case.on - sales[0].day
    if silent_days < case.surroundings.policy.attention.silent_after_sale_days:
        return
    for person in case.view.internal:
        yield case.item(
            Rule.SILENT_AFTER_SALE,
            person,
            f"no contact in the {counted(silent_days, 'day')} since a sale",
            cause=[sales[0].event_id],
            events=[sale.event_id for sale in sales],
            silent_days=silent_days,
            sales=len(sales),
        )


RULE = RelationshipRule(Rule.SILENT_AFTER_SALE, _items, settled_by_contact)
