"""Reading the requests of TimelineService."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rapport.events.v1 import people_pb2, touchpoint_pb2
from rapport.v1 import timeline_service_pb2 as timeline

from services.projector.api.fields import Fields
from services.projector.queries.parties import ORGANIZATIONS
from services.projector.queries.timelines import Before, TimelineAsked
from services.runtime.errors import Reason
from services.runtime.limits import CHANNEL_BYTES_MAX, PAGE_SIZE_MAX, SUMMARIZED_MONTHS_MAX
from services.runtime.names import InvalidName, is_person, parse_kind
from services.runtime.policy import Initiative

_RELATIONSHIPS: Final = "relationships/"
TEAMS: Final = "teams/"
_NAME_BYTES_MAX: Final = 64
_MODES: Final = {
    touchpoint_pb2.INITIATIVE_PROACTIVE: Initiative.PROACTIVE,
    touchpoint_pb2.INITIATIVE_RESPONSIVE: Initiative.RESPONSIVE,
    touchpoint_pb2.INITIATIVE_REACTIVE: Initiative.REACTIVE,
    touchpoint_pb2.INITIATIVE_AUTOMATED: Initiative.AUTOMATED,
}


@dataclass(frozen=True, slots=True)
class Parent:
    """Whose timeline: of a pair, a person (`second` None), a team or an organisation."""

    first: str = ""
    second: str | None = None
    team: str | None = None
    organization: str | None = None


def timeline_asked(
    request: timeline.ListTimelineRequest, parent: Parent, fields: Fields
) -> Callable[[Before | None], TimelineAsked]:
    """The question, but for the place it goes on from, which the token says."""
    fields.known_enum("order_by", timeline.TimelineOrder, request.order_by)
    fields.each("kinds", request.kinds, lambda path, text: _kind(fields, path, text))
    fields.each("channels", request.channels, lambda path, text: _channel(fields, path, text))
    fields.each(
        "initiatives",
        request.initiatives,
        lambda path, value: fields.known_enum(path, touchpoint_pb2.Initiative, value, unset=False),
    )
    fields.known_enum("initiator_side", people_pb2.Side, request.initiator_side)
    incident = fields.event_id("incident", request.incident)
    limit = fields.page_size(request.page_size)

    def asked(before: Before | None) -> TimelineAsked:
        return TimelineAsked(
            first=parent.first,
            second=parent.second,
            by_recorded=request.order_by == timeline.TIMELINE_ORDER_RECORDED,
            limit=limit,
            before=before,
            include_voided=request.include_voided,
            kinds=sorted(set(request.kinds)) or None,
            channels=sorted(set(request.channels)) or None,
            modes={_MODES[value] for value in request.initiatives} or None,
            side=request.initiator_side,
            incident=incident,
        )

    return asked


def summary_asked(
    request: timeline.SummarizeTimelineRequest, parent: Parent, fields: Fields
) -> TimelineAsked:
    """The question behind a summary: everything in force, page by page."""
    if not 0 <= request.months <= SUMMARIZED_MONTHS_MAX:
        fields.wrong("months", f"is 1 to {SUMMARIZED_MONTHS_MAX}", Reason.OUT_OF_RANGE)
    return TimelineAsked(
        first=parent.first, second=parent.second, by_recorded=False, limit=PAGE_SIZE_MAX
    )


def parent_of(text: str, fields: Fields) -> Parent:
    """Whose timeline the field `parent` names."""
    if text.startswith(_RELATIONSHIPS):
        return Parent(*fields.pair("parent", text))
    if text.startswith(TEAMS):
        return Parent(team=fields.team("parent", text.removeprefix(TEAMS)))
    if text.startswith(ORGANIZATIONS):
        return Parent(organization=fields.organization("parent", text))
    if not text or is_person(text):
        return Parent(fields.person("parent", text))
    one_of = "relationships/{a}~{b}, people/{id}, teams/{team} or organizations/{id}"
    fields.wrong("parent", f"is {one_of}")
    return Parent()


def pair_or_person(text: str, fields: Fields) -> tuple[str, str | None]:
    """The two people of a relationship's name, or one person and None, in the field `parent`."""
    if text.startswith(_RELATIONSHIPS):
        return fields.pair("parent", text)
    if not text or is_person(text):
        return fields.person("parent", text), None
    fields.wrong("parent", "is relationships/{a}~{b} or people/{id}")
    return "", None


def _kind(fields: Fields, path: str, text: str) -> None:
    try:
        parse_kind(text)
    except InvalidName as error:
        fields.wrong(path, str(error))


def _channel(fields: Fields, path: str, text: str) -> None:
    if not text or not _is_text(text, CHANNEL_BYTES_MAX):
        fields.wrong(path, f"a channel is 1 to {CHANNEL_BYTES_MAX} bytes of text")


def short_text(fields: Fields, path: str, text: str) -> None:
    """A name to filter by, at most 64 bytes."""
    if not _is_text(text, _NAME_BYTES_MAX):
        fields.wrong(path, f"is at most {_NAME_BYTES_MAX} bytes of text")


def _is_text(text: str, bytes_max: int) -> bool:
    # Postgres keeps no NUL in texts and refuses to compare with one.
    return len(text.encode()) <= bytes_max and "\0" not in text
