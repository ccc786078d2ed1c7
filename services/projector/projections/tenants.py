"""For which day and policy the standings of a tenant hold."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

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
    built: bool
    day_before: int | None


async def settle(
    conn: asyncpg.Connection, journal: str, tenants: Collection[str], today: int
) -> Mapping[str, Terms]:
    """The terms of tenants today, written down; the day never goes back.

    A new day or another policy leaves the tenant unbuilt: what the batch does not touch is brought
    there by the turn (`projections.turn`).
    """
    if not tenants:
        return {}
    rows = await conn.fetch(SQL["tenants_by_name"], journal, list(tenants))
    stored = {row["tenant"]: row for row in rows}
    adopted = await policies.adopted(conn, journal, tenants)
    settled: dict[str, Terms] = {}
    changed = []
    for tenant in sorted(tenants):
        row = stored.get(tenant)
        day = today if row is None else max(today, row["day"])
        policy = choose_policy(adopted.get(tenant, ()), day)
        same = row is not None and (row["day"], row["policy_hash"]) == (day, policy.hash)
        built = row is None or (same and row["built"])
        settled[tenant] = Terms(day, policy, built, None if row is None else row["day"])
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
