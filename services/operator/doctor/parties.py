"""Parties: everybody whom an event names, with the description in force on the tenant's day."""

from typing import Any

import asyncpg

from services.operator.doctor.facts import Seen, rows_of
from services.operator.doctor.report import Check, Difference, Fact
from services.operator.doctor.rolling import RollingHash
from services.operator.doctor.terms import Terms
from services.runtime.clock import US_PER_DAY


async def check_parties(
    conn: asyncpg.Connection, journal: str, terms: Terms, seen: Seen, check: Check
) -> RollingHash:
    """Compare the parties of a tenant until the first difference."""
    rolling = RollingHash()
    tenant = terms.tenant
    named = {name: at for (of, name), at in seen.named.items() if of == tenant}
    before_us = (terms.day + 1) * US_PER_DAY
    async for row in rows_of(conn, "parties", journal, tenant, before_us):
        party = row["party"]
        position = _earlier(row["named_position"], named.pop(party, None))
        expected: dict[str, Fact] = {
            "first_position": position,
            "erased": (tenant, party) in seen.erased,
            "side": row["expected_side"],
            "team": row["expected_team"],
            "tier": row["expected_tier"],
            "described_by": row["expected_described_by"],
        }
        where = f"tenant {tenant}, {party}"
        if position is None:
            check.differ(Difference("parties has one whom no event names", None, where))
        elif not row["noted"]:
            check.differ(Difference("parties lacks one whom an event names", position, where))
        else:
            _compare(row, expected, where, check)
        if check.difference is not None:
            return rolling
        rolling.add(tenant, party, *(str(row[name]) for name in expected))
    for party in sorted(named):
        what, where = "parties lacks one whom an event names", f"tenant {tenant}, {party}"
        check.differ(Difference(what, named[party], where))
    return rolling


def _compare(row: Any, expected: dict[str, Fact], where: str, check: Check) -> None:
    for name, value in expected.items():
        if row[name] != value:
            what = f"parties.{name} is not what the events say"
            check.differ(Difference(what, None, where, value, row[name]))
            return


def _earlier(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
