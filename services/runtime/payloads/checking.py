"""The walk over a payload that collects every violation of `field_rules`."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from rapport.events.v1 import common_pb2

from services.runtime import limits
from services.runtime.errors import Reason, Violation
from services.runtime.payloads import rules
from services.runtime.payloads.field_rules import PARTY, RULES, MessageRules
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
    _Walk(now_us, found).check(message, path)


@dataclass(frozen=True, slots=True)
class _Walk:
    now_us: int
    found: Found

    def check(self, message: Any, path: str) -> None:
        given = message.ListFields()
        mine, before = RULES[message.DESCRIPTOR.full_name], len(self.found)
        if mine.required:
            present = {descriptor.name for descriptor, _ in given}
            for name in mine.required:
                if name not in present:
                    self.add(f"{path}.{name}", REQUIRED)
        for descriptor, value in given:
            self.check_field(mine, descriptor, value, path)
        if mine.whole is not None:
            # What was said about a field alone is not said again about several.
            told = {violation.field for violation in self.found[before:]}
            for name, fault in mine.whole(message):
                where = f"{path}.{name}" if name else path
                if where not in told:
                    self.add(where, fault)

    def check_field(
        self, mine: MessageRules, descriptor: FieldDescriptor, value: Any, path: str
    ) -> None:
        name, rule = descriptor.name, mine.fields.get(descriptor.name)
        if descriptor.message_type is not None:
            self.check_message(mine, descriptor, value, f"{path}.{name}")
        elif descriptor.enum_type is not None:
            if value not in _values(descriptor):
                self.add(f"{path}.{name}", _UNKNOWN_VALUE)
        elif descriptor.is_repeated:
            self.count(len(value), mine.counts[name], f"{path}.{name}")
            for index, item in enumerate(value[: mine.counts[name]]):
                self.apply(rule, item, f"{path}.{name}[{index}]")
        elif rule is not None and (fault := rule(value)) is not None:
            self.add(f"{path}.{name}", fault)

    def check_message(
        self, mine: MessageRules, descriptor: FieldDescriptor, value: Any, path: str
    ) -> None:
        kind = descriptor.message_type
        assert kind is not None
        text_bytes = mine.text_bytes.get(descriptor.name, limits.PERSONAL_TEXT_BYTES_MAX)
        if kind.GetOptions().map_entry:
            self.count(len(value), mine.counts[descriptor.name], path)
            for key in sorted(value)[: mine.counts[descriptor.name]]:
                # A wrong key is not repeated: it may be as long as the request.
                fault = rules.attribute_key(key)
                if fault is not None:
                    self.add(path, fault)
                else:
                    self.check_text(value[key], f'{path}["{key}"]', text_bytes)
        elif kind.full_name == _TEXT:
            self.check_text(value, path, text_bytes)
        elif kind.full_name == _TIMESTAMP:
            self.apply(lambda v: rules.occurred_at(v.seconds, v.nanos, self.now_us), value, path)
        else:
            self.check(value, path)

    def check_text(self, value: Any, path: str, limit_bytes: int) -> None:
        for name in ("sealed", "sealed_for", "erased", "withheld"):
            if getattr(value, name):
                self.add(f"{path}.{name}", _NOT_IN_REQUESTS)
        self.apply(rules.sized(limit_bytes), value.text, f"{path}.text")
        if value.data_subjects:
            self.count(len(value.data_subjects), limits.DATA_SUBJECTS_MAX, f"{path}.data_subjects")
            for index, subject in enumerate(value.data_subjects[: limits.DATA_SUBJECTS_MAX]):
                self.apply(PARTY, subject, f"{path}.data_subjects[{index}]")

    def count(self, count: int, limit: int, path: str) -> None:
        if count > limit:
            self.add(path, rules.too_many(count, limit))

    def apply(self, rule: Rule[Any] | None, value: Any, path: str) -> None:
        if rule is not None and (fault := rule(value)) is not None:
            self.add(path, fault)

    def add(self, path: str, fault: Fault) -> None:
        add(self.found, path, fault)


def add(found: Found, path: str, fault: Fault | None) -> None:
    """Add a fault, if there is one, up to VIOLATIONS_MAX of them."""
    if fault is not None and len(found) < VIOLATIONS_MAX:
        found.append(Violation(path, fault.description, fault.reason, fault.metadata))


@cache
def _values(descriptor: FieldDescriptor) -> frozenset[int]:
    assert descriptor.enum_type is not None
    return frozenset(descriptor.enum_type.values_by_number)
