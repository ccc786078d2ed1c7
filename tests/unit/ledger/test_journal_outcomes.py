"""What errors of the database mean to those who append."""

from pathlib import Path

import asyncpg
import pytest

from services.ledger.journal.disk import DiskFloor, free_bytes
from services.ledger.journal.outcomes import (
    Busy,
    DiskLow,
    OutcomeUnknown,
    Unavailable,
    is_outcome,
    is_partition_missing,
    is_worth_repeating,
    outcome_of,
)
from services.runtime.clock import FixedClock


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (asyncpg.DiskFullError(), DiskLow),
        (asyncpg.LockNotAvailableError(), Busy),
        (asyncpg.QueryCanceledError(), Busy),
        (asyncpg.SerializationError(), Busy),
        (asyncpg.DeadlockDetectedError(), Busy),
        (asyncpg.TooManyConnectionsError(), Unavailable),
        (asyncpg.ReadOnlySQLTransactionError(), Unavailable),
        (asyncpg.InterfaceError("connection is closed"), Unavailable),
        (asyncpg.ConnectionDoesNotExistError(), OutcomeUnknown),
        (asyncpg.AdminShutdownError(), OutcomeUnknown),
        (ConnectionResetError(), OutcomeUnknown),
        (TimeoutError(), OutcomeUnknown),
    ],
)
def test_every_class_of_error_has_one_outcome(
    error: BaseException, outcome: type[BaseException]
) -> None:
    assert type(outcome_of(error)) is outcome
    assert is_outcome(outcome_of(error))


def test_a_fault_stays_what_it_is() -> None:
    for fault in (asyncpg.UndefinedTableError(), asyncpg.InterfaceError("bad"), ValueError()):
        assert outcome_of(fault) is fault
        assert not is_outcome(fault)


def test_only_meetings_with_others_are_repeated_at_once() -> None:
    assert is_worth_repeating(asyncpg.SerializationError())
    assert is_worth_repeating(asyncpg.DeadlockDetectedError())
    assert not is_worth_repeating(asyncpg.LockNotAvailableError())


def test_a_missing_partition_is_told_from_a_failed_check() -> None:
    missing, failed = asyncpg.CheckViolationError(), asyncpg.CheckViolationError()
    failed.constraint_name = "events_position"
    assert is_partition_missing(missing)
    assert not is_partition_missing(failed)


def test_the_floor_of_free_disk_refuses_and_is_looked_at_once_a_second(tmp_path: Path) -> None:
    clock = FixedClock()
    free = free_bytes(tmp_path / "not" / "there")
    assert free is not None
    DiskFloor(tmp_path, clock, free_bytes_min=0).check()
    floor = DiskFloor(tmp_path, clock, free_bytes_min=2**62)
    with pytest.raises(DiskLow):
        floor.check()
    floor._free_bytes_min = 0
    with pytest.raises(DiskLow):
        floor.check()
    clock.advance_us(1_000_000)
    floor.check()
