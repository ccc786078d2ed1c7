"""The calls of TimelineService: what happened, and between whom."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Unpack

from rapport.connection import Connection
from rapport.events.v1 import people_pb2, touchpoint_pb2
from rapport.ids import person, relationship
from rapport.relationship_calls import AsOfOptions
from rapport.retry import call_with_retries
from rapport.times import as_of
from rapport.v1 import timeline_service_pb2 as wire

if TYPE_CHECKING:  # the name stands in the stub file alone
    from rapport.v1.timeline_service_pb2_grpc import TimelineServiceAsyncStub


class TimelineCalls:
    """Timelines and parties. Part of `Rapport`."""

    _projector: Connection
    _timeline_stub: "TimelineServiceAsyncStub"

    async def timeline_page(
        self, request: wire.ListTimelineRequest, *, timeout_s: float | None = None
    ) -> wire.ListTimelineResponse:
        """One page of touchpoints, newest first."""
        return await call_with_retries(
            lambda once_s: self._timeline_stub.ListTimeline(
                request, metadata=self._projector.metadata, timeout=once_s
            ),
            self._projector.policy,
            timeout_s=timeout_s,
        )

    async def timeline(
        self,
        a: str,
        b: str | None = None,
        *,
        kinds: Sequence[str] = (),
        channels: Sequence[str] = (),
        by_recorded_time: bool = False,
        include_voided: bool = False,
        fold_occasions: bool = False,
        initiatives: "Sequence[touchpoint_pb2.Initiative.ValueType]" = (),
        initiator_side: "people_pb2.Side.ValueType" = people_pb2.SIDE_UNSPECIFIED,
        incident: str = "",
        page_size: int = 200,
        **asked: Unpack[AsOfOptions],
    ) -> AsyncIterator[wire.TimelineLine]:
        """The touchpoints of a person, or of a pair with `b`, newest first, page after page.

        on, known_at, policy, min_position: see rapport.times.as_of; up to the day, as it stood.
        a: also `teams/{team}` or `organizations/{id}`. fold_occasions: a group meeting is one line.
        incident: only this one (its event id) and its recovery steps.
        """
        request = wire.ListTimelineRequest(
            parent=timeline_parent(a, b),
            fold_occasions=fold_occasions,
            kinds=kinds,
            channels=channels,
            initiatives=initiatives,
            initiator_side=initiator_side,
            incident=incident,
            include_voided=include_voided,
            page_size=page_size,
            as_of=as_of(**asked),
        )
        if by_recorded_time:
            request.order_by = wire.TIMELINE_ORDER_RECORDED
        while True:
            page = await self.timeline_page(request)
            for line in page.lines:
                yield line
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def timeline_months(
        self, a: str, b: str | None = None, *, months: int = 0, **asked: Unpack[AsOfOptions]
    ) -> list[wire.TimelineMonth]:
        """The newest months with a touchpoint (12), newest first; a and b as in `timeline`."""
        request = wire.SummarizeTimelineRequest(
            parent=timeline_parent(a, b), months=months, as_of=as_of(**asked)
        )
        answer = await self._projector.ask(self._timeline_stub.SummarizeTimeline, request)
        return list(answer.months)

    async def party(self, name: str, **asked: Unpack[AsOfOptions]) -> wire.Party:
        """`people/{id}` or `organizations/{id}` as described on a day. Errors: PARTY_UNKNOWN."""
        request = wire.GetPartyRequest(party=name, as_of=as_of(**asked))
        answer = await call_with_retries(
            lambda once_s: self._timeline_stub.GetParty(
                request, metadata=self._projector.metadata, timeout=once_s
            ),
            self._projector.policy,
        )
        return answer.party

    async def parties(
        self,
        *,
        kind: "people_pb2.PartyKind.ValueType" = people_pb2.PARTY_KIND_UNSPECIFIED,
        side: "people_pb2.Side.ValueType" = people_pb2.SIDE_UNSPECIFIED,
        tier: str = "",
        team: str = "",
        page_size: int = 200,
        **asked: Unpack[AsOfOptions],
    ) -> AsyncIterator[wire.Party]:
        """The people and organisations of the tenant by name, as described on a day."""
        request = wire.ListPartiesRequest(
            kind=kind,
            side=side,
            tier=tier,
            team=team,
            page_size=page_size,
            as_of=as_of(**asked),
        )
        while True:
            page = await call_with_retries(
                lambda once_s: self._timeline_stub.ListParties(
                    request, metadata=self._projector.metadata, timeout=once_s
                ),
                self._projector.policy,
            )
            for party in page.parties:
                yield party
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


def timeline_parent(a: str, b: str | None = None) -> str:
    """Of a pair, or of one `people/{id}`, `teams/{team}` or `organizations/{id}`."""
    if b is not None:
        return relationship(a, b)
    return a if a.startswith(("teams/", "organizations/")) else person(a)
