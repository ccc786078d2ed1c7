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

    def __init__(self, position: int) -> None:
        self.position = position
        self.waiting: dict[asyncio.Future[None], int] = {}
        self.ended = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def moved(self, position: int) -> None:
        """Wake who waits for this or less."""
        self.position = position
        for arrived, wanted in self.waiting.items():
            if position >= wanted and not arrived.done():
                arrived.set_result(None)

    def failed(self, fault: BaseException) -> None:
        """Wake everybody with it."""
        for arrived in self.waiting:
            if not arrived.done():
                arrived.set_exception(fault)


class Positions:
    """How far the read models of each journal are.

    The intake says how far they are with `reached`, which spares reading it; what other replicas
    applied is found by a poll, which runs only while somebody waits.
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
        # Position and time of what was said last.
        self._told: dict[str, tuple[int, float]] = {}
        self._watches: dict[str, _Watch] = {}

    def reached(self, journal: str, position: int) -> None:
        """Wake who waits: the checkpoint of a journal is at a position, and that is committed."""
        self._told[journal] = position, _now_s()
        watch = self._watches.get(journal)
        if watch is not None:
            watch.moved(position)

    def doubt(self, journal: str) -> None:
        """The views of a journal were found behind what was said: somebody set them back."""
        self._told.pop(journal, None)

    async def wait_for(self, journal: str, min_position: int, timeout_s: float) -> None:
        """Return once the views of `journal` are at `min_position` or beyond.

        What was said by `reached` is taken on trust; who reads the views sees whether they still
        are there. Raises VIEW_BEHIND, saying how far they are, when that takes longer than
        `timeout_s`, and whatever reading the position raises.
        """
        if min_position <= 0:
            return
        position = self._told_lately(journal)
        if position is None:
            position = await self._read_position(journal)
            # Or what was said meanwhile.
            position = max(position, self._told_lately(journal) or 0)
        if position >= min_position:
            return
        watch = self._watches.get(journal)
        if watch is None:
            watch = self._watches[journal] = _Watch(position)
            watch.task = asyncio.create_task(self._look(journal, watch))
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        watch.waiting[arrived] = min_position
        try:
            async with asyncio.timeout(max(timeout_s, 0)):
                await arrived
        except TimeoutError:
            raise _behind(watch.position, min_position) from None
        finally:
            del watch.waiting[arrived]
            if not watch.waiting:
                self._forget(journal, watch)

    def _told_lately(self, journal: str) -> int | None:
        told = self._told.get(journal)
        return told[0] if told is not None and _now_s() - told[1] < _TOLD_WITHIN_S else None

    async def _look(self, journal: str, watch: _Watch) -> None:
        is_told = self._told_lately(journal) is not None
        poll_s = self._poll_s if is_told else min(self._poll_first_s, self._poll_s)
        while not watch.ended.is_set():
            try:
                async with asyncio.timeout(poll_s):
                    await watch.ended.wait()
                return
            except TimeoutError:
                poll_s = min(poll_s * _POLL_GROWS, self._poll_s)
            try:
                position = await self._read_position(journal)
            except Exception as fault:  # noqa: BLE001 - it is raised in everybody who waits
                self._forget(journal, watch)
                watch.failed(fault)
                return
            watch.moved(position)

    def _forget(self, journal: str, watch: _Watch) -> None:
        if self._watches.get(journal) is watch:
            del self._watches[journal]
        # It ends by itself: cancelled in mid-statement it would cost its connection.
        watch.ended.set()


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _behind(position: int, min_position: int) -> RapportError:
    return RapportError(
        Reason.VIEW_BEHIND,
        f"the read model is at position {position}, not yet at {min_position}",
        metadata={"position": str(position), "min_position": str(min_position)},
    )
