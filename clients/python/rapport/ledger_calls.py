"""The calls of LedgerService."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import grpc

from rapport.batching import Source
from rapport.connection import Connection
from rapport.errors import error_of
from rapport.events.v1 import touchpoint_pb2
from rapport.ids import new_event_id, person, relationship
from rapport.ingest import BATCH_EVENTS, Ingest, Verdict
from rapport.retry import call_with_retries
from rapport.subscription import Subscription
from rapport.v1 import ledger_service_pb2 as ledger

if TYPE_CHECKING:  # the name stands in the stub file alone
    from rapport.v1.ledger_service_pb2_grpc import LedgerServiceAsyncStub


class LedgerCalls:
    """Record, erase, read and follow events. Part of `Rapport`."""

    _ledger: Connection
    _ledger_stub: "LedgerServiceAsyncStub"

    async def append(
        self,
        events: ledger.NewEvent | Iterable[ledger.NewEvent],
        *,
        timeout_s: float | None = None,
    ) -> ledger.AppendEventsResponse:
        """Records 1 to 1000 events in one transaction: all or none.

        Repeats the very same request while the failure is a passing one (UNAVAILABLE,
        RESOURCE_EXHAUSTED, OUTCOME_UNKNOWN), up to `timeout_s` (absent: the retry policy's).
        Raises RapportError: definite, nothing was written; or `is_definite` False: append the same
        events again, with the same ids, until an answer comes.
        """
        listed = [events] if isinstance(events, ledger.NewEvent) else list(events)
        request = ledger.AppendEventsRequest(events=listed)
        return await call_with_retries(
            lambda once_s: self._ledger_stub.AppendEvents(
                request, metadata=self._ledger.metadata, timeout=once_s
            ),
            self._ledger.policy,
            timeout_s=timeout_s,
            attempt_timeout_s=self._ledger.policy.attempt_timeout_s,
        )

    def ingest(
        self, source: Source, *, batch_events: int = BATCH_EVENTS, stalled_s_max: float = 300.0
    ) -> AsyncIterator[Verdict]:
        """Loads events by the million: yields one verdict a batch, in the source's order.

        source: an (async) iterable of events, gathered into batches of `batch_events`, or of
        batches, each recorded as one transaction. It is read no faster than the ledger takes it
        and the verdicts are consumed. See rapport.ingest.Ingest.verdicts.
        """
        return Ingest(
            lambda: self._ledger_stub.IngestEvents(metadata=self._ledger.metadata),
            source,
            self._ledger.policy,
            batch_events=batch_events,
            stalled_s_max=stalled_s_max,
        ).verdicts()

    async def record_occasion(
        self,
        hosts: Sequence[str],
        guests: Sequence[str],
        what: touchpoint_pb2.Touchpoint,
        *,
        occasion_id: str | None = None,
        request: ledger.RecordOccasionRequest | None = None,
    ) -> ledger.RecordOccasionResponse:
        """Records a group meeting as one touchpoint for each pair of a host and a guest.

        occasion_id: keep it to repeat the call safely; absent, a new one. request: further fields.
        """
        asked = ledger.RecordOccasionRequest()
        if request is not None:
            asked.CopyFrom(request)
        asked.occasion_id = occasion_id or asked.occasion_id or new_event_id()
        asked.hosts.extend(person(host) for host in hosts)
        asked.guests.extend(person(guest) for guest in guests)
        asked.touchpoint.CopyFrom(what)
        return await call_with_retries(
            lambda once_s: self._ledger_stub.RecordOccasion(
                asked, metadata=self._ledger.metadata, timeout=once_s
            ),
            self._ledger.policy,
            attempt_timeout_s=self._ledger.policy.attempt_timeout_s,
        )

    async def erase(
        self, subject: str, *, event_id: str | None = None
    ) -> ledger.EraseSubjectResponse:
        """Destroys for ever what can be read about `people/{id}` or `organizations/{id}`."""
        request = ledger.EraseSubjectRequest(subject=subject, event_id=event_id or new_event_id())
        return await call_with_retries(
            lambda once_s: self._ledger_stub.EraseSubject(
                request, metadata=self._ledger.metadata, timeout=once_s
            ),
            self._ledger.policy,
            attempt_timeout_s=self._ledger.policy.attempt_timeout_s,
        )

    async def event(self, event_id: str | UUID) -> ledger.Event:
        """One event, texts opened for those who may see them. Errors: EVENT_UNKNOWN."""
        request = ledger.GetEventRequest(event_id=str(event_id))
        answer = await call_with_retries(
            lambda once_s: self._ledger_stub.GetEvent(
                request, metadata=self._ledger.metadata, timeout=once_s
            ),
            self._ledger.policy,
        )
        return answer.event

    async def read_messages(
        self, request: ledger.ReadEventsRequest
    ) -> AsyncIterator[ledger.ReadEventsResponse]:
        """A range of a journal or a home, message by message, with how far the read has come.

        Not resumed when the connection breaks (RapportError): the caller knows what it has.
        """
        stream = self._ledger_stub.ReadEvents(request, metadata=self._ledger.metadata)
        try:
            async for message in stream:
                yield message
        except grpc.aio.AioRpcError as failure:
            raise error_of(failure) from None
        finally:
            stream.cancel()

    async def read(self, request: ledger.ReadEventsRequest) -> AsyncIterator[ledger.Event]:
        """The same, event by event."""
        async for message in self.read_messages(request):
            for event in message.events:
                yield event

    def read_home(
        self,
        home: str,
        *,
        from_revision: int = 0,
        backwards: bool = False,
        limit: int = 0,
        types: Sequence[str] = (),
    ) -> AsyncIterator[ledger.Event]:
        """The events of one home (`relationships/{a}~{b}`, `people/{id}` …) by revision."""
        request = ledger.ReadEventsRequest(limit=limit, types=types)
        request.home.home, request.home.from_revision = home, from_revision
        if backwards:
            request.direction = ledger.DIRECTION_BACKWARDS
        return self.read(request)

    def read_journal(
        self,
        *,
        from_position: int = 0,
        backwards: bool = False,
        limit: int = 0,
        types: Sequence[str] = (),
        kinds: Sequence[str] = (),
    ) -> AsyncIterator[ledger.Event]:
        """The tenant's events in its journal by position."""
        request = ledger.ReadEventsRequest(limit=limit, types=types, kinds=kinds)
        request.journal.from_position = from_position
        if backwards:
            request.direction = ledger.DIRECTION_BACKWARDS
        return self.read(request)

    async def history(self, a: str, b: str) -> list[ledger.Event]:
        """Everything recorded of one relationship, oldest first."""
        return [event async for event in self.read_home(relationship(a, b))]

    def subscribe(
        self,
        from_position: int = 1,
        *,
        types: Sequence[str] = (),
        kinds: Sequence[str] = (),
        incarnation: str = "",
        journal: str = "",
        stored: bool = False,
    ) -> Subscription:
        """Catches up from a position, then follows, over any broken connection.

            async for event in client.subscribe(from_position=last + 1): ...

        incarnation: as kept from an earlier subscription; IncarnationChanged if it is another.
        journal: absent, the tenant's. stored: with the stored bytes and sealed texts, which only
        `services/` principals may have.
        """
        return Subscription(
            lambda request: self._ledger_stub.SubscribeEvents(
                request, metadata=self._ledger.metadata
            ),
            ledger.SubscribeEventsRequest(
                journal=journal,
                from_position=from_position,
                types=types,
                kinds=kinds,
                view=ledger.EVENT_VIEW_STORED if stored else ledger.EVENT_VIEW_UNSPECIFIED,
            ),
            self._ledger.policy,
            incarnation=incarnation,
        )
