"""Learning tenants from the ledger."""

import asyncio
from typing import Any

import grpc
import pytest
from rapport.v1 import ledger_service_pb2 as ledger

from services.projector.api.tenants import LedgerTenants
from services.runtime.errors import RapportError, Reason


class Ledger:
    """Answers ListTenants, one tenant a page, once it is let."""

    def __init__(self, **tenants: str) -> None:
        self.tenants = tenants
        self.listings = 0
        self.open = asyncio.Event()
        self.open.set()
        self.fault: BaseException | None = None

    async def ListTenants(
        self, request: ledger.ListTenantsRequest, *, metadata: Any, timeout: float
    ) -> ledger.ListTenantsResponse:
        """A page."""
        assert ("x-rapport-principal", "services/projector") in metadata
        names = sorted(self.tenants)
        self.listings += request.page_token == ""
        await self.open.wait()
        if self.fault is not None:
            raise self.fault
        place = int(request.page_token or 0)
        answer = ledger.ListTenantsResponse()
        if place < len(names):
            name = names[place]
            answer.tenants.add(tenant=name, journal=self.tenants[name])
        if place + 1 < len(names):
            answer.next_page_token = str(place + 1)
        return answer


def directory(ledger: Ledger) -> LedgerTenants:
    return LedgerTenants(ledger)  # type: ignore[arg-type]


async def test_a_tenant_is_found_on_any_page_and_remembered() -> None:
    ledger = Ledger(acme="main", other="side", zoo="main")
    tenants = directory(ledger)
    assert await tenants.journal_of("zoo") == "main"
    assert await tenants.journal_of("other") == "side"
    assert ledger.listings == 1


async def test_a_tenant_nobody_created_is_unknown_until_it_is_created() -> None:
    ledger = Ledger(acme="main")
    tenants = directory(ledger)
    with pytest.raises(RapportError) as caught:
        await tenants.journal_of("new")
    assert caught.value.reason is Reason.TENANT_UNKNOWN
    assert caught.value.metadata == {"tenant": "new"}
    ledger.tenants["new"] = "main"
    assert await tenants.journal_of("new") == "main"


async def test_a_listing_under_way_is_not_trusted_with_a_tenant_just_created() -> None:
    ledger = Ledger()
    tenants = directory(ledger)
    ledger.open.clear()
    early = asyncio.ensure_future(tenants.journal_of("ghost"))
    while not ledger.listings:  # noqa: ASYNC110 - lets other tasks go on
        await asyncio.sleep(0)
    ledger.tenants["new"] = "main"
    late = [asyncio.ensure_future(tenants.journal_of("new")) for _ in range(20)]
    await asyncio.sleep(0)
    ledger.open.set()
    with pytest.raises(RapportError):
        await early
    assert await asyncio.gather(*late) == ["main"] * 20
    assert ledger.listings == 2


async def test_a_silent_ledger_is_unavailable_but_known_tenants_stay_known() -> None:
    ledger = Ledger(acme="main")
    tenants = directory(ledger)
    await tenants.journal_of("acme")
    ledger.fault = grpc.aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata()
    )
    with pytest.raises(RapportError) as caught:
        await tenants.journal_of("new")
    assert caught.value.reason is Reason.UNAVAILABLE
    assert await tenants.journal_of("acme") == "main"
