"""The turn of the day, and of the policy: bring all standings of a tenant to its terms.

Works in chunks, each a transaction of its own under the lock of the checkpoint, and keeps no state
but the rows themselves: killed at any moment, or after days without running, it goes on from what
is stale.
"""

from dataclasses import dataclass
from typing import Final

import asyncpg

from services.projector.projections import (
    balances,
    checkpoint,
    links,
    parties,
    standings,
    tenants,
)
from services.projector.projections.standings import ends_of
from services.projector.projections.statements import SQL, PairKey

CHUNK_PAIRS: Final = 500


@dataclass(frozen=True, slots=True)
class Turned:
    """What a chunk did: how many rows of which tenant, and whether that is built now."""

    tenant: str
    rows: int
    built: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How many standings of a tenant hold for its day and policy, of how many."""

    tenant: str
    done: int
    total: int


async def turn_chunk(
    conn: asyncpg.Connection, journal: str, *, today: int, limit: int = CHUNK_PAIRS
) -> Turned | None:
    """Do one chunk of at most `limit` pairs; None when every tenant's standings are there.

    A standing of another policy brings the balances below it to the tenant's policy. Last come the
    balances that no standing is made of: of pairs whose two ends are one human. Raises the errors
    of the database, after which it may be tried again.
    """
    async with conn.transaction():
        if await checkpoint.lock(conn, journal) is None:
            return None
        tenant = await conn.fetchval(SQL["tenant_to_turn"], journal, today)
        if tenant is None:
            return None
        terms = await tenants.settle(conn, journal, [tenant], today)
        term = terms[tenant]
        assert term.day_before is not None, "its row was just read"
        if term.day_before < term.day:
            await parties.redescribe_since(conn, journal, tenant, terms)
        policy_hash = term.policy.hash
        rows = await conn.fetch(
            SQL["stale_standings"], journal, tenant, term.day, policy_hash, limit
        )
        if rows:
            pairs = [PairKey(tenant, a, b) for a, b in rows]
            canonical = await links.canonical_ids(conn, journal, ends_of(pairs))
            linked = links.humans(canonical)
            await standings.refresh(conn, journal, terms, pairs, {}, linked=linked)
            return Turned(tenant, len(rows), False)
        rows = await conn.fetch(SQL["stale_balances"], journal, tenant, policy_hash, limit)
        if rows:
            raw = [PairKey(tenant, a, b) for a, b in rows]
            folded = await balances.fold_again(conn, journal, terms, raw, {})
            await balances.put(conn, journal, folded)
            return Turned(tenant, len(rows), False)
        await tenants.mark_built(conn, journal, tenant, term)
        return Turned(tenant, 0, True)


async def progress(conn: asyncpg.Connection, journal: str) -> list[Progress]:
    """How far the tenants are that are not built, by name. Counts rows: not for every query."""
    return [Progress(*row) for row in await conn.fetch(SQL["turn_progress"], journal)]
