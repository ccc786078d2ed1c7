"""A journal's stream on NATS, read from a position on without any state there.

An ephemeral pull consumer without acknowledgements: whole batches are asked for, their messages
arrive in a plain subscription callback (three times as fast as `fetch`), and what was asked for
bounds what can be in flight. Heartbeats tell silence from quiet.
"""

import asyncio
import json
from collections import deque
from contextlib import suppress
from typing import Final

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import Error as JetStreamError

from services.projector.facts import Delivered
from services.projector.intake.wire import from_message
from services.runtime import streams
from services.runtime.clock import Clock
from services.runtime.limits import MIB

BATCH_EVENTS_MAX: Final = 1_000
BATCH_BYTES_MAX: Final = 8 * MIB
SILENCE_S: Final = 5.0
_ASK_MESSAGES: Final = 1_000
_ASK_BYTES: Final = 16 * MIB
_QUEUED_MAX: Final = 4_000
_EXPIRES_S: Final = 30
_HEARTBEATS_IN_SILENCE: Final = 3
_INACTIVE_S: Final = 60.0
_LOOK_S: Final = 0.5
_ASK_TIMEOUT_S: Final = 5.0
_HEARTBEAT, _EXPIRED, _CONFLICT = "100", "408", "409"
_NS_PER_S: Final = 1_000_000_000


class NatsGone(Exception):  # noqa: N818 - the sentence reads without "Error"
    """The stream cannot be read at present; says why in one word."""


class StreamSource:
    """Messages of one journal's stream from a position on."""

    def __init__(
        self,
        client: Client,
        journal: str,
        incarnation: str,
        clock: Clock,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._client, self._journal, self._incarnation = client, journal, incarnation
        self._clock, self._silence_s = clock, silence_s
        self._stream = streams.stream_name(journal)
        self._queue: deque[Msg] = deque()
        self._arrived = asyncio.Event()
        self._subscription: Subscription | None = None
        self._ask_subject = self._inbox = ""
        self._outstanding = 0
        self._heard_s = 0.0
        self._broken = ""

    async def open(self, from_position: int) -> int:
        """Begin at a position; the first position the stream will give, later if that is gone.

        Raises NatsGone when there is no such stream or JetStream does not answer.
        """
        try:
            jetstream = self._client.jetstream(timeout=_ASK_TIMEOUT_S)
            state = (await jetstream.stream_info(self._stream)).state
            first = max(from_position, state.first_seq)
            consumer = await jetstream.add_consumer(
                self._stream,
                ConsumerConfig(
                    deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                    opt_start_seq=first,
                    ack_policy=AckPolicy.NONE,
                    inactive_threshold=_INACTIVE_S,
                    mem_storage=True,
                    num_replicas=1,
                ),
            )
            self._ask_subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{consumer.name}"
            self._inbox = self._client.new_inbox()
            self._subscription = await self._client.subscribe(self._inbox, cb=self._receive)
            self._heard_s = self._clock.monotonic_s()
            await self._ask()
        except (JetStreamError, nats.errors.Error, OSError, TimeoutError) as error:
            raise NatsGone("stream_is_not_there") from error
        return first

    async def stands_at(self, position: int, event_id: str) -> bool:
        """Whether the stream has come as far as `position`, with the journal's event there.

        `event_id` is that event's, empty if nobody here knows. What the stream keeps no more is
        taken on trust. False when JetStream does not answer.
        """
        try:
            jetstream = self._client.jetstream(timeout=_ASK_TIMEOUT_S)
            state = (await jetstream.stream_info(self._stream)).state
            if position < state.first_seq or position == 0:
                return state.last_seq >= position
            found = (await jetstream.get_msg(self._stream, position)).headers or {}
        except (JetStreamError, nats.errors.Error, OSError, TimeoutError):
            return False
        return (
            found.get(streams.POSITION) == str(position)
            and found.get(streams.INCARNATION) == self._incarnation
            and (not event_id or found.get(streams.EVENT_ID) == event_id)
        )

    async def close(self) -> None:
        """Forget the consumer; the server does so too after a while."""
        if self._subscription is not None:
            with suppress(nats.errors.Error, OSError):
                await self._subscription.unsubscribe()

    async def batch(self) -> list[Delivered]:
        """The next events, at most BATCH_EVENTS_MAX and about BATCH_BYTES_MAX; none for quiet.

        Returns at the latest after half a second. Raises NatsGone when nothing was heard for
        `silence_s`, not even a heartbeat, or the consumer is gone; NotOfTheJournal for a foreign
        message.
        """
        if not self._queue:
            if self._broken:
                raise NatsGone(self._broken)
            self._arrived.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._arrived.wait()
        found: list[Delivered] = []
        size = 0
        while self._queue and len(found) < BATCH_EVENTS_MAX and size < BATCH_BYTES_MAX:
            event = from_message(self._queue.popleft(), self._journal, self._incarnation)
            found.append(event)
            size += len(event.payload)
        if not found and self._clock.monotonic_s() - self._heard_s > self._silence_s:
            raise NatsGone("silence")
        await self._ask()
        return found

    async def _ask(self) -> None:
        """Ask for more while little is on its way and little waits here."""
        if self._outstanding > _ASK_MESSAGES or len(self._queue) > _QUEUED_MAX:
            return
        question = {
            "batch": _ASK_MESSAGES,
            "max_bytes": _ASK_BYTES,
            "expires": _EXPIRES_S * _NS_PER_S,
            "idle_heartbeat": int(self._silence_s / _HEARTBEATS_IN_SILENCE * _NS_PER_S),
        }
        try:
            await self._client.publish(
                self._ask_subject, json.dumps(question).encode(), reply=self._inbox
            )
        except (nats.errors.Error, OSError) as error:
            raise NatsGone("connection") from error
        self._outstanding += _ASK_MESSAGES

    async def _receive(self, message: Msg) -> None:
        """Called for each message: nothing here may wait."""
        self._heard_s = self._clock.monotonic_s()
        headers = message.headers
        status = headers.get("Status") if headers and not message.data else None
        if status is None:
            self._outstanding -= 1
            self._queue.append(message)
        elif status != _HEARTBEAT:
            self._ended(status, headers or {})
        else:
            return
        self._arrived.set()

    def _ended(self, status: str, headers: dict[str, str]) -> None:
        """A request of ours ended: expired, full, or for good."""
        unanswered = headers.get("Nats-Pending-Messages")
        description = headers.get("Description", "").lower()
        if unanswered is not None and unanswered.isdecimal():
            self._outstanding -= int(unanswered)
        for_good = "deleted" in description or "shutdown" in description or "leader" in description
        if status not in (_EXPIRED, _CONFLICT) or for_good:
            self._broken = "consumer_is_gone"
