"""From stored events to what a caller is answered: opened for those who may see, or as stored."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp
from rapport.events.v1 import touchpoint_pb2
from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.api.kinds import HomeLog
from services.ledger.api.sealing import Keys
from services.ledger.api.sides import Sides
from services.ledger.api.types import BY_NAME, PayloadType
from services.ledger.domain.events import Recorded, StoredEvent
from services.ledger.domain.visibility import Visibility, may_read, needs_side
from services.runtime.caller import Caller
from services.runtime.clock import Clock, timestamp_from_instant
from services.runtime.personal_texts import open_texts, sealed_subjects
from services.runtime.vault import SubjectKeys

# Subjects in one question to the vault; below what it takes.
_SUBJECTS_MAX: Final = 10_000

# Readers that catch up let appends through after so many events.
_SLICE_EVENTS: Final = 50

_VISIBILITIES: Final = {
    touchpoint_pb2.VISIBILITY_UNSPECIFIED: Visibility.TENANT,
    touchpoint_pb2.VISIBILITY_TENANT: Visibility.TENANT,
    touchpoint_pb2.VISIBILITY_PRIVATE: Visibility.PRIVATE,
    touchpoint_pb2.VISIBILITY_PARTIES: Visibility.PARTIES,
}

type _Opened = tuple[StoredEvent, pb.Event, PayloadType, Any]


class Presenter:
    """Presents events to one caller, for one call: it keeps what it learns about sides so long."""

    def __init__(self, vault: Keys, log: HomeLog, clock: Clock, caller: Caller, view: int) -> None:
        self._vault = vault
        self._sides = Sides(log, clock)
        self._caller = caller
        self._stored = view == pb.EVENT_VIEW_STORED

    async def present(self, events: Sequence[StoredEvent]) -> list[pb.Event]:
        """The events, in order, in the view asked for."""
        presented = [_envelope(event) for event in events]
        if self._stored:
            for event, answer in zip(events, presented, strict=True):
                answer.stored_payload = event.payload
            return presented
        sealed: dict[str, list[_Opened]] = {}
        for index, (event, answer) in enumerate(zip(events, presented, strict=True)):
            if index % _SLICE_EVENTS == _SLICE_EVENTS - 1:
                await asyncio.sleep(0)
            opened = _typed(event, answer)
            if opened is not None and sealed_subjects(opened[3]):
                sealed.setdefault(event.tenant, []).append(opened)
        for tenant, opened_events in sealed.items():
            await self._open(tenant, opened_events)
        return presented

    async def _open(self, tenant: str, opened: Sequence[_Opened]) -> None:
        part: list[_Opened] = []
        subjects: set[str] = set()
        for each in opened:
            part.append(each)
            subjects |= sealed_subjects(each[3])
            if len(subjects) > _SUBJECTS_MAX // 2:
                await self._open_part(tenant, part, subjects)
                part, subjects = [], set()
        if part:
            await self._open_part(tenant, part, subjects)

    async def _open_part(self, tenant: str, part: Sequence[_Opened], subjects: set[str]) -> None:
        keys: SubjectKeys = await self._vault.keys_for(tenant, subjects, create=False)
        for index, (event, _, kind_of, payload) in enumerate(part):
            if index % _SLICE_EVENTS == _SLICE_EVENTS - 1:
                await asyncio.sleep(0)
            open_texts(
                payload,
                keys,
                tenant=tenant,
                event_id=event.event_id,
                visible=await self._may_read(event, payload),
                named=kind_of.people(payload),
            )

    async def _may_read(self, event: StoredEvent, payload: Any) -> bool:
        touchpoint = payload.touchpoint if event.type.endswith(".Corrected") else payload
        if not isinstance(touchpoint, touchpoint_pb2.Touchpoint):
            return True
        # One this ledger does not know, written by a newer one, may be stricter than any it knows.
        visibility = _VISIBILITIES.get(touchpoint.visibility, Visibility.PRIVATE)
        people = (touchpoint.initiator, touchpoint.counterpart)
        principal, recorder = self._caller.principal, event.recorded_by
        is_internal = False
        if needs_side(visibility, principal=principal, recorder=recorder, people=people):
            is_internal = await self._sides.is_internal(event.tenant, principal)
        return may_read(
            visibility,
            principal=principal,
            recorder=recorder,
            people=people,
            is_internal=is_internal,
        )


def appended_event(recorded: Recorded, recorded_at: Timestamp) -> pb.AppendedEvent:
    """Where an event stands."""
    return pb.AppendedEvent(
        event_id=recorded.event_id,
        position=recorded.position,
        home=recorded.home,
        revision=recorded.revision,
        replayed=recorded.replayed,
        recorded_at=recorded_at,
    )


def append_answer(journal: str, recorded: Sequence[Recorded]) -> pb.AppendEventsResponse:
    """Where the events of a batch stand."""
    # New events of a batch share their instant.
    recorded_at = {at_us: timestamp(at_us) for at_us in {e.recorded_at_us for e in recorded}}
    return pb.AppendEventsResponse(
        journal=journal,
        events=[appended_event(each, recorded_at[each.recorded_at_us]) for each in recorded],
        last_position=max(each.position for each in recorded),
    )


def timestamp(instant_us: int) -> Timestamp:
    """An instant as protobuf writes it."""
    seconds, nanos = timestamp_from_instant(instant_us)
    return Timestamp(seconds=seconds, nanos=nanos)


def _envelope(event: StoredEvent) -> pb.Event:
    return pb.Event(
        event_id=event.event_id,
        occurred_at=timestamp(event.occurred_at_us),
        recorded_at=timestamp(event.recorded_at_us),
        journal=event.journal,
        position=event.position,
        tenant=event.tenant,
        home=event.home,
        revision=event.revision,
        recorded_by=pb.RecordedBy(principal=event.recorded_by, verified=event.verified),
        correlation_id=event.correlation_id,
        causation_id=event.causation_id,
        schema_version=event.schema_version,
        type=event.type,
        payload_sha256=event.payload_sha256,
        kind=event.kind or "",
    )


def _typed(event: StoredEvent, answer: pb.Event) -> _Opened | None:
    """Put the typed payload into an answer; None for a type not known here, which has none."""
    kind_of = BY_NAME.get(event.type)
    if kind_of is None:
        return None
    payload: Message = getattr(answer, kind_of.field)
    try:
        payload.ParseFromString(event.payload)
    except DecodeError:
        answer.ClearField("payload")
        return None
    payload.SetInParent()
    return event, answer, kind_of, payload
