"""Which rows a refusal names."""

import grpc
import pytest
from rapport import RapportError, Violation, touchpoint
from rapport.cli.loading import Row, named_by

ROWS = [Row(line, line - 1, touchpoint("a", "b", "call")) for line in range(2, 6)]


def error(reason: str, *fields: str, **metadata: str) -> RapportError:
    return RapportError(
        reason,
        "no",
        code=grpc.StatusCode.INVALID_ARGUMENT,
        violations=[Violation(field, "what it takes") for field in fields],
        metadata=metadata,
    )


def test_rows_are_named_by_the_field_paths_once_each() -> None:
    refusal = error(
        "KIND_UNKNOWN", "events[1].touchpoint.kind", "events[1].event_id", "events[3].occurred_at"
    )
    named = named_by(refusal, ROWS)
    assert sorted(named) == [1, 3]
    assert (named[1].line, named[1].field) == (3, "touchpoint.kind")
    assert named[1].reason == "KIND_UNKNOWN: what it takes"


def test_without_a_path_a_row_is_named_by_its_event_id() -> None:
    refusal = error("EVENT_ID_TAKEN", event_id=ROWS[2].event.event_id, field="touchpoint.kind")
    named = named_by(refusal, ROWS)
    assert list(named) == [2]
    assert named[2].field == "touchpoint.kind"


@pytest.mark.parametrize("field", ["events", "events[9].event_id", "event[1]"])
def test_a_refusal_that_names_no_row_names_none(field: str) -> None:
    assert named_by(error("TOO_LARGE", field), ROWS) == {}
