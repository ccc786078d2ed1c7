"""The events of a portable bundle, under the ids they have: importing it again adds nothing.

An event that is there already with a text the bundle leaves out (erased or withheld) differs from
what is stored: it is a reject, and nothing of it changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapport.bundle import EVENTS, Bundle
from rapport.cli.event_json import EventJsonError, parse_event
from rapport.cli.loading import Reject, Row


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
