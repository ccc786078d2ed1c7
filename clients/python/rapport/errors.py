"""What can go wrong, as one typed error: definite, or of unknown outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from rapport.v1 import errors_pb2
from rapport.v1 import ledger_service_pb2 as ledger

DOMAIN: Final = "rapport"
OUTCOME_UNKNOWN: Final = "OUTCOME_UNKNOWN"

_Code = grpc.StatusCode
_CODE_OF_NUMBER: Final = {code.value[0]: code for code in _Code}
# Without a reason of the ledger's, these say nothing about whether the request was carried out.
_UNCERTAIN: Final = frozenset(
    {_Code.UNAVAILABLE, _Code.DEADLINE_EXCEEDED, _Code.CANCELLED, _Code.UNKNOWN, _Code.INTERNAL}
)
_PASSING: Final = frozenset({"TOO_BUSY", "DISK_LOW", "READER_TOO_SLOW", "DEADLINE_PASSED"})


@dataclass(frozen=True, slots=True)
class Violation:
    """A wrong field: its path in the request (`events[3].touchpoint.kind`) and what it takes.

    reason: as of an error, for this field alone; empty where the service does not say.
    """

    field: str
    description: str
    reason: str = ""


class RapportError(Exception):
    """A call failed. `is_definite` says whether nothing was written, or one cannot know.

    reason: name of a rapport.v1.ErrorReason without prefix; without one from the service it is
    OUTCOME_UNKNOWN where the call may have been carried out, else the gRPC code's name. code: the
    gRPC code. metadata: as documented at the reason. violations: the wrong fields.
    retry_after_s: how long the service asks to wait; None where it does not say.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        code: grpc.StatusCode,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason: Final = reason
        self.message: Final = message
        self.code: Final = code
        self.metadata: Final = dict(metadata or {})
        self.violations: Final = tuple(violations)
        self.retry_after_s: Final = retry_after_s

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"

    @property
    def is_definite(self) -> bool:
        """True: nothing was written. False: send the same request with the same ids again."""
        return self.reason != OUTCOME_UNKNOWN

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed later as it is."""
        return self.code is _Code.UNAVAILABLE or not self.is_definite or self.reason in _PASSING

    def of_unknown_outcome(self) -> "RapportError":
        """The same, after an earlier attempt whose outcome is unknown."""
        if not self.is_definite:
            return self
        return RapportError(
            OUTCOME_UNKNOWN,
            f"an earlier attempt may have been recorded; the last one: {self}",
            code=self.code,
            metadata=self.metadata,
            retry_after_s=self.retry_after_s,
        )


class IncarnationChanged(RapportError):  # noqa: N818 - it names what happened
    """The journal was restored to an earlier point: positions read so far may stand for others.

    Whatever was built from it must be built again from the beginning. Metadata: journal, known,
    found.
    """

    def __init__(self, journal: str, known: str, found: str) -> None:
        super().__init__(
            "INCARNATION_CHANGED",
            f"journal {journal} was restored to an earlier point; read it again from the beginning",
            code=_Code.FAILED_PRECONDITION,
            metadata={"journal": journal, "known": known, "found": found},
        )


def error_of(failure: grpc.aio.AioRpcError) -> RapportError:
    """The typed error of a failed call."""
    code, message = failure.code(), failure.details() or ""
    reason, metadata = "", {}
    violations: list[Violation] = []
    retry_after_s: float | None = None
    try:
        status = rpc_status.from_call(failure)
    except ValueError:  # the details do not fit the status: somebody else's
        status = None
    for detail in status.details if status is not None else ():
        info = error_details_pb2.ErrorInfo()
        bad, retry = error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        if detail.Unpack(info) and info.domain == DOMAIN:
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(bad):
            violations = [Violation(v.field, v.description, v.reason) for v in bad.field_violations]
        elif detail.Unpack(retry):
            retry_after_s = retry.retry_delay.ToNanoseconds() / 1e9
    if not reason:
        reason = OUTCOME_UNKNOWN if code in _UNCERTAIN else code.name
    return RapportError(
        reason,
        message,
        code=code,
        metadata=metadata,
        violations=violations,
        retry_after_s=retry_after_s,
    )


def error_of_refusal(refusal: ledger.BatchRefusal) -> RapportError:
    """The typed error of a batch refused within an ingest stream."""
    name = errors_pb2.ErrorReason.Name(refusal.reason)
    return RapportError(
        name.removeprefix("ERROR_REASON_"),
        refusal.message,
        code=_CODE_OF_NUMBER.get(refusal.code, _Code.UNKNOWN),
        metadata=dict(refusal.metadata),
        violations=[Violation(v.field, v.description) for v in refusal.field_violations],
        retry_after_s=refusal.retry_delay_ms / 1e3 if refusal.retry_delay_ms else None,
    )


def unavailable(message: str) -> RapportError:
    """What could not be reached, before anything was sent."""
    return RapportError("UNAVAILABLE", message, code=_Code.UNAVAILABLE)
