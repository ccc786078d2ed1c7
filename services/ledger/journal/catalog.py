"""Tenants and journals: few, created explicitly, never moved."""

from typing import Any, Final

import asyncpg

from services.ledger.domain.events import JournalRow, TenantRow
from services.ledger.journal.reading import Reader, journal_row_of
from services.runtime.pg import load_sql

_SQL: Final = load_sql("services.ledger.journal.sql")


class Catalog:
    """Tenants are kept once read: where a tenant is pinned never changes."""

    def __init__(self, writes: asyncpg.Pool, reader: Reader) -> None:
        self._writes, self._reader = writes, reader
        self._tenants: dict[str, TenantRow] = {}

    async def tenant(self, tenant: str) -> TenantRow | None:
        """The tenant; None when there is none of that name."""
        known = self._tenants.get(tenant)
        if known is not None:
            return known
        rows = await self._reader.fetch("read_tenant", tenant)
        if not rows:
            return None
        found = _tenant_row(rows[0])
        self._tenants[tenant] = found
        return found

    async def create_tenant(self, tenant: str, journal: str) -> tuple[TenantRow, bool]:
        """See Journal.create_tenant."""
        # Journals are never deleted; where tables are distributed no foreign key would say it.
        await self._reader.journal_row(journal)
        row = await self._writes.fetchrow(_SQL["create_tenant"], tenant, journal)
        if row is not None:
            return _tenant_row(row), True
        found = await self.tenant(tenant)
        assert found is not None, "a tenant that is in the way of another one exists"
        return found, False

    async def list_tenants(self, after: str, limit: int) -> list[TenantRow]:
        """See Journal.list_tenants."""
        return [_tenant_row(r) for r in await self._reader.fetch("list_tenants", after, limit)]

    async def create_journal(self, journal: str) -> tuple[JournalRow, bool]:
        """See Journal.create_journal."""
        row = await self._writes.fetchrow(_SQL["create_journal"], journal)
        if row is not None:
            return journal_row_of(row), True
        return await self._reader.journal_row(journal), False

    async def list_journals(self, after: str, limit: int | None) -> list[JournalRow]:
        """See Journal.list_journals."""
        rows = await self._reader.fetch("list_journals", after, limit)
        return [journal_row_of(row) for row in rows]


def _tenant_row(row: Any) -> TenantRow:
    return TenantRow(row["tenant"], row["journal"], row["created_at_us"])
