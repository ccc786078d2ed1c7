"""For which day and policy the standings of a tenant hold."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg

from services.projector.projections import policies
from services.projector.projections.statements import SQL, columns
from services.runtime.policy import Policy, choose_policy


@dataclass(frozen=True, slots=True)
class Terms:
    """The day and the policy that a tenant's balances and standings are kept for.

    `day_before`: the day they were kept for until now; None for a tenant seen first.
    """

    day: int
    policy: Policy
    day_before: int | None


class _Row(NamedTuple):
    """What is stored of a tenant."""

    day: int
    policy_hash: str
    built: bool


async def settle(
    conn: asyncpg.Connection,
    journal: str,
    tenants: Collection[str],
    today: int,
    *,
    adopting: bool = True,
) -> Mapping[str, Terms]:
    """The terms of tenants today, written down; the day never goes back.

    A new day or another policy leaves the tenant unbuilt: what the batch does not touch is brought
    there by the turn (`projections.turn`). `adopting`: False when nothing was adopted nor taken
    back since they were last settled, so that on the same day the same policy holds.
    """
    if not tenants:
        return {}
    rows = await conn.fetch(SQL["tenants_by_name"], journal, list(tenants))
    stored = {tenant: _Row(*row) for tenant, *row in rows}
    settled: dict[str, Terms] = {}
    if not adopting:
        for tenant, row in stored.items():
            known = policies.known(row.policy_hash)
            if row.day >= today and known is not None:
                settled[tenant] = Terms(row.day, known, row.day)
    left = sorted(set(tenants) - settled.keys())
    if not left:
        return settled
    adopted = await policies.adopted(conn, journal, left)
    changed = []
    for tenant in left:
        before = stored.get(tenant)
        day = today if before is None else max(today, before.day)
        policy = choose_policy(adopted.get(tenant, ()), day)
        same = before is not None and (before.day, before.policy_hash) == (day, policy.hash)
        built = before is None or (same and before.built)
        settled[tenant] = Terms(day, policy, None if before is None else before.day)
        if not same:
            changed.append((tenant, day, policy.hash, built))
    if changed:
        await conn.execute(SQL["put_tenants"], journal, *columns(changed, 4))
    return settled


async def mark_built(conn: asyncpg.Connection, journal: str, tenant: str, terms: Terms) -> None:
    """Note that all standings of a tenant hold for its terms."""
    await conn.execute(
        SQL["put_tenants"], journal, [tenant], [terms.day], [terms.policy.hash], [True]
    )
