"""The journal with its stream: every sequence carries the event of the same position."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
import nats.errors
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError, NotFoundError

from services.ledger.domain.events import StoredEvent
from services.ledger.relay.message import message_of
from services.operator.doctor.journal import SQL, JournalRow, event_of
from services.operator.doctor.report import Check, Difference, Verdict
from services.operator.doctor.rolling import RollingHash
from services.operator.outcomes import Unavailable
from services.runtime import streams
from services.runtime.jetstream import EXPECTED_LAST_SEQUENCE, Message

FETCH_MESSAGES: Final = 256
FETCH_TIMEOUT_S: Final = 10.0
# The server forgets the reader by itself: the login of services may delete nothing.
CONSUMER_IDLE_S: Final = 60.0

# Headers in the order in which a difference is named: who it is before what it says.
_NAMED_FIRST: Final = (streams.EVENT_ID, streams.POSITION, streams.INCARNATION)


class Held:
    """A message of the stream as it is held."""

    __slots__ = ("body", "headers", "subject")

    def __init__(self, subject: str, headers: Mapping[str, str] | None, body: bytes) -> None:
        self.subject, self.headers, self.body = subject, headers or {}, body


class StreamReader:
    """Reads a stream from a sequence on, in order, a batch at a time."""

    def __init__(self, client: Client, name: str) -> None:
        self._jetstream = client.jetstream(timeout=FETCH_TIMEOUT_S)
        self._name = name
        self._subscription: Any = None
        self._waiting: dict[int, Held] = {}
        self._read_through = 0

    async def at(self, sequence: int) -> Held | None:
        """The message at a sequence, asked for in ascending order; None if it is not there."""
        while self._read_through < sequence:
            if self._subscription is None:
                await self._subscribe(sequence)
            if not await self._fetch():
                # Readers may die with a server: the next sequence gets another one.
                self._subscription = None
                break
        held = self._waiting.pop(sequence, None)
        if held is not None:
            return held
        try:
            # Not delivered is not yet missing.
            message = await self._jetstream.get_msg(self._name, sequence)
        except NotFoundError:
            return None
        return Held(message.subject or "", message.headers, message.data or b"")

    async def _fetch(self) -> bool:
        try:
            messages = await self._subscription.fetch(FETCH_MESSAGES, timeout=FETCH_TIMEOUT_S)
        except (TimeoutError, nats.errors.TimeoutError):
            return False
        self._waiting.clear()
        for message in messages:
            self._read_through = message.metadata.sequence.stream
            self._waiting[self._read_through] = Held(message.subject, message.headers, message.data)
        return bool(messages)

    async def _subscribe(self, from_sequence: int) -> None:
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=from_sequence,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=CONSUMER_IDLE_S,
            mem_storage=True,
            num_replicas=1,
        )
        made = await self._jetstream.add_consumer(self._name, config)
        self._subscription = await self._jetstream.pull_subscribe_bind(made.name, self._name)


class StreamFollower:
    """Compares every sequence the stream holds with the event of that position."""

    def __init__(self, row: JournalRow, check: Check, client: Client, info: Any) -> None:
        """`info` is the stream's, read when it had come at least to the head compared."""
        self._row, self._check = row, check
        self._through = min(row.head, info.state.last_seq)
        self._first = info.state.first_seq if info.state.messages else info.state.last_seq + 1
        self._reader = StreamReader(client, streams.stream_name(row.journal))
        self._rolling = RollingHash()

    async def take(self, events: Sequence[StoredEvent]) -> None:
        """Compare until the first difference, or until NATS goes away."""
        for event in events:
            if self._check.verdict is not Verdict.CLEAN:
                return
            if not self._first <= event.position <= self._through:
                continue
            try:
                held = await self._reader.at(event.position)
            except (nats.errors.Error, APIError, OSError) as error:
                self._check.fail(f"the stream cannot be read: {error!r}")
                return
            if held is None:
                what = "the stream holds nothing at this sequence"
                diverged(self._check, Difference(what, event.position))
                return
            self._rolling.add(event.position, event.tenant, event.event_id, held.body)
            difference = first_difference(message_of(event, self._row.incarnation), held)
            if difference is not None:
                diverged(self._check, difference)

    async def end(self) -> None:
        """Say how much was compared."""
        self._check.facts |= {"compared": self._rolling.records, "sha256": self._rolling.hex}


def diverged(check: Check, difference: Difference) -> None:
    """Note that the stream is not the journal's, and what mends it."""
    check.differ(difference)
    check.notes.append("STREAM_DIVERGED: `rapport stream rebuild` makes it anew from the journal")


def first_difference(expected: Message, held: Held) -> Difference | None:
    """What is wrong with a message; None if it is the one that belongs there."""
    position = expected.position
    wanted = {n: v for n, v in expected.headers.items() if n != EXPECTED_LAST_SEQUENCE}
    found = {n: v for n, v in held.headers.items() if n.startswith("ce-")}
    if wanted == found and held.subject == expected.subject and held.body == expected.body:
        return None
    names = sorted(wanted.keys() | found.keys())
    for name in (*_NAMED_FIRST, *(n for n in names if n not in _NAMED_FIRST)):
        here, there = wanted.get(name), found.get(name)
        if here != there:
            return Difference(f"the header {name} differs", position, "", here, there)
    if held.subject != expected.subject:
        what = "the subject differs"
        return Difference(what, position, "", expected.subject, held.subject)
    if held.body != expected.body:
        return Difference("the body is not the event's payload", position)
    return None


async def look_at_stream(client: Client, row: JournalRow, head: int, check: Check) -> Any | None:
    """The stream's state compared with the journal's head; None if nothing more can be compared.

    `head` is the least the stream should have come to. Raises Unavailable.
    """
    name = streams.stream_name(row.journal)
    jetstream = client.jetstream(timeout=FETCH_TIMEOUT_S)
    try:
        info = await jetstream.stream_info(name)
    except NotFoundError:
        check.differ(Difference("there is no stream", None, name))
        return None
    except (nats.errors.Error, APIError, OSError) as error:
        raise Unavailable(f"JetStream does not answer: {error!r}") from error
    state = info.state
    check.facts |= {
        "first_sequence": state.first_seq,
        "last_sequence": state.last_seq,
        "messages": state.messages,
    }
    if state.last_seq < head:
        what = "the stream is behind the journal and does not get on"
        check.differ(Difference(what, state.last_seq + 1, "", head, state.last_seq))
    first = state.first_seq if state.messages else state.last_seq + 1
    if first > 1:
        check.notes.append(f"the stream no longer holds positions up to {first - 1}")
    return info


async def check_tail(
    client: Client, conn: asyncpg.Connection, row: JournalRow, info: Any, check: Check
) -> None:
    """Compare one message only, the last one both have (`--quick`)."""
    last = min(info.state.last_seq, row.head)
    if not info.state.messages or not info.state.first_seq <= last or last <= row.detached_through:
        return
    follower = StreamFollower(row, check, client, info)
    record = await conn.fetchrow(SQL["event_at"], row.journal, last)
    if record is not None:
        await follower.take([event_of(record)])
    await follower.end()
