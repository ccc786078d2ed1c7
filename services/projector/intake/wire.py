"""From what NATS and the ledger send to events: checked, so that nothing foreign gets through."""

from typing import Final

from nats.aio.msg import Msg
from rapport.v1 import ledger_service_pb2 as pb

from services.projector.facts import TOUCHPOINT, Delivered, canonical_id
from services.runtime import streams
from services.runtime.clock import InvalidInstant, instant_from_iso, instant_from_timestamp

# `$JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>.…`, or with domain and account first.
_SHORT_REPLY_TOKENS: Final = 9
_SHORT_SEQUENCE: Final = 5
_LONG_SEQUENCE: Final = 7


class NotOfTheJournal(Exception):  # noqa: N818 - says what it is
    """A message that is not the event its journal has at that position; says why."""


def from_message(message: Msg, journal: str, incarnation: str) -> Delivered:
    """The event of a JetStream message; NotOfTheJournal unless all of its envelope fits."""
    headers = message.headers or {}
    sequence = _sequence(message.reply)
    if headers.get(streams.POSITION) != str(sequence):
        raise NotOfTheJournal("position_is_not_sequence")
    if headers.get(streams.INCARNATION) != incarnation:
        raise NotOfTheJournal("other_incarnation")
    if headers.get(streams.SOURCE) != f"/rapport/journals/{journal}":
        raise NotOfTheJournal("other_journal")
    event_id, type_name = headers.get(streams.EVENT_ID, ""), headers.get(streams.TYPE, "")
    tenant = headers.get(streams.TENANT, "")
    if not type_name or not tenant or canonical_id(event_id) != event_id:
        raise NotOfTheJournal("envelope_incomplete")
    try:
        return Delivered(
            journal=journal,
            incarnation=incarnation,
            position=sequence,
            tenant=tenant,
            event_id=event_id,
            type=type_name,
            home=headers.get(streams.SUBJECT, ""),
            revision=int(headers.get(streams.REVISION, "0")),
            kind=_kind(message.subject, type_name),
            occurred_at_us=instant_from_iso(headers.get(streams.TIME, "")),
            recorded_at_us=instant_from_iso(headers.get(streams.RECORDED_AT, "")),
            recorded_by=headers.get(streams.RECORDED_BY, ""),
            schema_version=int(headers.get(streams.SCHEMA_VERSION, "1")),
            payload=message.data,
        )
    except (InvalidInstant, ValueError):
        raise NotOfTheJournal("envelope_malformed") from None


def from_event(event: pb.Event, incarnation: str) -> Delivered:
    """The event of an answer of the ledger in the STORED view."""
    occurred, recorded = event.occurred_at, event.recorded_at
    return Delivered(
        journal=event.journal,
        incarnation=incarnation,
        position=event.position,
        tenant=event.tenant,
        event_id=event.event_id,
        type=event.type,
        home=event.home,
        revision=event.revision,
        kind=event.kind if event.type == TOUCHPOINT else "",
        occurred_at_us=instant_from_timestamp(occurred.seconds, occurred.nanos),
        recorded_at_us=instant_from_timestamp(recorded.seconds, recorded.nanos),
        recorded_by=event.recorded_by.principal,
        schema_version=event.schema_version,
        payload=event.stored_payload,
    )


def _sequence(reply: str) -> int:
    tokens = reply.split(".")
    at = _SHORT_SEQUENCE if len(tokens) == _SHORT_REPLY_TOKENS else _LONG_SEQUENCE
    try:
        return int(tokens[at])
    except (IndexError, ValueError):
        raise NotOfTheJournal("no_sequence") from None


def _kind(subject: str, type_name: str) -> str:
    # No kind has a `-` of its own, so that the last token says it exactly.
    return subject.rpartition(".")[2].replace("-", ".") if type_name == TOUCHPOINT else ""
