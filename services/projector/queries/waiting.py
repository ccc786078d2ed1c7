"""Reading your own writes: waiting until the read models have reached a position."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from services.runtime.clock import Clock, SystemClock
from services.runtime.errors import RapportError, Reason

# Other replicas move the checkpoint without a word to this process; that is found by looking.
POLL_S: Final = 0.05


class Positions:
    """How far the read models of each journal are, as far as this process has heard.

    The intake says so with `reached`; what other replicas applied is found by a poll while
    somebody waits. Positions never go back here: a rebuild of the views starts new processes.
    """

    def __init__(
        self,
        read_position: Callable[[str], Awaitable[int]],
        *,
        clock: Clock | None = None,
        poll_s: float = POLL_S,
    ) -> None:
        self._read_position = read_position
        self._clock: Clock = clock or SystemClock()
        self._poll_s = poll_s
        self._changed: dict[str, asyncio.Event] = {}

    def reached(self, journal: str) -> None:
        """Wake who waits for a journal: a transaction that moved its checkpoint was committed."""
        changed = self._changed.pop(journal, None)
        if changed is not None:
            changed.set()

    async def wait_for(self, journal: str, min_position: int, timeout_s: float) -> None:
        """Return once the views of `journal` are at `min_position` or beyond.

        Raises VIEW_BEHIND, saying how far they are, when that takes longer than `timeout_s`.
        """
        if min_position <= 0:
            return
        deadline_s = self._clock.monotonic_s() + timeout_s
        while True:
            changed = self._changed.setdefault(journal, asyncio.Event())
            position = await self._read_position(journal)
            if position >= min_position:
                return
            left_s = deadline_s - self._clock.monotonic_s()
            if left_s <= 0:
                raise _behind(position, min_position)
            try:
                async with asyncio.timeout(min(self._poll_s, left_s)):
                    await changed.wait()
            except TimeoutError:
                continue


def _behind(position: int, min_position: int) -> RapportError:
    return RapportError(
        Reason.VIEW_BEHIND,
        f"the read model is at position {position}, not yet at {min_position}",
        metadata={"position": str(position), "min_position": str(min_position)},
    )
