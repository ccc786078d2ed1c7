"""TimelineService: what happened, and between whom."""

from collections.abc import Sequence
from typing import Final

from rapport.events.v1 import people_pb2, touchpoint_pb2
from rapport.v1 import timeline_service_pb2 as timeline
from rapport.v1.timeline_service_pb2_grpc import TimelineServiceServicer

from services.projector.api.answers import relationship_name, timestamp_message
from services.projector.api.calls import Call, Context, Dependencies
from services.projector.api.fields import Fields
from services.projector.api.texts import Sealed, may_see, open_all
from services.projector.api.timeline_requests import short_text, timeline_asked
from services.projector.api.tokens import read_timeline_token, timeline_token, token_invalid
from services.projector.queries.parties import (
    ORGANIZATIONS,
    PEOPLE,
    PartiesAsked,
    PartyRow,
    get_party,
    list_parties,
)
from services.projector.queries.question import policy_for
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.timelines import (
    TimelinePage,
    TimelineRow,
    list_timeline,
    read_internal,
)
from services.runtime.clock import US_PER_DAY
from services.runtime.errors import RapportError, Reason
from services.runtime.names import InvalidName, is_person, parse_party
from services.runtime.page_tokens import make_token, read_token, request_key

_TIMELINE: Final = "TimelineService/ListTimeline"
_PARTIES: Final = "TimelineService/ListParties"
_PREFIXES: Final = {
    people_pb2.PARTY_KIND_UNSPECIFIED: "",
    people_pb2.PARTY_KIND_PERSON: PEOPLE,
    people_pb2.PARTY_KIND_ORGANIZATION: ORGANIZATIONS,
}


