"""Publishes what is numbered without gaps, in order and fenced: stream sequence == number.

There is no checkpoint to store: the stream's own end says where to go on. A lost, doubled or
competing publish makes the server refuse the whole chunk; then the publisher looks at the stream
and goes on from there. It never goes on from an end that the source does not know.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

import nats.errors
from nats.js.errors import APIError, NotFoundError

from services.runtime.jetstream import Message, Refused, SequencedStream, Tail, Unwritable
from services.runtime.leadership import Leadership
from services.runtime.logs import get_logger

_log = get_logger(__name__)

CHUNK_BYTES_MAX: Final = 4 * 1024 * 1024
# How long it waits for news before it asks the source again; a hint comes sooner.
POLL_S: Final = 0.25
# How often it looks whether an idle stream is still the source's, and a diverged one mended.
LOOK_S: Final = 1.0
RETRY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Head:
    """The newest position of a source; 0 for none. `incarnation` changes when it went back.

    `first` is the oldest position it can still give.
    """

    incarnation: str
    position: int
    first: int = 1


class Source(Protocol):
    """Where messages come from: positions 1, 2, 3 … that never change once they are there."""

    async def head(self) -> Head:
        """Its newest position."""
        ...

    async def id_at(self, position: int) -> str | None:
        """The `ce-id` of a position; None when it is not there."""
        ...

    async def read(self, from_position: int, incarnation: str) -> list[Message]:
        """The messages from a position on, at most CHUNK_MESSAGES_MAX and CHUNK_BYTES_MAX.

        Up to the newest position it last told of, or later ones.
        """
        ...

    async def wait_beyond(self, position: int, timeout_s: float) -> int:
        """The newest position, as soon as it is beyond `position` or the time is over."""
        ...


class PublisherState(Enum):
    """What a publisher is doing."""

    STANDBY = "standby"
    FOLLOWING = "following"
    DISCONNECTED = "disconnected"
    DIVERGED = "diverged"


class StreamDiverged(Exception):  # noqa: N818 - the sentence reads without "Error"
    """The stream's end is not what the source holds there: `rapport stream rebuild` mends it."""


class Publisher:
    """Brings one stream up to the head of its source and keeps it there, while it leads."""

    def __init__(
        self,
        source: Source,
        stream: SequencedStream,
        report: Callable[[PublisherState, int, int], None],
    ) -> None:
        """`report(state, position, head)` is called at every change and every chunk."""
        self._source = source
        self._stream = stream
        self._report = report
        self._incarnation = ""
        self._position = 0
        self._head = 0
        self.state = PublisherState.STANDBY

    async def run(self, leadership: Leadership) -> None:
        """Publish until leadership is lost, or the stream's connection has ended for good.

        Raises only for faults of Postgres or of the code.
        """
        while not leadership.lost.is_set():
            try:
                await self._synchronise()
                await self._follow(leadership)
            except StreamDiverged:
                self._become(PublisherState.DIVERGED)
                await _either(leadership.lost, LOOK_S)
            except (Refused, NotFoundError) as surprise:
                _log.warning("stream looked at again", stream=self._stream.name, exc_info=surprise)
            except (nats.errors.Error, APIError, Unwritable, OSError, TimeoutError) as fault:
                if self.state is not PublisherState.DISCONNECTED:
                    _log.warning("stream out of reach", stream=self._stream.name, exc_info=fault)
                # The source goes on without the stream: how far behind that is must still be told.
                self._head = (await self._source.head()).position
                self._become(PublisherState.DISCONNECTED)
                if self._stream.is_cut_off:
                    return
                await _either(leadership.lost, RETRY_S)

    async def _synchronise(self) -> None:
        """Find where to go on: the stream's end, when the source holds the same there."""
        await self._stream.ensure((await self._source.head()).first)
        tail = await self._stream.tail()
        head = await self._source.head()
        self._head = head.position
        if not await self._agrees(tail, head):
            raise StreamDiverged(self._stream.name)
        self._incarnation, self._position = head.incarnation, tail.last_sequence
        self._become(PublisherState.FOLLOWING)

    async def _agrees(self, tail: Tail, head: Head) -> bool:
        if not head.first - 1 <= tail.last_sequence <= head.position:
            return False
        if tail.event_id is None:
            return True  # nothing left to compare: new, or aged out
        known = await self._source.id_at(tail.last_sequence)
        return tail.event_id == known and tail.incarnation == head.incarnation

    async def _follow(self, leadership: Leadership) -> None:
        """Publish chunk after chunk, reading the next one while the last is being stored."""
        messages = await self._next(self._position)
        looked_at = asyncio.get_running_loop().time()
        while not leadership.lost.is_set():
            if messages:
                last = messages[-1].position
                ahead = asyncio.create_task(self._next(last))
                try:
                    await self._stream.publish(messages)
                except BaseException:
                    ahead.cancel()
                    await asyncio.wait([ahead])
                    raise
                self._position = last
                self._become(PublisherState.FOLLOWING)
                messages = await ahead
            else:
                messages = await self._next(self._position)
            now = asyncio.get_running_loop().time()
            if now - looked_at >= LOOK_S:
                await self._look()
                looked_at = now

    async def _next(self, position: int) -> list[Message]:
        """What comes after a position, as soon as there is any; none after a while."""
        self._head = await self._source.wait_beyond(position, POLL_S)
        if self._head <= position:
            return []
        messages = await self._source.read(position + 1, self._incarnation)
        if not messages:
            raise Refused(f"the source has nothing after {position}, though it said {self._head}")
        return messages

    async def _look(self) -> None:
        """A stream may be wiped without anybody publishing, and its source restored at any time."""
        tail, head = await self._stream.tail(), await self._source.head()
        if tail.last_sequence != self._position or head.incarnation != self._incarnation:
            raise Refused(f"the stream ends at {tail.last_sequence}, not at {self._position}")
        if head.position < self._position:
            raise Refused(f"the source went back to {head.position}, behind {self._position}")
        self._head = head.position
        self._become(PublisherState.FOLLOWING)

    def _become(self, state: PublisherState) -> None:
        if state is not self.state:
            level = _log.error if state is PublisherState.DIVERGED else _log.info
            level(
                "stream state", stream=self._stream.name, state=state.value, position=self._position
            )
        self.state = state
        self._report(state, self._position, self._head)


async def _either(event: asyncio.Event, timeout_s: float) -> None:
    """Wait until the event is set, at most `timeout_s`."""
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return
