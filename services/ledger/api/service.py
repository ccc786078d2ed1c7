# ruff: noqa: N802 - handlers have the names of their RPCs
"""LedgerService on the wire: each handler names its caller and hands over."""

from collections.abc import AsyncIterator
from typing import Final

from rapport.v1 import ledger_service_pb2 as pb
from rapport.v1 import ledger_service_pb2_grpc as pb_grpc

from services.ledger.api import catalog
from services.ledger.api.appending import append_events, record_occasion
from services.ledger.api.erasing import erase_subject
from services.ledger.api.failures import told
from services.ledger.api.ingesting import Ingest
from services.ledger.api.parts import Parts, Slots
from services.ledger.api.reading import get_event, read_events
from services.ledger.api.subscribing import subscribe_events
from services.runtime.caller import current_caller
from services.runtime.limits import INGEST_STREAMS_MAX, SUBSCRIBERS_MAX
from services.runtime.server import Context, write

SERVICE_NAME: Final = pb.DESCRIPTOR.services_by_name["LedgerService"].full_name


class LedgerService(pb_grpc.LedgerServiceServicer):
    """The RPCs; see proto/rapport/v1/ledger_service.proto for what they promise."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._readers = Slots(SUBSCRIBERS_MAX, parts.metrics)
        self._ingests = Slots(INGEST_STREAMS_MAX, parts.metrics)

    async def AppendEvents(
        self, request: pb.AppendEventsRequest, context: Context
    ) -> pb.AppendEventsResponse:
        """Record a batch."""
        with told():
            return await append_events(
                self._parts, current_caller(), request, context.time_remaining()
            )

    # Those that answer with a stream write to the context and yield nothing.
    async def IngestEvents(  # type: ignore[override]
        self, request_iterator: AsyncIterator[pb.IngestEventsRequest], context: Context
    ) -> None:
        """Record a stream of batches."""
        with told(), self._ingests.one():
            caller = current_caller()
            tenant = await self._parts.tenant_of(caller)
            await Ingest(self._parts, caller, tenant, context).run(request_iterator)

    async def RecordOccasion(
        self, request: pb.RecordOccasionRequest, context: Context
    ) -> pb.RecordOccasionResponse:
        """Record a group meeting."""
        with told():
            return await record_occasion(
                self._parts, current_caller(), request, context.time_remaining()
            )

    async def GetEvent(self, request: pb.GetEventRequest, context: Context) -> pb.GetEventResponse:
        """One event."""
        with told():
            event = await get_event(self._parts, current_caller(), request)
            return pb.GetEventResponse(event=event)

    async def ReadEvents(  # type: ignore[override]
        self, request: pb.ReadEventsRequest, context: Context
    ) -> None:
        """A range of events."""
        with told(), self._readers.one():
            async for response in read_events(self._parts, current_caller(), request):
                await write(context, response, timeout_s=self._parts.reader_timeout_s)

    async def SubscribeEvents(  # type: ignore[override]
        self, request: pb.SubscribeEventsRequest, context: Context
    ) -> None:
        """Events as they are committed."""
        with told(), self._readers.one():
            await subscribe_events(self._parts, current_caller(), request, context)

    async def CreateTenant(
        self, request: pb.CreateTenantRequest, context: Context
    ) -> pb.CreateTenantResponse:
        """Create a tenant."""
        current_caller().require_service()
        with told(writing=True):
            return await catalog.create_tenant(self._parts, request)

    async def ListTenants(
        self, request: pb.ListTenantsRequest, context: Context
    ) -> pb.ListTenantsResponse:
        """A page of tenants."""
        current_caller().require_service()
        with told():
            return await catalog.list_tenants(self._parts, request)

    async def CreateJournal(
        self, request: pb.CreateJournalRequest, context: Context
    ) -> pb.CreateJournalResponse:
        """Create a journal."""
        current_caller().require_service()
        with told(writing=True):
            return await catalog.create_journal(self._parts, request)

    async def ListJournals(
        self, request: pb.ListJournalsRequest, context: Context
    ) -> pb.ListJournalsResponse:
        """A page of journals."""
        current_caller().require_service()
        with told():
            return await catalog.list_journals(self._parts, request)

    async def EraseSubject(
        self, request: pb.EraseSubjectRequest, context: Context
    ) -> pb.EraseSubjectResponse:
        """Erase a person or organisation."""
        with told():
            return await erase_subject(self._parts, current_caller(), request)
