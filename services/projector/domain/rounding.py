"""Rounding: half to even, the only way this domain rounds."""

from fractions import Fraction


def divide_half_even(numerator: int, denominator: int) -> int:
    """The integer nearest to numerator / denominator (> 0); of two equally near, the even one."""
    quotient, remainder = divmod(numerator, denominator)
    doubled = remainder * 2
    if doubled > denominator or (doubled == denominator and quotient & 1):
        return quotient + 1
    return quotient


def round_half_even(value: Fraction) -> int:
    """The integer nearest to a fraction; of two equally near, the even one."""
    return divide_half_even(value.numerator, value.denominator)


def ceiling(value: Fraction) -> int:
    """The smallest integer not below a fraction."""
    return -(-value.numerator // value.denominator)
