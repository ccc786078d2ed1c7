"""What a caller is told when a request cannot be answered, before any wire format.

Every error is definite, nothing was written, unless its reason is OUTCOME_UNKNOWN. Reasons, their
meaning and their metadata keys are those of `rapport.v1.ErrorReason`; services.runtime.grpc_errors
turns an error into a status.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from enum import StrEnum, unique
from typing import Final


@unique
class Reason(StrEnum):
    """`rapport.v1.ErrorReason` without its prefix, so that code without protobuf can name one."""

    FIELD_REQUIRED = "FIELD_REQUIRED"
    FIELD_MALFORMED = "FIELD_MALFORMED"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    FIELD_NOT_ALLOWED = "FIELD_NOT_ALLOWED"
    SAME_PERSON = "SAME_PERSON"
    KIND_UNKNOWN = "KIND_UNKNOWN"
    TYPE_UNKNOWN = "TYPE_UNKNOWN"
    ENUM_VALUE_UNKNOWN = "ENUM_VALUE_UNKNOWN"
    TIME_AHEAD = "TIME_AHEAD"
    TOO_LARGE = "TOO_LARGE"
    TOO_MANY = "TOO_MANY"
    EVENT_ID_REPEATED = "EVENT_ID_REPEATED"
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"  # noqa: S105 - no password
    JOURNAL_UNKNOWN = "JOURNAL_UNKNOWN"
    POLICY_UNKNOWN = "POLICY_UNKNOWN"
    POLICY_INVALID = "POLICY_INVALID"
    REQUEST_MALFORMED = "REQUEST_MALFORMED"
    CREDENTIALS_MISSING = "CREDENTIALS_MISSING"
    SERVICE_PRINCIPAL_REQUIRED = "SERVICE_PRINCIPAL_REQUIRED"
    CALLER_REQUIRED = "CALLER_REQUIRED"
    TENANT_UNKNOWN = "TENANT_UNKNOWN"
    EVENT_UNKNOWN = "EVENT_UNKNOWN"
    PARTY_UNKNOWN = "PARTY_UNKNOWN"
    WATCH_LIST_UNKNOWN = "WATCH_LIST_UNKNOWN"
    EVENT_ID_TAKEN = "EVENT_ID_TAKEN"
    TENANT_EXISTS = "TENANT_EXISTS"
    JOURNAL_EXISTS = "JOURNAL_EXISTS"
    REVISION_CONFLICT = "REVISION_CONFLICT"
    TARGET_NOT_VOIDABLE = "TARGET_NOT_VOIDABLE"
    TARGET_NOT_CORRECTABLE = "TARGET_NOT_CORRECTABLE"
    TARGET_NOT_ENDABLE = "TARGET_NOT_ENDABLE"
    SUBJECT_IS_ERASED = "SUBJECT_IS_ERASED"
    LIST_TOO_WIDE = "LIST_TOO_WIDE"
    STREAM_DIVERGED = "STREAM_DIVERGED"
    ARCHIVED = "ARCHIVED"
    TOO_BUSY = "TOO_BUSY"
    DISK_LOW = "DISK_LOW"
    READER_TOO_SLOW = "READER_TOO_SLOW"
    UNAVAILABLE = "UNAVAILABLE"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    VIEW_BEHIND = "VIEW_BEHIND"
    VIEW_BUILDING = "VIEW_BUILDING"
    DEADLINE_PASSED = "DEADLINE_PASSED"
    INTERNAL = "INTERNAL"


# Milliseconds after which trying again makes sense, where the error itself does not say.
_RETRY_AFTER_MS: Final[Mapping[Reason, int]] = {
    Reason.TOO_BUSY: 100,
    Reason.DISK_LOW: 30_000,
    Reason.READER_TOO_SLOW: 1_000,
    Reason.UNAVAILABLE: 500,
    Reason.OUTCOME_UNKNOWN: 500,
    Reason.VIEW_BEHIND: 100,
    Reason.VIEW_BUILDING: 1_000,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Violation:
    """A wrong field: its path in the request, such as `events[3].touchpoint.severity`, and why.

    The description says what the field takes and never repeats what it held.
    """

    field: str
    description: str
    reason: Reason = Reason.FIELD_MALFORMED
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)


class RapportError(Exception):
    """A request is refused or cannot be answered; carries everything its caller is told.

    `retry_after_ms` is None where trying again does not help. The message is for people and, like
    everything here, holds ids and numbers at most, never a text about somebody.
    """

    def __init__(
        self,
        reason: Reason | str,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(message)
        self.reason: Final = Reason(reason)
        self.message: Final = message
        self.metadata: Final = dict(metadata or {})
        self.violations: Final = list(violations)
        self.retry_after_ms: Final = (
            _RETRY_AFTER_MS.get(self.reason) if retry_after_ms is None else retry_after_ms
        )


def invalid(violations: Sequence[Violation]) -> RapportError:
    """The refusal of a request for its fields, at least one; the first gives the reason."""
    assert violations, "a refusal says why"
    first, more = violations[0], len(violations) - 1
    message = f"{first.field}: {first.description}"
    if more:
        message += f" (and {more} more)"
    return RapportError(first.reason, message, metadata=first.metadata, violations=violations)


def forget_frames(error: BaseException) -> None:
    """Let go of the frames that an error, and what it came from, went through.

    For errors that are kept and told but raised no more, once they are logged. A frame that has a
    name for the error is held by it: a cycle, with the request and all that was made of it.
    """
    each: BaseException | None = error
    while each is not None and each.__traceback__ is not None:
        each.__traceback__ = None
        each = each.__context__
