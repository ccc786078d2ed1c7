"""Is an event the one that was stored? Compared as messages, unknown fields and all.

Source: the domain contract, section 3, idempotency.
"""

from collections.abc import Callable
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from rapport.events.v1 import common_pb2

_TEXT: Final = common_pb2.PersonalText.DESCRIPTOR.full_name

# Compares a text as sent with one as stored; answers with the path of what differs below it
# (possibly empty, for the text as a whole) or None.
type CompareTexts = Callable[[str, Any, Any], str | None]


def first_difference(sent: Message, stored: Message, compare_texts: CompareTexts) -> str | None:
    """The path of the first field, by number, in which two messages of a type differ; None: equal.

    Personal texts are left to `compare_texts`, which is given their path within the message. Fields
    that are unknown here count, in order; their path is `unknown_fields`.
    """
    return _Comparison(compare_texts).messages(sent, stored, "")


class _Comparison:
    def __init__(self, compare_texts: CompareTexts) -> None:
        self._compare_texts = compare_texts

    def messages(self, sent: Any, stored: Any, prefix: str) -> str | None:
        if sent.DESCRIPTOR.full_name == _TEXT:
            return self._texts(sent, stored, prefix)
        here, there = dict(_fields(sent)), dict(_fields(stored))
        for number in sorted(here.keys() | there.keys()):
            name = (here.get(number) or there[number])[0].name
            path = f"{prefix}.{name}" if prefix else name
            if number not in here or number not in there:
                return path
            descriptor, value = here[number]
            difference = self._values(descriptor, value, there[number][1], path)
            if difference is not None:
                return difference
        return _unknown_path(sent, stored, prefix)

    def _values(self, field: FieldDescriptor, sent: Any, stored: Any, path: str) -> str | None:
        if field.message_type is None:
            return None if sent == stored else path
        if field.message_type.GetOptions().map_entry:
            for key in sorted(sent.keys() | stored.keys()):
                place = f'{path}["{key}"]'
                if key not in sent or key not in stored:
                    return place
                difference = self._items(sent[key], stored[key], place)
                if difference is not None:
                    return difference
            return None
        if field.is_repeated:
            if len(sent) != len(stored):
                return path
            pairs = enumerate(zip(sent, stored, strict=True))
            found = (self.messages(a, b, f"{path}[{i}]") for i, (a, b) in pairs)
            return next((each for each in found if each is not None), None)
        return self.messages(sent, stored, path)

    def _items(self, sent: Any, stored: Any, path: str) -> str | None:
        if isinstance(sent, Message):
            return self.messages(sent, stored, path)
        return None if sent == stored else path

    def _texts(self, sent: Any, stored: Any, path: str) -> str | None:
        below = self._compare_texts(path, sent, stored)
        if below is not None:
            return f"{path}.{below}" if below else path
        return _unknown_path(sent, stored, path)


def _fields(message: Any) -> list[tuple[int, tuple[FieldDescriptor, Any]]]:
    return [(field.number, (field, value)) for field, value in message.ListFields()]


def _unknown_path(sent: Message, stored: Message, prefix: str) -> str | None:
    if _unknown(sent) == _unknown(stored):
        return None
    return f"{prefix}.unknown_fields" if prefix else "unknown_fields"


def _unknown(message: Message) -> list[tuple[int, int, Any]]:
    fields = UnknownFieldSet(message)
    plain = [
        (f.field_number, f.wire_type, _plain(f.data))
        for f in map(fields.__getitem__, range(len(fields)))
    ]
    # Fields of different numbers may come in any order; those of one number are a list.
    return sorted(plain, key=lambda each: each[0])


def _plain(data: Any) -> Any:
    if isinstance(data, UnknownFieldSet):  # a group
        return [
            (f.field_number, f.wire_type, _plain(f.data))
            for f in map(data.__getitem__, range(len(data)))
        ]
    return data
