"""Starting, supervising and stopping: signals, an order to stop in, tasks that may crash.

A service's main gets an event that is set by SIGTERM or SIGINT, waits for it, and stops its parts
in the opposite order of their start.
"""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.runtime.clock import Clock, SystemClock
from services.runtime.logs import get_logger

_new_event_loop: Callable[[], asyncio.AbstractEventLoop]
try:
    import uvloop
except ImportError:  # not on every platform; only slower without
    _new_event_loop = asyncio.new_event_loop
else:
    _new_event_loop = uvloop.new_event_loop

_log = get_logger(__name__)

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_EXIT_FAILED: Final = 1
_EXIT_BY_SIGNAL: Final = 128
BACKOFF_FIRST_MS: Final = 100
BACKOFF_MAX_MS: Final = 5_000
# A task that ran this long before it crashed starts anew with the shortest delay.
BACKOFF_FORGIVEN_AFTER_S: Final = 60.0


def run(main: Callable[[asyncio.Event], Coroutine[Any, Any, int]]) -> int:
    """Run a service to its end and return its exit code; on uvloop where there is one.

    The first SIGTERM or SIGINT sets the event that `main` was given, and `main` stops in order.
    The second cancels `main`, and the exit code is 128 + the signal's number. An exception of
    `main` is logged, without what it may quote, and the exit code is 1.
    """
    with asyncio.Runner(loop_factory=_new_event_loop) as runner:
        return runner.run(_until_signalled(main))


async def _until_signalled(main: Callable[[asyncio.Event], Coroutine[Any, Any, int]]) -> int:
    loop, stop, received = asyncio.get_running_loop(), asyncio.Event(), list[int]()
    task = asyncio.ensure_future(main(stop))

    def on_signal(number: signal.Signals) -> None:
        received.append(number)
        _log.info("asked to stop", signal=number.name, count=len(received))
        if len(received) == 1:
            stop.set()
        else:
            task.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    try:
        return await task
    except asyncio.CancelledError:
        if len(received) < 2:
            raise
        return _EXIT_BY_SIGNAL + received[-1]
    except Exception as error:  # noqa: BLE001 - the interpreter would print its message
        _log.critical("service failed", exc_info=error)
        return _EXIT_FAILED
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    stop: Callable[[], Awaitable[object]]
    timeout_s: float


class StopSteps:
    """What has to be stopped, in the opposite order of being added.

    As an asynchronous context manager it stops everything on the way out, also when starting
    failed half-way.
    """

    def __init__(self) -> None:
        self._steps: list[_Step] = []

    def add(self, name: str, stop: Callable[[], Awaitable[object]], timeout_s: float) -> None:
        """Add a step: `stop` is awaited for at most `timeout_s`. `name` is for the log."""
        self._steps.append(_Step(name, stop, timeout_s))

    async def stop(self) -> None:
        """Stop everything added, the last first; a second call has nothing left to do.

        A step that fails or takes too long is logged, and the others go on.
        """
        while self._steps:
            step = self._steps.pop()
            try:
                async with asyncio.timeout(step.timeout_s):
                    await step.stop()
            except Exception:  # noqa: BLE001 - the parts below must still be stopped
                _log.error("step of the stop failed", step=step.name, exc_info=True)

    async def __aenter__(self) -> "StopSteps":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


class Supervisor:
    """Keeps background tasks running: one that crashes or ends is logged and started again.

    The delay before a new start doubles from 100 ms to 5 s, and is forgotten after a minute
    without a crash. `on_crash` is called with the name of the task and the error (None when it
    just ended) before the delay, for metrics and health.
    """

    def __init__(
        self,
        *,
        on_crash: Callable[[str, Exception | None], None] | None = None,
        clock: Clock | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._on_crash = on_crash
        self._clock: Clock = clock or SystemClock()
        self._sleep = sleep
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._restarts: dict[str, int] = {}

    def start(self, name: str, task: Callable[[], Awaitable[object]]) -> None:
        """Run `task()` and start it again whenever it stops; a name is used once at a time.

        It is a word, so that the log may tell it.
        """
        assert name not in self._tasks, "one task of a name"
        assert " " not in name, "the log withholds it"
        self._restarts[name] = 0
        self._tasks[name] = asyncio.create_task(self._keep(name, task), name=name)

    def restarts(self, name: str) -> int:
        """How often the task was started again since `start`."""
        return self._restarts[name]

    async def stop(self, name: str | None = None) -> None:
        """Cancel one task or all, and wait until they are gone. Unknown names are fine."""
        names = list(self._tasks) if name is None else [name]
        tasks = [self._tasks.pop(each) for each in names if each in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, name: str, task: Callable[[], Awaitable[object]]) -> None:
        delay_ms = BACKOFF_FIRST_MS
        while True:
            started_s = self._clock.monotonic_s()
            error: Exception | None = None
            try:
                await task()
                if _is_cancelled():
                    return  # the task kept its cancellation to itself
                _log.warning("task ended by itself", task=name)
            except Exception as crash:  # noqa: BLE001 - whatever it is, it must not be lost
                error = crash
                _log.error("task crashed", task=name, exc_info=crash)
            if self._clock.monotonic_s() - started_s >= BACKOFF_FORGIVEN_AFTER_S:
                delay_ms = BACKOFF_FIRST_MS
            self._report(name, error)
            await self._sleep(delay_ms / 1000)
            delay_ms = min(delay_ms * 2, BACKOFF_MAX_MS)
            self._restarts[name] += 1
            _log.info("task starts again", task=name, attempt=self._restarts[name])

    def _report(self, name: str, error: Exception | None) -> None:
        if self._on_crash is None:
            return
        try:
            self._on_crash(name, error)
        except Exception as failure:  # noqa: BLE001 - a broken report must not end the supervision
            _log.error("report of a crash failed", task=name, exc_info=failure)


def _is_cancelled() -> bool:
    current = asyncio.current_task()
    return current is not None and current.cancelling() > 0


def write_ready_file(path: Path, *, grpc: int, metrics: int) -> None:
    """Say where this process listens, in a file that is there whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.write_text(json.dumps({"grpc": grpc, "metrics": metrics, "pid": os.getpid()}))
    part.replace(path)
