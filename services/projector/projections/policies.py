"""Which policy holds for a tenant on a day."""

from collections.abc import Collection, Mapping
from typing import Final

import asyncpg

from services.projector.projections.arrivals import Arrivals
from services.projector.projections.statements import SQL, columns
from services.runtime.policy import AdoptedPolicy, Policy, default_policy

# Documents kept parsed, by hash: a policy never changes. Beyond it, all are forgotten.
_PARSED_MAX: Final = 256
_parsed: Final[dict[str, Policy]] = {}


async def insert(conn: asyncpg.Connection, journal: str, arrivals: Arrivals) -> None:
    """Add the adoptions of a batch."""
    if not arrivals.policies:
        return
    rows = [
        (
            adoption.event.tenant,
            adoption.event.position,
            adoption.event.event_id,
            adoption.event.recorded_at_us,
            adoption.policy.name,
            adoption.policy.version,
            adoption.policy.hash,
            adoption.policy.effective_from,
            adoption.policy_json,
            adoption.event.payload,
        )
        for adoption in arrivals.policies
    ]
    await conn.execute(SQL["insert_policies"], journal, *columns(rows, 10))


async def adopted(
    conn: asyncpg.Connection, journal: str, tenants: Collection[str]
) -> Mapping[str, list[AdoptedPolicy]]:
    """The policies that tenants adopted and did not take back; nothing for who has none."""
    found: dict[str, list[AdoptedPolicy]] = {}
    for tenant, position, policy_hash in await conn.fetch(
        SQL["policies_of_tenants"], journal, list(tenants)
    ):
        policy = await _policy(conn, journal, tenant, position, policy_hash)
        found.setdefault(tenant, []).append(AdoptedPolicy(policy, position))
    return found


def known(policy_hash: str) -> Policy | None:
    """The policy of a hash, if it is at hand."""
    if policy_hash == default_policy().hash:
        return default_policy()
    return _parsed.get(policy_hash)


async def _policy(
    conn: asyncpg.Connection, journal: str, tenant: str, position: int, policy_hash: str
) -> Policy:
    policy = known(policy_hash)
    if policy is None:
        text = await conn.fetchval(SQL["policy_document"], journal, tenant, position)
        policy = Policy.parse_json(text)
        if len(_parsed) >= _PARSED_MAX:
            _parsed.clear()
        _parsed[policy_hash] = policy
    return policy
