"""The calls of LedgerService above tenants; they need a `services/` principal."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from rapport.connection import Connection
from rapport.retry import call_with_retries
from rapport.v1 import ledger_service_pb2 as ledger

if TYPE_CHECKING:  # the name stands in the stub file alone
    from rapport.v1.ledger_service_pb2_grpc import LedgerServiceAsyncStub

PAGE_SIZE = 1000


class AdminCalls:
    """Tenants and journals. Part of `Rapport`."""

    _ledger: Connection
    _ledger_stub: "LedgerServiceAsyncStub"

    async def create_tenant(self, tenant: str, *, journal: str = "") -> ledger.CreateTenantResponse:
        """Creates a tenant and pins it to a journal (absent: `main`). Repeating it is safe."""
        request = ledger.CreateTenantRequest(tenant=tenant, journal=journal)
        return await call_with_retries(
            lambda once_s: self._ledger_stub.CreateTenant(
                request, metadata=self._ledger.principal_only, timeout=once_s
            ),
            self._ledger.policy,
            attempt_timeout_s=self._ledger.policy.attempt_timeout_s,
        )

    async def tenants(self) -> AsyncIterator[ledger.Tenant]:
        """All tenants by name."""
        request = ledger.ListTenantsRequest(page_size=PAGE_SIZE)
        while True:
            page = await call_with_retries(
                lambda once_s: self._ledger_stub.ListTenants(
                    request, metadata=self._ledger.principal_only, timeout=once_s
                ),
                self._ledger.policy,
            )
            for tenant in page.tenants:
                yield tenant
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def create_journal(self, journal: str) -> ledger.Journal:
        """Creates a journal. Errors: JOURNAL_EXISTS, also when a lost answer made us ask again."""
        request = ledger.CreateJournalRequest(journal=journal)
        answer = await call_with_retries(
            lambda once_s: self._ledger_stub.CreateJournal(
                request, metadata=self._ledger.principal_only, timeout=once_s
            ),
            self._ledger.policy,
            attempt_timeout_s=self._ledger.policy.attempt_timeout_s,
        )
        return answer.journal

    async def journals(self) -> AsyncIterator[ledger.Journal]:
        """All journals by name."""
        request = ledger.ListJournalsRequest(page_size=PAGE_SIZE)
        while True:
            page = await call_with_retries(
                lambda once_s: self._ledger_stub.ListJournals(
                    request, metadata=self._ledger.principal_only, timeout=once_s
                ),
                self._ledger.policy,
            )
            for journal in page.journals:
                yield journal
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token
