"""Reciprocity: whether both sides give. Source: the domain contract, section 6; the shape of the
figure after Wang et al., arXiv 1108.2822.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

from services.projector.domain.buckets import Buckets
from services.projector.domain.measures.ratio import Ratio, Said, ratio
from services.projector.domain.measures.view import RelationshipView
from services.projector.domain.rounding import round_half_even


@dataclass(frozen=True, slots=True)
class Reciprocity:
    """What each has given, decayed to the day, and 2 x min / (both): 1000 when alike.

    `touches` counts the touchpoints that gave something, a mutual one once. On fewer than the
    policy's `reciprocity_min_touches` the share says too little evidence, as it does on too few
    contact-days.
    """

    by_a: Fraction
    by_b: Fraction
    touches: int
    share: Ratio

    @property
    def by_a_mp(self) -> int:
        """What `a` has given, in mp, rounded."""
        return round_half_even(self.by_a)

    @property
    def by_b_mp(self) -> int:
        """What `b` has given, in mp, rounded."""
        return round_half_even(self.by_b)


def reciprocity(view: RelationshipView) -> Reciprocity:
    """Who gives how much, exactly.

    An entry gives its know + care where that is above 0; a touch that took more than it gave
    gives nothing and takes nothing off what others gave. A mutual one is given whole by both.
    Refunds are left out: they give back.
    """
    given = {view.a: Buckets(), view.b: Buckets()}
    touches = 0
    for entry in view.entries:
        amount_mp = entry.know_mp + entry.care_mp
        if entry.refund is not None or amount_mp <= 0:
            continue
        touches += 1
        for person in view.givers(entry.touchpoint):
            given[person].post(entry.day, entry.half_life_days, amount_mp, 0)
    by_a, by_b = (given[person].balance(view.on).know for person in view.pair)
    share = ratio(view, 2 * min(by_a, by_b), by_a + by_b)
    if share.said is Said.KNOWN and touches < view.policy.measures.reciprocity_min_touches:
        share = replace(share, said=Said.TOO_LITTLE_EVIDENCE)
    return Reciprocity(by_a, by_b, touches, share)
