"""Latencies of an open loop, and what is said of many of them. Pure.

A caller that waits for an answer before it sends again leaves out what a slow server makes others
wait (coordinated omission). Here calls have a start they were meant to have, and a latency counts
from there, whether the call could be sent then or not.
"""

import math
from collections.abc import Sequence


def intended_starts(rate_per_s: float, count: int) -> list[float]:
    """Seconds from the beginning at which `count` calls at a steady rate are to start."""
    return [number / rate_per_s for number in range(count)]


def corrected(intended_s: Sequence[float], ended_s: Sequence[float]) -> list[float]:
    """Latencies in seconds from the intended starts; both counted from the same beginning."""
    return [end - start for start, end in zip(intended_s, ended_s, strict=True)]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (over 0, up to 1) of all do not exceed."""
    if not values or not 0 < share <= 1:
        raise ValueError("takes one value or more and a share over 0, up to 1")
    return sorted(values)[math.ceil(share * len(values)) - 1]
