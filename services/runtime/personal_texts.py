"""Personal texts inside payloads: one walker finds them all, by descriptors, in every message.

A text's place is the path of its field within the payload: `note`, `attributes["k"]`,
`touchpoint.note` within a Corrected. The place is associated data of the sealed text, so paths are
as stable as stored bytes.
"""

from collections.abc import Callable, Collection, Iterable
from functools import cache
from typing import Any, Final
from uuid import UUID

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from rapport.events.v1.common_pb2 import PersonalText

from services.runtime.logs import get_logger
from services.runtime.vault import Erased, KeyMissing, SubjectKeys, Tampered, open_

PERSONAL_TEXT: Final = PersonalText.DESCRIPTOR.full_name

type Place = tuple[str, PersonalText]
type _Step = Callable[[Any, str], Iterable[Place]]

_log = get_logger(__name__)


def personal_texts(message: Message) -> list[Place]:
    """Every text present in a message with its path; maps by key, so that the order is stable."""
    return [place for step in _steps(message.DESCRIPTOR) for place in step(message, "")]


def sealed_subjects(message: Message) -> set[str]:
    """Everybody whose key some text of a stored payload takes."""
    return {subject for _, text in personal_texts(message) for subject in text.sealed_for}


def open_texts(
    message: Message,
    keys: SubjectKeys,
    *,
    tenant: str,
    event_id: str,
    visible: bool,
    named: Collection[str] = (),
) -> None:
    """Turn the sealed texts of a stored payload, in place, into what a caller is answered.

    `keys` holds the keys of `sealed_subjects`; `named` are those the event itself names, who are
    not listed again in `data_subjects`. A text is `withheld` unless `visible`, `erased` when a key
    is gone. A text that does not open with its keys is withheld and logged.
    """
    for path, text in personal_texts(message):
        subjects, sealed = list(text.sealed_for), text.sealed
        text.Clear()
        if not subjects or not sealed:
            continue
        if not keys.has_all(subjects):
            text.erased = True
            if not keys.erased_among(subjects):
                _log.warning("key of a text is not in the key store", event_id=event_id)
            continue
        if not visible:
            text.withheld = True
            continue
        try:
            text.text = open_(keys, subjects, tenant, UUID(event_id), path, sealed)
        except (Erased, KeyMissing):
            text.erased = True
        except Tampered:
            _log.error("sealed text does not open with its keys", event_id=event_id)
            text.withheld = True
        else:
            text.data_subjects.extend(s for s in subjects if s not in named and "/" in s)


@cache
def _steps(descriptor: Descriptor) -> tuple[_Step, ...]:
    """How to get from a message to its texts; empty for messages that can hold none."""
    return tuple(step for field in descriptor.fields if (step := _step(field)) is not None)


def _step(field: FieldDescriptor) -> _Step | None:
    kind = field.message_type
    if kind is None:
        return None
    if kind.GetOptions().map_entry:
        value = kind.fields_by_name["value"].message_type
        return _map_step(field.name, value) if value is not None and _holds_texts(value) else None
    if not _holds_texts(kind):
        return None
    return _list_step(field.name) if field.is_repeated else _single_step(field.name)


def _holds_texts(descriptor: Descriptor) -> bool:
    return descriptor.full_name == PERSONAL_TEXT or bool(_steps(descriptor))


def _single_step(name: str) -> _Step:
    def step(message: Any, prefix: str) -> Iterable[Place]:
        if not message.HasField(name):
            return ()
        return _within(getattr(message, name), f"{prefix}{name}")

    return step


def _list_step(name: str) -> _Step:
    def step(message: Any, prefix: str) -> Iterable[Place]:
        for index, item in enumerate(getattr(message, name)):
            yield from _within(item, f"{prefix}{name}[{index}]")

    return step


def _map_step(name: str, value: Descriptor) -> _Step:
    assert _holds_texts(value)

    def step(message: Any, prefix: str) -> Iterable[Place]:
        entries = getattr(message, name)
        return (
            place
            for key in sorted(entries)
            for place in _within(entries[key], f'{prefix}{name}["{key}"]')
        )

    return step


def _within(message: Any, path: str) -> Iterable[Place]:
    if message.DESCRIPTOR.full_name == PERSONAL_TEXT:
        yield path, message
    else:
        for step in _steps(message.DESCRIPTOR):
            yield from step(message, f"{path}.")
