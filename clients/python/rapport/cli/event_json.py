"""Events as JSON: the form of `rapport append FILE`, `rapport tail --json` and the demo data.

One object an event: `type` is the payload's short name; `event_id`, `occurred_at`,
`expected_revision`, `correlation_id`, `causation_id`, `schema_version` are the envelope's; every
other key is a field of the payload, in snake_case. Enums by short name (`OURS`, `FOLLOW_UP`), times
in ISO 8601 with a zone, days as YYYY-MM-DD, bytes in hex, personal texts as plain text or as an
object (`text`, `data_subjects`). The touchpoint of a Corrected carries its own `occurred_at`. What
only the ledger says (`recorded_at`, `position` …) is ignored, so that what `tail` prints can be
appended elsewhere.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache, partial
from typing import Any, Final, cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from rapport.times import timestamp
from rapport.v1 import ledger_service_pb2 as ledger

ENVELOPE: Final = (
    "event_id",
    "occurred_at",
    "expected_revision",
    "correlation_id",
    "causation_id",
    "schema_version",
)
READ_ONLY: Final = frozenset(
    {"recorded_at", "position", "home", "revision", "journal", "tenant", "recorded_by"}
)

_TIMESTAMP: Final = "google.protobuf.Timestamp"
_DATE: Final = "rapport.events.v1.Date"
_TEXT: Final = "rapport.events.v1.PersonalText"
_CORRECTED: Final = "rapport.events.v1.Corrected"
_BELOW_MICROSECOND: Final = re.compile(r"[.,]\d{7,}")


class EventJsonError(ValueError):
    """An event that cannot be read: where (`touchpoint.minutes.live`) and what belongs there."""

    def __init__(self, field: str, description: str) -> None:
        super().__init__(f"{field}: {description}" if field else description)
        self.field: Final = field
        self.description: Final = description


def parse_event(document: Any) -> ledger.NewEvent:
    """The event of one JSON object; raises EventJsonError. The ledger judges what it says."""
    values = dict(_object(document, ""))
    name = values.pop("type", None)
    field = payload_fields().get(name) if isinstance(name, str) else None
    if field is None:
        raise EventJsonError("type", f"one of {', '.join(sorted(payload_fields()))}")
    event = ledger.NewEvent()
    set_fields(event, {key: values.pop(key, None) for key in ENVELOPE}, "")
    if not event.event_id:
        raise EventJsonError("event_id", "required: a UUID, which makes the append safe to repeat")
    payload = cast("Message", getattr(event, field.name))
    payload.SetInParent()
    set_fields(payload, {k: v for k, v in values.items() if k not in READ_ONLY}, "")
    return event


@cache
def payload_fields() -> Mapping[str, FieldDescriptor]:
    """The payloads that may be appended, by short name (`Touchpoint`)."""
    oneof = ledger.NewEvent.DESCRIPTOR.oneofs_by_name["payload"]
    return {_message_type(field).name: field for field in oneof.fields}


def set_fields(message: Message, values: Mapping[str, Any], path: str) -> None:
    """Sets the fields of a message by name; null stands for absent."""
    descriptor = message.DESCRIPTOR
    for key, value in values.items():
        field_path = f"{path}.{key}" if path else str(key)
        if key == "touchpoint" and descriptor.full_name == _CORRECTED:
            value = dict(_object(value, field_path))
            at = value.pop("occurred_at", None)
            if at is not None:
                _fill(_part(message, "occurred_at"), at, f"{field_path}.occurred_at")
        field = cast("FieldDescriptor | None", descriptor.fields_by_name.get(key))
        if field is None:
            raise EventJsonError(field_path, f"{descriptor.name} has no such field")
        if value is not None:
            set_field(message, field, value, field_path)


def set_field(message: Message, field: FieldDescriptor, value: Any, path: str) -> None:
    """Sets one field from its JSON value."""
    if field.is_repeated:
        _set_repeated(message, field, value, path)
    elif field.message_type is not None:
        _fill(_part(message, field.name), value, path)
    else:
        _assigned(lambda: setattr(message, field.name, _scalar(field, value, path)), path)


def _set_repeated(message: Message, field: FieldDescriptor, value: Any, path: str) -> None:
    target = _part(message, field.name)
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        entry = kind.fields_by_name["value"]
        for key, item in _object(value, path).items():
            if entry.message_type is not None:
                _fill(target[str(key)], item, f"{path}[{key}]")
            else:
                target[str(key)] = _scalar(entry, item, f"{path}[{key}]")
        return
    if not isinstance(value, list):
        raise EventJsonError(path, "a list")
    for index, item in enumerate(value):
        where = f"{path}[{index}]"
        if kind is not None:
            _fill(target.add(), item, where)
        else:
            _assigned(partial(_append, target, field, item, where), where)


def _fill(target: Any, value: Any, path: str) -> None:
    name = target.DESCRIPTOR.full_name
    if name == _TIMESTAMP:
        target.CopyFrom(timestamp(_instant(value, path)))
    elif name == _DATE and not isinstance(value, Mapping):
        day = _day(value, path)
        target.year, target.month, target.day = day.year, day.month, day.day
    elif name == _TEXT and isinstance(value, str):
        _assigned(lambda: setattr(target, "text", value), path)
    else:
        target.SetInParent()
        set_fields(target, _object(value, path), path)


def _scalar(field: FieldDescriptor, value: Any, path: str) -> Any:
    if field.enum_type is not None:
        return _enum_number(field.enum_type, value, path)
    if field.type == FieldDescriptor.TYPE_BYTES:
        try:
            return bytes.fromhex(value)
        except (TypeError, ValueError):
            raise EventJsonError(path, "bytes in hexadecimal") from None
    wanted: type = {
        FieldDescriptor.CPPTYPE_STRING: str,
        FieldDescriptor.CPPTYPE_BOOL: bool,
    }.get(field.cpp_type, int)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        words = {str: "text", bool: "true or false", int: "a whole number"}
        raise EventJsonError(path, words[wanted])
    return value


def _enum_number(enum: EnumDescriptor, value: Any, path: str) -> int:
    numbers = _enum_numbers(enum)
    number = numbers.get(value.upper()) if isinstance(value, str) else None
    if number is None:
        raise EventJsonError(path, f"one of {', '.join(enum_words(enum).values())}")
    return number


@cache
def enum_words(enum: EnumDescriptor) -> Mapping[int, str]:
    """Short names by number, without the unset one."""
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return {value.number: value.name.removeprefix(prefix) for value in enum.values if value.number}


@cache
def _enum_numbers(enum: EnumDescriptor) -> Mapping[str, int]:
    short = {word: number for number, word in enum_words(enum).items()}
    return short | {value.name: value.number for value in enum.values if value.number}


def _instant(value: Any, path: str) -> datetime:
    try:
        when = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise EventJsonError(path, "a time like 2026-01-12T10:00:00Z") from None
    if when.tzinfo is None:
        raise EventJsonError(path, "a time with its zone, like 2026-01-12T10:00:00Z")
    if isinstance(value, str) and _BELOW_MICROSECOND.search(value):
        raise EventJsonError(path, "a time in whole microseconds")
    return when


def _day(value: Any, path: str) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise EventJsonError(path, "a day like 2026-01-12") from None


def _object(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise EventJsonError(path, "an object")
    return value


def _assigned(assign: Callable[[], object], path: str) -> None:
    """Runs an assignment whose value protobuf may refuse."""
    try:
        assign()
    except EventJsonError:
        raise
    except (TypeError, ValueError):
        raise EventJsonError(path, "out of range, or not valid text") from None


def _append(target: Any, field: FieldDescriptor, value: Any, path: str) -> None:
    target.append(_scalar(field, value, path))


def _part(message: Message, name: str) -> Any:
    return getattr(message, name)


def _message_type(field: FieldDescriptor) -> Descriptor:
    assert field.message_type is not None
    return field.message_type
