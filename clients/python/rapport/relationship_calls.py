"""The calls of RelationshipService: how a relationship stands and what would become of it."""

from collections.abc import AsyncIterator, Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, TypedDict, Unpack

from rapport.connection import Connection
from rapport.events.v1 import touchpoint_pb2
from rapport.ids import person, relationship
from rapport.times import as_of, wire_date
from rapport.v1 import relationship_service_pb2 as wire

if TYPE_CHECKING:  # the name stands in the stub file alone
    from rapport.v1.relationship_service_pb2_grpc import RelationshipServiceAsyncStub

PAGE_SIZE = 200


class AsOfOptions(TypedDict, total=False):
    """What a question may say besides what it is about: see rapport.times.as_of."""

    on: date | None
    known_at: datetime | int | None
    policy: str
    min_position: int


class RelationshipCalls:
    """Measures, forecasts, incidents and briefs. Part of `Rapport`.

    on, known_at, policy, min_position: see rapport.times.as_of. Amounts are integer milli-points,
    shares per mille. Lists ask page after page, all as of the position of the first.
    """

    _projector: Connection
    _relationship_stub: "RelationshipServiceAsyncStub"

    async def relationship(
        self, a: str, b: str, **asked: Unpack[AsOfOptions]
    ) -> wire.GetRelationshipResponse:
        """Every measure of one relationship; an empty answer for a pair nobody has touched."""
        request = wire.GetRelationshipRequest(relationship=relationship(a, b), as_of=as_of(**asked))
        return await self._projector.ask(self._relationship_stub.GetRelationship, request)

    async def relationships(
        self, request: wire.ListRelationshipsRequest
    ) -> AsyncIterator[wire.Relationship]:
        """The relationships a request asks for, page after page. Errors: LIST_TOO_WIDE."""
        while True:
            page = await self._projector.ask(self._relationship_stub.ListRelationships, request)
            for found in page.relationships:
                yield found
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def forecast(
        self,
        a: str,
        b: str,
        severity: int = 2,
        *,
        attribution: "touchpoint_pb2.Attribution.ValueType" = touchpoint_pb2.ATTRIBUTION_OURS,
        plan: Iterable[wire.PlannedTouchpoint] = (),
        **asked: Unpack[AsOfOptions],
    ) -> wire.ForecastRelationshipResponse:
        """Whether an incident would be survived, until when, and what a plan would change.

        See `planned`. Errors: KIND_UNKNOWN, OUT_OF_RANGE, with the path of the planned touchpoint.
        """
        request = wire.ForecastRelationshipRequest(
            relationship=relationship(a, b),
            severity=severity,
            attribution=attribution,
            plan=plan,
            as_of=as_of(**asked),
        )
        return await self._projector.ask(self._relationship_stub.ForecastRelationship, request)

    async def forecasts(
        self,
        of: str,
        severity: int = 2,
        *,
        attribution: "touchpoint_pb2.Attribution.ValueType" = touchpoint_pb2.ATTRIBUTION_OURS,
        incident_on: date | None = None,
        include_surviving: bool = False,
        **asked: Unpack[AsOfOptions],
    ) -> AsyncIterator[wire.Forecast]:
        """Which relationships of a person would not survive an incident on a day, worst first."""
        request = wire.ListForecastsRequest(
            person=person(of),
            severity=severity,
            attribution=attribution,
            incident_on=wire_date(incident_on) if incident_on else None,
            include_surviving=include_surviving,
            page_size=PAGE_SIZE,
            as_of=as_of(**asked),
        )
        while True:
            page = await self._projector.ask(self._relationship_stub.ListForecasts, request)
            for found in page.forecasts:
                yield found
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def compare(
        self, a: str, b: str, first_on: date, **asked: Unpack[AsOfOptions]
    ) -> wire.CompareBalancesResponse:
        """What changed from a day to `on`; the lines add up exactly."""
        request = wire.CompareBalancesRequest(
            relationship=relationship(a, b), first_on=wire_date(first_on), as_of=as_of(**asked)
        )
        return await self._projector.ask(self._relationship_stub.CompareBalances, request)

    async def incidents(
        self,
        a: str,
        b: str | None = None,
        *,
        open_only: bool = False,
        page_size: int = PAGE_SIZE,
        **asked: Unpack[AsOfOptions],
    ) -> AsyncIterator[wire.Incident]:
        """The incidents of a person, or of a pair with `b`, newest first."""
        request = wire.ListIncidentsRequest(
            parent=person(a) if b is None else relationship(a, b),
            open_only=open_only,
            page_size=page_size,
            as_of=as_of(**asked),
        )
        while True:
            page = await self._projector.ask(self._relationship_stub.ListIncidents, request)
            for found in page.incidents:
                yield found
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def incident(
        self, event_id: str, **asked: Unpack[AsOfOptions]
    ) -> wire.GetIncidentResponse:
        """One incident with its recovery curve. Errors: EVENT_UNKNOWN."""
        request = wire.GetIncidentRequest(event_id=event_id, as_of=as_of(**asked))
        return await self._projector.ask(self._relationship_stub.GetIncident, request)

    async def brief(
        self, a: str, b: str, *, about: str = "", **asked: Unpack[AsOfOptions]
    ) -> wire.GetBriefResponse:
        """One page to read before a contact, about the external one of the two unless told."""
        request = wire.GetBriefRequest(
            relationship=relationship(a, b),
            about=person(about) if about else "",
            as_of=as_of(**asked),
        )
        return await self._projector.ask(self._relationship_stub.GetBrief, request)

    async def reconnects(
        self, of: str, *, page_size: int = PAGE_SIZE, **asked: Unpack[AsOfOptions]
    ) -> AsyncIterator[wire.Reconnect]:
        """The dormant relationships of a person, the highest peak first."""
        request = wire.ListReconnectsRequest(
            person=person(of), page_size=page_size, as_of=as_of(**asked)
        )
        while True:
            page = await self._projector.ask(self._relationship_stub.ListReconnects, request)
            for found in page.reconnects:
                yield found
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def who_knows(
        self, party: str, *, severity: int = 2, **asked: Unpack[AsOfOptions]
    ) -> AsyncIterator[wire.Acquaintance]:
        """Who of ours knows `people/{id}` or `organizations/{id}` best and would survive."""
        request = wire.ListAcquaintancesRequest(
            party=party, severity=severity, page_size=PAGE_SIZE, as_of=as_of(**asked)
        )
        while True:
            page = await self._projector.ask(self._relationship_stub.ListAcquaintances, request)
            for found in page.acquaintances:
                yield found
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


def planned(on: date, touchpoint: touchpoint_pb2.Touchpoint) -> wire.PlannedTouchpoint:
    """A touchpoint that might happen on a day, without texts, between the two asked about."""
    return wire.PlannedTouchpoint(on=wire_date(on), touchpoint=touchpoint)
