"""What the tests of the importers share: a key, and rows told apart."""

from collections.abc import Iterable
from pathlib import Path

from rapport.cli.importing.keyed import People
from rapport.cli.loading import Reject, Row
from rapport.v1 import ledger_service_pb2 as ledger

KEY = bytes(range(32))


def people(*me: str, myself: str = "people/me") -> People:
    """Ids under the tests' key."""
    return People(KEY, me=me or ("me@home.example",), myself=myself)


def events(rows: Iterable[Row | Reject]) -> list[ledger.NewEvent]:
    """All rows' events; a reject fails the test."""
    made = []
    for row in rows:
        assert isinstance(row, Row), row
        made.append(row.event)
    return made


def rejects(rows: Iterable[Row | Reject]) -> list[tuple[int, int, str]]:
    """(line, record, reason) of the rows that made no event."""
    return [(row.line, row.record, row.reason) for row in rows if isinstance(row, Reject)]


def written(folder: Path, name: str, text: str | bytes) -> Path:
    """A file of that content."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
