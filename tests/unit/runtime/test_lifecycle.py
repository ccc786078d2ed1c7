"""Stopping in order, and tasks that crash."""

import asyncio
import os
import signal
from functools import partial

import pytest

from services.runtime.clock import US_PER_SECOND, FixedClock
from services.runtime.lifecycle import StopSteps, Supervisor, run


def test_a_signal_lets_main_stop_in_order_and_gives_its_exit_code() -> None:
    async def main(stop: asyncio.Event) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()
        return 7

    assert run(main) == 7


def test_a_second_signal_ends_a_stop_that_takes_too_long() -> None:
    async def main(stop: asyncio.Event) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()
        return 0

    assert run(main) == 128 + signal.SIGINT


def test_an_exception_of_main_is_exit_code_1() -> None:
    async def main(_: asyncio.Event) -> int:
        raise ValueError("not to be printed")

    assert run(main) == 1


async def test_steps_stop_in_the_opposite_order_also_when_one_fails_or_hangs() -> None:
    stopped: list[str] = []

    async def stop(name: str) -> None:
        stopped.append(name)
        if name == "failing":
            raise OSError
        if name == "hanging":
            await asyncio.Event().wait()

    steps = StopSteps()
    for name in ("pool", "hanging", "failing", "server"):
        steps.add(name, partial(stop, name), timeout_s=0.01)
    await steps.stop()
    await steps.stop()
    assert stopped == ["server", "failing", "hanging", "pool"]


async def test_what_was_started_is_stopped_when_starting_fails() -> None:
    stopped = asyncio.Event()

    async def stop() -> None:
        stopped.set()

    async def start() -> None:
        async with StopSteps() as steps:
            steps.add("pool", stop, timeout_s=1)
            raise ValueError("port taken")

    with pytest.raises(ValueError, match="port taken"):
        await start()
    assert stopped.is_set()


class Pauses:
    """A sleep that takes no time, remembers what was asked, and holds after `free` of them."""

    def __init__(self, free: int) -> None:
        self.asked_s: list[float] = []
        self.held = asyncio.Event()
        self._free = free

    async def sleep(self, seconds: float) -> None:
        self.asked_s.append(seconds)
        if len(self.asked_s) > self._free:
            self.held.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)


async def test_a_crashed_task_is_reported_and_started_again_with_growing_delays() -> None:
    crashes: list[tuple[str, type[Exception] | None]] = []
    pauses = Pauses(free=10)
    supervisor = Supervisor(
        on_crash=lambda name, error: crashes.append((name, type(error) if error else None)),
        clock=FixedClock(),
        sleep=pauses.sleep,
    )

    async def crash() -> None:
        raise ValueError

    supervisor.start("relay", crash)
    await pauses.held.wait()
    await supervisor.stop()
    assert pauses.asked_s == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, *[5.0] * 5]
    assert crashes == [("relay", ValueError)] * 11
    assert supervisor.restarts("relay") == 10


async def test_a_task_that_just_ends_is_started_again_too() -> None:
    crashes: list[Exception | None] = []
    pauses = Pauses(free=0)
    supervisor = Supervisor(on_crash=lambda _, error: crashes.append(error), sleep=pauses.sleep)

    async def end() -> None:
        return

    supervisor.start("intake", end)
    await pauses.held.wait()
    await supervisor.stop("intake")
    assert crashes == [None]


async def test_a_long_run_without_a_crash_forgives_the_crashes_before() -> None:
    clock, pauses = FixedClock(), Pauses(free=3)
    lifetimes_s = iter([1, 1, 60, 1])
    supervisor = Supervisor(clock=clock, sleep=pauses.sleep)

    async def crash_later() -> None:
        clock.advance_us(next(lifetimes_s) * US_PER_SECOND)
        raise ValueError

    supervisor.start("relay", crash_later)
    await pauses.held.wait()
    await supervisor.stop()
    assert pauses.asked_s == [0.1, 0.2, 0.1, 0.2]


async def test_a_broken_report_does_not_end_the_supervision() -> None:
    pauses = Pauses(free=1)

    def report(_: str, __: Exception | None) -> None:
        raise RuntimeError

    async def crash() -> None:
        raise ValueError

    supervisor = Supervisor(on_crash=report, sleep=pauses.sleep)
    supervisor.start("relay", crash)
    await pauses.held.wait()
    await supervisor.stop()
    assert supervisor.restarts("relay") == 1


async def test_stopping_ends_a_task_that_keeps_its_cancellation_to_itself() -> None:
    running = asyncio.Event()

    async def stubborn() -> None:
        try:
            running.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    supervisor = Supervisor()
    supervisor.start("relay", stubborn)
    await running.wait()
    await supervisor.stop()
    await supervisor.stop("relay")
    supervisor.start("relay", stubborn)
    await supervisor.stop()
