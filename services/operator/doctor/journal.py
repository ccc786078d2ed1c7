"""The journal with itself: positions, keys, hashes, times, revisions."""

import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, Protocol

import asyncpg

from services.ledger.domain.events import StoredEvent
from services.operator.doctor.report import Check, Difference
from services.operator.doctor.rolling import RollingHash
from services.runtime.pg import load_sql

SQL: Final = load_sql("services.operator.doctor.sql")

# Events held in memory at once; one may have 256 KiB.
CHUNK_EVENTS: Final = 256


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A journal as its snapshot has it. `detached_through`: events up to it are out of reach."""

    journal: str
    incarnation: str
    head: int
    last_recorded_at_us: int
    detached_through: int


class Follower(Protocol):
    """Whoever compares something with the events of a journal while they go by once, in order."""

    async def take(self, events: Sequence[StoredEvent]) -> None:
        """The next events. Raises nothing for a difference."""
        ...

    async def end(self) -> None:
        """There are no more."""
        ...


async def read_row(conn: asyncpg.Connection, journal: str) -> JournalRow | None:
    """The journal's row; None if there is no such journal."""
    row = await conn.fetchrow(SQL["journal_row"], journal)
    if row is None:
        return None
    return JournalRow(
        journal,
        row["incarnation"],
        row["head"],
        row["last_recorded_at_us"],
        row["detached_through"],
    )


async def walk(conn: asyncpg.Connection, row: JournalRow, followers: Sequence[Follower]) -> None:
    """Show every event that is attached to every follower; inside a transaction of `conn`."""
    async with aclosing(_chunks(conn, row)) as chunks:
        async for events in chunks:
            for follower in followers:
                await follower.take(events)
    for follower in followers:
        await follower.end()


async def _chunks(
    conn: asyncpg.Connection, row: JournalRow
) -> AsyncGenerator[Sequence[StoredEvent]]:
    cursor = await conn.cursor(SQL["events"], row.journal, row.detached_through + 1)
    while records := await cursor.fetch(CHUNK_EVENTS):
        yield [event_of(record) for record in records]


def event_of(record: Any) -> StoredEvent:
    """The event of a row of events.sql or event_at.sql."""
    return StoredEvent(**dict(record.items()))


class EventsInOrder:
    """Positions without gaps, hashes that are right, times that never go back."""

    def __init__(self, row: JournalRow, check: Check) -> None:
        self._row, self._check = row, check
        self._position = row.detached_through
        self._recorded_at_us: int | None = None
        self._rolling = RollingHash()

    async def take(self, events: Sequence[StoredEvent]) -> None:
        """Compare until the first difference."""
        for event in events:
            self._rolling.add(event.position, event.tenant, event.event_id, event.payload)
            if self._check.difference is None:
                self._compare(event)
            self._position = event.position
            self._recorded_at_us = event.recorded_at_us

    async def end(self) -> None:
        """The last position is the head."""
        row, check = self._row, self._check
        check.facts |= {"events": self._rolling.records, "sha256": self._rolling.hex}
        if self._position != row.head:
            check.differ(
                Difference("the head is not the last event", None, "", row.head, self._position)
            )
        if self._recorded_at_us not in (None, row.last_recorded_at_us):
            what = "the journal's last_recorded_at is not that of its last event"
            found = row.last_recorded_at_us
            check.differ(Difference(what, self._position, "", self._recorded_at_us, found))

    def _compare(self, event: StoredEvent) -> None:
        expected = self._position + 1
        if event.position != expected:
            what = "there is no event at this position"
            self._check.differ(Difference(what, expected, "", None, None))
        digest = hashlib.sha256(event.payload).digest()
        if digest != event.payload_sha256:
            what = "the payload is not what was hashed when it was recorded"
            self._check.differ(
                Difference(
                    what,
                    event.position,
                    f"event {event.event_id}",
                    event.payload_sha256.hex(),
                    digest.hex(),
                )
            )
        last = self._recorded_at_us
        if last is not None and event.recorded_at_us < last:
            what = "recorded_at is before that of the event before it"
            self._check.differ(Difference(what, event.position, "", last, event.recorded_at_us))


async def check_counts(conn: asyncpg.Connection, row: JournalRow, check: Check) -> None:
    """As many events and keys as positions: all that `--quick` compares of a journal.

    Called last by the rest, which names positions.
    """
    check.facts |= {"head": row.head, "incarnation": row.incarnation}
    counts = await conn.fetchrow(SQL["journal_counts"], row.journal, row.detached_through + 1)
    keys = await conn.fetchval(SQL["key_count"], row.journal)
    check.facts |= {"events": counts["events"], "keys": keys}
    if row.detached_through:
        check.facts["detached_through"] = row.detached_through
        check.notes.append(
            f"events up to position {row.detached_through} are in files: only their keys are left"
        )
        for archive in await conn.fetch(SQL["detached_archives"], row.journal):
            check.notes.append(
                "detached: positions {from_position} to {through_position}, {file_name}, sha256"
                " {file_sha256}".format(**archive)
            )
    attached = row.head - row.detached_through
    if counts["events"] != attached:
        what = "there are not as many events as positions"
        check.differ(Difference(what, None, "", attached, counts["events"]))
    if keys != row.head:
        what = "there are not as many event keys as positions"
        check.differ(Difference(what, None, "", row.head, keys))


async def check_keys(conn: asyncpg.Connection, row: JournalRow, check: Check) -> None:
    """Keys agree with events, and revisions count the events of every home without gaps."""
    journal = row.journal
    found = await conn.fetchrow(SQL["first_key_difference"], journal, row.detached_through + 1)
    if found is not None:
        check.differ(Difference(_key_difference(found), found["position"]))
    found = await conn.fetchrow(SQL["first_revision_difference"], journal)
    if found is not None:
        where = f"tenant {found['tenant']}, {found['home']}"
        what = "the revision does not follow on the one before it"
        check.differ(
            Difference(what, found["position"], where, found["expected"], found["revision"])
        )
    found = await conn.fetchrow(SQL["first_stray_tenant"], journal)
    if found is not None:
        where, what = f"tenant {found['tenant']}", "the tenant is not pinned to this journal"
        check.differ(Difference(what, found["position"], where, journal, found["journal"]))


def _key_difference(found: Any) -> str:
    if not found["has_key"]:
        return "the event has no key"
    if not found["has_event"]:
        return "there is a key and no event"
    return f"event and key differ in {', '.join(found['fields'])}"
