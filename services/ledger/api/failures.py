"""What callers are told when the journal or the key store does not do what they asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from services.ledger.journal import outcomes
from services.runtime.errors import RapportError, Reason, Violation, invalid
from services.runtime.pg import is_connection_lost

_MESSAGES: Final[dict[type[BaseException], tuple[Reason, str]]] = {
    outcomes.DeadlinePassed: (
        Reason.DEADLINE_PASSED,
        "the deadline passed before the request's turn came; nothing was written",
    ),
    outcomes.Unavailable: (
        Reason.UNAVAILABLE,
        "the ledger cannot reach its database or is stopping; nothing was written",
    ),
    outcomes.DiskLow: (
        Reason.DISK_LOW,
        "the database's disk is nearly full; nothing was written",
    ),
    outcomes.TargetAppeared: (
        Reason.TOO_BUSY,
        "events that this request names kept appearing while it was resolved; nothing was written",
    ),
    outcomes.OutcomeUnknown: (
        Reason.OUTCOME_UNKNOWN,
        "the connection broke while a commit was under way: send the same request again",
    ),
}


def failure_of(error: BaseException, *, writing: bool = False) -> RapportError | None:
    """The error as a caller is told it; None for what nobody foresaw.

    `writing`: a connection lost on the way may have done its work.
    """
    if isinstance(error, RapportError):
        return error
    known = error
    if not outcomes.is_outcome(error):
        lost = is_connection_lost(error) or isinstance(error, TimeoutError)
        known = outcomes.Unavailable() if lost and not writing else outcomes.outcome_of(error)
    if isinstance(known, outcomes.RevisionConflict):
        return _revision_conflict(known)
    if isinstance(known, outcomes.Busy):
        return RapportError(
            Reason.TOO_BUSY,
            "too much is in flight; nothing was written",
            retry_after_ms=known.retry_after_ms,
        )
    if isinstance(known, outcomes.Archived):
        return archived(known)
    if isinstance(known, outcomes.JournalUnknown):
        return journal_unknown("journal", known.journal)
    if type(known) in _MESSAGES:
        reason, message = _MESSAGES[type(known)]
        return RapportError(reason, message)
    return None


@contextmanager
def told(*, writing: bool = False) -> Iterator[None]:
    """Whatever fails within is raised as the error a caller is told, if anybody foresaw it."""
    try:
        yield
    except RapportError:
        raise
    except Exception as error:
        failure = failure_of(error, writing=writing)
        if failure is None:
            raise
        raise failure from error


def journal_unknown(field: str, journal: str) -> RapportError:
    """JOURNAL_UNKNOWN, at a field of the request."""
    return invalid(
        [Violation(field, "there is no such journal", Reason.JOURNAL_UNKNOWN, {"journal": journal})]
    )


def archived(found: outcomes.Archived) -> RapportError:
    """ARCHIVED: where the journal begins."""
    return RapportError(
        Reason.ARCHIVED,
        f"journal {found.journal} begins at position {found.first_position}: what is before it is"
        " in files, which an operator can attach",
        metadata={"journal": found.journal, "first_position": str(found.first_position)},
    )


def tenant_unknown(tenant: str) -> RapportError:
    """TENANT_UNKNOWN."""
    return RapportError(
        Reason.TENANT_UNKNOWN,
        "there is no such tenant; create it with CreateTenant",
        metadata={"tenant": tenant},
    )


def event_id_taken(event_id: str, position: int, field: str) -> RapportError:
    """EVENT_ID_TAKEN: where the other event stands and the first field that differs."""
    return RapportError(
        Reason.EVENT_ID_TAKEN,
        f"the event id stands for another event, which differs in {field}",
        metadata={"event_id": event_id, "position": str(position), "field": field},
    )


def _revision_conflict(conflict: outcomes.RevisionConflict) -> RapportError:
    return RapportError(
        Reason.REVISION_CONFLICT,
        f"the home is at revision {conflict.current}, not at {conflict.expected}",
        metadata={
            "home": conflict.home,
            "expected_revision": str(conflict.expected),
            "current_revision": str(conflict.current),
            "event_id": conflict.event_id,
        },
    )
