"""Tenants and their journals, as the ledger knows them."""

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

import grpc
from rapport.v1 import ledger_service_pb2 as ledger

from services.runtime.caller import PRINCIPAL_KEY
from services.runtime.errors import RapportError, Reason
from services.runtime.limits import PAGE_SIZE_MAX

if TYPE_CHECKING:  # the name stands in the stub file alone
    from rapport.v1.ledger_service_pb2_grpc import LedgerServiceAsyncStub

PRINCIPAL: Final = "services/projector"
_TIMEOUT_S: Final = 5.0


class TenantDirectory(Protocol):
    """Knows which journal a tenant is pinned to."""

    async def journal_of(self, tenant: str) -> str:
        """The tenant's journal; TENANT_UNKNOWN for a tenant nobody created."""
        ...


class LedgerTenants:
    """Asks the ledger, and remembers: a tenant never moves and never goes away.

    A tenant that is not remembered is asked for, with a listing that begins after the question, so
    that a tenant just created is found; one listing at a time serves everybody who waits.
    """

    def __init__(self, stub: "LedgerServiceAsyncStub") -> None:
        self._stub = stub
        self._journals: dict[str, str] = {}
        self._listing: asyncio.Task[None] | None = None

    async def journal_of(self, tenant: str) -> str:
        """The tenant's journal; UNAVAILABLE when the ledger has to be asked and does not answer."""
        if tenant not in self._journals:
            await self._refresh(tenant)
        journal = self._journals.get(tenant)
        if journal is None:
            raise RapportError(
                Reason.TENANT_UNKNOWN, "there is no such tenant", metadata={"tenant": tenant}
            )
        return journal

    async def _refresh(self, tenant: str) -> None:
        under_way = self._listing
        if under_way is not None:
            # It may have begun before the tenant was created.
            await asyncio.shield(_ended(under_way))
            if tenant in self._journals:
                return
        if self._listing is None or self._listing is under_way:
            self._listing = asyncio.create_task(self._list())
        listing = self._listing
        try:
            await asyncio.shield(listing)
        finally:
            if self._listing is listing and listing.done():
                self._listing = None

    async def _list(self) -> None:
        token = ""
        try:
            while True:
                answer = await self._stub.ListTenants(
                    ledger.ListTenantsRequest(page_size=PAGE_SIZE_MAX, page_token=token),
                    metadata=((PRINCIPAL_KEY, PRINCIPAL),),
                    timeout=_TIMEOUT_S,
                )
                self._journals |= {each.tenant: each.journal for each in answer.tenants}
                token = answer.next_page_token
                if not token:
                    return
        except grpc.aio.AioRpcError as error:
            raise RapportError(
                Reason.UNAVAILABLE, "the ledger, which knows the tenants, does not answer; retry"
            ) from error


async def _ended(task: "asyncio.Task[None]") -> None:
    await asyncio.wait([task])
