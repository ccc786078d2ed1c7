"""Detaching old events of journals to files; the rows go only when a file was read back whole."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import asyncpg
import nats.errors
from nats.js.errors import APIError

from services.ledger.journal.reading import RELATIONSHIPS
from services.ledger.journal.store import SCHEMA
from services.operator import connecting
from services.operator.archiving.files import (
    CHUNK_EVENTS,
    FORMAT,
    ContentHash,
    Manifest,
    hash_of_file,
    read_file,
    write_file,
)
from services.operator.config import Installation
from services.operator.outcomes import Refused, Unavailable
from services.runtime import migrations, streams
from services.runtime.pg import load_sql

SQL: Final = load_sql("services.operator.archiving.sql")

# Events of journals still within a range are copied under the locks of their rows: appends of
# theirs wait so long, and would be refused after five seconds.
STAYING_MAX: Final = 50_000
_LOCK_TIMEOUT_MS: Final = 3_000


@dataclass(frozen=True, slots=True)
class Range:
    """A journal's events in one partition."""

    partition: str
    journal: str
    from_position: int
    through_position: int
    incarnation: str


async def detach(
    installation: Installation, before: int, directory: Path, journal: str | None = None
) -> list[Manifest]:
    """Move what is wholly before a position to files in a directory; what was moved, in order.

    A file for each journal and partition, with its manifest. Only what no service needs any more:
    the journal has events beyond, read models and stream are beyond. Events that are at home in no
    relationship are in the file and stay as well. Killed at any time, it leaves at most files that
    nothing refers to. Raises Refused, Usage, Unavailable.
    """
    done = []
    async with connecting.postgres(installation.owner_dsn, "RAPPORT_POSTGRES_DSN") as owner:
        found = [
            Range(*row.values()) for row in await owner.fetch(SQL["detachable"], before, journal)
        ]
        for name in sorted({each.journal for each in found}):
            through = max(each.through_position for each in found if each.journal == name)
            await _require_others_beyond(installation, name, through)
        await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
        for _, group in groupby(found, key=lambda each: each.partition):
            ranges = list(group)
            manifests = [await _export(owner, each, directory) for each in ranges]
            await _swap(owner, ranges, manifests)
            done += manifests
    return done


async def _require_others_beyond(installation: Installation, journal: str, through: int) -> None:
    """Whoever follows the journal has these events already."""
    async with connecting.postgres(installation.views_dsn, "RAPPORT_VIEWS_DSN") as views:
        position = await views.fetchval(SQL["views_behind"], journal)
    if position is None or position < through:
        raise Refused(
            f"the read models of {journal} are at {position or 0}: wait until they are at {through}"
        )
    if not installation.nats_url:
        return
    async with connecting.nats_client(installation.nats_url) as client:
        try:
            info = await client.jetstream(timeout=10).stream_info(streams.stream_name(journal))
        except (nats.errors.Error, APIError, OSError, TimeoutError) as error:
            raise Unavailable(f"JetStream does not answer: {error!r}") from error
    if info.state.last_seq <= through:
        raise Refused(f"the stream of {journal} is at {info.state.last_seq}: wait for the relay")


async def _export(owner: asyncpg.Connection, of: Range, directory: Path) -> Manifest:
    """Write a range to a file, read it back, and say what it holds. Raises Refused."""
    stem = f"{of.journal}-{of.from_position:012d}-{of.through_position:012d}"
    path = directory / f"{stem}.parquet"
    async with owner.transaction(isolation="repeatable_read", readonly=True):
        version = await migrations.schema_version(owner, SCHEMA)
        content = await write_file(path, _checked_rows(owner, of))
    expected = of.through_position - of.from_position + 1
    if content.rows != expected:
        raise Refused(f"{of.journal} has {content.rows} events where {expected} should be")
    again = ContentHash()
    for row in read_file(path):
        again.add(row)
    if (again.hex, again.rows) != (content.hex, content.rows):
        raise Refused(f"{path} does not hold what was written to it: check the disk")
    manifest = Manifest(
        format=FORMAT,
        journal=of.journal,
        incarnation=of.incarnation,
        from_position=of.from_position,
        through_position=of.through_position,
        rows=content.rows,
        schema_version=version,
        file_name=path.name,
        file_sha256=hash_of_file(path),
        content_sha256=content.hex,
    )
    manifest.write(path)
    return manifest


