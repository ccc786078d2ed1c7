"""Rules 1 to 4: what one touchpoint weighs by itself. Source: the domain contract, section 5."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from services.projector.domain.facts import Touchpoint
from services.projector.domain.rounding import divide_half_even
from services.runtime.policy import INCIDENT, RECOVERY, Attribution, Audience, Initiative, Policy

PER_MILLE: Final = 1000
# A product of rules 1 to 4 has four per-mille factors at most: its unit is mp / PRODUCT_SCALE.
PRODUCT_SCALE: Final = PER_MILLE**4
# Distinct combinations remembered per policy; beyond it, all are forgotten.
_REMEMBERED_MAX: Final = 8192


@dataclass(frozen=True, slots=True)
class Weight:
    """What a touchpoint weighs before saturation, and why.

    Base and prep in mp, factors per mille (1000: no effect). `know_product` and `care_product` are
    the exact products in mp / 10^12, `know_mp` and `care_mp` the same rounded. `group` is the
    saturation group, empty for none.
    """

    half_life_days: int
    group: str
    base_know_mp: int
    base_care_mp: int
    prep_mp: int
    effort: int
    sentiment: int
    audience: int
    initiative: int
    attribution: int
    know_product: int
    care_product: int
    know_mp: int
    care_mp: int


type _Combination = tuple[str, int | None, int | None, int | None, str | None, str | None]


class Weigher:
    """Weighs touchpoints under one policy, remembering what it has weighed before."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._kinds = policy.kinds
        self._remembered: dict[_Combination, Weight] = {}

    def weigh(self, touchpoint: Touchpoint) -> Weight | None:
        """Its weight; None when the policy does not have its kind.

        A recovery weighs nothing by itself: its refund takes the incident to compute.
        """
        kind = touchpoint.kind
        if kind in (INCIDENT, RECOVERY) or kind not in self._kinds:
            return self._special(touchpoint)
        combination = (
            kind,
            touchpoint.prep_minutes,
            touchpoint.live_minutes,
            touchpoint.sentiment,
            touchpoint.audience,
            touchpoint.initiative,
        )
        weight = self._remembered.get(combination)
        if weight is None:
            if len(self._remembered) >= _REMEMBERED_MAX:
                self._remembered.clear()
            weight = self._remembered[combination] = self._ordinary(touchpoint)
        return weight

    def _ordinary(self, touchpoint: Touchpoint) -> Weight:
        kind = self._kinds[touchpoint.kind]
        factors = self.policy.factors
        prep_mp = (
            min(max(touchpoint.prep_minutes or 0, 0), factors.prep_minutes_cap)
            * factors.know_mp_per_prep_minute
        )
        effort = self._effort(touchpoint.live_minutes) if kind.effort else PER_MILLE
        sentiment = PER_MILLE
        if kind.know >= 0 and kind.care >= 0:
            numbers = factors.sentiment
            sentiment = numbers.get(touchpoint.sentiment or 0, numbers[0])
        audience = factors.audience[touchpoint.audience or Audience.ONE]
        automated = (touchpoint.initiative or kind.initiative) == Initiative.AUTOMATED
        initiative = factors.automated if automated else PER_MILLE
        shared = sentiment * audience * initiative
        return _weight(
            half_life_days=kind.half_life_days,
            group=kind.saturate or "",
            base=(kind.know, kind.care),
            prep_mp=prep_mp,
            effort=effort,
            sentiment=sentiment,
            audience=audience,
            initiative=initiative,
            attribution=PER_MILLE,
            know_product=(kind.know + prep_mp) * PER_MILLE * shared,
            care_product=kind.care * effort * shared,
        )

    def _special(self, touchpoint: Touchpoint) -> Weight | None:
        kind = self._kinds.get(touchpoint.kind)
        if kind is None:
            return None
        know, care, attribution = 0, 0, PER_MILLE
        if touchpoint.kind == INCIDENT:
            incident = self.policy.incident
            know, care = incident.severity.get(touchpoint.severity or 0, (0, 0))
            attribution = incident.attribution[touchpoint.attribution or Attribution.UNKNOWN]
        return _weight(
            half_life_days=kind.half_life_days,
            group="",
            base=(know, care),
            prep_mp=0,
            effort=PER_MILLE,
            sentiment=PER_MILLE,
            audience=PER_MILLE,
            initiative=PER_MILLE,
            attribution=attribution,
            know_product=know * attribution * PER_MILLE**3,
            care_product=care * attribution * PER_MILLE**3,
        )

    def _effort(self, live_minutes: int | None) -> int:
        """Rule 2: per mille, linear between the points, floored, flat beyond the last."""
        if live_minutes is None:
            return PER_MILLE
        points = self.policy.factors.effort_care_by_live_minutes
        start, per_mille = points[0]
        for end, per_mille_end in points[1:]:
            if live_minutes < end:
                passed = max(live_minutes, start) - start
                return per_mille + passed * (per_mille_end - per_mille) // (end - start)
            start, per_mille = end, per_mille_end
        return per_mille


def _weight(
    *,
    half_life_days: int,
    group: str,
    base: tuple[int, int],
    prep_mp: int,
    effort: int,
    sentiment: int,
    audience: int,
    initiative: int,
    attribution: int,
    know_product: int,
    care_product: int,
) -> Weight:
    return Weight(
        half_life_days=half_life_days,
        group=group,
        base_know_mp=base[0],
        base_care_mp=base[1],
        prep_mp=prep_mp,
        effort=effort,
        sentiment=sentiment,
        audience=audience,
        initiative=initiative,
        attribution=attribution,
        know_product=know_product,
        care_product=care_product,
        know_mp=divide_half_even(know_product, PRODUCT_SCALE),
        care_mp=divide_half_even(care_product, PRODUCT_SCALE),
    )


@lru_cache(maxsize=64)
def weigher_of(policy: Policy) -> Weigher:
    """The weigher of a policy; the same one again while few policies are in use."""
    return Weigher(policy)


def independent(touchpoint: Touchpoint, policy: Policy) -> bool:
    """Whether what it posts depends on no other touchpoint.

    True for a kind without a saturation group that is neither incident nor recovery (an unknown
    kind posts nothing): its entry may be added to buckets and taken out of them by itself.
    """
    if touchpoint.kind in (INCIDENT, RECOVERY):
        return touchpoint.kind not in policy.kinds
    kind = policy.kinds.get(touchpoint.kind)
    return kind is None or kind.saturate is None
