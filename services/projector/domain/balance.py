"""A balance: two accounts, never one blended score. Source: the domain contract, section 5."""

from dataclasses import dataclass
from fractions import Fraction

from services.projector.domain.rounding import divide_half_even, round_half_even
from services.runtime.policy import Policy


@dataclass(frozen=True, slots=True)
class Balance:
    """Exact KNOW and CARE in mp. Balances add, as those of raw pairs do on read."""

    know: Fraction = Fraction(0)
    care: Fraction = Fraction(0)

    def __add__(self, other: "Balance") -> "Balance":
        return Balance(self.know + other.know, self.care + other.care)

    @property
    def know_mp(self) -> int:
        """KNOW, rounded once."""
        return round_half_even(self.know)

    @property
    def care_mp(self) -> int:
        """CARE, rounded once."""
        return round_half_even(self.care)

    def buffer(self, policy: Policy) -> Fraction:
        """The exact buffer in mp: CARE, and a share of KNOW between 0 and its cap (section 6)."""
        rule = policy.buffer
        know = min(max(self.know, Fraction(0)), Fraction(rule.know_cap))
        return self.care + know * rule.know_share / 1000

    def buffer_mp(self, policy: Policy) -> int:
        """The buffer, rounded once: in integers, which is much faster than through `buffer`."""
        know, care = self.know, self.care
        return buffer_mp(
            (know.numerator, know.denominator), (care.numerator, care.denominator), policy
        )


def buffer_mp(know: tuple[int, int], care: tuple[int, int], policy: Policy) -> int:
    """The buffer of two exact accounts, each a numerator and a denominator > 0, rounded once."""
    rule, (numerator, denominator) = policy.buffer, know
    if numerator <= 0:
        return divide_half_even(*care)
    if numerator > rule.know_cap * denominator:
        numerator, denominator = rule.know_cap, 1
    return divide_half_even(
        care[0] * denominator * 1000 + numerator * rule.know_share * care[1],
        care[1] * denominator * 1000,
    )