async def _checked_rows(owner: asyncpg.Connection, of: Range) -> AsyncIterator[list[Any]]:
    """The rows of a range; what is damaged already must not become the only copy."""
    expected = of.from_position
    cursor = await owner.cursor(SQL["rows"], of.journal, of.from_position, of.through_position)
    while rows := await cursor.fetch(CHUNK_EVENTS):
        for row in rows:
            if row["position"] != expected:
                raise Refused(f"{of.journal} has no event at {expected}: see `rapport doctor`")
            if hashlib.sha256(row["payload"]).digest() != row["payload_sha256"]:
                raise Refused(
                    f"{of.journal}, position {expected}: the payload is not what was hashed"
                )
            expected += 1
        yield rows


async def _swap(
    owner: asyncpg.Connection, ranges: Sequence[Range], manifests: Sequence[Manifest]
) -> None:
    """Put a partition that holds only what stays in the place of one; one transaction."""
    first = ranges[0]
    name, low, high = first.partition, first.from_position, first.through_position
    moving = [each.journal for each in ranges]
    staying = await owner.fetchval(SQL["count_staying"], low, high, moving)
    if staying > STAYING_MAX:
        raise Refused(
            f"journals that keep theirs have {staying} events within {low} to {high}, more than"
            f" {STAYING_MAX}: detach all journals together, once they are beyond it"
        )
    try:
        async with owner.transaction():
            await owner.execute(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}")
            await owner.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('rapport.journal.partitions', 0))"
            )
            await owner.execute(
                f'CREATE TABLE journal."{name}_left" (LIKE journal.events INCLUDING ALL)'
            )
            # The names are those the schema gave.
            copy = f'INSERT INTO journal."{name}_left" SELECT * FROM journal."{name}" e WHERE'  # noqa: S608
            is_moving = "e.journal = ANY ($1)"
            await owner.execute(
                f"{copy} {is_moving} AND NOT starts_with(e.home, $2)", moving, RELATIONSHIPS
            )
            # From here until the end, whoever may still append within the range waits.
            await owner.fetch(SQL["lock_journals"], high)
            await owner.execute(f"{copy} NOT {is_moving}", moving)
            for statement in _exchange(name, low, high):
                await owner.execute(statement)
            await owner.execute(SQL["thaw_partition"], low)
            left = f'SELECT count(*) FROM journal."{name}" WHERE journal = $1'  # noqa: S608
            for each, manifest in zip(ranges, manifests, strict=True):
                moved = manifest.rows - await owner.fetchval(left, each.journal)
                await _note(owner, manifest, moved)
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
        raise Unavailable(
            f"readers hold partition {name}: nothing was detached, try again"
        ) from error


def _exchange(name: str, low: int, high: int) -> tuple[str, ...]:
    """The statements that put NAME_left in the place of NAME."""
    return (
        f'ALTER TABLE journal.events DETACH PARTITION journal."{name}"',
        f'DROP TABLE journal."{name}"',
        f'ALTER TABLE journal."{name}_left" RENAME TO "{name}"',
        f'ALTER TABLE journal.events ATTACH PARTITION journal."{name}"'
        f" FOR VALUES FROM ({low}) TO ({high + 1})",
        # Triggers on rows are passed down to partitions, those on TRUNCATE are not.
        f'CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON journal."{name}"'
        " FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change()",
        f'ALTER TABLE journal."{name}" ENABLE ALWAYS TRIGGER refuse_truncate',
    )


async def _note(owner: asyncpg.Connection, manifest: Manifest, moved: int) -> None:
    journal, low, high = manifest.journal, manifest.from_position, manifest.through_position
    await owner.execute(
        SQL["note_archive"],
        *(journal, low, high, manifest.incarnation, moved, manifest.file_name),
        bytes.fromhex(manifest.file_sha256),
        bytes.fromhex(manifest.content_sha256),
    )
    if await owner.fetchval(SQL["move_detached"], journal, low - 1, high) is None:
        raise Refused(f"{journal} is not detached up to {low - 1}: somebody else is at work")
