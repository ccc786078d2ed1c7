"""The recorded history of a torture run, written as things happen and read by the checker.

One JSON object a line. Records are numbered from 1 and stand in the order in which things happened
to the one process that writes them: an `invoke` before its call is sent, an `ok` after its answer
came. So a call that is answered before another is invoked came before it for everybody.

Strict: a record, a field or a type of value nobody knows is an error, never passed over; a checker
that skips what it does not understand proves nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, TypeAdapter, ValidationError

from tests.faults.torture.records import AnyRecord, Record


class BadHistory(ValueError):  # noqa: N818 - the sentence reads without "Error"
    """A line that is no record, or records out of order; names the line."""


_RECORD: Final[TypeAdapter[AnyRecord]] = TypeAdapter(
    Annotated[AnyRecord, Field(discriminator="type")]
)


def line_of(record: AnyRecord) -> bytes:
    """A record as it stands in a file; fields that are None are left out."""
    return _RECORD.dump_json(record, exclude_none=True) + b"\n"


def record_of(line: bytes) -> AnyRecord:
    """The record of a line; ValueError if it is none."""
    return _RECORD.validate_json(line)


def read(path: Path) -> Iterator[AnyRecord]:
    """The records of a file in order; BadHistory at the first line that is none or out of order.

    A history whose kit died has a last line without its end: that is BadHistory too.
    """
    t_us = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                record = record_of(line)
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                where = ".".join(map(str, first["loc"]))
                raise BadHistory(f"line {number}: {where}: {first['msg']}") from error
            if record.n != number:
                raise BadHistory(f"line {number} holds record {record.n}")
            if record.t_us < t_us:
                raise BadHistory(f"line {number} is of an earlier time than the line before")
            t_us = record.t_us
            yield record


class HistoryWriter:
    """Writes a history as things happen; not for several threads.

    `clock_us` gives microseconds since the run began and never goes back. Each record is in the
    operating system's hands when `write` returns: a kit that dies loses none.
    """

    def __init__(self, path: Path, clock_us: Callable[[], int]) -> None:
        self._file = path.open("xb", buffering=0)
        self._clock_us = clock_us
        self.written = 0

    def write[R: Record](self, record: R) -> R:
        """Write a record with the next number and the present time; returns it so."""
        numbered = replace(record, n=self.written + 1, t_us=self._clock_us())
        self._file.write(line_of(numbered))  # type: ignore[arg-type]  # every Record is one of them
        self.written += 1
        return numbered

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
