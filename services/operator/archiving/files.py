"""An archive: a Parquet file of the events of a range, and a manifest beside it.

The content hash is over the rows, not the file: it tells whether another file, whoever wrote it and
however, holds the same events in the same order.
"""

import hashlib
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from services.operator.outcomes import Refused, Usage

FORMAT: Final = "rapport-archive/1"
# Events in memory at once; one may have 256 KiB.
CHUNK_EVENTS: Final = 512
COLUMNS: Final = (
    *("journal", "position", "revision", "occurred_at_us", "recorded_at_us", "event_id"),
    *("schema_version", "verified", "tenant", "type", "home", "kind", "recorded_by"),
    *("correlation_id", "causation_id", "payload_sha256", "payload"),
)
_INTEGERS: Final = frozenset(
    {"position", "revision", "occurred_at_us", "recorded_at_us", "schema_version"}
)
_BYTES: Final = frozenset({"payload_sha256", "payload"})


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a file holds: all events of `journal` in a range, both ends included; hashes in hex.

    `schema_version` is that of the schema `journal` it was written from.
    """

    format: str
    journal: str
    incarnation: str
    from_position: int
    through_position: int
    rows: int
    schema_version: int
    file_name: str
    file_sha256: str
    content_sha256: str

    @classmethod
    def read(cls, file: Path) -> "Manifest":
        """The manifest beside a file. Raises Refused."""
        path = manifest_path(file)
        try:
            found = cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise Refused(f"{path} is no manifest of an archive: {error}") from error
        if found.format != FORMAT:
            raise Refused(f"{path} is of format {found.format}; this version reads {FORMAT}")
        return found

    def write(self, file: Path) -> None:
        """Put it beside the file, whole and durable."""
        path = manifest_path(file)
        part = path.with_name(f"{path.name}.part")
        part.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        settle(part, path)


class ContentHash:
    """SHA-256 over rows in order: each value by COLUMNS, with its length; none as -1."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.rows = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """The next row."""
        parts = []
        for name in COLUMNS:
            value = row[name]
            if value is None:
                parts.append(b"-1:")
                continue
            data = value if isinstance(value, bytes) else str(value).encode()
            parts.append(b"%d:%b" % (len(data), data))
        self._hash.update(b"".join(parts))
        self.rows += 1

    @property
    def hex(self) -> str:
        """So far."""
        return self._hash.hexdigest()


async def write_file(path: Path, chunks: AsyncIterator[list[Any]]) -> ContentHash:
    """Write rows to a Parquet file, whole and durable or not at all; the hash of what came."""
    arrow, parquet = _libraries()
    schema = arrow.schema([(name, _type(arrow, name)) for name in COLUMNS])
    content, part = ContentHash(), path.with_name(f"{path.name}.part")
    with parquet.ParquetWriter(part, schema, compression="zstd") as writer:
        async for rows in chunks:
            for row in rows:
                content.add(row)
            columns = [[row[name] for row in rows] for name in COLUMNS]
            arrays = [
                arrow.array(column, type=field.type)
                for column, field in zip(columns, schema, strict=True)
            ]
            writer.write_batch(arrow.record_batch(arrays, schema=schema))
    settle(part, path)
    return content


def read_file(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file, in order. Raises Refused when it is none of ours."""
    arrow, parquet = _libraries()
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=CHUNK_EVENTS, columns=list(COLUMNS)):
                yield from batch.to_pylist()
    except (OSError, KeyError, arrow.ArrowException) as error:
        raise Refused(f"{path} cannot be read: {error}") from error


def hash_of_file(path: Path) -> str:
    """SHA-256 of a file, in hex. Raises Refused."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error


def manifest_path(file: Path) -> Path:
    """Where a file's manifest is: beside it."""
    return file.with_suffix(".manifest.json")


def settle(part: Path, path: Path) -> None:
    """Give a finished file its name; returns when both are on the disk."""
    for name, flags in ((part, os.O_RDWR), (path.parent, os.O_RDONLY)):
        descriptor = os.open(name, flags)
        try:
            os.fsync(descriptor)
            if name == part:
                part.replace(path)
        finally:
            os.close(descriptor)


def _type(arrow: Any, name: str) -> Any:
    if name in _INTEGERS:
        return arrow.int64()
    if name in _BYTES:
        return arrow.binary()
    return arrow.bool_() if name == "verified" else arrow.string()


def _libraries() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise Usage("archives need pyarrow: install the extra `archive`") from error
    return pyarrow, pyarrow.parquet
