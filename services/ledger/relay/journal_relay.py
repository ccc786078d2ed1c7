"""One journal's relay: reads committed positions in order and publishes them, fenced.

There is no checkpoint to store: the stream's own end says where to go on. A lost, doubled or
competing publish makes the server refuse the whole chunk; then the relay looks at the stream and
goes on from there. It never goes on from an end that the journal does not know.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from enum import Enum
from typing import Final, Protocol

import nats.errors
from nats.js.errors import APIError, NotFoundError

from services.ledger.domain.events import StoredEvent
from services.ledger.relay.leader import Leadership
from services.ledger.relay.message import OVERHEAD_BYTES, Message, message_of
from services.ledger.relay.stream import (
    CHUNK_MESSAGES_MAX,
    EventStream,
    Refused,
    Tail,
    Unwritable,
)
from services.runtime.logs import get_logger

_log = get_logger(__name__)

CHUNK_BYTES_MAX: Final = 4 * 1024 * 1024
# How long the relay waits for news before it asks the journal again; a hint comes sooner.
POLL_S: Final = 0.25
# How often it looks whether an idle stream is still the journal's, and a diverged one mended.
LOOK_S: Final = 1.0
RETRY_S: Final = 0.5

type Chunk = tuple[list[Message], int]


class JournalRow(Protocol):
    """What the relay needs to know of a journal."""

    @property
    def incarnation(self) -> str: ...

    @property
    def head(self) -> int: ...


class JournalLog(Protocol):
    """What the relay reads; services.ledger.journal.Journal is one."""

    async def head(self, journal: str) -> JournalRow: ...

    async def row_at(self, journal: str, position: int) -> StoredEvent | None: ...

    def read_journal(
        self, journal: str, *, from_position: int, limit: int
    ) -> AsyncIterator[tuple[Sequence[StoredEvent], int]]: ...

    async def wait_beyond(self, journal: str, position: int, timeout_s: float) -> int: ...


class RelayState(Enum):
    """What a journal's relay is doing."""

    STANDBY = "standby"
    FOLLOWING = "following"
    DISCONNECTED = "disconnected"
    DIVERGED = "diverged"


class StreamDiverged(Exception):  # noqa: N818 - the sentence reads without "Error"
    """The stream's end is not what the journal holds there: `rapport stream rebuild` mends it."""


class JournalRelay:
    """Brings one journal's stream up to its head and keeps it there, while it leads."""

    def __init__(
        self,
        log: JournalLog,
        stream: EventStream,
        journal: str,
        report: Callable[[str, RelayState, int, int], None],
    ) -> None:
        """`report(journal, state, position, head)` is called at every change and every chunk."""
        self._log = log
        self._stream = stream
        self._journal = journal
        self._report = report
        self._incarnation = ""
        self._position = 0
        self._head = 0
        self.state = RelayState.STANDBY

    async def run(self, leadership: Leadership) -> None:
        """Relay until leadership is lost. Raises only for faults of Postgres or of the code."""
        while not leadership.lost.is_set():
            try:
                await self._synchronise()
                await self._follow(leadership)
            except StreamDiverged:
                self._become(RelayState.DIVERGED)
                await _either(leadership.lost, LOOK_S)
            except (Refused, NotFoundError) as surprise:
                _log.warning("stream looked at again", journal=self._journal, exc_info=surprise)
            except (nats.errors.Error, APIError, Unwritable, OSError, TimeoutError) as fault:
                if self.state is not RelayState.DISCONNECTED:
                    _log.warning("stream out of reach", journal=self._journal, exc_info=fault)
                self._become(RelayState.DISCONNECTED)
                await _either(leadership.lost, RETRY_S)

    async def _synchronise(self) -> None:
        """Find where to go on: the stream's end, when the journal holds the same event there."""
        await self._stream.ensure()
        tail = await self._stream.tail()
        row = await self._log.head(self._journal)
        self._head = row.head
        if not await self._agrees(tail, row):
            raise StreamDiverged(self._journal)
        self._incarnation, self._position = row.incarnation, tail.last_sequence
        self._become(RelayState.FOLLOWING)

    async def _agrees(self, tail: Tail, row: JournalRow) -> bool:
        if tail.last_sequence > row.head:
            return False
        if tail.event_id is None:
            return True  # nothing left to compare: new, or aged out
        event = await self._log.row_at(self._journal, tail.last_sequence)
        return (
            event is not None
            and tail.event_id == event.event_id
            and tail.incarnation == row.incarnation
        )

    async def _follow(self, leadership: Leadership) -> None:
        """Publish chunk after chunk, reading the next one while the last is being stored."""
        messages, read_through = await self._read(self._position + 1)
        looked_at = asyncio.get_running_loop().time()
        while not leadership.lost.is_set():
            if messages:
                ahead = asyncio.create_task(self._read(read_through + 1))
                try:
                    await self._stream.publish(messages)
                except BaseException:
                    ahead.cancel()
                    await asyncio.wait([ahead])
                    raise
                self._position = messages[-1].position
                self._become(RelayState.FOLLOWING)
                messages, read_through = await ahead
                continue
            now = asyncio.get_running_loop().time()
            if now - looked_at >= LOOK_S:
                await self._look()
                looked_at = now
            self._head = await self._log.wait_beyond(self._journal, self._position, POLL_S)
            if self._head > self._position:
                messages, read_through = await self._read(self._position + 1)

    async def _look(self) -> None:
        """An idle stream may have been wiped, or a journal restored, without anybody publishing."""
        tail, row = await self._stream.tail(), await self._log.head(self._journal)
        if tail.last_sequence != self._position or row.incarnation != self._incarnation:
            raise Refused(f"the stream ends at {tail.last_sequence}, not at {self._position}")
        if row.head < self._position:
            raise Refused(f"the journal went back to {row.head}, behind {self._position}")
        self._head = row.head
        self._become(RelayState.FOLLOWING)

    async def _read(self, from_position: int) -> Chunk:
        """The next chunk, at most CHUNK_MESSAGES_MAX and about CHUNK_BYTES_MAX."""
        messages: list[Message] = []
        size = 0
        reading = self._log.read_journal(
            self._journal, from_position=from_position, limit=CHUNK_MESSAGES_MAX
        )
        async with aclosing(reading) as chunks:  # type: ignore[type-var]
            async for events, _ in chunks:
                for event in events:
                    size += len(event.payload) + OVERHEAD_BYTES
                    if messages and size > CHUNK_BYTES_MAX:
                        return messages, messages[-1].position
                    messages.append(message_of(event, self._incarnation))
        return messages, messages[-1].position if messages else from_position - 1

    def _become(self, state: RelayState) -> None:
        if state is not self.state:
            level = _log.error if state is RelayState.DIVERGED else _log.info
            level("relay state", journal=self._journal, state=state.value, position=self._position)
        self.state = state
        self._report(self._journal, state, self._position, self._head)


async def _either(event: asyncio.Event, timeout_s: float) -> None:
    """Wait until the event is set, at most `timeout_s`."""
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return
