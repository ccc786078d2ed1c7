"""After the schema `journal` was restored from a backup: `rapport journal restored`."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid5

import asyncpg
from google.protobuf.timestamp_pb2 import Timestamp
from rapport.events.v1 import people_pb2

from services.ledger.domain.events import SUBJECT_ERASED, Batch, NewRecord
from services.ledger.journal.outcomes import AppendRefused, EventIdTaken, OutcomeUnknown
from services.ledger.journal.store import Journal
from services.operator import connecting
from services.operator.config import Installation
from services.operator.outcomes import Refused, Unavailable
from services.runtime.clock import timestamp_from_instant
from services.runtime.pg import create_pool, load_sql
from services.runtime.vault.store import Erasure, Vault

SQL: Final = load_sql("services.operator.sql")

PRINCIPAL: Final = "services/rapport-operator"
SCHEMA_VERSION: Final = 1
_POOL_TIMEOUT_MS: Final = 60_000


@dataclass(slots=True)
class Restored:
    """What `restored` did.

    incarnations: the new one by journal. recorded: SubjectErased events appended because the
    backup was older than the erasure. listed: erasures that the journal knew and the key store did
    not, applied now. destroyed: keys of erased subjects that were there again. orphaned: erasures
    of tenants that no journal has (any more), as (tenant, subject).
    """

    incarnations: dict[str, str] = field(default_factory=dict)
    recorded: list[str] = field(default_factory=list)
    listed: int = 0
    destroyed: int = 0
    orphaned: list[tuple[str, str]] = field(default_factory=list)


async def restored(installation: Installation, journal: str | None = None) -> Restored:
    """Make a restored journal safe to go on with; all journals, unless one is named.

    First a new incarnation, at which relay and projector stop until stream and views are rebuilt;
    then the erasures, both ways. May be run again: it records no erasure twice, and stream and
    views then have to be rebuilt again. Raises Refused, Usage, Unavailable.
    """
    done = Restored()
    async with (
        connecting.postgres(installation.owner_dsn, "RAPPORT_POSTGRES_DSN") as owner,
        connecting.pool(installation.vault_dsn, "RAPPORT_VAULT_DSN") as vault_pool,
    ):
        names = [row["journal"] for row in await owner.fetch(SQL["journals"])]
        if journal is not None:
            if journal not in names:
                raise Refused(f"there is no journal {journal}")
            names = [journal]
        vault = Vault(vault_pool, installation.master_keys())
        done.incarnations = await _renew(owner, names)
        ledger = await _journal(installation)
        try:
            await _apply_known_to_journals(ledger, names, vault, done)
            done.destroyed = await vault.reapply_erasures()
            await _record_known_to_key_store(ledger, names, journal is None, vault, done)
        except OutcomeUnknown as error:
            raise Unavailable(f"run it again: {error}") from error
        except AppendRefused as error:
            raise Refused(f"SubjectErased cannot be recorded: {error}") from error
        finally:
            await ledger.close()
    return done


async def _journal(installation: Installation) -> Journal:
    async with connecting.postgres(installation.journal_dsn, "RAPPORT_JOURNAL_DSN"):
        pass  # says why it cannot be reached
    pools = [
        await create_pool(
            installation.journal_dsn,
            application_name=connecting.APPLICATION,
            size_min=0,
            size_max=2,
            statement_timeout_ms=_POOL_TIMEOUT_MS,
            lock_timeout_ms=_POOL_TIMEOUT_MS,
            idle_in_transaction_timeout_ms=_POOL_TIMEOUT_MS,
        )
        for _ in range(2)
    ]
    journal = Journal(*pools)
    await journal.start()
    return journal


async def _apply_known_to_journals(
    ledger: Journal, names: Sequence[str], vault: Vault, done: Restored
) -> None:
    """Erasures the journals know: an older key store may not list them."""
    listed = {(erasure.tenant, erasure.subject) async for erasure in vault.erased()}
    for name in names:
        async for event in ledger.erasures(name):
            subject = people_pb2.SubjectErased.FromString(event.payload).subject
            if (event.tenant, subject) not in listed:
                await vault.erase(event.tenant, subject, UUID(event.event_id))
                listed.add((event.tenant, subject))
                done.listed += 1


async def _record_known_to_key_store(
    ledger: Journal, names: Sequence[str], all_journals: bool, vault: Vault, done: Restored
) -> None:
    """Erasures the key store lists: an older journal may have no event of them."""
    known = set()
    for name in names:
        async for event in ledger.erasures(name):
            subject = people_pb2.SubjectErased.FromString(event.payload).subject
            known.add((event.tenant, subject))
    async for erasure in vault.erased():
        if (erasure.tenant, erasure.subject) in known:
            continue
        tenant = await ledger.tenant(erasure.tenant)
        if tenant is None:
            if all_journals:
                done.orphaned.append((erasure.tenant, erasure.subject))
            continue
        if tenant.journal in names:
            done.recorded.append(await _record(ledger, tenant.journal, erasure))


async def _record(ledger: Journal, journal: str, erasure: Erasure) -> str:
    """Record an erasure's event under its own id again; under one derived from that, as the ledger
    does, when the restored journal gave the id to something else meanwhile."""
    first = erasure.event_id
    for event_id in (first, uuid5(first, erasure.subject)):
        record = _erased_record(erasure, str(event_id))
        try:
            await ledger.append(Batch(journal, erasure.tenant, PRINCIPAL, False, (record,)))
        except EventIdTaken:
            continue
        return record.event_id
    raise Refused(f"the event ids of an erasure of tenant {erasure.tenant} are taken")


def _erased_record(erasure: Erasure, event_id: str) -> NewRecord:
    seconds, nanos = timestamp_from_instant(erasure.erased_at_us)
    payload = people_pb2.SubjectErased(
        subject=erasure.subject, erased_at=Timestamp(seconds=seconds, nanos=nanos)
    ).SerializeToString(deterministic=True)
    return NewRecord(
        event_id=event_id,
        type=SUBJECT_ERASED,
        home=erasure.subject,
        kind=None,
        occurred_at_us=None,
        expected_revision=None,
        correlation_id="",
        causation_id="",
        schema_version=SCHEMA_VERSION,
        payload=payload,
        payload_sha256=hashlib.sha256(payload).digest(),
    )


async def _renew(owner: asyncpg.Connection, names: Sequence[str]) -> dict[str, str]:
    try:
        rows = await owner.fetch(SQL["renew_incarnations"], list(names))
    except asyncpg.InsufficientPrivilegeError as error:
        raise Refused(
            f"RAPPORT_POSTGRES_DSN has to be the owner of the schema journal: {error}"
        ) from error
    return {row["journal"]: row["incarnation"] for row in rows}
