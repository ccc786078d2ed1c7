"""A per-mille measure: its exact parts, one rounding, and why there may be no figure."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from services.projector.domain.measures.evidence import enough_evidence
from services.projector.domain.measures.view import RelationshipView
from services.projector.domain.rounding import round_half_even


class Said(StrEnum):
    """What a measure has to say; the first that applies, from below."""

    # A figure.
    KNOWN = "KNOWN"
    # The denominator is 0: there is nothing it could be a share of.
    NOTHING = "NOTHING"
    # Fewer contact-days than the policy asks for.
    TOO_LITTLE_EVIDENCE = "TOO_LITTLE_EVIDENCE"
    # Nobody described the person whose side it needs, or neither of the two is ours.
    NO_SIDE = "NO_SIDE"


@dataclass(frozen=True, slots=True)
class Ratio:
    """numerator / denominator, exactly (both 0 when `said` is NO_SIDE)."""

    numerator: int | Fraction
    denominator: int | Fraction
    said: Said

    @property
    def per_mille(self) -> int | None:
        """The figure people see, rounded once, half to even; None unless `said` is KNOWN."""
        exact = self.exact
        if self.said is not Said.KNOWN or exact is None:
            return None
        return round_half_even(exact * 1000)

    @property
    def exact(self) -> Fraction | None:
        """The exact value whatever the evidence, for rules that bring a threshold of their own.

        None when the denominator is 0.
        """
        if not self.denominator:
            return None
        return Fraction(self.numerator) / Fraction(self.denominator)


NO_SIDE = Ratio(0, 0, Said.NO_SIDE)


def ratio(view: RelationshipView, numerator: int | Fraction, denominator: int | Fraction) -> Ratio:
    """A ratio of this relationship."""
    said = Said.KNOWN if denominator else Said.NOTHING
    if not enough_evidence(view):
        said = Said.TOO_LITTLE_EVIDENCE
    return Ratio(numerator, denominator, said)
