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
from services.projector.api.listing import held
from services.projector.api.parties import party_message
from services.projector.api.texts import Sealed, open_all
from services.projector.api.timeline_requests import (
    Parent,
    parent_of,
    short_text,
    summary_asked,
    timeline_asked,
)
from services.projector.api.tokens import (
    Pin,
    page_token,
    read_page_token,
    read_timeline_token,
    timeline_token,
    token_invalid,
)
from services.projector.domain.months import Month
from services.projector.queries.months import summarize_timeline
from services.projector.queries.occasions import FoldedPage
from services.projector.queries.parties import (
    ORGANIZATIONS,
    PEOPLE,
    PartiesAsked,
    PartyRow,
    get_party,
    list_parties,
)
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.stays import end_of, read_team_stays, read_watched_stays
from services.projector.queries.timeline_pages import read_timeline
from services.projector.queries.timelines import TimelineAsked
from services.runtime.errors import RapportError, Reason
from services.runtime.limits import SUMMARIZED_MONTHS_DEFAULT
from services.runtime.names import InvalidName, parse_party
from services.runtime.page_tokens import request_key

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
        as_of, call = await self._with.begin_asked(fields, request, context)
        key = request_key(_TIMELINE, call.tenant, request)
        pin, before = None, None
        if request.page_token:
            pin, before = read_timeline_token(request.page_token, key)
        as_of = await held(self._with, context, as_of, pin)

        async def work(snapshot: Snapshot) -> tuple[Question, FoldedPage, list[Line]]:
            question = await self._with.resolve(snapshot, as_of)
            page = await read_timeline(
                snapshot,
                question,
                await _until(snapshot, question, parent, asked(before)),
                fold=request.fold_occasions,
                is_today=question.on == self._with.today(),
            )
            return question, page, await read_lines(snapshot, call, page.rows)

        question, page, lines = await call.read(work)
        messages = await line_messages(self._with.keys, call, lines)
        for row, message in zip(page.rows, messages, strict=True):
            others = page.folded.get(row.event_id, ())
            message.folded_relationships.extend(relationship_name(pair) for pair in others)
        return timeline.ListTimelineResponse(
            lines=messages,
            next_page_token="" if page.next is None else timeline_token(key, question, page.next),
            journal=call.journal,
            position=question.position,
        )

    async def SummarizeTimeline(  # noqa: N802
        self, request: timeline.SummarizeTimelineRequest, context: Context
    ) -> timeline.SummarizeTimelineResponse:
        """The newest months with a touchpoint, newest first."""
        fields = Fields()
        parent = parent_of(request.parent, fields)
        asked = summary_asked(request, parent, fields)
        as_of, call = await self._with.begin_asked(fields, request, context)

        async def work(snapshot: Snapshot) -> timeline.SummarizeTimelineResponse:
            question = await self._with.resolve(snapshot, as_of)
            wanted = await _until(snapshot, question, parent, asked)
            limit = request.months or SUMMARIZED_MONTHS_DEFAULT
            months = await summarize_timeline(snapshot, question, wanted, limit)
            return timeline.SummarizeTimelineResponse(
                months=[_month(month) for month in months], position=question.position
            )

        return await call.read(work)

    async def GetParty(  # noqa: N802
        self, request: timeline.GetPartyRequest, context: Context
    ) -> timeline.GetPartyResponse:
        """A person or organisation as described on a day."""
        fields = Fields()
        party = fields.party("party", request.party)
        as_of, call = await self._with.begin_asked(fields, request, context)

        async def work(snapshot: Snapshot) -> tuple[PartyRow | None, int]:
            question = await self._with.resolve(snapshot, as_of)
            row = await get_party(snapshot, party, end_of(question), question.position)
            return row, question.position

        row, position = await call.read(work)
        if row is None:
            raise RapportError(
                Reason.PARTY_UNKNOWN,
                "the tenant has no such party: no event known by then names it",
                metadata={"party": party},
            )
        (message,) = await self._opened(call, [row])
        return timeline.GetPartyResponse(party=message, journal=call.journal, position=position)

    async def ListParties(  # noqa: N802
        self, request: timeline.ListPartiesRequest, context: Context
    ) -> timeline.ListPartiesResponse:
        """A page of people and organisations by name, as described on a day."""
        fields = Fields()
        fields.known_enum("kind", people_pb2.PartyKind, request.kind)
        fields.known_enum("side", people_pb2.Side, request.side)
        short_text(fields, "tier", request.tier)
        short_text(fields, "team", request.team)
        limit = fields.page_size(request.page_size)
        as_of, call = await self._with.begin_asked(fields, request, context)
        key = request_key(_PARTIES, call.tenant, request)
        pin, after = _after_party(request.page_token, key) if request.page_token else (None, None)
        as_of = await held(self._with, context, as_of, pin)
        asked = PartiesAsked(
            prefix=_PREFIXES[request.kind],
            side=request.side,
            tier=request.tier,
            team=request.team,
            after=after,
            limit=limit,
        )

        async def work(snapshot: Snapshot) -> tuple[Question, list[PartyRow], str | None]:
            question = await self._with.resolve(snapshot, as_of)
            is_today = question.on == self._with.today()
            rows, last = await list_parties(snapshot, question, asked, is_today=is_today)
            return question, rows, last

        question, rows, last = await call.read(work)
        return timeline.ListPartiesResponse(
            parties=await self._opened(call, rows),
            next_page_token="" if last is None else page_token(key, question, last),
            journal=call.journal,
            position=question.position,
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


async def _until(
    snapshot: Snapshot, question: Question, parent: Parent, asked: TimelineAsked
) -> TimelineAsked:
    """Of what is asked that up to the day; by stays where a team or an organisation is."""
    stays = None
    if parent.team is not None:
        stays = await read_team_stays(snapshot, question, parent.team)
    elif parent.organization is not None:
        stays = await read_watched_stays(snapshot, question, [parent.organization])
    return replace(asked, stays=stays, until_us=end_of(question))


def _month(month: Month) -> timeline.TimelineMonth:
    return timeline.TimelineMonth(
        month=date_message(month.first_day),
        touchpoints=month.touchpoints,
        days=month.days,
        by_kind=month.by_kind,
        incidents=month.incidents,
        live_minutes=month.live_minutes,
    )


def _after_party(text: str, key: bytes) -> tuple[Pin, str]:
    pin, (after,) = read_page_token(text, key, str)
    try:
        return pin, parse_party(after)
    except InvalidName:
        raise token_invalid() from None
