"""Reaction mode: we are mostly in touch because something went wrong."""

from collections.abc import Iterator
from fractions import Fraction

from services.projector.domain.attention.case import Case, RelationshipRule, settled_by_contact
from services.projector.domain.attention.held import window_days
from services.projector.domain.attention.items import Item, Rule
from services.projector.domain.measures.proactivity import Proactivity, proactivity
from services.projector.domain.rounding import round_half_even
from services.runtime.policy import Initiative


def _items(case: Case) -> Iterator[Item]:
    """The reactive share above the policy's, on contact-days enough; held until the next contact.

    The figure people see, the rounded one, is held against the bound. The measure says too little
    evidence below its own number of contact-days; the rule brings a smaller one of its own.
    """
    found = _found(case)
    if found is None:
        return
    per_mille, shares = found
    reactive = set(shares.reactive_days)
    events = [
        touch.event_id
        for touch in case.view.counted
        if touch.day in reactive and case.view.mode(touch) is Initiative.REACTIVE
    ]
    for person in case.view.internal:
        yield case.item(
            Rule.REACTION_MODE,
            person,
            f"{len(reactive)} of {shares.contact_days} contact-days were reaction, "
            f"{per_mille} per mille",
            events=events,
            reactive_days=len(reactive),
            contact_days=shares.contact_days,
            reactive_per_mille=per_mille,
        )


def _found(case: Case) -> tuple[int, Proactivity] | None:
    view, since = case.view, case.quiet_since
    if since is None or not view.internal:
        return None
    window = view.policy.measures.proactivity_window_days
    recent = [touch for touch in view.counted if touch.day > since - window]
    if not any(view.mode(touch) is Initiative.REACTIVE for touch in recent):
        return None
    bound = view.policy.attention.reaction_mode
    for day in window_days((touch.day for touch in recent), window, since, case.on):
        shares = proactivity(view.as_of(day))
        if shares.contact_days < bound.contact_days:
            continue
        per_mille = round_half_even((shares.reactive.exact or Fraction(0)) * 1000)
        if per_mille > bound.share:
            return per_mille, shares
    return None


RULE = RelationshipRule(Rule.REACTION_MODE, _items, settled_by_contact)
