"""One journal as the relay publishes it: committed positions, in order."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Protocol

from services.ledger.domain.events import StoredEvent
from services.ledger.relay.message import message_of
from services.runtime.jetstream import CHUNK_MESSAGES_MAX, OVERHEAD_BYTES, Message
from services.runtime.publishing import CHUNK_BYTES_MAX, Head


class JournalRow(Protocol):
    """What the relay needs to know of a journal."""

    @property
    def incarnation(self) -> str: ...

    @property
    def head(self) -> int: ...

    @property
    def detached_through(self) -> int: ...


class JournalLog(Protocol):
    """What the relay reads; services.ledger.journal.Journal is one."""

    async def head(self, journal: str) -> JournalRow: ...

    async def row_at(self, journal: str, position: int) -> StoredEvent | None: ...

    def read_known(
        self, journal: str, first: int, last: int, *, limit: int
    ) -> AsyncIterator[tuple[Sequence[StoredEvent], int]]: ...

    async def wait_beyond(self, journal: str, position: int, timeout_s: float) -> int: ...


class JournalSource:
    """One journal of a log, for a publisher."""

    def __init__(self, log: JournalLog, journal: str) -> None:
        self._log, self._journal = log, journal
        # As last heard of: what is read ends there.
        self._known = 0

    async def head(self) -> Head:
        """The journal's head."""
        row = await self._log.head(self._journal)
        self._known = row.head
        return Head(row.incarnation, row.head, row.detached_through + 1)

    async def id_at(self, position: int) -> str | None:
        """The id of the event at a position; None beyond the head."""
        event = await self._log.row_at(self._journal, position)
        return None if event is None else event.event_id

    async def read(self, from_position: int, incarnation: str) -> list[Message]:
        """The next chunk up to the head as last told: at most CHUNK_MESSAGES_MAX and about
        CHUNK_BYTES_MAX."""
        messages: list[Message] = []
        size = 0
        reading = self._log.read_known(
            self._journal, from_position, self._known, limit=CHUNK_MESSAGES_MAX
        )
        async with aclosing(reading) as chunks:  # type: ignore[type-var]
            async for events, _ in chunks:
                for event in events:
                    size += len(event.payload) + OVERHEAD_BYTES
                    is_next = event.position == from_position + len(messages)
                    # A restore may have taken what the head was told to be.
                    if not is_next or (messages and size > CHUNK_BYTES_MAX):
                        return messages
                    messages.append(message_of(event, incarnation))
        return messages

    async def wait_beyond(self, position: int, timeout_s: float) -> int:
        """The head, as soon as it is beyond a position or the time is over."""
        self._known = await self._log.wait_beyond(self._journal, position, timeout_s)
        return self._known
