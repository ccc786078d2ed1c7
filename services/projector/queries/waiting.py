"""Reading your own writes: waiting until the read models have reached a position."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from services.runtime.errors import RapportError, Reason

# Other replicas move the checkpoint without a word to this process; that is found by looking: often
# at first, since most events are in the read models within milliseconds.
POLL_S: Final = 0.05
_POLL_FIRST_S: Final = 0.004
_POLL_GROWS: Final = 1.5
# Who follows a journal itself is told, and looks only in case it has just lost its lease.
_TOLD_WITHIN_S: Final = 10.0


class _Watch:
    """One journal that somebody waits for: one poll, however many wait."""

    def __init__(self) -> None:
        self.position = 0
        self.fault: BaseException | None = None
        self.waiters = 0
        self.told = asyncio.Event()
        self.moved = asyncio.Condition()
        self.task: asyncio.Task[None] | None = None


class Positions:
    """How far the read models of each journal are.

    The intake says that they moved with `reached`; what other replicas applied is found by a poll,
    which runs only while somebody waits.
    """

    def __init__(
        self,
        read_position: Callable[[str], Awaitable[int]],
        *,
        poll_s: float = POLL_S,
        poll_first_s: float = _POLL_FIRST_S,
    ) -> None:
        self._read_position = read_position
        self._poll_s, self._poll_first_s = poll_s, poll_first_s
        self._told_s: dict[str, float] = {}
        self._watches: dict[str, _Watch] = {}

    def reached(self, journal: str) -> None:
        """Wake who waits for a journal: a transaction that moved its checkpoint was committed."""
        self._told_s[journal] = _now_s()
        watch = self._watches.get(journal)
        if watch is not None:
            watch.told.set()

    async def wait_for(self, journal: str, min_position: int, timeout_s: float) -> None:
        """Return once the views of `journal` are at `min_position` or beyond.

        Raises VIEW_BEHIND, saying how far they are, when that takes longer than `timeout_s`, and
        whatever reading the position raises.
        """
        if min_position <= 0:
            return
        position = await self._read_position(journal)
        if position >= min_position:
            return
        watch = self._watches.get(journal)
        if watch is None:
            watch = self._watches[journal] = _Watch()
            watch.task = asyncio.create_task(self._look(journal, watch))
        watch.position = max(watch.position, position)
        watch.waiters += 1
        try:
            async with asyncio.timeout(max(timeout_s, 0)), watch.moved:
                await watch.moved.wait_for(
                    lambda: watch.position >= min_position or watch.fault is not None
                )
        except TimeoutError:
            raise _behind(watch.position, min_position) from None
        finally:
            watch.waiters -= 1
            if not watch.waiters:
                self._forget(journal, watch)
        if watch.fault is not None:
            raise watch.fault

    async def _look(self, journal: str, watch: _Watch) -> None:
        told_s = self._told_s.get(journal)
        is_told = told_s is not None and _now_s() - told_s < _TOLD_WITHIN_S
        poll_s = self._poll_s if is_told else min(self._poll_first_s, self._poll_s)
        while True:
            try:
                async with asyncio.timeout(poll_s):
                    await watch.told.wait()
            except TimeoutError:
                poll_s = min(poll_s * _POLL_GROWS, self._poll_s)
            # Cleared before reading: what is told from here on is read in the next round.
            watch.told.clear()
            if self._watches.get(journal) is not watch:
                return
            try:
                position = await self._read_position(journal)
            except Exception as fault:  # noqa: BLE001 - it is raised in everybody who waits
                self._forget(journal, watch)
                watch.fault = fault
            async with watch.moved:
                if watch.fault is None:
                    watch.position = max(watch.position, position)
                watch.moved.notify_all()
            if watch.fault is not None:
                return

    def _forget(self, journal: str, watch: _Watch) -> None:
        if self._watches.get(journal) is watch:
            del self._watches[journal]
        # It ends by itself: cancelled in mid-statement it would cost its connection.
        watch.told.set()


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _behind(position: int, min_position: int) -> RapportError:
    return RapportError(
        Reason.VIEW_BEHIND,
        f"the read model is at position {position}, not yet at {min_position}",
        metadata={"position": str(position), "min_position": str(min_position)},
    )
