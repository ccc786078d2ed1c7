"""The key store in Postgres: keys of subjects, erasure, rotation of the master key.

Keys are read for every call and never kept between calls. A cached key would go on opening texts
after another replica erased its subject, and an erasure takes effect at once or it is none.
"""

import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg

from services.runtime.clock import instant_from_datetime
from services.runtime.limits import BATCH_EVENTS_MAX, ROTATION_BATCH_KEYS, SUBJECTS_PER_TEXT_MAX
from services.runtime.names import parse_party, parse_tenant
from services.runtime.pg import load_sql
from services.runtime.vault.master import SUBJECT_KEY_BYTES, MasterKeyError, MasterKeys
from services.runtime.vault.sealing import TENANT_SUBJECT, SubjectKeys

SCHEMA: Final = "vault"
MIGRATIONS: Final = Path(__file__).parent / "migrations"

_SQL: Final = load_sql("services.runtime.vault.sql")
_SUBJECTS_PER_CALL_MAX: Final = BATCH_EVENTS_MAX * SUBJECTS_PER_TEXT_MAX
_PAGE_ROWS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erased subject: since when, and by which SubjectErased event."""

    tenant: str
    subject: str
    erased_at_us: int
    event_id: UUID


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """What `erase` did: the erasure in force (the first one, asked twice) and whether a key fell.

    `key_destroyed` is false when the subject never had a key or was erased before.
    """

    erasure: Erasure
    key_destroyed: bool


@dataclass(frozen=True, slots=True)
class RotationReport:
    """How many keys were wrapped again, and how many no given master key opens, by its id.

    Keys that went away or were wrapped by another rotation meanwhile count in neither.
    """

    rewrapped: int
    unreadable: dict[str, int]


class Vault:
    """Keys by (tenant, subject); a subject is a party name, or `tenant` for the tenant's own."""

    def __init__(self, pool: asyncpg.Pool, master_keys: MasterKeys) -> None:
        self._pool = pool
        self._master_keys = master_keys

    async def keys_for(self, tenant: str, subjects: Iterable[str], create: bool) -> SubjectKeys:
        """The keys of `subjects`, for one call; with `create`, missing ones are made first.

        One statement to read, one more when keys have to be made. Callers that make the same key
        at once all get the one that was stored. An erased subject never gets a key again: the
        answer says that it is erased. Raises MasterKeyError when a stored key cannot be unwrapped,
        InvalidName for a subject that is no party.
        """
        wanted = sorted(set(subjects))
        assert len(wanted) <= _SUBJECTS_PER_CALL_MAX
        if not wanted:
            return SubjectKeys(tenant, {})
        rows = await self._pool.fetch(_SQL["read_keys"], tenant, wanted)
        missing = [r["subject"] for r in rows if r["wrapped_key"] is None and not r["erased"]]
        if missing and create:
            made = await self._create(tenant, sorted(missing))
            absent = set(missing)
            rows = [r for r in rows if r["subject"] not in absent] + made
        return self._unwrapped(tenant, rows)

    async def erase(self, tenant: str, subject: str, event_id: UUID) -> ErasureResult:
        """Destroy the subject's key and list it as erased, for ever, in one transaction.

        Asked again it changes nothing and answers with the first erasure. Every replica sees it
        with its next call. The old row's bytes stay in Postgres's files and WAL until vacuumed and
        recycled, wrapped by the master key.
        """
        parse_tenant(tenant)
        parse_party(subject)  # a tenant's own key is not a person's to erase
        row = await self._pool.fetchrow(_SQL["erase_subject"], tenant, subject, event_id)
        erased_at_us = instant_from_datetime(row["erased_at"])
        return ErasureResult(
            Erasure(tenant, subject, erased_at_us, row["event_id"]), row["key_destroyed"]
        )

    async def erased(self, tenant: str | None = None) -> AsyncIterator[Erasure]:
        """Everybody erased, of one tenant or all, by (tenant, subject); read page by page."""
        after = ("", "")
        while True:
            if tenant is None:
                page = (_SQL["list_erased"], *after, _PAGE_ROWS)
            else:
                page = (_SQL["list_erased_of_tenant"], tenant, after[1], _PAGE_ROWS)
            rows = await self._pool.fetch(*page)
            for row in rows:
                at_us = instant_from_datetime(row["erased_at"])
                yield Erasure(row["tenant"], row["subject"], at_us, row["event_id"])
            if len(rows) < _PAGE_ROWS:
                return
            after = (rows[-1]["tenant"], rows[-1]["subject"])

    async def reapply_erasures(self) -> int:
        """Destroy keys of erased subjects that a restored backup brought back; how many."""
        return len(await self._pool.fetch(_SQL["reapply_erasures"]))

    async def rotate(
        self,
        *,
        batch_keys: int = ROTATION_BATCH_KEYS,
        on_progress: Callable[[int], None] | None = None,
    ) -> RotationReport:
        """Wrap every key under the current master key, `batch_keys` at a time.

        Stopped half-way it goes on where it was when called again; meanwhile the store is usable
        by every process that has both master keys. Texts keep their keys, so nothing is sealed
        anew. A key that changed or went away between reading and writing is left alone.
        `on_progress` gets the number of keys wrapped so far after each batch.
        """
        current, rewrapped = self._master_keys.current_id, 0
        unreadable: dict[str, int] = {}
        after = ("", "")
        while rows := await self._pool.fetch(_SQL["list_keys"], current, *after, batch_keys):
            after = (rows[-1]["tenant"], rows[-1]["subject"])
            changes = []
            for row in rows:
                try:
                    changes.append((row, self._rewrap(row)))
                except MasterKeyError:
                    key_id = row["master_key_id"]
                    unreadable[key_id] = unreadable.get(key_id, 0) + 1
            rewrapped += await self._store_rewrapped(changes)
            if on_progress is not None:
                on_progress(rewrapped)
        return RotationReport(rewrapped, unreadable)

    async def _create(self, tenant: str, subjects: Sequence[str]) -> list[Any]:
        parse_tenant(tenant)
        wrapped = []
        for subject in subjects:
            if subject != TENANT_SUBJECT:
                parse_party(subject)
            key = secrets.token_bytes(SUBJECT_KEY_BYTES)
            wrapped.append(self._master_keys.wrap(tenant, subject, key))
        master_key_id = self._master_keys.current_id
        rows: list[Any] = await self._pool.fetch(
            _SQL["create_keys"], tenant, subjects, wrapped, master_key_id
        )
        return rows

    def _unwrapped(self, tenant: str, rows: Iterable[Any]) -> SubjectKeys:
        keys: dict[str, bytes] = {}
        erased: list[str] = []
        for row in rows:
            subject, wrapped = row["subject"], row["wrapped_key"]
            if row["erased"]:
                # The list decides, also over a key that a restored backup brought back.
                erased.append(subject)
            elif wrapped is not None:
                master_key_id = row["master_key_id"]
                keys[subject] = self._master_keys.unwrap(tenant, subject, wrapped, master_key_id)
        return SubjectKeys(tenant, keys, erased)

    def _rewrap(self, row: Any) -> bytes:
        tenant, subject = row["tenant"], row["subject"]
        key = self._master_keys.unwrap(tenant, subject, row["wrapped_key"], row["master_key_id"])
        return self._master_keys.wrap(tenant, subject, key)

    async def _store_rewrapped(self, changes: Sequence[tuple[Any, bytes]]) -> int:
        if not changes:
            return 0
        rows = await self._pool.fetch(
            _SQL["rewrap_keys"],
            [row["tenant"] for row, _ in changes],
            [row["subject"] for row, _ in changes],
            [row["wrapped_key"] for row, _ in changes],
            [rewrapped for _, rewrapped in changes],
            self._master_keys.current_id,
        )
        return len(rows)
