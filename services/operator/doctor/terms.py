"""What a tenant's balances are kept for: the day, the policy, who is whom. Computed afresh."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from services.operator.doctor.journal import SQL
from services.operator.doctor.report import Check, Difference
from services.projector.domain.facts import Void
from services.projector.domain.identity import Identities, Link, Unlink, identities
from services.runtime.policy import AdoptedPolicy, Policy, choose_policy, default_policy


@dataclass(frozen=True, slots=True)
class Terms:
    """A tenant's day and policy; every policy it ever adopted, by hash; its humans.

    `built`: whether every balance and standing is to hold for that day and policy by now.
    """

    tenant: str
    day: int
    policy: Policy
    built: bool
    policies: Mapping[str, Policy]
    people: Identities


async def read_terms(
    conn: asyncpg.Connection, journal: str, row: Any, check: Check
) -> Terms | None:
    """The terms that a row of views.tenants should have; None after a difference."""
    tenant = row["tenant"]
    policies = {default_policy().hash: default_policy()}
    adopted = []
    for found in await conn.fetch(SQL["policies_of_tenant"], journal, tenant):
        policy = Policy.parse_json(found["policy_json"])
        policies[policy.hash] = policy
        if not found["voided"]:
            adopted.append(AdoptedPolicy(policy, found["position"]))
    policy = choose_policy(adopted, row["day"])
    if row["policy_hash"] != policy.hash:
        what = "the tenant's balances are kept for another policy than the one in force"
        found_hash = row["policy_hash"]
        check.differ(Difference(what, None, f"tenant {tenant}", policy.hash, found_hash))
        return None
    people = await _people(conn, journal, tenant)
    if not await _identities_agree(conn, journal, tenant, people, check):
        return None
    return Terms(tenant, row["day"], policy, row["built"], policies, people)


async def _people(conn: asyncpg.Connection, journal: str, tenant: str) -> Identities:
    facts: list[Link | Unlink | Void] = [
        Link(
            event_id=row["event_id"], position=row["position"], a=row["a"], b=row["b"], strong=True
        )
        for row in await conn.fetch(SQL["links_of_tenant"], journal, tenant)
    ]
    if facts:
        for row in await conn.fetch(SQL["link_amendments_of_tenant"], journal, tenant):
            event_id, position, target = row["event_id"], row["position"], row["target"]
            if row["role"] == "V":
                facts.append(Void(event_id=event_id, position=position, target=target))
            else:
                facts.append(Unlink(event_id=event_id, position=position, ends=target))
    sides = {
        row["party"]: row["side"]
        for row in (
            await conn.fetch(SQL["linked_sides_of_tenant"], journal, tenant) if facts else ()
        )
        if row["side"]
    }
    return identities(facts, sides=sides)


async def _identities_agree(
    conn: asyncpg.Connection, journal: str, tenant: str, people: Identities, check: Check
) -> bool:
    rows = await conn.fetch(SQL["identities_of_tenant"], journal, tenant)
    found = {row["person"]: row["canonical"] for row in rows}
    for person in sorted(found.keys() | people.canonical_of.keys()):
        here, there = people.canonical_of.get(person), found.get(person)
        if here != there:
            what = "identities has another canonical id"
            check.differ(Difference(what, None, f"tenant {tenant}, {person}", here, there))
            return False
    return True
