"""The text that a balances row keeps of exact buckets, and back.

The text is the same for the same buckets: half-lives and quotients ascending, no spaces, both
accounts of a bucket together. Amounts are integers of any size, which JSON in Python keeps.
"""

import json
from typing import Final

from services.projector.domain.buckets import Buckets

# through_day of a row in which nothing was posted: the least integer, so it answers every day.
THROUGH_DAY_NONE: Final = -(2**31)


def text_from_buckets(buckets: Buckets) -> str:
    """`{"half-life": {"q": [know, care]}}`; a bucket that is zero on both accounts is left out."""
    know, care = buckets.know, buckets.care
    by_half_life: dict[int, list[str]] = {}
    for key in sorted(know.keys() | care.keys()):
        half_life_days, quotient = key
        by_half_life.setdefault(half_life_days, []).append(
            f'"{quotient}":[{know.get(key, 0)},{care.get(key, 0)}]'
        )
    inner = (f'"{days}":{{{",".join(parts)}}}' for days, parts in by_half_life.items())
    return f"{{{','.join(inner)}}}"


def buckets_from_text(text: str, through_day: int) -> Buckets:
    """The buckets of a row; `through_day` as its column has it (THROUGH_DAY_NONE for none)."""
    buckets = Buckets()
    for half_life, quotients in json.loads(text).items():
        half_life_days = int(half_life)
        for quotient, (know, care) in quotients.items():
            key = half_life_days, int(quotient)
            if know:
                buckets.know[key] = know
            if care:
                buckets.care[key] = care
    buckets.through_day = None if through_day == THROUGH_DAY_NONE else through_day
    return buckets


def through_day_of(buckets: Buckets) -> int:
    """The column's value for these buckets."""
    return THROUGH_DAY_NONE if buckets.through_day is None else buckets.through_day
