"""The statements of the projections, by file stem, and the shapes they take and give.

Rows are looked up by keys from arrays, one index probe a key, in subqueries with OFFSET 0: these
the planner leaves as they are. Left to itself it reads whole tables while they have no statistics,
which is when a first import fills them.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from services.runtime.pg import load_sql

SQL: Final = load_sql("services.projector.projections.sql")


class PairKey(NamedTuple):
    """A relationship of a tenant, a < b: full names `people/{id}`."""

    tenant: str
    a: str
    b: str


class Named(NamedTuple):
    """A party, an event or whatever else has a name within a tenant."""

    tenant: str
    name: str


def columns(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """The rows as one list for each of their `width` columns, as unnest takes them."""
    found = [list(column) for column in zip(*rows, strict=True)]
    return found or [[] for _ in range(width)]
