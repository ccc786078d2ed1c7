"""Starts the parts of a stack in order, keeps them running, and stops them the other way round."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from deploy.local.errors import StackError
from deploy.local.process import Process

WATCH_INTERVAL_S = 0.25
BACKOFF_MIN_S = 0.25
BACKOFF_MAX_S = 30.0
# A part that ran this long has recovered: its next end is a first one again.
STEADY_S = 60.0


class Part(Protocol):
    """A process of the stack. `start` adopts it if it runs already; `start` and `stop` block."""

    name: str
    process: Process | None

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def find(self) -> Process | None: ...
    def alive(self) -> bool: ...


@dataclass(slots=True)
class _Trouble:
    """How a part has fared lately."""

    delay_s: float = BACKOFF_MIN_S
    started_at_s: float = 0.0
    retry_at_s: float | None = None


class Supervisor:
    """Watches over parts; `say` gets one line whenever one ends or comes back.

    on_start is called after every start, with the part: addresses may have changed.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        say: Callable[[str], None],
        on_start: Callable[[Part], None],
    ) -> None:
        self.parts = list(parts)
        self._say = say
        self._on_start = on_start
        self._troubles: dict[str, _Trouble] = {}

    async def start(self, part: Part) -> None:
        """Starts one part and waits until it is ready. Raises StackError."""
        await in_thread(part.start)
        self._troubles.setdefault(part.name, _Trouble()).started_at_s = time.monotonic()
        self._on_start(part)

    async def watch(self) -> None:
        """Restarts what ends, with growing pauses, until cancelled."""
        while True:
            for part in self.parts:
                if not part.alive():
                    await self._revive(part)
                elif getattr(part, "outdated", bool)():
                    self._say(f"{part.name}: restarting, what it depends on has moved")
                    await in_thread(part.stop)
            await asyncio.sleep(WATCH_INTERVAL_S)

    async def stop(self) -> None:
        """Stops every part, the last one first. Goes on past one that does not end, then raises."""
        failures = []
        for part in reversed(self.parts):
            try:
                await in_thread(lambda part=part: _end(part))  # type: ignore[misc]
            except StackError as error:
                failures.append(str(error))
        if failures:
            raise StackError("; ".join(failures))

    async def _revive(self, part: Part) -> None:
        trouble = self._troubles.setdefault(part.name, _Trouble())
        now_s = time.monotonic()
        if trouble.retry_at_s is None:
            if now_s - trouble.started_at_s > STEADY_S:
                trouble.delay_s = BACKOFF_MIN_S
            status = part.process.exit_code if part.process is not None else None
            reason = "" if status is None else f" with status {status}"
            self._say(f"{part.name}: ended{reason}, starting again in {trouble.delay_s:g} s")
            trouble.retry_at_s = now_s + trouble.delay_s
            trouble.delay_s = min(trouble.delay_s * 2, BACKOFF_MAX_S)
        elif now_s >= trouble.retry_at_s:
            trouble.retry_at_s = None
            try:
                await self.start(part)
            except StackError as error:
                self._say(f"{part.name}: {error}")
            else:
                assert part.process is not None
                self._say(f"{part.name}: running again, pid {part.process.pid}")


async def in_thread[T](work: Callable[[], T]) -> T:
    """Runs blocking work in a thread; when cancelled, first waits until it is done.

    Otherwise a process could be started behind the back of the one that stops them all.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(Exception):
            await asyncio.wait([task])
            task.exception()  # whoever would have been told has gone
        raise


def _end(part: Part) -> None:
    part.find()
    part.stop()
