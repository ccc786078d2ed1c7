"""The key store with the journals: who was erased has no key, and an event that says so."""

from collections.abc import Sequence
from typing import Any

import asyncpg
from google.protobuf.message import DecodeError
from rapport.events.v1 import people_pb2

from services.operator.doctor.journal import SQL
from services.operator.doctor.report import Check, Difference
from services.runtime.vault.master import MasterKeys


async def check_keys(
    journal_conn: asyncpg.Connection,
    vault_conn: asyncpg.Connection,
    journals: Sequence[str],
    all_journals: bool,
    master_keys: MasterKeys | None,
    check: Check,
) -> None:
    """Compare every erasure both ways, and the master keys with those that wrap keys.

    `all_journals`: whether an erased subject of a tenant in none of `journals` is one of nobody's.
    Erasures are rare: all of them are in memory at once.
    """
    tenants = {
        row["tenant"]: row["journal"]
        for row in await journal_conn.fetch(SQL["tenants_of_journals"], list(journals))
    }
    events = await _events(journal_conn, journals, check)
    listed = {
        (row["tenant"], row["subject"]): row
        for row in await vault_conn.fetch(SQL["erased_subjects"])
    }
    check.facts |= {"erased": len(listed), "subject_erased_events": len(events)}
    for (tenant, subject), row in events.items():
        where = f"tenant {tenant}, {subject}"
        if (tenant, subject) not in listed:
            what = "SubjectErased is recorded and the key store does not list the erasure"
            check.differ(Difference(what, row["position"], where))
    for (tenant, subject), row in listed.items():
        if tenant not in tenants and not all_journals:
            continue
        where = f"tenant {tenant}, {subject}"
        if row["has_key"]:
            check.differ(Difference("a key is there that an erasure destroyed", None, where))
        if tenant not in tenants:
            check.notes.append(f"{where} is erased, and no journal has the tenant")
        elif (tenant, subject) not in events:
            what = "the key store lists an erasure and the journal has no SubjectErased of it"
            check.differ(Difference(what, None, where, row["event_id"], None))
    await _check_master_keys(vault_conn, master_keys, check)


async def _events(
    conn: asyncpg.Connection, journals: Sequence[str], check: Check
) -> dict[tuple[str, str], Any]:
    found: dict[tuple[str, str], Any] = {}
    for row in await conn.fetch(SQL["erasure_events"], list(journals)):
        try:
            subject = people_pb2.SubjectErased.FromString(row["payload"]).subject
        except DecodeError:
            what = "a SubjectErased cannot be read"
            check.differ(Difference(what, row["position"], f"event {row['event_id']}"))
            continue
        found.setdefault((row["tenant"], subject), row)
    return found


async def _check_master_keys(
    conn: asyncpg.Connection, master_keys: MasterKeys | None, check: Check
) -> None:
    rows = await conn.fetch(SQL["keys_by_master"])
    check.facts["keys"] = sum(row["keys"] for row in rows)
    if master_keys is None:
        check.notes.append("no master key was given: which keys can be opened was not looked at")
        return
    for row in rows:
        if row["master_key_id"] not in master_keys.ids:
            what = f"{row['keys']} keys are wrapped by a master key that is not among those given"
            check.differ(Difference(what, None, f"master key {row['master_key_id']}"))
