"""Care share: how much of the capital is care. Source: the domain contract, section 6."""

from dataclasses import dataclass
from fractions import Fraction

from services.projector.domain.measures.ratio import Ratio, ratio
from services.projector.domain.measures.view import RelationshipView


@dataclass(frozen=True, slots=True)
class CareShare:
    """CARE+ / (CARE+ + KNOW+), where + leaves a negative account out as 0.

    `know_only`: the figure is below the policy's threshold; None when there is no figure.
    """

    share: Ratio
    threshold: int
    know_only: bool | None


def care_share(view: RelationshipView) -> CareShare:
    """How much of what both accounts hold is care.

    The figure people see, the rounded one, is held against the threshold, so that nobody is shown
    200 and told it is below 200.
    """
    care = max(view.balance.care, Fraction(0))
    know = max(view.balance.know, Fraction(0))
    share = ratio(view, care, care + know)
    threshold = view.policy.measures.know_only_care_share
    figure = share.per_mille
    return CareShare(share, threshold, None if figure is None else figure < threshold)
