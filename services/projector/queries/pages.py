"""Pages that an answer can carry."""

from collections.abc import Callable, Sequence
from typing import Any

from services.runtime.limits import PAGE_BYTES_MAX


def within_bytes(rows: Sequence[Any], bytes_of: Callable[[Any], int]) -> Sequence[Any]:
    """The first rows that are PAGE_BYTES_MAX together; the first one whatever its size."""
    total = 0
    for index, row in enumerate(rows):
        total += bytes_of(row)
        if index and total > PAGE_BYTES_MAX:
            return rows[:index]
    return rows
