"""Why an append was not recorded.

Every outcome but OutcomeUnknown is definite: nothing of the batch was written.
"""

from collections.abc import Sequence

from services.ledger.domain.events import StoredEvent


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

    `taken`: place in the batch and the stored event, in order. Who compares them field by field
    and finds one equal sends the batch again with its id among `known_replays`.
    """

    def __init__(self, taken: Sequence[tuple[int, StoredEvent]]) -> None:
        super().__init__(f"{len(taken)} event ids of the batch stand for other events")
        self.taken = tuple(taken)


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
