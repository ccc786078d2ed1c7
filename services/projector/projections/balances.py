"""Balances: the exact buckets of every raw pair, under the policy of its tenant.

A pair's row is brought over what changed among its touchpoints, reading only those that have a say
in it (`domain.changes`). It is folded again from the pair's whole history under another policy, and
when the last thing posted was taken back. Both give the same row.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import asyncpg

from services.projector.domain.buckets import Buckets
from services.projector.domain.changes import post, reach_of
from services.projector.domain.contact import contact_days
from services.projector.domain.entries import fold
from services.projector.domain.facts import Touchpoint
from services.projector.projections import neighbours, touchpoints
from services.projector.projections.statements import SQL, PairKey, columns
from services.projector.projections.tenants import Terms
from services.projector.projections.touchpoints import History
from services.projector.stored import buckets_from_text, text_from_buckets, through_day_of
from services.runtime.literals import numbers, texts
from services.runtime.policy import Policy


@dataclass(slots=True)
class RawBalance:
    """The row of one raw pair: its buckets, and the days with counted contact, ascending."""

    policy_hash: str
    buckets: Buckets
    contact_days: list[int]


async def load(
    conn: asyncpg.Connection, journal: str, pairs: Collection[PairKey]
) -> dict[PairKey, RawBalance]:
    """The balances of raw pairs, of those that have one."""
    rows = await conn.fetch(SQL["balances_of_pairs"], journal, *columns(pairs, 3))
    return {
        PairKey(tenant, a, b): RawBalance(policy_hash, buckets_from_text(text, through_day), days)
        for tenant, a, b, policy_hash, text, through_day, days in rows
    }


async def update(
    conn: asyncpg.Connection,
    journal: str,
    terms: Mapping[str, Terms],
    fresh: Mapping[PairKey, list[Touchpoint]],
    amended: Mapping[PairKey, Iterable[str]],
    *,
    incremental: bool = True,
) -> dict[PairKey, RawBalance]:
    """Bring the balances of the pairs that a batch touches to what it says; all of these.

    `fresh` are the touchpoints it brings, `amended` those that may stand otherwise, both by pair.
    `incremental=False` folds every pair again: for tests, which compare.
    """
    pairs = fresh.keys() | amended.keys()
    if not pairs:
        return {}
    found = await load(conn, journal, pairs)
    again: set[PairKey] = set()
    for pair in pairs:
        policy_hash = terms[pair.tenant].policy.hash
        row = found.get(pair)
        if row is None:
            found[pair] = RawBalance(policy_hash, Buckets(), [])
        elif row.policy_hash != policy_hash:
            again.add(pair)
    if not incremental:
        again |= pairs
    come = {pair: of for pair, of in fresh.items() if pair not in again}
    changed = {pair: ids for pair, ids in amended.items() if pair not in again}
    again |= await _advance(conn, journal, terms, found, come, changed)
    if again:
        left = {pair: ids for pair, ids in amended.items() if pair in again}
        found |= await fold_again(conn, journal, terms, again, left)
    await put(conn, journal, found)
    return found


async def _advance(
    conn: asyncpg.Connection,
    journal: str,
    terms: Mapping[str, Terms],
    rows: Mapping[PairKey, RawBalance],
    fresh: Mapping[PairKey, list[Touchpoint]],
    amended: Mapping[PairKey, Iterable[str]],
) -> set[PairKey]:
    """Bring rows over what changed; the pairs of which only their whole history can tell."""
    changed = await neighbours.changes(conn, journal, fresh, amended)
    reaches = {}
    for pair, change in changed.items():
        reach = reach_of(change, terms[pair.tenant].policy, rows[pair].buckets.through_day)
        if reach:
            reaches[pair] = reach
    others = await neighbours.others(conn, journal, changed, reaches, amended)
    again = set()
    for pair, change in changed.items():
        row, policy = rows[pair], terms[pair.tenant].policy
        if not post(change, others.get(pair, ()), policy, row.buckets, row.contact_days):
            again.add(pair)
    return again


async def fold_again(
    conn: asyncpg.Connection,
    journal: str,
    terms: Mapping[str, Terms],
    pairs: Collection[PairKey],
    amended: Mapping[PairKey, Iterable[str]],
) -> dict[PairKey, RawBalance]:
    """The balances of raw pairs from their histories, not yet written; restates the amended."""
    histories = await touchpoints.histories(conn, journal, pairs)
    await touchpoints.restate(conn, journal, amended, histories)
    return {pair: folded(history, terms[pair.tenant].policy) for pair, history in histories.items()}


async def put(
    conn: asyncpg.Connection, journal: str, balances: Mapping[PairKey, RawBalance]
) -> None:
    """Write balances."""
    if not balances:
        return
    tenants, a, b = zip(*balances, strict=True)
    rows = balances.values()
    await conn.execute(
        SQL["put_balances"],
        journal,
        texts(tenants),
        texts(a),
        texts(b),
        texts([row.policy_hash for row in rows]),
        texts([text_from_buckets(row.buckets) for row in rows]),
        numbers(through_day_of(row.buckets) for row in rows),
        texts([numbers(row.contact_days) for row in rows]),
    )


def folded(history: History, policy: Policy) -> RawBalance:
    """The balance that a pair's whole history makes under a policy."""
    effective = history.effective()
    return RawBalance(
        policy.hash,
        Buckets(fold(effective, policy).entries),
        list(contact_days(effective, policy)),
    )
