"""GetEvent and ReadEvents."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Final

from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.api.failures import journal_unknown
from services.ledger.api.parts import Parts
from services.ledger.api.presenting import Presenter
from services.ledger.api.types import full_type_name
from services.ledger.domain.events import Chunk
from services.ledger.journal.outcomes import JournalUnknown
from services.runtime.caller import Caller
from services.runtime.errors import RapportError, Reason, invalid
from services.runtime.limits import FILTER_VALUES_MAX, READ_EVENTS_MAX
from services.runtime.names import (
    check_event_id,
    parse_home,
    parse_journal,
    parse_kind,
)
from services.runtime.payloads import rules
from services.runtime.payloads.checking import Found, add
from services.runtime.payloads.rules import REQUIRED, Fault

_event_id: Final = rules.named(check_event_id)
_kind: Final = rules.named(parse_kind)
_journal: Final = rules.named(parse_journal)
_home: Final = rules.named(parse_home)
_limit: Final = rules.between(0, READ_EVENTS_MAX)
_UNKNOWN_TYPE: Final = Fault(Reason.TYPE_UNKNOWN, "is no payload type this ledger knows")
_UNKNOWN_VALUE: Final = Fault(Reason.ENUM_VALUE_UNKNOWN, "has a value this ledger does not know")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events a read lets through: full type names and kinds; empty lets all through."""

    types: tuple[str, ...]
    kinds: tuple[str, ...]


async def get_event(parts: Parts, caller: Caller, request: pb.GetEventRequest) -> pb.Event:
    """One event of the caller's tenant."""
    found: Found = []
    if not request.event_id:
        add(found, "event_id", REQUIRED)
    else:
        add(found, "event_id", _event_id(request.event_id))
    check_view(request.view, found)
    if found:
        raise invalid(found)
    may_view(caller, request.view)
    tenant = await parts.tenant_of(caller)
    event = await parts.journal.get(tenant.tenant, request.event_id)
    if event is None:
        raise RapportError(
            Reason.EVENT_UNKNOWN,
            "the tenant has no such event",
            metadata={"event_id": request.event_id},
        )
    (presented,) = await presenter(parts, caller, request.view).present([event])
    return presented


async def read_events(
    parts: Parts, caller: Caller, request: pb.ReadEventsRequest
) -> AsyncIterator[pb.ReadEventsResponse]:
    """The events of a journal or a home, chunk by chunk."""
    which = _check_read(request)
    may_view(caller, request.view)
    backwards = request.direction == pb.DIRECTION_BACKWARDS
    limit = request.limit or None
    through = 0
    if request.WhichOneof("source") == "home":
        tenant = await parts.tenant_of(caller)
        head = (await parts.journal.head(tenant.journal)).head
        by_position = False
        chunks = parts.journal.read_home(
            tenant.tenant,
            parse_home(request.home.home),
            from_revision=request.home.from_revision or None,
            backwards=backwards,
            limit=limit,
            types=which.types,
            kinds=which.kinds,
        )
    else:
        source = request.journal
        journal, tenant_name = await journal_to_read(
            parts, caller, source.journal, "journal.journal"
        )
        try:
            head = (await parts.journal.head(journal)).head
        except JournalUnknown:
            raise journal_unknown("journal.journal", journal) from None
        by_position = True
        through = 0 if backwards else head
        chunks = parts.journal.read_journal(
            journal,
            from_position=source.from_position or None,
            backwards=backwards,
            limit=limit,
            tenant=tenant_name,
            types=which.types,
            kinds=which.kinds,
            through=None if backwards else head,
        )
    show, answered = presenter(parts, caller, request.view), False
    async for chunk, events in presented(parts, chunks, show):
        answered = True
        through = _read_through(chunk, through, by_position)
        yield pb.ReadEventsResponse(
            events=events,
            read_through_position=through,
            head_position=head,
        )
    if not answered:
        yield pb.ReadEventsResponse(read_through_position=through, head_position=head)


async def presented(
    parts: Parts, chunks: AsyncGenerator[Chunk], show: Presenter
) -> AsyncIterator[tuple[Chunk, list[pb.Event]]]:
    """Each chunk with its events as they are answered, when it is this reader's turn."""
    while True:
        async with parts.reader_turns:
            chunk = await anext(chunks, None)
            if chunk is None:
                return
            events = await show.present(chunk.events)
        yield chunk, events


async def journal_to_read(
    parts: Parts, caller: Caller, journal: str, field: str
) -> tuple[str, str | None]:
    """The journal a caller reads, and the tenant it sees of it (None: all).

    Raises CREDENTIALS_MISSING, TENANT_UNKNOWN, FIELD_REQUIRED, JOURNAL_UNKNOWN.
    """
    if caller.tenant is None and caller.is_service:
        if not journal:
            found: Found = []
            add(found, field, Fault(Reason.FIELD_REQUIRED, "is required without a tenant"))
            raise invalid(found)
        return journal, None
    tenant = await parts.tenant_of(caller)
    if journal not in ("", tenant.journal):
        raise journal_unknown(field, journal)
    return tenant.journal, tenant.tenant


def presenter(parts: Parts, caller: Caller, view: int) -> Presenter:
    """A presenter for one call."""
    return Presenter(parts.vault, parts.journal, parts.clock, caller, view)


def may_view(caller: Caller, view: int) -> None:
    """STORED is for services."""
    if view == pb.EVENT_VIEW_STORED:
        caller.require_service()


def check_view(view: int, found: Found) -> None:
    """A view known here."""
    if view not in pb.EventView.values():
        add(found, "view", _UNKNOWN_VALUE)


def check_filter(types: list[str], kinds: list[str], found: Found) -> Filter:
    """Types by their full names, and kinds."""
    for name, values in (("types", types), ("kinds", kinds)):
        if len(values) > FILTER_VALUES_MAX:
            add(found, name, rules.too_many(len(values), FILTER_VALUES_MAX))
    full = []
    for index, name in enumerate(types[:FILTER_VALUES_MAX]):
        known = full_type_name(name)
        if known is None:
            add(found, f"types[{index}]", _UNKNOWN_TYPE)
        else:
            full.append(known)
    for index, kind in enumerate(kinds[:FILTER_VALUES_MAX]):
        add(found, f"kinds[{index}]", _kind(kind))
    return Filter(tuple(full), tuple(kinds))


def check_journal(journal: str, field: str, found: Found) -> None:
    """A journal's name, if one is given."""
    if journal:
        add(found, field, _journal(journal))


def _check_read(request: pb.ReadEventsRequest) -> Filter:
    found: Found = []
    if request.HasField("home"):
        if not request.home.home:
            add(found, "home.home", REQUIRED)
        else:
            add(found, "home.home", _home(request.home.home))
        add(found, "home.from_revision", rules.not_negative(request.home.from_revision))
    if request.HasField("journal"):
        check_journal(request.journal.journal, "journal.journal", found)
        add(found, "journal.from_position", rules.not_negative(request.journal.from_position))
    if request.direction not in pb.Direction.values():
        add(found, "direction", _UNKNOWN_VALUE)
    add(found, "limit", _limit(request.limit))
    which = check_filter(list(request.types), list(request.kinds), found)
    check_view(request.view, found)
    if found:
        raise invalid(found)
    return which


def _read_through(chunk: Chunk, before: int, by_position: bool) -> int:
    if by_position:
        return chunk.read_through
    return chunk.events[-1].position if chunk.events else before
