"""Wilson's lower bound of a share (Wilson 1927), in integers."""

from math import isqrt

from services.projector.domain.rounding import divide_half_even


def wilson_lower_per_mille(successes: int, trials: int) -> int | None:
    """The lower bound at 95 % (z = 1.96), per mille, rounded once, half to even; None of no trials.

    ValueError unless 0 <= successes <= trials. With z = 49/25 the formula is

        (1250 s n + 2401 n - 49 sqrt(R)) / (2 n (625 n + 2401)),  R = n (2500 s (n - s) + 2401 n)

    where only the root may be irrational, and then nothing is half way between two integers.
    """
    if not 0 <= successes <= trials:
        raise ValueError("successes are between 0 and the trials")
    if trials == 0:
        return None
    radicand = trials * (2500 * successes * (trials - successes) + 2401 * trials)
    whole = 1000 * (1250 * successes * trials + 2401 * trials)
    denominator = 2 * trials * (625 * trials + 2401)
    root = isqrt(radicand)
    if root * root == radicand:
        return divide_half_even(whole - 49_000 * root, denominator)
    # floor(x + 1/2) of x = (whole - sqrt(49000^2 R)) / denominator: an irrational number lies
    # strictly between two integers, so its floor is one below minus the floor of the root.
    doubled_root = isqrt(98_000**2 * radicand)
    return (2 * whole + denominator - doubled_root - 1) // (2 * denominator)
