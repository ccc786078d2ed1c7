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
    parts: dict[int, list[str]] = {}
    for key in sorted(know.keys() | care.keys()):
        half_life_days, quotient = key
        amounts = f'"{quotient}":[{know.get(key, 0)},{care.get(key, 0)}]'
        parts.setdefault(half_life_days, []).append(amounts)
    return f"{{{','.join(f'"{half_life}":{{{",".join(of)}}}' for half_life, of in parts.items())}}}"


def buckets_from_text(text: str, through_day: int) -> Buckets:
    """The buckets of a row; `through_day` as its column has it (THROUGH_DAY_NONE for none)."""
    day = None if through_day == THROUGH_DAY_NONE else through_day
    return Buckets.from_mapping(json.loads(text), day)


def through_day_of(buckets: Buckets) -> int:
    """The column's value for these buckets."""
    return THROUGH_DAY_NONE if buckets.through_day is None else buckets.through_day
