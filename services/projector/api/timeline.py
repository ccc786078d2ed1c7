"""TimelineService: what happened, and between whom."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from rapport.events.v1 import people_pb2
from rapport.v1 import timeline_service_pb2 as timeline
from rapport.v1.timeline_service_pb2_grpc import TimelineServiceServicer

from services.projector.api.answers import date_message, relationship_name
from services.projector.api.calls import Call, Context, Dependencies
from services.projector.api.fields import Fields
from services.projector.api.lines import Line, line_messages, read_lines
from services.projector.api.parties import party_message
from services.projector.api.texts import Sealed, open_all
from services.projector.api.timeline_requests import (
    Parent,
    parent_of,
    short_text,
    summary_asked,
    timeline_asked,
)
from services.projector.api.tokens import read_timeline_token, timeline_token, token_invalid
from services.projector.domain.months import Month
from services.projector.queries.months import summarize_timeline
from services.projector.queries.occasions import FoldedPage, list_folded
from services.projector.queries.parties import (
    ORGANIZATIONS,
    PEOPLE,
    PartiesAsked,
    PartyRow,
    get_party,
    list_parties,
)
from services.projector.queries.question import AsOf, Question
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.stays import read_team_stays, read_watched_stays
from services.projector.queries.timelines import Stay, list_timeline
from services.runtime.clock import US_PER_DAY
from services.runtime.errors import RapportError, Reason
from services.runtime.limits import SUMMARIZED_MONTHS_DEFAULT
from services.runtime.names import InvalidName, parse_party
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
        parent = parent_of(request.parent, fields)
        asked = timeline_asked(request, parent, fields)
        min_position = fields.position("min_position", request.min_position)
        fields.done()
        call = await self._with.begin(context, min_position)
        key = request_key(_TIMELINE, call.tenant, request)
        before = read_timeline_token(request.page_token, key) if request.page_token else None

        async def work(snapshot: Snapshot) -> tuple[FoldedPage, list[Line], int]:
            question = await self._with.resolve(snapshot, AsOf())
            wanted = replace(asked(before), stays=await _stays(snapshot, question, parent))
            if request.fold_occasions:
                folded = await list_folded(snapshot, question.policy, wanted)
            else:
                page = await list_timeline(snapshot, question.policy, wanted)
                folded = FoldedPage(page.rows, {}, page.next)
            return folded, await read_lines(snapshot, call, folded.rows), snapshot.position

        page, lines, position = await call.read(work)
        messages = await line_messages(self._with.keys, call, lines)
        for row, message in zip(page.rows, messages, strict=True):
            others = page.folded.get(row.event_id, ())
            message.folded_relationships.extend(relationship_name(pair) for pair in others)
        return timeline.ListTimelineResponse(
            lines=messages,
            next_page_token="" if page.next is None else timeline_token(key, page.next),
            journal=call.journal,
            position=position,
        )

    async def SummarizeTimeline(  # noqa: N802
        self, request: timeline.SummarizeTimelineRequest, context: Context
    ) -> timeline.SummarizeTimelineResponse:
        """The newest months with a touchpoint, newest first."""
        fields = Fields()
        parent = parent_of(request.parent, fields)
        asked = summary_asked(request, parent, fields)
        min_position = fields.position("min_position", request.min_position)
        fields.done()
        call = await self._with.begin(context, min_position)

        async def work(snapshot: Snapshot) -> timeline.SummarizeTimelineResponse:
            question = await self._with.resolve(snapshot, AsOf())
            wanted = replace(asked, stays=await _stays(snapshot, question, parent))
            limit = request.months or SUMMARIZED_MONTHS_DEFAULT
            months = await summarize_timeline(snapshot, question.policy, wanted, limit)
            return timeline.SummarizeTimelineResponse(
                months=[_month(month) for month in months], position=snapshot.position
            )

        return await call.read(work)

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
            before_us = (day + 1) * US_PER_DAY
            row = await get_party(snapshot, party, before_us, snapshot.position)
            return row, snapshot.position

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
        return [party_message(row, message) for row, message in zip(rows, described, strict=True)]


async def _stays(snapshot: Snapshot, question: Question, parent: Parent) -> tuple[Stay, ...] | None:
    """The stays that make a team's or an organisation's timeline; None for people's own."""
    if parent.team is not None:
        return await read_team_stays(snapshot, question, parent.team)
    if parent.organization is not None:
        return await read_watched_stays(snapshot, question, [parent.organization])
    return None


def _month(month: Month) -> timeline.TimelineMonth:
    return timeline.TimelineMonth(
        month=date_message(month.first_day),
        touchpoints=month.touchpoints,
        days=month.days,
        by_kind=month.by_kind,
        incidents=month.incidents,
        live_minutes=month.live_minutes,
    )


def _after_party(text: str, key: bytes) -> str:
    (after,) = read_token(text, key, (str,))
    try:
        return parse_party(str(after))
    except InvalidName:
        raise token_invalid() from None
