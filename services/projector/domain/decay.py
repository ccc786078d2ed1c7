"""Decay in exact integers. Source: the domain contract, section 5, after forward decay
(Cormode, Shkapenyuk, Srivastava, Xu, ICDE 2009).
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Final

SCALE_BITS: Final = 40
# Digits of the decimal arithmetic; T_H needs 13 before the point, the rest tell a tie.
_DIGITS: Final = 60
_TIE_MARGIN: Final = Decimal(10) ** -30


@lru_cache(maxsize=512)
def decay_table(half_life_days: int) -> tuple[int, ...]:
    """T_H: 2^(r/H) x 2^40, rounded half to even, for r = 0 .. H-1 (H from 1 to 3650 days).

    Asserted for each: no value comes so close to the middle of two integers that its rounding
    could be the wrong one.
    """
    context = Context(prec=_DIGITS, rounding=ROUND_HALF_EVEN)
    ln_2 = context.ln(Decimal(2))
    scale = Decimal(1 << SCALE_BITS)
    table = [1 << SCALE_BITS]
    for r in range(1, half_life_days):
        exponent = context.divide(context.multiply(ln_2, Decimal(r)), Decimal(half_life_days))
        exact = context.multiply(context.exp(exponent), scale)
        rounded = exact.to_integral_value(ROUND_HALF_EVEN)
        assert abs(abs(exact - rounded) - Decimal("0.5")) > _TIE_MARGIN, "a tie cannot be told"
        table.append(int(rounded))
    return tuple(table)
