"""Records of a table file, with the line each begins on."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from rapport.cli.importing.mapping import FileForm, MappingError

# An event takes 256 KiB; what is larger is refused by the ledger, with a reason.
FIELD_CHARACTERS_MAX: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """One record. number: from 1, the header not counted. line: from 1, where it begins.

    broken: why the record has no cells to work with; empty for a good one.
    """

    number: int
    line: int
    cells: list[str]
    broken: str = ""


class TableFile:
    """A file being read. A record is what csv.reader yields with newline=''."""

    def __init__(self, path: Path, form: FileForm) -> None:
        self.path, self._form = path, form
        # Also without its byte order mark a file is UTF-8. What is not UTF-8 is found where it is
        # used: it must not end the reading of the rest.
        utf8 = form.encoding.lower().replace("_", "-") in {"utf-8", "utf8"}
        self._encoding = "utf-8-sig" if utf8 else form.encoding
        self.size_bytes = 0
        self.columns: list[str] = []
        self._raw: io.BufferedReader | None = None
        self._text: io.TextIOWrapper | None = None
        self._line = 0

    def __enter__(self) -> Self:
        try:
            self._raw = self.path.open("rb")
            self.size_bytes = self.path.stat().st_size
            self._text = io.TextIOWrapper(
                self._raw, encoding=self._encoding, errors="surrogateescape", newline=""
            )
        except (OSError, LookupError) as error:
            raise MappingError(f"{self.path} cannot be read: {error}") from error
        csv.field_size_limit(FIELD_CHARACTERS_MAX)
        self._records = self._split() if self._form.delimiter == "whitespace" else self._parsed()
        self._name_columns()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._text is not None:
            self._text.close()

    @property
    def read_bytes(self) -> int:
        """How far the file has been read."""
        return self._raw.tell() if self._raw is not None and not self._raw.closed else 0

    def __iter__(self) -> Iterator[Record]:
        width = len(self.columns)
        for number, (line, cells, broken) in enumerate(self._records, start=1):
            if not broken and len(cells) != width:
                broken = f"{len(cells)} columns instead of {width}"
            yield Record(number, line, cells, broken)

    def index_of(self, column: str | int) -> int:
        """Where a column named in the mapping is, from 0; raises MappingError."""
        if isinstance(column, int):
            if not 1 <= column <= len(self.columns):
                raise MappingError(
                    f"there is no column {column}: they are numbered 1 to {len(self.columns)}"
                )
            return column - 1
        if self.columns.count(column) != 1:
            known = ", ".join(repr(name) for name in self.columns)
            raise MappingError(f"there is no single column {column!r}; the file has {known}")
        return self.columns.index(column)

    def _name_columns(self) -> None:
        if self._form.header:
            first = next(self._records, None)
            if first is None:
                raise MappingError(f"{self.path} is empty: it has no header")
            self.columns = first[1]
        elif isinstance(self._form.columns, int):
            self.columns = [str(number + 1) for number in range(self._form.columns)]
        else:
            self.columns = list(self._form.columns or ())

    def _split(self) -> Iterator[tuple[int, list[str], str]]:
        assert self._text is not None
        for line, text in enumerate(self._text, start=1):
            yield line, text.split(), ""

    def _parsed(self) -> Iterator[tuple[int, list[str], str]]:
        assert self._text is not None
        form = self._form
        reader = csv.reader(self._text, delimiter=form.delimiter, quotechar=form.quote)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, [], str(error)
            else:
                yield line, cells, ""
