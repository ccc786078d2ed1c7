"""What went wrong, and how it was made good."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from rapport.v1 import relationship_service_pb2 as wire

from services.projector.api.answers import computed_message
from services.projector.api.calls import Call, Context, Dependencies
from services.projector.api.fields import Fields
from services.projector.api.lines import Line, read_lines
from services.projector.api.listing import listing
from services.projector.api.notes import by_event
from services.projector.api.relationship_answers import Notes, curve_messages, incident_message
from services.projector.api.texts import open_all
from services.projector.api.timeline_requests import pair_or_person
from services.projector.api.tokens import token_invalid
from services.projector.queries.incidents import (
    Found,
    IncidentsAsked,
    Newest,
    find_incident,
    list_incidents,
)
from services.projector.queries.lines import read_rows
from services.projector.queries.pages import within_bytes
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.standings import Place
from services.runtime.errors import RapportError, Reason
from services.runtime.names import InvalidName, parse_event_id
from services.runtime.policy import Policy

_LIST: Final = "RelationshipService/ListIncidents"


class Incidents:
    """ListIncidents and GetIncident."""

    _with: Dependencies

    async def ListIncidents(  # noqa: N802
        self, request: wire.ListIncidentsRequest, context: Context
    ) -> wire.ListIncidentsResponse:
        """A page of incidents, newest first."""
        fields = Fields()
        first, second = pair_or_person(request.parent, fields)
        limit = fields.page_size(request.page_size)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)
        page = await listing(self._with, call, context, as_of, request, _LIST)
        asked = IncidentsAsked(first, second, request.open_only, _newest(page.after), limit)

        async def work(
            snapshot: Snapshot,
        ) -> tuple[Sequence[Found], Sequence[Line], wire.ListIncidentsResponse]:
            question = await page.question(self._with, snapshot)
            listed = await list_incidents(snapshot, question, asked)
            lines = await _lines(snapshot, call, question.policy, listed.found)
            kept = within_bytes(lines, lambda line: len(line.row.payload))
            found, after = listed.found, listed.next
            if len(kept) < len(lines):
                found = found[: len(kept)]
                after = found[-1].place
            place = None if after is None else Place(after.instant_us, (after.event_id, ""))
            answer = wire.ListIncidentsResponse(
                next_page_token=page.next_token(question, place),
                computed=computed_message(snapshot, question),
            )
            return found, kept, answer

        found, lines, answer = await call.read(work)
        notes = await self._opened(call, lines)
        answer.incidents.extend(incident_message(each.view, each.incident, notes) for each in found)
        return answer

    async def GetIncident(  # noqa: N802
        self, request: wire.GetIncidentRequest, context: Context
    ) -> wire.GetIncidentResponse:
        """One incident with its recovery curve."""
        fields = Fields()
        event_id = fields.event_id("event_id", request.event_id)
        if not request.event_id:
            fields.wrong("event_id", "is required", Reason.FIELD_REQUIRED)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)
        assert event_id is not None

        async def work(
            snapshot: Snapshot,
        ) -> tuple[Found, Sequence[Line], wire.GetIncidentResponse]:
            question = await self._with.resolve(snapshot, as_of)
            found = await find_incident(snapshot, question, event_id)
            if found is None:
                raise _unknown(event_id)
            lines = await _lines(snapshot, call, question.policy, [found])
            answer = wire.GetIncidentResponse(
                curve=curve_messages(found.incident),
                computed=computed_message(snapshot, question),
            )
            return found, lines, answer

        found, lines, answer = await call.read(work)
        notes = await self._opened(call, lines)
        answer.incident.CopyFrom(incident_message(found.view, found.incident, notes))
        return answer

    async def _opened(self, call: Call, lines: Sequence[Line]) -> Notes:
        await open_all(self._with.keys, call.tenant, [line.sealed() for line in lines])
        return by_event(lines)


async def _lines(
    snapshot: Snapshot, call: Call, policy: Policy, found: Sequence[Found]
) -> Sequence[Line]:
    touchpoints = [each.incident.touchpoint for each in found]
    return await read_lines(snapshot, call, await read_rows(snapshot, policy, touchpoints))


def _newest(place: Place | None) -> Newest | None:
    if place is None:
        return None
    try:
        return Newest(place.key, str(parse_event_id(place.pair[0])))
    except InvalidName:
        raise token_invalid() from None


def _unknown(event_id: UUID) -> RapportError:
    return RapportError(
        Reason.EVENT_UNKNOWN,
        "no incident in effect by that day has this event id",
        metadata={"event_id": str(event_id)},
    )
