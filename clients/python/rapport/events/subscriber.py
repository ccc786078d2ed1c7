"""Following a journal over NATS: its stream holds the event of position n at sequence n.

No durable consumer: the subscriber's own position is all there is to keep. A short-lived consumer
begins after it, and is made anew whenever it is gone, has skipped something or the stream was
rebuilt.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from types import TracebackType
from typing import Any, Final, Self

import grpc
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from rapport.errors import IncarnationChanged, RapportError, unavailable
from rapport.events.connecting import connect
from rapport.events.delivered import DeliveredEvent, delivered, from_ledger
from rapport.ledger_calls import LedgerCalls
from rapport.retry import RetryPolicy

FETCH_MESSAGES: Final = 500
# How long a quiet stream may be waited on before the consumer is looked at again.
FETCH_S: Final = 5.0
# The server forgets a consumer that nobody reads.
INACTIVE_S: Final = 60.0

_NAME: Final = re.compile(r"[a-z0-9-]{1,63}")


class EventSubscriber:
    """The events of a journal in order, each exactly once, from a position on, for ever.

        async with EventSubscriber(url, "main", tenant="default", from_position=1) as events:
            async for event in events:
                ...  # keep event.position and event.incarnation with what you made of it

    tenant: only its events; absent: all of the journal. incarnation: as kept with the position.
    A lost connection, a restarted server and a rebuilt stream are waited out. Raises RapportError:
    UNAVAILABLE when NATS cannot be reached at first, IncarnationChanged when the journal was
    restored to an earlier point, STREAM_DIVERGED when the stream holds something else.

    ledger: a client with a `services/` principal and the same tenant (none for all of the journal).
    What the stream does not keep any more is read from there; without it that is HISTORY_GONE.
    """

    def __init__(
        self,
        nats_url: str,
        journal: str,
        *,
        tenant: str | None = None,
        from_position: int = 1,
        incarnation: str = "",
        ledger: LedgerCalls | None = None,
        retry: RetryPolicy | None = None,
        on_error: Callable[[Exception], Awaitable[None]] | None = None,
    ) -> None:
        for name in (journal, tenant or journal):
            if _NAME.fullmatch(name) is None:
                raise ValueError("a journal or tenant is 1 to 63 of a-z, 0-9 and -")
        self.journal, self.incarnation = journal, incarnation
        self.position: int = max(from_position, 1) - 1
        """Of the last event handed out: begin again with one more."""
        self._url, self._stream = nats_url, f"rapport-events-{journal}"
        self._subject = f"rapport.v1.events.{journal}.{tenant or '*'}.>"
        self._policy, self._on_error = retry or RetryPolicy(), on_error
        self._ledger = ledger
        # How far is known that nothing was missed: at least `position`, foreign events included.
        self._seen = self.position
        self._client: Client | None = None

    async def __aenter__(self) -> Self:
        try:
            self._client = await self._connect()
        except (NatsError, OSError, TimeoutError) as error:
            raise unavailable(f"NATS cannot be reached: {error}") from error
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _connect(self) -> Client:
        return await connect(
            # Of a cluster all servers may be named, with commas between them.
            [each.strip() for each in self._url.split(",")],
            max_reconnect_attempts=-1,
            allow_reconnect=True,
            connect_timeout=5,
            error_cb=self._report,
        )

    async def __aiter__(self) -> AsyncIterator[DeliveredEvent]:
        """Event by event; `position` is that of the event being worked on."""
        failures = 0
        while True:
            began_at = self.position
            try:
                if self._client is not None and self._client.is_closed:
                    # The client gives it up for most errors that the server sends.
                    self._client = await self._connect()
                async with aclosing(self._one_consumer()) as events:
                    async for event in events:
                        yield event
            except (NatsError, OSError, TimeoutError) as error:
                await self._report(error)
            failures = 1 if self.position > began_at else failures + 1
            await self._policy.sleep(self._policy.delay_s(failures))

    async def _one_consumer(self) -> AsyncGenerator[DeliveredEvent, None]:
        """Until the consumer is gone or has skipped something."""
        assert self._client is not None, "use it as an async context manager"
        jetstream = self._client.jetstream()
        first = await self._first_kept(jetstream)
        if first > self._seen + 1:
            async with aclosing(self._from_ledger(first)) as events:
                async for event in events:
                    yield event
        subscription = await jetstream.pull_subscribe(
            self._subject,
            stream=self._stream,
            config=ConsumerConfig(
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=max(self.position, self._seen) + 1,
                ack_policy=AckPolicy.NONE,
                inactive_threshold=INACTIVE_S,
                mem_storage=True,
            ),
        )
        expected = 1
        try:
            while True:
                try:
                    messages = await subscription.fetch(FETCH_MESSAGES, timeout=FETCH_S)
                except NatsTimeout:
                    messages = []
                if not messages:  # also without a timeout: when the server ends the request early
                    await self._look(jetstream, subscription, expected)
                    continue
                if self._skips(messages) and await self._first_kept(jetstream) > self._seen + 1:
                    return  # perhaps some were dropped before they came
                for message in messages:
                    if message.metadata.sequence.consumer != expected:
                        return  # something was lost on the way
                    expected += 1
                    event = self._event_of(message)
                    if event.position <= self.position:
                        continue  # the stream is being rebuilt
                    self.position = self._seen = event.position
                    yield event
        finally:
            with suppress(NatsError, OSError, TimeoutError):
                await subscription.unsubscribe()

    async def _first_kept(self, jetstream: JetStreamContext) -> int:
        """The position that the stream begins at."""
        try:
            info = await jetstream.stream_info(self._stream)
        except NotFoundError:
            raise TimeoutError("the stream is not there (yet)") from None
        return int(info.state.first_seq)

    def _skips(self, messages: Sequence[Msg]) -> bool:
        """Whether positions are left out: other tenants', or what was dropped."""
        return messages[-1].metadata.sequence.stream > self._seen + len(messages)

    async def _look(self, jetstream: JetStreamContext, subscription: Any, expected: int) -> None:
        """It is quiet. Raises when the consumer is gone; else what the stream has was all seen."""
        last = (await jetstream.stream_info(self._stream)).state.last_seq
        found = await subscription.consumer_info()
        if found.num_pending == 0 and found.delivered.consumer_seq == expected - 1:
            self._seen = max(self._seen, last)

    async def _from_ledger(self, first: int) -> AsyncGenerator[DeliveredEvent, None]:
        """What is before the stream's first position; HISTORY_GONE without a ledger."""
        if self._ledger is None:
            raise RapportError(
                "HISTORY_GONE",
                f"the stream of journal {self.journal} begins at position {first};"
                " read what is before it from the ledger",
                code=grpc.StatusCode.OUT_OF_RANGE,
                metadata={
                    "journal": self.journal,
                    "position": str(self.position + 1),
                    "first_position": str(first),
                },
            )
        subscription = self._ledger.subscribe(
            self._seen + 1, journal=self.journal, stored=True, incarnation=self.incarnation
        )
        async with aclosing(subscription.messages()) as messages:
            async for message in messages:
                self.incarnation = message.incarnation
                for event in message.events.events:
                    self.position = self._seen = event.position
                    yield from_ledger(event, message.incarnation)
                self._seen = max(self._seen, message.read_through_position)
                if self._seen >= first - 1:
                    return

    def _event_of(self, message: Msg) -> DeliveredEvent:
        sequence = message.metadata.sequence.stream
        event = delivered(self.journal, sequence, message.headers, message.data)
        if self.incarnation and event.incarnation != self.incarnation:
            raise IncarnationChanged(self.journal, self.incarnation, event.incarnation)
        self.incarnation = event.incarnation
        return event

    async def _report(self, error: Any) -> None:
        if self._on_error is not None:
            await self._on_error(error)
