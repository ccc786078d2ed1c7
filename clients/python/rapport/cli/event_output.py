"""Messages as JSON for people and scripts: what `--json` prints, in the words of event_json."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from rapport.cli.event_json import enum_words
from rapport.events.v1 import common_pb2, touchpoint_pb2
from rapport.times import instant
from rapport.v1 import ledger_service_pb2 as ledger

_PAYLOADS: Final = [f.name for f in ledger.Event.DESCRIPTOR.oneofs_by_name["payload"].fields]


def event_document(event: ledger.Event) -> dict[str, Any]:
    """A recorded event in the form of `append FILE`, with what the ledger says about it."""
    document: dict[str, Any] = {
        "type": event.type.rpartition(".")[2],
        "event_id": event.event_id,
        "occurred_at": iso(event.occurred_at),
        "recorded_at": iso(event.recorded_at),
        "position": event.position,
        "home": event.home,
        "revision": event.revision,
        "journal": event.journal,
        "tenant": event.tenant,
        "recorded_by": event.recorded_by.principal,
    }
    for key in ("correlation_id", "causation_id"):
        if value := getattr(event, key):
            document[key] = value
    payload = event.WhichOneof("payload")
    if payload is not None:
        fields = message_document(getattr(event, payload))
        if payload == "corrected" and "occurred_at" in fields:
            fields.setdefault("touchpoint", {})["occurred_at"] = fields.pop("occurred_at")
        document |= fields
    return document


def message_document(message: Message) -> dict[str, Any]:
    """The set fields of any message of ours, by name."""
    return {
        field.name: _value(field, getattr(message, field.name)) for field, _ in message.ListFields()
    }


def full_document(message: Message) -> dict[str, Any]:
    """Every field of an answer by name: numbers that are 0 stand as 0, what is absent as null.

    Touchpoints within it have the fields that are set, as everywhere.
    """
    document: dict[str, Any] = {}
    fields: Sequence[Any] = message.DESCRIPTOR.fields
    for field in fields:
        if field.has_presence and not message.HasField(field.name):
            document[field.name] = None
        else:
            document[field.name] = _value(field, getattr(message, field.name), _full)
    return document


def iso(stamp: Timestamp) -> str:
    """ISO 8601 in UTC with a `Z`, down to microseconds where there are any."""
    return iso_of(instant(stamp))


def iso_of(when: datetime) -> str:
    """The same of Python's own."""
    return when.isoformat().replace("+00:00", "Z")


def personal_text(text: common_pb2.PersonalText) -> str:
    """A personal text for people to read: what it says, or why it does not."""
    if text.erased:
        return "(erased)"
    return "(withheld)" if text.withheld else text.text


type _Nested = Callable[[Message], dict[str, Any]]


def _full(message: Message) -> dict[str, Any]:
    whole = not isinstance(message, touchpoint_pb2.Touchpoint)
    return full_document(message) if whole else message_document(message)


def _value(field: FieldDescriptor, value: Any, nested: _Nested = message_document) -> Any:
    if not field.is_repeated:
        return _single(field, value, nested)
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        entry = kind.fields_by_name["value"]
        return {key: _single(entry, item, nested) for key, item in sorted(value.items())}
    return [_single(field, item, nested) for item in value]


def _single(field: FieldDescriptor, value: Any, nested: _Nested = message_document) -> Any:
    if field.enum_type is not None:
        return enum_words(field.enum_type).get(value, value or "UNSPECIFIED")
    if isinstance(value, Timestamp):
        return iso(value)
    if isinstance(value, common_pb2.Date):
        return f"{value.year:04}-{value.month:02}-{value.day:02}"
    if isinstance(value, common_pb2.PersonalText):
        plain = not (value.erased or value.withheld or value.data_subjects or value.sealed)
        return value.text if plain else message_document(value)
    if isinstance(value, bytes):
        return value.hex()
    return nested(value) if isinstance(value, Message) else value
