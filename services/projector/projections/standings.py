"""Standings: the balance of every canonical pair on its tenant's day, for lists.

A human's ids are added up here: sums are kept for each raw pair, so that an unlink restores both
sides exactly. A pair whose two ends are one human has no standing.
"""

from collections.abc import Collection, Mapping

import asyncpg

from services.projector.domain.balance import Balance, buffer_mp
from services.projector.domain.buckets import Buckets, Ratio
from services.projector.domain.entries import fold
from services.projector.domain.facts import pair_of
from services.projector.domain.rounding import divide_half_even
from services.projector.projections import balances, links, touchpoints
from services.projector.projections.balances import RawBalance
from services.projector.projections.links import Changed, canonical_pair
from services.projector.projections.statements import SQL, Named, PairKey, columns
from services.projector.projections.tenants import Terms
from services.runtime.literals import numbers, numbers_or_null, texts


async def update(
    conn: asyncpg.Connection,
    journal: str,
    terms: Mapping[str, Terms],
    touched: Mapping[PairKey, RawBalance],
    changed: Changed,
) -> None:
    """Bring the standings to balances that changed and to humans that changed."""
    raw = set(touched)
    if changed.canonical_before:
        people = sorted(changed.canonical_before)
        rows = await conn.fetch(SQL["pairs_of_people"], journal, *columns(people, 2))
        raw |= {PairKey(*row) for row in rows}
    if not raw:
        return
    canonical = await links.canonical_ids(conn, journal, ends_of(raw))
    now = raw
    if canonical:
        now = {pair for key in raw if (pair := canonical_pair(canonical, key)) is not None}
    if changed.canonical_before:
        before = {**canonical, **changed.canonical_before}
        then = {pair for key in raw if (pair := canonical_pair(before, key)) is not None}
        gone = sorted(then - now)
        await conn.execute(SQL["delete_standings"], journal, *columns(gone, 3))
    await refresh(conn, journal, terms, now, touched, linked=links.humans(canonical))


async def refresh(
    conn: asyncpg.Connection,
    journal: str,
    terms: Mapping[str, Terms],
    pairs: Collection[PairKey],
    known: Mapping[PairKey, RawBalance],
    *,
    linked: Collection[Named],
) -> None:
    """Compute the standings of canonical pairs; `known` are balances already at hand.

    `linked`: those of their ends who have several ids, by canonical id. Balances of another policy
    than the tenant's are brought to that on the way.
    """
    if not pairs:
        return
    sources = {pair: [pair] for pair in pairs}
    if linked:
        members = await links.members(conn, journal, linked)
        for pair in pairs:
            if Named(pair.tenant, pair.a) in members or Named(pair.tenant, pair.b) in members:
                sources[pair] = _raw_pairs(pair, members)
    raw = {key: balance for key, balance in known.items() if _current(key, balance, terms)}
    wanted = {key for keys in sources.values() for key in keys if key not in raw}
    if wanted:
        loaded = await balances.load(conn, journal, wanted)
        stale = {k for k, balance in loaded.items() if not _current(k, balance, terms)}
        if stale:
            folded = await balances.fold_again(conn, journal, terms, stale, {})
            await balances.put(conn, journal, folded)
            loaded |= folded
        raw |= loaded
    late = {k for k in raw if (day := raw[k].buckets.through_day) and day > terms[k.tenant].day}
    on_day = await _fold_on_day(conn, journal, terms, late) if late else {}
    rows = [
        _row(pair, terms[pair.tenant], [key for key in keys if key in raw], raw, on_day)
        for pair, keys in sources.items()
    ]
    tenants, a, b, days, policies, know, care, buffer, count, first, last = zip(*rows, strict=True)
    await conn.execute(
        SQL["put_standings"],
        journal,
        texts(tenants),
        texts(a),
        texts(b),
        numbers(days),
        texts(policies),
        numbers(know),
        numbers(care),
        numbers(buffer),
        numbers(count),
        numbers_or_null(first),
        numbers_or_null(last),
    )


async def _fold_on_day(
    conn: asyncpg.Connection, journal: str, terms: Mapping[str, Terms], pairs: Collection[PairKey]
) -> dict[PairKey, Balance]:
    """Balances on the tenant's day of pairs whose buckets hold later days."""
    histories = await touchpoints.histories(conn, journal, pairs)
    return {
        pair: Buckets(
            fold(history.effective(), terms[pair.tenant].policy, terms[pair.tenant].day).entries
        ).balance(terms[pair.tenant].day)
        for pair, history in histories.items()
    }


def _row(
    pair: PairKey,
    terms: Terms,
    sources: list[PairKey],
    raw: Mapping[PairKey, RawBalance],
    on_day: Mapping[PairKey, Balance],
) -> tuple[str, str, str, int, str, int, int, int, int, int | None, int | None]:
    assert sources, "a canonical pair is made of raw ones"
    if len(sources) == 1:
        (source,) = sources
        days = raw[source].contact_days
    else:
        days = sorted({day for source in sources for day in raw[source].contact_days})
    if days and days[-1] > terms.day:
        days = [day for day in days if day <= terms.day]
    know, care = _values(sources, terms.day, raw, on_day)
    return (
        *pair,
        terms.day,
        terms.policy.hash,
        divide_half_even(*know),
        divide_half_even(*care),
        buffer_mp(know, care, terms.policy),
        len(days),
        days[0] if days else None,
        days[-1] if days else None,
    )


def _values(
    sources: list[PairKey],
    day: int,
    raw: Mapping[PairKey, RawBalance],
    on_day: Mapping[PairKey, Balance],
) -> tuple[Ratio, Ratio]:
    """The exact KNOW and CARE of a canonical pair on a day."""
    if len(sources) == 1 and sources[0] not in on_day:
        return raw[sources[0]].buckets.values(day)
    balance = Balance()
    for source in sources:
        balance += on_day.get(source) or raw[source].buckets.balance(day)
    know, care = balance.know, balance.care
    return (know.numerator, know.denominator), (care.numerator, care.denominator)


def ends_of(pairs: Collection[PairKey]) -> set[Named]:
    """The people of pairs."""
    # Plain tuples first: most people are in several pairs, and a named one costs ten of them.
    ends = {(tenant, a) for tenant, a, _ in pairs} | {(tenant, b) for tenant, _, b in pairs}
    return {Named(*end) for end in ends}


def _current(pair: PairKey, balance: RawBalance, terms: Mapping[str, Terms]) -> bool:
    return balance.policy_hash == terms[pair.tenant].policy.hash


def _raw_pairs(pair: PairKey, members: Mapping[Named, list[str]]) -> list[PairKey]:
    of_a = members.get(Named(pair.tenant, pair.a), [pair.a])
    of_b = members.get(Named(pair.tenant, pair.b), [pair.b])
    return sorted(PairKey(pair.tenant, *pair_of(a, b)) for a in of_a for b in of_b)
