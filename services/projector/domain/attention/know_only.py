"""Know-only: hardly any of the capital is care, and knowing surprises nobody."""

from collections.abc import Iterator
from fractions import Fraction

from services.projector.domain.attention.case import Case, RelationshipRule, settled_by_contact
from services.projector.domain.attention.held import Bounds, first_day
from services.projector.domain.attention.items import Item, Rule
from services.projector.domain.balance import Balance
from services.projector.domain.measures.care_share import care_share
from services.projector.domain.measures.evidence import enough_evidence
from services.projector.domain.rounding import round_half_even


def _items(case: Case) -> Iterator[Item]:
    """The measure of that name, with evidence enough; held until the next contact."""
    day = _found(case)
    if day is None:
        return
    share = care_share(case.view.as_of(day))
    per_mille = share.share.per_mille or 0
    know = [e.event_id for e in case.view.as_of(day).entries if e.know_mp > 0]
    for person in case.view.internal:
        yield case.item(
            Rule.KNOW_ONLY,
            person,
            f"care is {per_mille} per mille of the capital, below {share.threshold}",
            events=know,
            care_share_per_mille=per_mille,
            threshold=share.threshold,
        )


def _found(case: Case) -> int | None:
    if not case.view.internal or not enough_evidence(case.view):
        return None
    threshold = case.surroundings.policy.measures.know_only_care_share

    def holds(balance: Balance) -> bool:
        know, care = max(balance.know, Fraction(0)), max(balance.care, Fraction(0))
        return bool(know + care) and round_half_even(1000 * care / (know + care)) < threshold

    def possible(bounds: Bounds) -> bool:
        """A rounded share below the threshold is an exact one below it."""
        if bounds.know_max <= 0:
            return False
        return (1000 - threshold) * bounds.care_min < threshold * bounds.know_max

    if holds(case.view.balance):
        return case.on
    return first_day(case.silent_stretches, possible, holds)


RULE = RelationshipRule(Rule.KNOW_ONLY, _items, settled_by_contact)
