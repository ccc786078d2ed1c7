"""Reads of a journal: every one by key, in bounded pieces."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable
from functools import partial
from typing import Any, Final

import asyncpg

from services.ledger.domain.events import ArchivedEvent, Chunk, JournalRow, StoredEvent
from services.ledger.journal.outcomes import Archived, JournalUnknown
from services.runtime.limits import READ_CHUNK_BYTES_MAX, READ_CHUNK_EVENTS_MAX
from services.runtime.pg import load_sql, retry_read

_SQL: Final = load_sql("services.ledger.journal.sql")

# Only what is at home in a relationship is ever detached.
RELATIONSHIPS: Final = "relationships/"

type _ReadRange = Callable[[int, int], Awaitable[list[Any]]]
# Whether the lowest event of a range, by what the range counts, is in a file.
type _DetachedAt = Callable[[int], Awaitable[Archived | None]]

_EVENT_ID, _CORRELATION_ID, _CAUSATION_ID = map(
    StoredEvent._fields.index, ("event_id", "correlation_id", "causation_id")
)


async def plan_by_key(connection: Any) -> None:
    """Prepare a connection of the pool a Reader is given; see the statement of that name."""
    await connection.execute(_SQL["plan_by_key"])


class Reader:
    """Reads through a pool; a read whose connection was lost is tried again."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        *,
        chunk_events_max: int = READ_CHUNK_EVENTS_MAX,
        chunk_bytes_max: int = READ_CHUNK_BYTES_MAX,
    ) -> None:
        assert chunk_events_max > 0
        assert chunk_bytes_max > 0
        self._pool = pool
        self._chunk_events_max = chunk_events_max
        self._chunk_bytes_max = chunk_bytes_max

    async def fetch(self, statement: str, *binds: Any) -> list[Any]:
        """All rows of a statement of `sql/`."""
        rows: list[Any] = await retry_read(partial(self._pool.fetch, _SQL[statement], *binds))
        return rows

    async def journal_row(self, journal: str) -> JournalRow:
        """The journal's row. Raises JournalUnknown."""
        rows = await self.fetch("read_journal_row", journal)
        if not rows:
            raise JournalUnknown(journal)
        return journal_row_of(rows[0])

    async def event_at(self, journal: str, position: int) -> StoredEvent | None:
        """The event at a position; None beyond the head."""
        rows = await self.fetch("read_event_at", journal, position)
        return stored_event_of(rows[0]) if rows else None

    async def events_by_id(
        self, journal: str, tenant: str, event_ids: Iterable[str]
    ) -> dict[str, StoredEvent]:
        """The tenant's events of these ids; those not stored are left out."""
        wanted = sorted(set(event_ids))
        if not wanted:
            return {}
        rows = await self.fetch("read_events_by_id", journal, tenant, wanted)
        events = [stored_event_of(row) for row in rows]
        return {event.event_id: event for event in events}

    async def archived_by_id(
        self, journal: str, tenant: str, event_ids: Iterable[str]
    ) -> dict[str, ArchivedEvent]:
        """What is kept of the tenant's events of these ids that are in files; others left out."""
        wanted = sorted(set(event_ids))
        if not wanted:
            return {}
        rows = await self.fetch("read_archived_by_id", journal, tenant, wanted)
        events = [archived_event_of(row) for row in rows]
        return {event.event_id: event for event in events}

    async def journal_events(
        self,
        journal: str,
        start: int,
        end: int,
        *,
        backwards: bool,
        limit: int | None,
        tenant: str | None,
        types: Collection[str],
        kinds: Collection[str],
    ) -> AsyncGenerator[Chunk]:
        """Positions `start` to `end`, both included; see Journal.read_journal."""
        statement = "read_journal_backwards" if backwards else "read_journal_forwards"

        async def read(low: int, high: int) -> list[Any]:
            return await self.fetch(
                statement,
                journal,
                low,
                high,
                tenant,
                list(types) or None,
                list(kinds) or None,
                self._chunk_bytes_max,
            )

        async def detached_at(position: int) -> Archived | None:
            through = (await self.journal_row(journal)).detached_through
            return Archived(journal, through + 1) if position <= through else None

        chunks = self._chunks(read, detached_at, "position", start, end, backwards, limit)
        async for chunk in chunks:
            yield chunk

    async def home_events(
        self,
        journal: str,
        tenant: str,
        home: str,
        *,
        from_revision: int | None,
        backwards: bool,
        limit: int | None,
        types: Collection[str],
        kinds: Collection[str],
    ) -> AsyncGenerator[Chunk]:
        """The events of a home as of now; see Journal.read_home."""
        statement = "read_home_backwards" if backwards else "read_home_forwards"
        rows = await self.fetch("read_home_revision", journal, tenant, home)
        last = rows[0]["revision"] if rows else 0
        first = (last if backwards else 1) if from_revision is None else from_revision

        async def read(low: int, high: int) -> list[Any]:
            return await self.fetch(
                statement,
                journal,
                tenant,
                home,
                low,
                high,
                list(types) or None,
                list(kinds) or None,
                self._chunk_bytes_max,
            )

        async def detached_at(revision: int) -> Archived | None:
            found = await self.fetch("read_home_position", journal, tenant, home, revision)
            position, through = found[0]["position"], found[0]["detached_through"]
            is_there = position > through or not home.startswith(RELATIONSHIPS)
            return None if is_there else Archived(journal, through + 1)

        start, end = (min(first, last), 1) if backwards else (max(first, 1), last)
        chunks = self._chunks(read, detached_at, "revision", start, end, backwards, limit)
        async for chunk in chunks:
            yield chunk

    async def erasures(self, journal: str) -> AsyncGenerator[StoredEvent]:
        """The SubjectErased events of a journal, in order."""
        after = 0
        while rows := await self.fetch("read_erasures", journal, after, self._chunk_events_max):
            for row in rows:
                yield stored_event_of(row)
            after = rows[-1]["position"]

    async def _chunks(
        self,
        read: _ReadRange,
        detached_at: _DetachedAt,
        counted: str,
        start: int,
        end: int,
        backwards: bool,
        limit: int | None,
    ) -> AsyncGenerator[Chunk]:
        """Walk from `start` to `end`, both included, in ranges of at most a chunk's events.

        Raises Archived where the read comes to what is in files. Looked at after the range was
        read, and only if anything of it is missing: then nothing can be detached in between.
        """
        step = -1 if backwards else 1
        remaining = limit
        while (end - start) * step >= 0 and remaining != 0:
            last = start + step * (self._chunk_events_max - 1)
            last = max(last, end) if backwards else min(last, end)
            rows = await read(min(start, last), max(start, last))
            if rows and rows[-1]["bytes_so_far"] >= self._chunk_bytes_max:
                last = rows[-1][counted]  # the bytes were reached, perhaps before the range's end
            archived = None
            if len(rows) < abs(last - start) + 1:
                archived = await detached_at(min(start, last))
            if archived is not None:
                rows = [row for row in rows if row["position"] >= archived.first_position]
                if not backwards or not rows:
                    raise archived
            if remaining is not None:
                if len(rows) >= remaining:
                    rows = rows[:remaining]
                    last = rows[-1][counted]
                remaining -= len(rows)
            yield Chunk(tuple(map(stored_event_of, rows)), last)
            if archived is not None and remaining != 0:
                raise archived
            start = last + step


def stored_event_of(row: Any) -> StoredEvent:
    """A row of `events`: its columns in the order of the fields, whatever columns follow."""
    values = [*row][: len(StoredEvent._fields)]
    values[_EVENT_ID] = str(values[_EVENT_ID])
    values[_CORRELATION_ID] = values[_CORRELATION_ID] or ""
    causation_id = values[_CAUSATION_ID]
    values[_CAUSATION_ID] = "" if causation_id is None else str(causation_id)
    return StoredEvent(*values)


def archived_event_of(row: Any) -> ArchivedEvent:
    """A row of `event_keys`."""
    return ArchivedEvent(
        str(row["event_id"]),
        row["position"],
        row["home"],
        row["revision"],
        row["recorded_at_us"],
        row["occurred_at_us"],
        row["schema_version"],
        row["type"],
        row["payload_sha256"],
    )


def journal_row_of(row: Any) -> JournalRow:
    """A row of `journals`."""
    return JournalRow(
        row["journal"],
        str(row["incarnation"]),
        row["head"],
        row["last_recorded_at_us"],
        row["created_at_us"],
        row["detached_through"],
    )
