"""Who waits for a journal to grow, and how they hear of it.

Own appends are heard of at once, those of other replicas by a nudge or, at the latest, when the
journal's row is looked at again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from services.runtime.logs import get_logger
from services.runtime.pg import POSTGRES_ERRORS

POLL_S: Final = 0.25

_log = get_logger(__name__)


@dataclass(slots=True)
class _Entry:
    head: int = 0
    moves: int = 0
    waiting: dict[asyncio.Future[None], int] = field(default_factory=dict)
    nudged: asyncio.Event = field(default_factory=asyncio.Event)
    poller: asyncio.Task[None] | None = None

    def tell(self) -> None:
        """Wake those whose position the head is beyond."""
        for future, position in list(self.waiting.items()):
            if self.head > position and not future.done():
                future.set_result(None)


class Heads:
    """The heads of journals as last heard of. However many wait, one task looks for all."""

    def __init__(
        self, read_head: Callable[[str], Awaitable[int]], *, poll_s: float = POLL_S
    ) -> None:
        self._read_head, self._poll_s = read_head, poll_s
        self._entries: dict[str, _Entry] = {}

    def moved(self, journal: str, head: int) -> None:
        """This process appended: the head is at least this."""
        entry = self._entries.get(journal)
        if entry is not None and head > entry.head:
            entry.head = head
            entry.moves += 1
            entry.tell()

    def nudge(self, journal: str) -> None:
        """Somebody may have appended: look now rather than at the next poll."""
        entry = self._entries.get(journal)
        if entry is not None:
            entry.nudged.set()

    async def wait_beyond(self, journal: str, position: int, timeout_s: float) -> int:
        """Return the head as soon as it is beyond `position`, else as last known after a time."""
        entry = self._entries.setdefault(journal, _Entry())
        # Nobody has looked for a while if there is no poller: the journal may have been restored.
        if entry.poller is not None and entry.head > position:
            return entry.head
        moved = asyncio.get_running_loop().create_future()
        entry.waiting[moved] = position
        if entry.poller is None:
            entry.poller = asyncio.create_task(self._poll(journal, entry), name="journal head")
        try:
            async with asyncio.timeout(timeout_s):
                await moved
        except TimeoutError:
            pass
        finally:
            del entry.waiting[moved]
        return entry.head

    async def close(self) -> None:
        """Stop looking; who still waits does so until the timeout."""
        pollers = [entry.poller for entry in self._entries.values() if entry.poller is not None]
        for poller in pollers:
            poller.cancel()
        await asyncio.gather(*pollers, return_exceptions=True)

    async def _poll(self, journal: str, entry: _Entry) -> None:
        """Look while anybody waits, and once more: who waits again at once finds this still on."""
        try:
            idle = False
            while entry.waiting or not idle:
                idle = not entry.waiting
                await self._look(journal, entry)
                try:
                    await asyncio.wait_for(entry.nudged.wait(), self._poll_s)
                except TimeoutError:
                    continue
        finally:
            entry.poller = None

    async def _look(self, journal: str, entry: _Entry) -> None:
        moves = entry.moves
        entry.nudged.clear()
        try:
            head = await self._read_head(journal)
        except POSTGRES_ERRORS:
            _log.warning("the head of a journal could not be read", journal=journal)
            return
        # Lower than known after a restore; but not when this process appended meanwhile.
        entry.head = head if moves == entry.moves else max(head, entry.head)
        entry.tell()
