"""From requests to drafts: validated events that still carry their texts as they were sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from rapport.events.v1 import touchpoint_pb2
from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.api.types import BY_FIELD, SCHEMA_VERSION, PayloadType
from services.runtime.clock import US_PER_DAY, day_from_date, instant_from_timestamp
from services.runtime.errors import Reason, invalid
from services.runtime.limits import BATCH_EVENTS_MAX, EVENT_BYTES_MAX, REQUEST_BYTES_MAX
from services.runtime.names import check_event_id
from services.runtime.payloads import rules
from services.runtime.payloads.checking import Found, add, check_payload
from services.runtime.payloads.rules import REQUIRED, Fault
from services.runtime.personal_texts import Place, personal_texts
from services.runtime.policy import Policy

_event_id: Final = rules.named(check_event_id)
# Field numbers of payloads begin here; one that is not known here is a type not known here.
_FIRST_PAYLOAD_NUMBER: Final = 20

type KindsKnown = Callable[[str], bool]


@dataclass(slots=True)
class Draft:
    """A validated event. `path` is where it stood in the request; `home` is None for a Voided.

    `people` are those whose keys seal its texts (empty: the tenant's key), `target` the event id it
    names, `texts` its personal texts by path.
    """

    path: str
    event_id: str
    kind_of: PayloadType
    payload: Any
    kind: str | None
    home: str | None
    people: tuple[str, ...]
    occurred_at_us: int | None = None
    expected_revision: int | None = None
    correlation_id: str = ""
    causation_id: str = ""
    schema_version: int = SCHEMA_VERSION
    target: str | None = None
    texts: list[Place] = field(default_factory=list)

    @property
    def type(self) -> str:
        """Full proto name of the payload."""
        return self.kind_of.full_name


@dataclass(frozen=True, slots=True)
class Scope:
    """What a request is judged by: who sends it, when, and which kinds its tenant has."""

    tenant: str
    principal: str
    now_us: int
    is_kind: KindsKnown


def read_batch(events: Sequence[pb.NewEvent], size_bytes: int, scope: Scope) -> list[Draft]:
    """The drafts of a batch, in order.

    Raises INVALID_ARGUMENT with every violation of the request, of whole batch and of its events.
    """
    found: Found = []
    check_batch_size(len(events), size_bytes, found)
    if found:
        raise invalid(found)
    reader = _Reader(scope, found)
    drafts = [reader.read(event, index) for index, event in enumerate(events)]
    if found:
        raise invalid(found)
    return [draft for draft in drafts if draft is not None]


def check_batch_size(count: int, size_bytes: int, found: Found) -> None:
    """1 to 1000 events, at most 8 MiB."""
    if count == 0:
        add(found, "events", REQUIRED)
    if count > BATCH_EVENTS_MAX:
        add(found, "events", rules.too_many(count, BATCH_EVENTS_MAX))
    if size_bytes > REQUEST_BYTES_MAX:
        add(found, "events", rules.too_large(size_bytes, REQUEST_BYTES_MAX))


def check_kind(payload: Message, path: str, is_kind: KindsKnown, found: Found) -> None:
    """The kind of a Touchpoint or Corrected is one that the tenant has."""
    if isinstance(payload, touchpoint_pb2.Corrected):
        payload, path = payload.touchpoint, f"{path}.touchpoint"
    if isinstance(payload, touchpoint_pb2.Touchpoint) and payload.kind:
        kind = payload.kind
        if not is_kind(kind) and rules.named_kind(kind) is None:
            description = "is neither in the default policy nor in one the tenant adopted"
            add(found, f"{path}.kind", Fault(Reason.KIND_UNKNOWN, description, {"kind": kind}))


def _check_until(payload: Any, path: str, occurred_at_us: int | None, found: Found) -> None:
    """A snooze ends not before the day it was said, where that is told.

    Where it is not, the day is that of recording: nothing recorded once may be refused when it is
    sent again later, so the ledger's clock is no judge here.
    """
    if occurred_at_us is None:
        return
    until = payload.until
    if payload.HasField("until") and rules.calendar_day(until.year, until.month, until.day) is None:
        day = day_from_date(date(until.year, until.month, until.day))
        if day < occurred_at_us // US_PER_DAY:
            text = "takes the day of occurred_at or a later one"
            add(found, f"{path}.until", Fault(Reason.OUT_OF_RANGE, text))


class _Reader:
    """Reads the events of one batch; knows what the earlier ones of it bring."""

    def __init__(self, scope: Scope, found: Found) -> None:
        self._scope = scope
        self._found = found
        self._ids: set[str] = set()
        self._adopted: set[str] = set()

    def read(self, event: pb.NewEvent, index: int) -> Draft | None:
        path, before = f"events[{index}]", len(self._found)
        occurred_at_us = self._envelope(event, path)
        field_name = event.WhichOneof("payload")
        if field_name is None:
            add(self._found, f"{path}.payload", _absent_or_unknown(event))
            return None
        kind_of, payload = BY_FIELD[field_name], getattr(event, field_name)
        inner = f"{path}.{field_name}"
        size_bytes = payload.ByteSize()
        if size_bytes > EVENT_BYTES_MAX:
            add(self._found, inner, rules.too_large(size_bytes, EVENT_BYTES_MAX))
        check_payload(payload, inner, self._scope.now_us, self._found)
        check_kind(payload, inner, self._is_kind, self._found)
        if field_name == "attention_answered":
            _check_until(payload, inner, occurred_at_us, self._found)
        if len(self._found) > before:
            return None
        if field_name == "policy_adopted":
            self._adopted.update(Policy.parse_json(payload.policy_json).kinds)
        draft = draft_of(event.event_id, kind_of, payload, path, self._scope)
        draft.occurred_at_us = occurred_at_us
        if event.HasField("expected_revision"):
            draft.expected_revision = event.expected_revision
        draft.correlation_id, draft.causation_id = event.correlation_id, event.causation_id
        return draft

    def _envelope(self, event: pb.NewEvent, path: str) -> int | None:
        """Check the envelope; the instant, if there is one and it is right."""
        found = self._found
        if not event.event_id:
            add(found, f"{path}.event_id", REQUIRED)
        elif (fault := _event_id(event.event_id)) is not None:
            add(found, f"{path}.event_id", fault)
        elif event.event_id in self._ids:
            fault = Fault(Reason.EVENT_ID_REPEATED, "occurs twice in the batch")
            add(found, f"{path}.event_id", fault)
        self._ids.add(event.event_id)
        if event.HasField("expected_revision"):
            fault = rules.not_negative(event.expected_revision)
            add(found, f"{path}.expected_revision", fault)
        if event.correlation_id:
            fault = rules.correlation_id(event.correlation_id)
            add(found, f"{path}.correlation_id", fault)
        if event.causation_id:
            add(found, f"{path}.causation_id", _event_id(event.causation_id))
        if event.schema_version not in (0, SCHEMA_VERSION):
            fault = Fault(Reason.TYPE_UNKNOWN, f"takes {SCHEMA_VERSION}")
            add(found, f"{path}.schema_version", fault)
        if not event.HasField("occurred_at"):
            return None
        seconds, nanos = event.occurred_at.seconds, event.occurred_at.nanos
        fault = rules.occurred_at(seconds, nanos, self._scope.now_us)
        add(found, f"{path}.occurred_at", fault)
        return None if fault is not None else instant_from_timestamp(seconds, nanos)

    def _is_kind(self, kind: str) -> bool:
        return kind in self._adopted or self._scope.is_kind(kind)


def draft_of(event_id: str, kind_of: PayloadType, payload: Any, path: str, scope: Scope) -> Draft:
    """The draft of a valid payload, its envelope still empty."""
    home = None if kind_of.home is None else kind_of.home(payload, scope.tenant, scope.principal)
    return Draft(
        path=path,
        event_id=event_id,
        kind_of=kind_of,
        payload=payload,
        kind=payload.kind if kind_of.field == "touchpoint" else None,
        home=home,
        people=kind_of.people(payload),
        target=getattr(payload, kind_of.target) if kind_of.target else None,
        texts=personal_texts(payload),
    )


def _absent_or_unknown(event: pb.NewEvent) -> Fault:
    unknown = UnknownFieldSet(event)
    if any(unknown[i].field_number >= _FIRST_PAYLOAD_NUMBER for i in range(len(unknown))):
        return Fault(Reason.TYPE_UNKNOWN, "is of a type this ledger does not know")
    return REQUIRED
