"""A JetStream stream whose sequence is somebody's own number: made, looked at, written to, deleted.

What is published carries its number, and the server takes it at that sequence or not at all.
"""

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from nats.aio.client import Client
from nats.errors import ConnectionReconnectingError
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from services.runtime import streams

# What JetStream reads of a message; the others are for readers.
EXPECTED_LAST_SEQUENCE: Final = "Nats-Expected-Last-Sequence"
BATCH_ID: Final = "Nats-Batch-Id"
BATCH_SEQUENCE: Final = "Nats-Batch-Sequence"
BATCH_COMMIT: Final = "Nats-Batch-Commit"
# What NATS and its protocol line add to a message, roughly; only chunks are cut by it.
OVERHEAD_BYTES: Final = 700

# Mends a leader-change fault that could give one sequence twice (nats-server #8057).
SERVER_VERSION_MIN: Final = (2, 15, 1)
ACK_TIMEOUT_S: Final = 10.0
# What the server takes as one atomic batch unless it is configured otherwise.
CHUNK_MESSAGES_MAX: Final = 1_000
# Up to so many cost less one by one: the server makes a store of its own for every batch, which
# takes it 1.4 ms of CPU and 2 to 30 ms, as busy as the disk is, whatever is in it.
FEW_MESSAGES_MAX: Final = 12
# JetStream's own codes: another last sequence than expected, and a batch of which some was lost.
_REFUSALS: Final = frozenset({10071, 10164, 10176})


class ServerTooOld(Exception):  # noqa: N818 - the sentence reads without "Error"
    """The NATS server is older than the oldest one that keeps sequences through a leader change."""


class Refused(Exception):  # noqa: N818
    """The stream took nothing of it: something else was published, or a message was lost."""


class Unwritable(Exception):  # noqa: N818
    """JetStream answers with an error of its own: no space, no quorum, no such stream."""


class Message(NamedTuple):
    """What is published at one position: CloudEvents headers in binary mode, and a body."""

    position: int
    subject: str
    headers: dict[str, str]
    body: bytes


