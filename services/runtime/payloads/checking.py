"""The walk over a payload that collects every violation of `field_rules`.

Every event recorded comes through here, so the rules of a message are put together once, by field
number, and a path is only written out for what is wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from rapport.events.v1 import common_pb2

from services.runtime import limits
from services.runtime.errors import Reason, Violation
from services.runtime.payloads import rules
from services.runtime.payloads.field_rules import PARTY, RULES, MessageRule, MessageRules
from services.runtime.payloads.rules import REQUIRED, Fault, Rule

VIOLATIONS_MAX: Final = 1_000

type Found = list[Violation]

_UNKNOWN_VALUE: Final = Fault(Reason.ENUM_VALUE_UNKNOWN, "has a value this ledger does not know")
_NOT_IN_REQUESTS: Final = rules.not_allowed("is never accepted in requests")
_TEXT: Final = common_pb2.PersonalText.DESCRIPTOR.full_name
_TIMESTAMP: Final = "google.protobuf.Timestamp"


def check_payload(message: Message, path: str, now_us: int, found: Found) -> None:
    """Add every violation of a payload and of the messages within it to `found`.

    `path` is where it stands in the request; `now_us` the ledger's clock.
    """
    _check(message, path, _Walk(now_us, found))


class _Walk(NamedTuple):
    now_us: int
    found: Found


# Checks the value of one field; `path` is that of the message that holds it.
type _FieldCheck = Callable[[Any, str, _Walk], None]


@dataclass(frozen=True, slots=True)
class _Checks:
    """The rules of a message as they are applied: `fields` and `required` by field number."""

    required: tuple[tuple[int, str], ...]
    fields: Mapping[int, _FieldCheck]
    whole: MessageRule | None


def _check(message: Any, path: str, walk: _Walk) -> None:
    checks, before = _checks_of(message.DESCRIPTOR), len(walk.found)
    given = {descriptor.number: value for descriptor, value in message.ListFields()}
    for number, name in checks.required:
        if number not in given:
            add(walk.found, f"{path}.{name}", REQUIRED)
    fields = checks.fields
    for number, value in given.items():
        if number in fields:
            fields[number](value, path, walk)
    if checks.whole is not None:
        for name, fault in checks.whole(message):
            where = f"{path}.{name}" if name else path
            # What was said about a field alone is not said again about several.
            if where not in {violation.field for violation in walk.found[before:]}:
                add(walk.found, where, fault)


@cache
def _checks_of(message: Descriptor) -> _Checks:
    mine = RULES[message.full_name]
    fields = {field.number: _field_check(mine, field) for field in message.fields}
    return _Checks(
        required=tuple((message.fields_by_name[name].number, name) for name in mine.required),
        fields={number: check for number, check in fields.items() if check is not None},
        whole=mine.whole,
    )


def _field_check(mine: MessageRules, field: FieldDescriptor) -> _FieldCheck | None:
    name, rule = field.name, mine.fields.get(field.name)
    if field.message_type is not None:
        return _message_check(mine, field)
    if field.enum_type is not None:
        return _enum_check(name, frozenset(field.enum_type.values_by_number))
    if field.is_repeated:
        return _list_check(name, rule, mine.counts[name])
    return None if rule is None else _value_check(name, rule)


def _value_check(name: str, rule: Rule[Any]) -> _FieldCheck:
    def check(value: Any, path: str, walk: _Walk) -> None:
        fault = rule(value)
        if fault is not None:
            add(walk.found, f"{path}.{name}", fault)

    return check


def _enum_check(name: str, values: frozenset[int]) -> _FieldCheck:
    def check(value: Any, path: str, walk: _Walk) -> None:
        if value not in values:
            add(walk.found, f"{path}.{name}", _UNKNOWN_VALUE)

    return check


def _list_check(name: str, rule: Rule[Any] | None, limit: int) -> _FieldCheck:
    def check(value: Any, path: str, walk: _Walk) -> None:
        _count(len(value), limit, f"{path}.{name}", walk)
        if rule is not None:
            for index, item in enumerate(value[:limit]):
                add(walk.found, f"{path}.{name}[{index}]", rule(item))

    return check


def _message_check(mine: MessageRules, field: FieldDescriptor) -> _FieldCheck:
    kind, name = field.message_type, field.name
    assert kind is not None
    text_bytes = mine.text_bytes.get(name, limits.PERSONAL_TEXT_BYTES_MAX)
    if kind.GetOptions().map_entry:
        return _texts_check(name, mine.counts[name], text_bytes)
    if kind.full_name == _TEXT:
        return lambda value, path, walk: _check_text(value, f"{path}.{name}", text_bytes, walk)
    if kind.full_name == _TIMESTAMP:
        return lambda value, path, walk: add(
            walk.found,
            f"{path}.{name}",
            rules.occurred_at(value.seconds, value.nanos, walk.now_us),
        )
    return lambda value, path, walk: _check(value, f"{path}.{name}", walk)


def _texts_check(name: str, limit: int, text_bytes: int) -> _FieldCheck:
    def check(value: Any, path: str, walk: _Walk) -> None:
        where = f"{path}.{name}"
        _count(len(value), limit, where, walk)
        for key in sorted(value)[:limit]:
            # A wrong key is not repeated: it may be as long as the request.
            fault = rules.attribute_key(key)
            if fault is not None:
                add(walk.found, where, fault)
            else:
                _check_text(value[key], f'{where}["{key}"]', text_bytes, walk)

    return check


def _check_text(value: Any, path: str, limit_bytes: int, walk: _Walk) -> None:
    for name in ("sealed", "sealed_for", "erased", "withheld"):
        if getattr(value, name):
            add(walk.found, f"{path}.{name}", _NOT_IN_REQUESTS)
    add(walk.found, f"{path}.text", rules.sized(limit_bytes)(value.text))
    if value.data_subjects:
        _count(len(value.data_subjects), limits.DATA_SUBJECTS_MAX, f"{path}.data_subjects", walk)
        for index, subject in enumerate(value.data_subjects[: limits.DATA_SUBJECTS_MAX]):
            add(walk.found, f"{path}.data_subjects[{index}]", PARTY(subject))


def _count(count: int, limit: int, path: str, walk: _Walk) -> None:
    if count > limit:
        add(walk.found, path, rules.too_many(count, limit))


def add(found: Found, path: str, fault: Fault | None) -> None:
    """Add a fault, if there is one, up to VIOLATIONS_MAX of them."""
    if fault is not None and len(found) < VIOLATIONS_MAX:
        found.append(Violation(path, fault.description, fault.reason, fault.metadata))