class Timeline(TimelineServiceServicer):
    """The handlers of TimelineService; errors are RapportErrors, which the edge answers."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._with = dependencies

    async def ListTimeline(  # noqa: N802
        self, request: timeline.ListTimelineRequest, context: Context
    ) -> timeline.ListTimelineResponse:
        """A page of touchpoints, newest first."""
        fields = Fields()
        asked = timeline_asked(request, fields)
        min_position = fields.position("min_position", request.min_position)
        fields.done()
        call = await self._with.begin(context, min_position)
        key = request_key(_TIMELINE, call.tenant, request)
        before = read_timeline_token(request.page_token, key) if request.page_token else None

        async def work(snapshot: Snapshot) -> tuple[TimelinePage, list["_Line"], int]:
            policy = await policy_for(
                snapshot, self._with.shelf, None, self._with.today(), snapshot.position
            )
            page = await list_timeline(snapshot, policy, asked(before))
            lines = [_Line(row) for row in page.rows]
            internal = await read_internal(
                snapshot, _asked_for_side(lines, call), people_pb2.SIDE_INTERNAL
            )
            for line in lines:
                line.visible = may_see(
                    line.touchpoint,
                    line.row.text_recorded_by,
                    call.caller.principal,
                    internal=call.caller.principal in internal,
                )
            return page, lines, snapshot.position

        page, lines, position = await call.read(work)
        await open_all(self._with.keys, call.tenant, [line.sealed() for line in lines])
        return timeline.ListTimelineResponse(
            lines=[line.message() for line in lines],
            next_page_token="" if page.next is None else timeline_token(key, page.next),
            journal=call.journal,
            position=position,
        )

    async def GetParty(  # noqa: N802
        self, request: timeline.GetPartyRequest, context: Context
    ) -> timeline.GetPartyResponse:
        """A person or organisation as described on a day."""
        fields = Fields()
        party = fields.party("party", request.party)
        on = fields.day("on", request, "on")
        min_position = fields.position("min_position", request.min_position)
        fields.done()
        call = await self._with.begin(context, min_position)
        day = self._with.today() if on is None else on

        async def work(snapshot: Snapshot) -> tuple[PartyRow | None, int]:
            return await get_party(snapshot, party, (day + 1) * US_PER_DAY), snapshot.position

        row, position = await call.read(work)
        if row is None:
            raise RapportError(
                Reason.PARTY_UNKNOWN,
                "the tenant has no such party: no event names it",
                metadata={"party": party},
            )
        (message,) = await self._opened(call, [row])
        return timeline.GetPartyResponse(party=message, journal=call.journal, position=position)

    async def ListParties(  # noqa: N802
        self, request: timeline.ListPartiesRequest, context: Context
    ) -> timeline.ListPartiesResponse:
        """A page of people and organisations by name."""
        fields = Fields()
        fields.known_enum("kind", people_pb2.PartyKind, request.kind)
        fields.known_enum("side", people_pb2.Side, request.side)
        short_text(fields, "tier", request.tier)
        short_text(fields, "team", request.team)
        limit = fields.page_size(request.page_size)
        min_position = fields.position("min_position", request.min_position)
        fields.done()
        call = await self._with.begin(context, min_position)
        key = request_key(_PARTIES, call.tenant, request)
        asked = PartiesAsked(
            prefix=_PREFIXES[request.kind],
            side=request.side,
            tier=request.tier,
            team=request.team,
            after=_after_party(request.page_token, key) if request.page_token else None,
            limit=limit,
        )

        async def work(snapshot: Snapshot) -> tuple[list[PartyRow], str | None, int]:
            rows, after = await list_parties(snapshot, asked)
            return rows, after, snapshot.position

        rows, after, position = await call.read(work)
        return timeline.ListPartiesResponse(
            parties=await self._opened(call, rows),
            next_page_token="" if after is None else make_token(key, (after,)),
            journal=call.journal,
            position=position,
        )

    async def _opened(self, call: Call, rows: Sequence[PartyRow]) -> list[timeline.Party]:
        described = []
        for row in rows:
            message = people_pb2.PartyDescribed()
            message.ParseFromString(row.payload or b"")
            described.append(message)
        # A description has no visibility: it is the whole tenant's.
        payloads = [
            Sealed(message, str(row.described_by), (row.party,), visible=True)
            for row, message in zip(rows, described, strict=True)
        ]
        await open_all(self._with.keys, call.tenant, payloads)
        return [_party(row, message) for row, message in zip(rows, described, strict=True)]


class _Line:
    """A line on its way out: its row, and the touchpoint as it stands."""

    def __init__(self, row: TimelineRow) -> None:
        self.row = row
        self.visible = False
        self._corrected: touchpoint_pb2.Corrected | None = None
        if row.corrected_by is None:
            self.touchpoint = touchpoint_pb2.Touchpoint()
            self.touchpoint.ParseFromString(row.payload)
        else:
            self._corrected = touchpoint_pb2.Corrected()
            self._corrected.ParseFromString(row.payload)
            self.touchpoint = self._corrected.touchpoint

    def sealed(self) -> Sealed:
        """What holds the texts: sealed for their place in the payload that was stored."""
        return Sealed(
            message=self.touchpoint if self._corrected is None else self._corrected,
            event_id=str(self.row.corrected_by or self.row.event_id),
            named=(self.touchpoint.initiator, self.touchpoint.counterpart),
            visible=self.visible,
        )

    def message(self) -> timeline.TimelineLine:
        """The line, its texts opened."""
        row = self.row
        return timeline.TimelineLine(
            event_id=str(row.event_id),
            relationship=relationship_name(row.pair),
            occurred_at=timestamp_message(row.occurred_at_us),
            recorded_at=timestamp_message(row.recorded_at_us),
            position=row.position,
            recorded_by=row.recorded_by,
            state=row.state,  # type: ignore[arg-type]
            touchpoint=self.touchpoint,
            corrected_by=str(row.corrected_by or ""),
            voided_by=str(row.voided_by or ""),
            initiative=row.initiative,  # type: ignore[arg-type]
        )


def _asked_for_side(lines: Sequence[_Line], call: Call) -> list[str]:
    """The caller, when some line shows its texts only to the internal ones of its two people."""
    principal = call.caller.principal
    for line in lines:
        if (
            line.touchpoint.visibility == touchpoint_pb2.VISIBILITY_PARTIES
            and line.row.text_recorded_by != principal
            and principal in (line.touchpoint.initiator, line.touchpoint.counterpart)
        ):
            return [principal]
    return []


def _after_party(text: str, key: bytes) -> str:
    (after,) = read_token(text, key, (str,))
    try:
        return parse_party(str(after))
    except InvalidName:
        raise token_invalid() from None


def _party(row: PartyRow, described: people_pb2.PartyDescribed) -> timeline.Party:
    message = timeline.Party(
        party=row.party,
        kind=(
            people_pb2.PARTY_KIND_PERSON
            if is_person(row.party)
            else people_pb2.PARTY_KIND_ORGANIZATION
        ),
        side=described.side,
        team=described.team,
        tier=described.tier,
        erased=row.erased,
        described_by=str(row.described_by or ""),
    )
    if described.HasField("display_name"):
        message.display_name.CopyFrom(described.display_name)
    if described.HasField("portrait"):
        message.portrait.CopyFrom(described.portrait)
    for name, text in described.attributes.items():
        message.attributes[name].CopyFrom(text)
    return message
