"""Waiting for a position."""

import asyncio

import pytest

from services.projector.api.calls import wait_s
from services.projector.queries.waiting import Positions
from services.runtime.errors import RapportError, Reason

NEVER_S = 3600.0


class Checkpoint:
    """A checkpoint that a test moves."""

    def __init__(self) -> None:
        self.position = 0
        self.reads = 0
        self.fault: Exception | None = None

    async def read(self, journal: str) -> int:
        self.reads += 1
        if self.fault is not None:
            raise self.fault
        return self.position


async def until_read(checkpoint: Checkpoint, reads: int) -> None:
    while checkpoint.reads < reads:  # noqa: ASYNC110 - lets other tasks go on
        await asyncio.sleep(0)


def patient(checkpoint: Checkpoint) -> Positions:
    """It looks only when it is told to."""
    return Positions(checkpoint.read, poll_s=NEVER_S, poll_first_s=NEVER_S)


async def test_no_position_asked_for_is_no_wait_and_no_read() -> None:
    checkpoint = Checkpoint()
    await Positions(checkpoint.read).wait_for("main", 0, NEVER_S)
    assert checkpoint.reads == 0


async def test_a_position_already_reached_answers_at_once() -> None:
    checkpoint = Checkpoint()
    checkpoint.position = 5
    await Positions(checkpoint.read).wait_for("main", 5, 0)
    assert checkpoint.reads == 1


async def test_waiters_wake_when_the_intake_says_so() -> None:
    checkpoint = Checkpoint()
    positions = patient(checkpoint)
    near = asyncio.ensure_future(positions.wait_for("main", 1, NEVER_S))
    far = asyncio.ensure_future(positions.wait_for("main", 2, NEVER_S))
    await until_read(checkpoint, 2)
    positions.reached("main", 1)
    await near
    assert not far.done()
    positions.reached("main", 3)
    await far
    assert checkpoint.reads == 2


async def test_what_the_intake_said_is_not_read() -> None:
    checkpoint = Checkpoint()
    positions = patient(checkpoint)
    positions.reached("main", 5)
    await positions.wait_for("main", 5, 0)
    with pytest.raises(RapportError) as caught:
        await positions.wait_for("main", 6, 0)
    assert caught.value.metadata == {"position": "5", "min_position": "6"}
    assert checkpoint.reads == 0


async def test_what_is_doubted_is_read() -> None:
    checkpoint = Checkpoint()
    positions = patient(checkpoint)
    positions.reached("main", 5)
    positions.doubt("main")
    waiting = asyncio.ensure_future(positions.wait_for("main", 5, NEVER_S))
    await until_read(checkpoint, 1)
    await asyncio.sleep(0)
    assert not waiting.done()
    positions.reached("main", 4)
    positions.reached("main", 5)
    await waiting


async def test_another_journal_wakes_nobody() -> None:
    checkpoint = Checkpoint()
    positions = patient(checkpoint)
    waiting = asyncio.ensure_future(positions.wait_for("main", 1, NEVER_S))
    await until_read(checkpoint, 1)
    positions.reached("side", 1)
    await asyncio.sleep(0)
    assert not waiting.done()
    positions.reached("main", 1)
    await waiting


async def test_what_other_replicas_applied_is_found_by_looking() -> None:
    checkpoint = Checkpoint()
    positions = Positions(checkpoint.read, poll_s=0, poll_first_s=0)
    waiting = asyncio.ensure_future(positions.wait_for("main", 1, NEVER_S))
    await until_read(checkpoint, 3)
    checkpoint.position = 1
    await waiting


async def test_who_is_not_told_looks_often_and_who_is_told_waits_to_be_told() -> None:
    checkpoint = Checkpoint()
    positions = Positions(checkpoint.read, poll_s=NEVER_S, poll_first_s=0)
    elsewhere = asyncio.ensure_future(positions.wait_for("side", 1, NEVER_S))
    await until_read(checkpoint, 3)
    checkpoint.position = 1
    await elsewhere
    positions.reached("main", 1)
    here = asyncio.ensure_future(positions.wait_for("main", 2, NEVER_S))
    reads = checkpoint.reads
    for _ in range(20):
        await asyncio.sleep(0)
    assert checkpoint.reads == reads
    positions.reached("main", 2)
    await here


async def test_too_late_says_how_far_the_view_is() -> None:
    checkpoint = Checkpoint()
    checkpoint.position = 4
    with pytest.raises(RapportError) as caught:
        await patient(checkpoint).wait_for("main", 9, 0)
    assert caught.value.reason is Reason.VIEW_BEHIND
    assert caught.value.metadata == {"position": "4", "min_position": "9"}
    assert caught.value.retry_after_ms


async def test_one_poll_serves_everybody_and_ends_with_the_last() -> None:
    checkpoint = Checkpoint()
    positions = patient(checkpoint)
    waiting = [asyncio.ensure_future(positions.wait_for("main", 1, NEVER_S)) for _ in range(50)]
    await until_read(checkpoint, 50)
    before = asyncio.all_tasks()
    positions.reached("main", 1)
    await asyncio.gather(*waiting)
    assert checkpoint.reads == 50
    while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110 - lets other tasks go on
        await asyncio.sleep(0)
    assert len(before) == 52  # fifty, the poll and this test


async def test_a_fault_of_reading_reaches_everybody_who_waits() -> None:
    checkpoint = Checkpoint()
    positions = Positions(checkpoint.read, poll_s=0, poll_first_s=0)
    waiting = [asyncio.ensure_future(positions.wait_for("main", 1, NEVER_S)) for _ in range(2)]
    await until_read(checkpoint, 3)
    checkpoint.fault = RapportError(Reason.UNAVAILABLE, "gone")
    for each in waiting:
        with pytest.raises(RapportError) as caught:
            await each
        assert caught.value.reason is Reason.UNAVAILABLE
    checkpoint.fault = None
    checkpoint.position = 1
    await positions.wait_for("main", 1, NEVER_S)


async def test_a_caller_that_leaves_harms_nobody() -> None:
    checkpoint = Checkpoint()
    positions = patient(checkpoint)
    leaving = asyncio.ensure_future(positions.wait_for("main", 1, NEVER_S))
    staying = asyncio.ensure_future(positions.wait_for("main", 1, NEVER_S))
    await until_read(checkpoint, 2)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    positions.reached("main", 1)
    await staying


@pytest.mark.parametrize(
    ("remaining_s", "may_s"), [(None, 30.0), (10.0, 9.8), (0.4, 0.3), (0.0, 0.0), (-1.0, 0.0)]
)
def test_a_call_waits_until_shortly_before_its_deadline(
    remaining_s: float | None, may_s: float
) -> None:
    assert wait_s(remaining_s) == pytest.approx(may_s)