class _Clean(str):
    """The value of a header that holds nothing which would have to be taken out of it.

    The client puts each value through str.translate, lest a line break in one end its header. That
    takes it 2 µs, for sixteen values a message: half of what the relay did.
    """

    __slots__ = ()

    def strip(self, _: str | None = None, /) -> str:
        return self

    def translate(self, _: object, /) -> str:
        return self


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a stream; `event_id` and `incarnation` are None when no message is left."""

    last_sequence: int
    event_id: str | None
    incarnation: str | None


def servers_of(url: str) -> list[str]:
    """The servers of a cluster, which a setting names with commas between them; one is fine."""
    return [each.strip() for each in url.split(",") if each.strip()]


def check_server_version(client: Client) -> None:
    """Raises ServerTooOld below SERVER_VERSION_MIN."""
    version = client.connected_server_version
    found = (version.major, version.minor, version.patch)
    if found < SERVER_VERSION_MIN:
        needed = ".".join(map(str, SERVER_VERSION_MIN))
        raise ServerTooOld(
            f"NATS server {'.'.join(map(str, found))} is too old; use {needed} or newer"
        )


@dataclass(frozen=True, slots=True)
class Retention:
    """How much a stream keeps; the oldest goes first. 0: no limit."""

    age_max_s: float = 0
    bytes_max: int = 0


class SequencedStream:
    """A stream on a connected client. Without `retention` it keeps what it is configured to."""

    def __init__(
        self,
        client: Client,
        name: str,
        *,
        subjects: str,
        description: str,
        replicas: int = 1,
        retention: Retention | None = None,
    ) -> None:
        self.name = name
        self._kept: dict[str, Any] = (
            {}
            if retention is None
            else {
                "max_age": retention.age_max_s,
                "max_bytes": retention.bytes_max or -1,
            }
        )
        self._client = client
        self._jetstream = client.jetstream(timeout=ACK_TIMEOUT_S)
        self._config = StreamConfig(
            name=name,
            description=description,
            subjects=[subjects],
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.OLD,
            storage=StorageType.FILE,
            num_replicas=replicas,
            deny_delete=True,
            deny_purge=True,
            allow_direct=True,
            allow_atomic=True,
            **self._kept,
        )

    @property
    def is_cut_off(self) -> bool:
        """Whether its connection has ended for good, as after an error that the server sent."""
        return self._client.is_closed

    def _check_connected(self) -> None:
        """Raises at once what else would be found after ACK_TIMEOUT_S: the client keeps what is
        sent meanwhile for the server that comes back."""
        if not self._client.is_connected:
            raise ConnectionReconnectingError

    async def ensure(self, first_sequence: int = 1) -> None:
        """Make the stream if it is not there, from a sequence on; an existing one keeps its
        configuration.

        But for its retention, if one is given, and for atomic batches, without which nothing can
        be published safely.
        """
        self._check_connected()
        try:
            config = (await self._jetstream.stream_info(self.name)).config
        except NotFoundError:
            await self._jetstream.add_stream(self._config.evolve(first_seq=first_sequence))
        else:
            wanted = config.evolve(allow_atomic=True, **self._kept)
            if wanted != config:
                await self._jetstream.update_stream(wanted)

    async def tail(self) -> Tail:
        """The stream's end. Raises NotFoundError when it was deleted."""
        self._check_connected()
        info = await self._jetstream.stream_info(self.name)
        last = info.state.last_seq
        if info.state.messages == 0:
            return Tail(last, None, None)
        message = await self._jetstream.get_msg(self.name, last)
        headers = message.headers or {}
        return Tail(last, headers.get(streams.EVENT_ID, ""), headers.get(streams.INCARNATION, ""))

    async def publish(self, chunk: Sequence[Message]) -> None:
        """Publish consecutive positions, at most CHUNK_MESSAGES_MAX; returns when all are stored.

        A few go one after the other, each when the one before is stored; many as one atomic batch,
        pipelined. Either is stored at the sequences of its positions, from the first one on, or
        not. Expecting the last sequence of messages that do not wait for each other would not do:
        what is published by somebody else in between takes the place of one, and the next one fits
        again. Raises Refused, Unwritable, or the client's errors; then what was stored is none or
        the first ones of a few, and none of many, unless an answer was lost.
        """
        self._check_connected()
        if len(chunk) <= FEW_MESSAGES_MAX:
            for message in chunk:
                await self._store(message, {EXPECTED_LAST_SEQUENCE: str(message.position - 1)})
            return
        *first, last = chunk
        headers = _batch_headers(len(chunk), chunk[0].position - 1)
        for message in first:
            await self._client.publish(
                message.subject, message.body, headers=clean(message.headers | next(headers))
            )
        await self._store(last, next(headers))

    async def _store(self, message: Message, more: dict[str, str]) -> None:
        """Publish a message and wait for what the stream says of it."""
        answer = await self._client.request(
            message.subject,
            message.body,
            timeout=ACK_TIMEOUT_S,
            headers=clean(message.headers | more),
        )
        acknowledgement = json.loads(answer.data)
        error = acknowledgement.get("error")
        if error is not None:
            text = f"{error.get('description')} ({error.get('err_code')})"
            raise (Refused if error.get("err_code") in _REFUSALS else Unwritable)(text)
        if acknowledgement.get("seq") != message.position:
            raise Refused(f"position {message.position} was stored at {acknowledgement.get('seq')}")

    async def recreate(self, first_sequence: int = 1) -> None:
        """Delete the stream with everything in it and make it anew; needs the admin credential.

        `first_sequence` is the first position that will be published again.
        """
        with suppress(NotFoundError):
            await self._jetstream.delete_stream(self.name)
        await self._jetstream.add_stream(self._config.evolve(first_seq=first_sequence))


def clean(headers: dict[str, str]) -> dict[str, str]:
    """The same headers, looked at; what is not printable as it stands is left to the client."""
    return {
        key: _Clean(value.strip()) if value.isprintable() else value
        for key, value in headers.items()
    }


def _batch_headers(size: int, expected_last: int) -> Iterator[dict[str, str]]:
    """What makes messages, two at least, one batch after a sequence."""
    expected = {EXPECTED_LAST_SEQUENCE: str(expected_last)}
    batch = {BATCH_ID: uuid.uuid4().hex}
    yield {**batch, BATCH_SEQUENCE: "1", **expected}
    for number in range(2, size):
        yield {**batch, BATCH_SEQUENCE: str(number)}
    yield {**batch, BATCH_SEQUENCE: str(size), BATCH_COMMIT: "1"}
