"""Everything that follows from raw rows, folded once: who is who, what relationships are worth.

Pairs are folded in order, chunk after chunk, each chunk in a transaction of its own with its
standings: killed at any moment, it goes on after the last pair that has a balance.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Final

import asyncpg

from services.projector.domain.facts import Correction
from services.projector.projections import balances, links, parties, standings, tenants, touchpoints
from services.projector.projections.statements import SQL as PROJECTION_SQL
from services.projector.projections.statements import Named, PairKey, columns
from services.projector.projections.tenants import Terms
from services.projector.projections.touchpoints import History
from services.projector.versions.schema import SQL

CHUNK_PAIRS: Final = 1_000
_FIRST: Final = PairKey("", "", "")


async def who_is_who(conn: asyncpg.Connection, journal: str, today: int) -> Mapping[str, Terms]:
    """Settle terms, identities and descriptions; the terms of the journal's tenants."""
    async with conn.transaction():
        names = [row["tenant"] for row in await conn.fetch(SQL["tenants_of_journal"], journal)]
        terms = await tenants.settle(conn, journal, names, today)
        linked = await conn.fetch(SQL["linked_people"], journal)
        await links.settle(conn, journal, {Named(*row) for row in linked})
        described = [Named(*row) for row in await conn.fetch(SQL["described_parties"], journal)]
        for start in range(0, len(described), CHUNK_PAIRS):
            await parties.redescribe(conn, journal, described[start : start + CHUNK_PAIRS], terms)
    return terms


async def last_folded(conn: asyncpg.Connection, journal: str) -> PairKey:
    """The pair that folding has come to; before the first one when none is folded."""
    row = await conn.fetchrow(SQL["last_folded"], journal)
    return _FIRST if row is None else PairKey(*row)


async def chunks(
    conn: asyncpg.Connection, journal: str, after: PairKey
) -> AsyncIterator[list[PairKey]]:
    """The pairs to fold, in order, some at a time."""
    while True:
        rows = await conn.fetch(SQL["pairs_to_fold"], journal, *after, CHUNK_PAIRS)
        if not rows:
            return
        pairs = [PairKey(*row) for row in rows]
        yield pairs
        after = pairs[-1]


async def fold_pairs(
    conn: asyncpg.Connection, journal: str, terms: Mapping[str, Terms], pairs: Iterable[PairKey]
) -> int:
    """Balances of pairs, and the standings of those that nobody with several ids is part of.

    How many touchpoints that took.
    """
    histories = await touchpoints.histories(conn, journal, list(pairs))
    amended = {pair: found for pair, each in histories.items() if (found := _amended(each))}
    await touchpoints.restate(conn, journal, amended, histories)
    raw = {
        pair: balances.folded(history, terms[pair.tenant].policy)
        for pair, history in histories.items()
    }
    await balances.put(conn, journal, raw)
    canonical = await links.canonical_ids(conn, journal, standings.ends_of(raw))
    alone = [
        pair
        for pair in raw
        if Named(pair.tenant, pair.a) not in canonical
        and Named(pair.tenant, pair.b) not in canonical
    ]
    await standings.refresh(conn, journal, terms, alone, raw, linked=())
    return sum(len(history.originals) for history in histories.values())


async def stand_linked(conn: asyncpg.Connection, journal: str, terms: Mapping[str, Terms]) -> None:
    """The standings of humans with several ids, once all balances are there."""
    people = sorted({Named(*row) for row in await conn.fetch(SQL["linked_people"], journal)})
    for start in range(0, len(people), CHUNK_PAIRS):
        some = people[start : start + CHUNK_PAIRS]
        async with conn.transaction():
            rows = await conn.fetch(PROJECTION_SQL["pairs_of_people"], journal, *columns(some, 2))
            raw = [PairKey(*row) for row in rows]
            canonical = await links.canonical_ids(conn, journal, standings.ends_of(raw))
            pairs = {pair for key in raw if (pair := links.canonical_pair(canonical, key))}
            await standings.refresh(conn, journal, terms, pairs, {}, linked=links.humans(canonical))


def _amended(history: History) -> set[str]:
    """The touchpoints of a pair that anything amends."""
    targets = {
        each.replaces if isinstance(each, Correction) else each.target
        for each in history.amendments
    }
    return targets & history.originals.keys()
