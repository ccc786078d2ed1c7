"""Errors as verdicts of an ingest stream: the contents of the status AppendEvents would give."""

from typing import Final

from rapport.v1 import errors_pb2
from rapport.v1 import ledger_service_pb2 as pb

from services.runtime.errors import RapportError
from services.runtime.grpc_errors import code_number

_PREFIX: Final = "ERROR_REASON_"


def batch_refusal(error: RapportError) -> pb.BatchRefusal:
    """The refusal of a batch."""
    return pb.BatchRefusal(
        code=code_number(error.reason),
        reason=errors_pb2.ErrorReason.Value(_PREFIX + error.reason.value),
        message=error.message,
        metadata=error.metadata,
        field_violations=[
            pb.FieldViolation(field=each.field, description=each.description)
            for each in error.violations
        ],
        retry_delay_ms=error.retry_after_ms or 0,
    )
