"""What goes into a journal and what comes out of it.

Instants are microseconds since 2000-01-01T00:00:00Z. Event ids are UUIDs in canonical lower case,
as text. Source: the domain contract, sections 2 and 3.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

SUBJECT_ERASED: Final = "rapport.events.v1.SubjectErased"


class NewRecord(NamedTuple):
    """One event to be recorded, validated and serialised.

    `occurred_at_us` None: when the ledger records it. `expected_revision` None: any; 0: the home
    has no event yet; n: it has exactly n, earlier new events of the same batch included; ignored
    on a replay. `correlation_id` and `causation_id` are empty when there is none. `kind` is a
    touchpoint's. `payload_sha256` is the 32-byte SHA-256 of `payload`.
    """

    event_id: str
    type: str
    home: str
    kind: str | None
    occurred_at_us: int | None
    expected_revision: int | None
    correlation_id: str
    causation_id: str
    schema_version: int
    payload: bytes
    payload_sha256: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What one caller wants recorded, all or nothing, in this order; event ids differ.

    `unknown_targets`: event ids the caller looked up and did not find, and on whose absence its
    records rest; if one has been recorded since, nothing of the batch is. `known_replays`: event
    ids of the batch whose stored event the caller compared and found equal: they are replays
    although hash, type, schema version or time differ.
    """

    journal: str
    tenant: str
    recorded_by: str
    verified: bool
    records: tuple[NewRecord, ...]
    unknown_targets: frozenset[str] = field(default=frozenset())
    known_replays: frozenset[str] = field(default=frozenset())

    @property
    def payload_bytes(self) -> int:
        """Bytes of all payloads together."""
        return sum(len(record.payload) for record in self.records)


class Recorded(NamedTuple):
    """Where an event stands; of a replay, everything is the first result again."""

    event_id: str
    position: int
    home: str
    revision: int
    replayed: bool
    recorded_at_us: int
    occurred_at_us: int


class StoredEvent(NamedTuple):
    """An event as the journal holds it. `payload` is what was serialised once, never changed."""

    journal: str
    position: int
    tenant: str
    event_id: str
    type: str
    home: str
    revision: int
    kind: str | None
    occurred_at_us: int
    recorded_at_us: int
    recorded_by: str
    verified: bool
    correlation_id: str
    causation_id: str
    schema_version: int
    payload: bytes
    payload_sha256: bytes


@dataclass(frozen=True, slots=True)
class ArchivedEvent:
    """What the journal still knows of an event that is in a file; it is at home in a relationship.

    `journal` and `tenant` are left out: whoever asks has named them.
    """

    event_id: str
    position: int
    home: str
    revision: int
    recorded_at_us: int
    occurred_at_us: int
    schema_version: int
    type: str
    payload_sha256: bytes


class Chunk(NamedTuple):
    """A part of a read, in the order asked for.

    `read_through` is how far the read has come, events left out included: a position when a journal
    is read, a revision when a home is. Go on from the one beyond it.
    """

    events: tuple[StoredEvent, ...]
    read_through: int


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A journal. `head` is the position of its last event, 0 when empty.

    `incarnation` is a UUID that changes when the journal was restored to an earlier point. Events
    up to `detached_through` (0: none) that are at home in a relationship are in files.
    """

    journal: str
    incarnation: str
    head: int
    last_recorded_at_us: int
    created_at_us: int
    detached_through: int = 0


@dataclass(frozen=True, slots=True)
class TenantRow:
    """A tenant and the journal it is pinned to for good."""

    tenant: str
    journal: str
    created_at_us: int
