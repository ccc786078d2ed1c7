"""Why an append was not recorded.

Every outcome but OutcomeUnknown is definite: nothing of the batch was written.
"""

from collections.abc import Sequence
from typing import Final

import asyncpg

from services.ledger.domain.events import ArchivedEvent, StoredEvent
from services.runtime.pg import is_connection_lost


class AppendRefused(Exception):  # noqa: N818 - names say what happened
    """Nothing of the batch was written."""


class RevisionConflict(AppendRefused):
    """A home is not at the revision the caller expected.

    `index` is the record's place in the batch; `current` counts earlier new events of the batch.
    """

    def __init__(
        self, *, index: int, event_id: str, home: str, expected: int, current: int
    ) -> None:
        super().__init__(f"expected revision {expected}, the home is at {current}")
        self.index = index
        self.event_id = event_id
        self.home = home
        self.expected = expected
        self.current = current


class EventIdTaken(AppendRefused):
    """Event ids of the batch are recorded with another hash, type, schema version or time.

    `taken`: place in the batch and the stored event, in order; `archived`: the same for events that
    are in a file. Who compares them and finds one equal sends the batch again with its id among
    `known_replays`.
    """

    def __init__(
        self,
        taken: Sequence[tuple[int, StoredEvent]],
        archived: Sequence[tuple[int, ArchivedEvent]] = (),
    ) -> None:
        count = len(taken) + len(archived)
        super().__init__(f"{count} event ids of the batch stand for other events")
        self.taken, self.archived = tuple(taken), tuple(archived)


class TargetAppeared(AppendRefused):
    """Events the caller had not found were recorded meanwhile: resolve them and send again."""

    def __init__(self, event_ids: frozenset[str]) -> None:
        super().__init__(f"{len(event_ids)} targets were recorded meanwhile")
        self.event_ids = event_ids


class JournalUnknown(AppendRefused):
    """There is no such journal."""

    def __init__(self, journal: str) -> None:
        super().__init__("there is no such journal")
        self.journal = journal


class Busy(AppendRefused):
    """Too much is in flight; wait at least `retry_after_ms`."""

    def __init__(self, reason: str, *, retry_after_ms: int) -> None:
        super().__init__(reason)
        self.retry_after_ms = retry_after_ms


class DeadlinePassed(AppendRefused):
    """The caller's deadline passed before its turn came."""


class Unavailable(AppendRefused):
    """Postgres cannot be reached, or takes no writes, or the ledger is stopping."""


class DiskLow(AppendRefused):
    """The database's disk is nearly full."""


class OutcomeUnknown(Exception):  # noqa: N818 - names say what happened
    """The connection broke while a commit was under way: it may or may not have happened.

    The same batch sent again, with the same event ids, settles it.
    """


class Archived(Exception):  # noqa: N818 - names say what happened
    """What was to be read is in a file; the journal begins at `first_position`."""

    def __init__(self, journal: str, first_position: int) -> None:
        super().__init__(f"journal {journal} begins at position {first_position}")
        self.journal = journal
        self.first_position = first_position


BUSY_RETRY_AFTER_MS: Final = 1_000

_DISK_FULL: Final = "53100"
# Serialization failure and deadlock: nothing was written and the next try may do.
_TRY_AGAIN: Final = frozenset({"40001", "40P01"})
# Lock not available and statement timeout: another replica holds the journal's row for too long.
_TOO_SLOW: Final = frozenset({"55P03", "57014"})
# Out of memory or connections, a read-only standby, starting up: the server cannot take writes now.
_CANNOT_NOW: Final = frozenset({"53000", "53200", "53300", "53400", "25006", "57P03", "57P05"})


def outcome_of(error: BaseException) -> BaseException:
    """What an error of sending a group means to its callers; the one place that knows.

    The error itself comes back when it is none of the outcomes: a fault, of the ledger or of what
    it was given.
    """
    if is_connection_lost(error):
        # The driver refuses a connection known to be closed before it sends anything.
        if isinstance(error, asyncpg.InterfaceError):
            return Unavailable("the connection to Postgres was closed")
        return OutcomeUnknown("the connection broke while a commit was under way")
    if isinstance(error, TimeoutError):
        return OutcomeUnknown("Postgres did not answer a commit")
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate == _DISK_FULL:
        return DiskLow("the database's disk is full")
    if sqlstate in _TRY_AGAIN or sqlstate in _TOO_SLOW:
        return Busy("the journal is held by others", retry_after_ms=BUSY_RETRY_AFTER_MS)
    if sqlstate in _CANNOT_NOW:
        return Unavailable("Postgres takes no writes")
    return error


def is_outcome(error: BaseException) -> bool:
    """Whether it is one of the outcomes above, not a fault."""
    return isinstance(error, AppendRefused | OutcomeUnknown)


def is_worth_repeating(error: BaseException) -> bool:
    """Whether a group met others in a way that a repetition at once may well avoid."""
    return getattr(error, "sqlstate", None) in _TRY_AGAIN


def is_partition_missing(error: BaseException) -> bool:
    """Whether the journal has outgrown its partitions."""
    # Postgres reports it as a check violation that names no constraint.
    return isinstance(error, asyncpg.CheckViolationError) and not error.constraint_name
