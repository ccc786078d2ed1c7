"""The events of a portable bundle, under the ids they have: importing it again adds nothing.

An event that is there already, but for a text the bundle leaves out (erased or withheld), is
present: nothing of what is stored changes. One that differs in anything else is a reject.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rapport.bundle import EVENTS, Bundle
from rapport.cli.event_json import EventJsonError, parse_event
from rapport.cli.loading import Reject, Row
from rapport.errors import RapportError
from rapport.events.v1 import common_pb2
from rapport.v1 import ledger_service_pb2 as ledger

_TEXT: Final = common_pb2.PersonalText.DESCRIPTOR.full_name
_STEP: Final = re.compile(r'([a-z_]+)(?:\["([^"]*)"\])?')


@dataclass(slots=True)
class BundleReading:
    """A checked bundle on its way. Sizes are of the events, unpacked."""

    path: Path
    bundle: Bundle
    read_bytes: int = 0

    @property
    def size_bytes(self) -> int:
        """How long the events are."""
        return next(f.size_bytes for f in self.bundle.manifest.files if f.name == EVENTS)

    def __iter__(self) -> Iterator[Row | Reject]:
        records = next(f.records for f in self.bundle.manifest.files if f.name == EVENTS)
        for line, document in self.bundle.events():
            # By the lines: where they stand in bytes, a compressed file does not say.
            self.read_bytes = self.size_bytes * line // max(records, line, 1)
            try:
                yield Row(line, line, parse_event(document))
            except EventJsonError as problem:
                yield Reject(line, line, problem.field, problem.description)

    def more(self) -> dict[str, Any]:
        """Whose bundle it is and who signed it."""
        manifest = self.bundle.manifest
        return {
            "bundle_of": manifest.person,
            "made_at": manifest.made_at.isoformat(),
            "signed_with": manifest.key,
        }


def is_present(row: Row, error: RapportError) -> bool:
    """Whether a refused event of a bundle is stored, but for a text that the bundle leaves out."""
    taken = (
        error.reason == "EVENT_ID_TAKEN" and error.metadata.get("event_id") == row.event.event_id
    )
    return taken and lacks_text(row.event, error.metadata.get("field", ""))


def lacks_text(event: ledger.NewEvent, path: str) -> bool:
    """Whether the path (`touchpoint.note`) is that of a personal text which the event has not."""
    message: Any = event
    *above, last = path.split(".")
    for step in above:
        field = message.DESCRIPTOR.fields_by_name.get(step)
        if field is None or field.is_repeated or field.message_type is None:
            return False
        message = getattr(message, step)
    match = _STEP.fullmatch(last)
    field = match and message.DESCRIPTOR.fields_by_name.get(match[1])
    if match is None or not field or field.message_type is None:
        return False
    held = getattr(message, match[1])
    if field.message_type.GetOptions().map_entry:
        # A key of a map of texts, or (all of them are left out) the map.
        of_texts = field.message_type.fields_by_name["value"].message_type
        gone = match[2] not in held if match[2] is not None else not held
        return of_texts is not None and of_texts.full_name == _TEXT and gone
    return field.message_type.full_name == _TEXT and not message.HasField(match[1])
