"""A read in one statement: the same answer as in a transaction, or a transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.projector.queries.snapshot import SQL, Ahead, Snapshot, Views, ViewsBehind

AHEAD = Ahead("balances_of_pairs", (["people/a"], ["people/b"]))
ROW = {
    "position": 7,
    "day": 9000,
    "standings_policy_hash": "h",
    "built": True,
    "has_policies": None,
    "has_links": None,
    "policies": [],
    "a": "people/a",
    "b": "people/b",
}


class Postgres:
    """A pool of one connection that knows an answer to some statements, and what was asked."""

    def __init__(self, **row: Any) -> None:
        self.row = ROW | row
        self.asked: list[str] = []

    @asynccontextmanager
    async def acquire(self, *, timeout: float) -> AsyncIterator["Postgres"]:
        assert timeout
        yield self

    async def execute(self, query: str) -> str:
        self.asked.append(query.partition(" ")[0])
        return ""

    async def fetch(self, query: str, *_: object) -> list[Any]:
        self.asked.append(next(stem for stem in SQL if SQL[stem] is query))
        return [self.row]

    async def fetchrow(self, query: str, *binds: object) -> Any:
        return (await self.fetch(query, *binds))[0]


async def balances(snapshot: Snapshot) -> tuple[int, list[Any]]:
    return snapshot.position, await snapshot.fetch(AHEAD.stem, *AHEAD.binds)


async def policies(snapshot: Snapshot) -> list[Any]:
    await balances(snapshot)
    return await snapshot.fetch("policies", snapshot.position)


async def links(snapshot: Snapshot) -> list[Any]:
    await balances(snapshot)
    return await snapshot.fetch("links_of_people", ["people/a"], snapshot.position)


def views_of(postgres: Any) -> Views:
    return Views(postgres)


async def test_what_was_read_ahead_is_one_statement() -> None:
    postgres = Postgres()
    found = await views_of(postgres).read("main", "acme", balances, ahead=AHEAD)
    assert found == (7, [postgres.row])
    assert postgres.asked == ["open_with_balances_of_pairs"]


async def test_who_is_not_there_has_no_row() -> None:
    found = await views_of(Postgres(a=None)).read("main", "acme", balances, ahead=AHEAD)
    assert found == (7, [])


async def test_the_policies_of_now_come_along() -> None:
    postgres = Postgres(has_policies=True, policies=[(3, "id", "ours", 1, "h", 9000)])
    (row,) = await views_of(postgres).read("main", "acme", policies, ahead=AHEAD)
    assert (row["position"], row["name"], row["effective_from"]) == (3, "ours", 9000)
    assert postgres.asked == ["open_with_balances_of_pairs"]


async def test_whoever_asks_for_more_gets_a_transaction() -> None:
    postgres = Postgres()
    views = views_of(postgres)
    in_transaction = ["BEGIN", "open", "balances_of_pairs", "links_of_people", "COMMIT"]
    await views.read("main", "acme", links, ahead=AHEAD)
    assert postgres.asked == ["open_with_balances_of_pairs", *in_transaction]
    # Next time it may do.
    postgres.asked.clear()
    await views.read("main", "acme", balances, ahead=AHEAD)
    assert postgres.asked == ["open_with_balances_of_pairs"]


async def test_a_tenant_with_links_which_always_needs_more_is_not_asked_twice() -> None:
    postgres = Postgres(has_links=True)
    views = views_of(postgres)
    await views.read("main", "acme", links, ahead=AHEAD)
    postgres.asked.clear()
    await views.read("main", "acme", links, ahead=AHEAD)
    assert postgres.asked[0] == "BEGIN"
    postgres.asked.clear()
    await views.read("main", "other", balances, ahead=AHEAD)
    assert postgres.asked == ["open_with_balances_of_pairs"]


async def test_views_that_are_behind_are_told_of_before_any_work() -> None:
    with pytest.raises(ViewsBehind):
        await views_of(Postgres()).read("main", "acme", balances, min_position=8, ahead=AHEAD)
