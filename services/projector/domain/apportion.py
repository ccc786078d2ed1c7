"""Lines that add up: whole mp for exact values, with a total that was rounded elsewhere."""

from collections.abc import Sequence
from math import lcm
from typing import NamedTuple


class Share(NamedTuple):
    """A line's exact value, numerator / denominator (> 0, not reduced) in mp, and its event id."""

    numerator: int
    denominator: int
    event_id: str


def apportion(shares: Sequence[Share], total: int) -> list[int]:
    """Whole mp for each share, in the order given, that add up to `total` exactly.

    Each is floored (towards minus infinity), then 1 mp is added to those with the largest
    value - floor (ties: the smaller event id). `total` must be within 1 of the exact sum, as a
    rounded balance and the difference of two are. Such a difference can also be 1 less than the
    floors add up to; then 1 mp is taken from the line with the smallest value - floor (ties: the
    smaller event id).
    """
    floors = [share.numerator // share.denominator for share in shares]
    missing = total - sum(floors)
    if missing:
        step = 1 if missing > 0 else -1
        assert abs(missing) <= len(shares), "the total is not that of these lines"
        # Remainders over one denominator compare as integers.
        common = lcm(*{share.denominator for share in shares})

        def claim(index: int) -> tuple[int, str]:
            numerator, denominator, event_id = shares[index]
            return numerator % denominator * (common // denominator) * -step, event_id

        for index in sorted(range(len(shares)), key=claim)[: abs(missing)]:
            floors[index] += step
    assert sum(floors) == total, "lines add up"
    return floors
