"""From errors to gRPC: the one table of codes, and google.rpc.Status with its details.

SQLSTATEs, driver messages and stack traces never leave the process: what nobody foresaw becomes
INTERNAL with an incident id, under which it is logged.
"""

from typing import Final
from uuid import uuid4

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from services.runtime.errors import RapportError, Reason
from services.runtime.logs import get_logger

DOMAIN: Final = "rapport"

_INVALID: Final = grpc.StatusCode.INVALID_ARGUMENT
_NOT_FOUND: Final = grpc.StatusCode.NOT_FOUND
_EXISTS: Final = grpc.StatusCode.ALREADY_EXISTS
_PRECONDITION: Final = grpc.StatusCode.FAILED_PRECONDITION
_EXHAUSTED: Final = grpc.StatusCode.RESOURCE_EXHAUSTED
_UNAVAILABLE: Final = grpc.StatusCode.UNAVAILABLE

CODES: Final[dict[Reason, grpc.StatusCode]] = {
    Reason.FIELD_REQUIRED: _INVALID,
    Reason.FIELD_MALFORMED: _INVALID,
    Reason.OUT_OF_RANGE: _INVALID,
    Reason.FIELD_NOT_ALLOWED: _INVALID,
    Reason.SAME_PERSON: _INVALID,
    Reason.KIND_UNKNOWN: _INVALID,
    Reason.TYPE_UNKNOWN: _INVALID,
    Reason.ENUM_VALUE_UNKNOWN: _INVALID,
    Reason.TIME_AHEAD: _INVALID,
    Reason.TOO_LARGE: _INVALID,
    Reason.TOO_MANY: _INVALID,
    Reason.EVENT_ID_REPEATED: _INVALID,
    Reason.PAGE_TOKEN_INVALID: _INVALID,
    Reason.JOURNAL_UNKNOWN: _INVALID,
    Reason.POLICY_UNKNOWN: _INVALID,
    Reason.POLICY_INVALID: _INVALID,
    Reason.REQUEST_MALFORMED: _INVALID,
    Reason.CREDENTIALS_MISSING: grpc.StatusCode.UNAUTHENTICATED,
    Reason.SERVICE_PRINCIPAL_REQUIRED: grpc.StatusCode.PERMISSION_DENIED,
    Reason.CALLER_REQUIRED: grpc.StatusCode.PERMISSION_DENIED,
    Reason.TENANT_UNKNOWN: _NOT_FOUND,
    Reason.EVENT_UNKNOWN: _NOT_FOUND,
    Reason.PARTY_UNKNOWN: _NOT_FOUND,
    Reason.WATCH_LIST_UNKNOWN: _NOT_FOUND,
    Reason.EVENT_ID_TAKEN: _EXISTS,
    Reason.TENANT_EXISTS: _EXISTS,
    Reason.JOURNAL_EXISTS: _EXISTS,
    Reason.REVISION_CONFLICT: grpc.StatusCode.ABORTED,
    Reason.TARGET_NOT_VOIDABLE: _PRECONDITION,
    Reason.TARGET_NOT_CORRECTABLE: _PRECONDITION,
    Reason.TARGET_NOT_ENDABLE: _PRECONDITION,
    Reason.SUBJECT_IS_ERASED: _PRECONDITION,
    Reason.LIST_TOO_WIDE: _PRECONDITION,
    Reason.STREAM_DIVERGED: _PRECONDITION,
    Reason.ARCHIVED: _PRECONDITION,
    Reason.TOO_BUSY: _EXHAUSTED,
    Reason.DISK_LOW: _EXHAUSTED,
    Reason.READER_TOO_SLOW: _EXHAUSTED,
    Reason.UNAVAILABLE: _UNAVAILABLE,
    Reason.OUTCOME_UNKNOWN: _UNAVAILABLE,
    Reason.VIEW_BEHIND: _UNAVAILABLE,
    Reason.VIEW_BUILDING: _UNAVAILABLE,
    Reason.DEADLINE_PASSED: grpc.StatusCode.DEADLINE_EXCEEDED,
    Reason.INTERNAL: grpc.StatusCode.INTERNAL,
}

# Details travel in the trailers, of which many clients take 8 KiB in all, base64 included.
BAD_REQUEST_BYTES_MAX: Final = 4 * 1024
_MESSAGE_LENGTH_MAX: Final = 512

_log = get_logger(__name__)


def code_of(reason: Reason) -> grpc.StatusCode:
    """The gRPC code of a reason."""
    return CODES[reason]


def code_number(reason: Reason) -> int:
    """The number of a reason's code, as in google.rpc.Code."""
    return int(code_pb2.Code.Value(CODES[reason].name))


def status_proto(error: RapportError) -> status_pb2.Status:
    """The error as google.rpc.Status: ErrorInfo always, BadRequest and RetryInfo where they apply.

    Violations beyond BAD_REQUEST_BYTES_MAX are left out; ErrorInfo's metadata then says how many,
    under `violations_omitted`.
    """
    bad_request, omitted = _bad_request(error)
    info = error_details_pb2.ErrorInfo(
        reason=error.reason.value, domain=DOMAIN, metadata=error.metadata
    )
    if omitted:
        info.metadata["violations_omitted"] = str(omitted)
    status = status_pb2.Status(
        code=code_number(error.reason), message=error.message[:_MESSAGE_LENGTH_MAX]
    )
    status.details.add().Pack(info)
    if bad_request.field_violations:
        status.details.add().Pack(bad_request)
    if error.retry_after_ms is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(error.retry_after_ms)
        status.details.add().Pack(retry)
    return status


def grpc_status_of(error: RapportError) -> grpc.Status:
    """The error as `abort_with_status` takes it."""
    status: grpc.Status = rpc_status.to_status(status_proto(error))
    return status


def unforeseen(exception: BaseException, method: str) -> RapportError:
    """The answer to a fault of ours: INTERNAL and an incident id, logged with where it happened.

    The exception's own words are not: drivers quote stored data in theirs (services.runtime.logs).
    """
    incident = str(uuid4())
    _log.error("unforeseen fault", request_id=incident, grpc_method=method, exc_info=exception)
    return RapportError(
        Reason.INTERNAL,
        f"a fault of the service, logged as incident {incident}",
        metadata={"incident": incident},
    )


def _bad_request(error: RapportError) -> tuple[error_details_pb2.BadRequest, int]:
    details, size_bytes = error_details_pb2.BadRequest(), 0
    for index, violation in enumerate(error.violations):
        item = error_details_pb2.BadRequest.FieldViolation(
            field=violation.field, description=violation.description, reason=violation.reason.value
        )
        size_bytes += item.ByteSize() + 4
        if size_bytes > BAD_REQUEST_BYTES_MAX:
            return details, len(error.violations) - index
        details.field_violations.append(item)
    return details, 0
