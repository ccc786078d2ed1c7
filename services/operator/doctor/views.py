"""The journal with the read models: checkpoint, counts, parked events, and every fold."""

from typing import Any, Final

import asyncpg

from services.operator.doctor.balances import Balances
from services.operator.doctor.facts import Seen
from services.operator.doctor.journal import SQL, JournalRow
from services.operator.doctor.parties import check_parties
from services.operator.doctor.report import Check, Difference, JournalReport, Verdict
from services.operator.doctor.rolling import RollingHash
from services.operator.doctor.terms import read_terms

PARKED_NAMED_MAX: Final = 20
_FACT_TABLES: Final = (
    "touchpoints",
    "amendments",
    "descriptions",
    "links",
    "policies",
    "other_facts",
    "parked",
)


async def check_checkpoint(
    conn: asyncpg.Connection, row: JournalRow, head: int, check: Check
) -> int | None:
    """The checkpoint; how far the read models are, None if nothing can be compared.

    `head` is the least they should have come to.
    """
    found = await conn.fetchrow(SQL["checkpoint"], row.journal)
    if found is None:
        if head:
            check.differ(Difference("the read models have not begun", None, "", head, None))
        return None
    position = int(found["position"])
    check.facts["checkpoint"] = position
    if found["incarnation"] != row.incarnation:
        what = "the read models are of another incarnation of the journal: rebuild the views"
        check.differ(Difference(what, None, "", row.incarnation, found["incarnation"]))
        return None
    if position > row.head:
        what = "the read models are ahead of the journal: it was restored; rebuild the views"
        check.differ(Difference(what, row.head + 1, "", row.head, position))
        return None
    if position < head:
        what = "the projector is behind the journal and does not get on"
        check.differ(Difference(what, position + 1, "", head, position))
    return position


async def check_kept(
    conn: asyncpg.Connection, row: JournalRow, position: int, check: Check
) -> None:
    """As many events in the read models as their checkpoint says, whichever they are."""
    counts = dict((await conn.fetchrow(SQL["view_counts"], row.journal)).items())
    check.facts |= counts
    kept = sum(counts[table] for table in _FACT_TABLES)
    if kept != position:
        what = "the read models do not keep as many events as their checkpoint says"
        check.differ(Difference(what, None, "", position, kept))


async def check_parked(conn: asyncpg.Connection, journal: str, check: Check) -> None:
    """List parked events: what they say is in no balance. A discarded one is meant not to be."""
    rows = await conn.fetch(SQL["parked"], journal, PARKED_NAMED_MAX)
    for row in rows:
        why = row["reason"]
        if row["discarded_by"] is not None:
            why = f"discarded by {row['discarded_by']}: {row['discarded_because']}"
        check.notes.append(
            f"position {row['position']}, event {row['event_id']} ({row['type']}): {why}"
        )
    if rows and rows[0]["discarded_by"] is None:
        what = "the event is parked, and in no read model: `rapport parked list`"
        check.differ(Difference(what, rows[0]["position"], f"event {rows[0]['event_id']}"))


async def check_folds(
    conn: asyncpg.Connection, row: JournalRow, seen: Seen, report: JournalReport, facts: Check
) -> None:
    """Compare everything that follows from the events, tenant by tenant."""
    tenants = report.check("tenants, policies and links")
    parties = report.check("parties")
    balances = report.check("balances and standings")
    if facts.verdict is not Verdict.CLEAN:
        for check in (tenants, parties, balances):
            check.skip("the events that the read models keep are not the journal's: see above")
        return
    rows = await conn.fetch(SQL["tenants"], row.journal)
    _compare_tenants(rows, seen, row, tenants)
    parties_hash, balances_hash = RollingHash(), RollingHash()
    touchpoints = stale = 0
    for found in rows:
        terms = await read_terms(conn, row.journal, found, tenants)
        if terms is None:
            continue
        rolled = await check_parties(conn, row.journal, terms, seen, parties)
        parties_hash.add(rolled.hex)
        parties.facts["parties"] = int(parties.facts.get("parties") or 0) + rolled.records
        work = Balances(conn, row.journal, terms, balances)
        if balances.difference is None:
            await work.run()
        balances_hash.add(work.rolling.hex)
        touchpoints, stale = touchpoints + work.touchpoints, stale + work.stale
    tenants.facts["tenants"] = len(rows)
    parties.facts["sha256"] = parties_hash.hex
    balances.facts |= {"touchpoints": touchpoints, "sha256": balances_hash.hex}
    if stale:
        balances.notes.append(f"{stale} standings are still on their way to their day and policy")


def _compare_tenants(rows: list[Any], seen: Seen, row: JournalRow, check: Check) -> None:
    found = {r["tenant"] for r in rows}
    if row.detached_through:
        return  # whose events are all detached is not known
    for tenant in sorted(found ^ seen.tenants):
        verb = "lacks a tenant with events" if tenant in seen.tenants else "has one without events"
        check.differ(Difference(f"tenants {verb}", None, f"tenant {tenant}"))
