"""One-sided: one gives, the other does not. Who gives more stops pushing, and asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from services.projector.domain.attention.case import Case, RelationshipRule, settled_by_contact
from services.projector.domain.attention.held import Bounds, first_day, stretches
from services.projector.domain.attention.items import Item, Rule
from services.projector.domain.balance import Balance
from services.projector.domain.buckets import Buckets
from services.projector.domain.measures.reciprocity import reciprocity
from services.projector.domain.measures.view import RelationshipView
from services.projector.domain.rounding import divide_half_even, round_half_even


def _items(case: Case) -> Iterator[Item]:
    """Reciprocity below the policy's on touches enough; held until the next contact."""
    day = _found(case)
    if day is None:
        return
    told = reciprocity(case.view.as_of(day))
    per_mille = round_half_even((told.share.exact or Fraction(0)) * 1000)
    for person in case.view.internal:
        mine, theirs = told.by_a_mp, told.by_b_mp
        if person == case.view.b:
            mine, theirs = theirs, mine
        advice = "stop pushing, ask" if mine >= theirs else "give something back"
        yield case.item(
            Rule.ONE_SIDED,
            person,
            f"reciprocity of {per_mille} per mille on {told.touches} touches: {advice}",
            events=[
                entry.event_id
                for entry in case.view.entries
                if entry.refund is None and entry.know_mp + entry.care_mp > 0
            ],
            reciprocity_per_mille=per_mille,
            touches=told.touches,
            given_mp=mine,
            received_mp=theirs,
        )


def _found(case: Case) -> int | None:
    bound = case.surroundings.policy.attention.one_sided
    if not case.view.internal or len(case.view.entries) < bound.touches:
        return None
    test = _Test(bound.reciprocity)
    if reciprocity(case.view).touches < bound.touches:
        return None
    if test.holds(_given(case.view).balance(case.on)):
        return case.on
    enough = {day for day, view in case.silence if reciprocity(view).touches >= bound.touches}
    searched = [s for s in stretches(case.silence, case.on, _given) if s.first in enough]
    return first_day(searched, test.possible, test.holds)


def _given(view: RelationshipView) -> Buckets:
    """What `a` gave as if it were KNOW, what `b` gave as if it were CARE; as reciprocity counts."""
    given = Buckets()
    for entry in view.entries:
        amount_mp = entry.know_mp + entry.care_mp
        if entry.refund is not None or amount_mp <= 0:
            continue
        givers = view.givers(entry.touchpoint)
        given.extend_through(entry.day)
        given.post(
            entry.day,
            entry.half_life_days,
            amount_mp if view.a in givers else 0,
            amount_mp if view.b in givers else 0,
        )
    return given


@dataclass(frozen=True, slots=True)
class _Test:
    """Whether 2 x min / (both), per mille and rounded as people see it, is below a threshold."""

    threshold: int

    def holds(self, given: Balance) -> bool:
        both = given.know + given.care
        if both <= 0:
            return False
        share = 2 * min(given.know, given.care) / both
        return divide_half_even(share.numerator * 1000, share.denominator) < self.threshold

    def possible(self, bounds: Bounds) -> bool:
        most = self.threshold * (bounds.know_max + bounds.care_max)
        return 2000 * min(bounds.know_min, bounds.care_min) < most


RULE = RelationshipRule(Rule.ONE_SIDED, _items, settled_by_contact)
