"""Attaching archives again: what a file holds goes back, if its hashes are right."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg

from services.ledger.journal.reading import RELATIONSHIPS
from services.operator import connecting
from services.operator.archiving.detaching import SQL
from services.operator.archiving.files import (
    COLUMNS,
    ContentHash,
    Manifest,
    hash_of_file,
    read_file,
)
from services.operator.config import Installation
from services.operator.outcomes import Refused

_UUIDS: Final = frozenset({"event_id", "causation_id"})


async def attach(installation: Installation, file: Path) -> Manifest:
    """Put the events of a file back into the journal, all in one transaction.

    Archives of a journal come back in the opposite order of being detached, so that what is missing
    is always its beginning. The file stays. Raises Refused when the file, its manifest or its rows
    are not what the journal noted when it was detached; Usage, Unavailable.
    """
    manifest = Manifest.read(file)
    async with connecting.postgres(installation.owner_dsn, "RAPPORT_POSTGRES_DSN") as owner:
        rows = await owner.fetch(SQL["detached_archives"], manifest.journal)
        noted = next((r for r in rows if r["from_position"] == manifest.from_position), None)
        if noted is None:
            raise Refused(f"{manifest.journal} has not detached {manifest.file_name}")
        if noted is not rows[0]:
            raise Refused(f"attach {rows[0]['file_name']} first: the newest comes back first")
        if hash_of_file(file) != noted["file_sha256"]:
            raise Refused(f"{file} is not the file that was detached: its hash differs")
        async with owner.transaction():
            await _put_back(owner, file, noted)
            journal, low, high = manifest.journal, manifest.from_position, manifest.through_position
            await owner.execute(SQL["note_attached"], journal, low)
            await owner.execute(SQL["thaw_partition"], low)
            if await owner.fetchval(SQL["move_detached"], journal, high, low - 1) is None:
                raise Refused(f"{journal} is not detached up to {high}: somebody else is at work")
    return manifest


async def missing_archives(owner: asyncpg.Connection, journal: str | None) -> list[str]:
    """The names of the files that are detached, in the order to attach them in."""
    return [row["file_name"] for row in await owner.fetch(SQL["detached_archives"], journal)]


async def _put_back(owner: asyncpg.Connection, file: Path, noted: Any) -> None:
    content, moved = ContentHash(), 0

    async def records() -> AsyncIterator[tuple[Any, ...]]:
        nonlocal moved
        for row in read_file(file):
            content.add(row)
            if row["home"].startswith(RELATIONSHIPS):
                moved += 1
                yield tuple(_value(name, row[name]) for name in COLUMNS)

    await owner.copy_records_to_table(
        "events", schema_name="journal", columns=COLUMNS, records=records()
    )
    if content.hex != noted["content_sha256"] or moved != noted["moved_events"]:
        raise Refused(f"{file} does not hold the events that were detached: nothing was attached")


def _value(name: str, value: Any) -> Any:
    return UUID(value) if name in _UUIDS and value is not None else value
