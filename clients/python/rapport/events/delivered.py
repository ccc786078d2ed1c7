"""One event as NATS delivers it: CloudEvents headers around the stored bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import grpc
from google.protobuf.message import DecodeError, Message

from rapport.errors import RapportError
from rapport.events.v1 import people_pb2, practice_pb2, touchpoint_pb2
from rapport.v1.ledger_service_pb2 import Event

_TYPES: Final[dict[str, type[Message]]] = {
    descriptor.full_name: getattr(module, name)
    for module in (touchpoint_pb2, people_pb2, practice_pb2)
    for name, descriptor in module.DESCRIPTOR.message_types_by_name.items()
}


@dataclass(frozen=True, slots=True)
class DeliveredEvent:
    """A recorded event. Personal texts are sealed: read them through the ledger.

    type: full name of the payload's message, `rapport.events.v1.Touchpoint`. payload: the stored
    bytes. message: them as a message (Touchpoint, Voided …); None for a type this client does not
    know, and for bytes that are none of their type. incarnation: keep it with the position; it
    changes when the journal was restored to an earlier point. correlation_id, causation_id: empty
    when none was given.
    """

    journal: str
    position: int
    incarnation: str
    tenant: str
    event_id: str
    type: str
    home: str
    revision: int
    occurred_at: datetime
    recorded_at: datetime
    recorded_by: str
    verified: bool
    correlation_id: str
    causation_id: str
    schema_version: int
    payload: bytes
    message: Message | None


def delivered(
    journal: str, sequence: int, headers: Mapping[str, str] | None, body: bytes
) -> DeliveredEvent:
    """The event of a message; STREAM_DIVERGED for one that the relay did not write there."""
    headers = headers or {}
    try:
        position = int(headers["ce-position"])
        if position != sequence:
            raise diverged(journal, sequence, f"holds position {position}")
        name = headers["ce-type"]
        return DeliveredEvent(
            journal=journal,
            position=position,
            incarnation=headers["ce-incarnation"],
            tenant=headers["ce-tenant"],
            event_id=headers["ce-id"],
            type=name,
            home=headers["ce-subject"],
            revision=int(headers["ce-revision"]),
            occurred_at=_instant(headers["ce-time"]),
            recorded_at=_instant(headers["ce-recordedat"]),
            recorded_by=headers["ce-recordedby"],
            verified=headers.get("ce-verified") == "true",
            correlation_id=headers.get("ce-correlationid", ""),
            causation_id=headers.get("ce-causationid", ""),
            schema_version=int(headers.get("ce-schemaversion", "1")),
            payload=body,
            message=_message_of(name, body),
        )
    except (KeyError, ValueError) as error:
        raise diverged(journal, sequence, f"is no event of ours ({error!r})") from error


def _message_of(name: str, body: bytes) -> Message | None:
    """What the journal holds is what it is: one unreadable event must not end a subscription."""
    try:
        return _TYPES[name].FromString(body) if name in _TYPES else None
    except DecodeError:
        return None


def from_ledger(event: Event, incarnation: str) -> DeliveredEvent:
    """The event of an answer of the ledger in the STORED view."""
    body, name = event.stored_payload, event.type
    return DeliveredEvent(
        journal=event.journal,
        position=event.position,
        incarnation=incarnation,
        tenant=event.tenant,
        event_id=event.event_id,
        type=name,
        home=event.home,
        revision=event.revision,
        occurred_at=event.occurred_at.ToDatetime(UTC),
        recorded_at=event.recorded_at.ToDatetime(UTC),
        recorded_by=event.recorded_by.principal,
        verified=event.recorded_by.verified,
        correlation_id=event.correlation_id,
        causation_id=event.causation_id,
        schema_version=event.schema_version,
        payload=body,
        message=_TYPES[name].FromString(body) if name in _TYPES else None,
    )


def diverged(journal: str, sequence: int, what: str) -> RapportError:
    """The stream holds something else than the journal; `rapport stream rebuild` repairs it."""
    return RapportError(
        "STREAM_DIVERGED",
        f"message {sequence} of the stream of journal {journal} {what}",
        code=grpc.StatusCode.FAILED_PRECONDITION,
        metadata={"journal": journal, "sequence": str(sequence)},
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
