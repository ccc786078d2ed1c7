"""Following a journal over gRPC: catch up, then live, over any broken connection."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Final

import grpc

from rapport.errors import IncarnationChanged, RapportError, error_of, unavailable
from rapport.retry import RetryPolicy
from rapport.v1 import ledger_service_pb2 as ledger

# The server sends something every 5 s; three of them missing, the connection is dead.
SILENCE_S_MAX: Final = 16.0

type Stream = grpc.aio.UnaryStreamCall[
    ledger.SubscribeEventsRequest, ledger.SubscribeEventsResponse
]


class Subscription:
    """The events of a journal in order, each exactly once. Iterate once.

    position: how far it has come, foreign and filtered events included; store it and begin again
    with `position + 1`. head: the journal's head as last seen. caught_up: whether everything up to
    the head was answered. incarnation: of the journal; give it back when beginning again, so that
    a restore to an earlier point is noticed (IncarnationChanged). These describe what was handed
    out: while an event is being worked on, `position` is that event's.
    """

    def __init__(
        self,
        open_stream: Callable[[ledger.SubscribeEventsRequest], Stream],
        request: ledger.SubscribeEventsRequest,
        policy: RetryPolicy,
        *,
        incarnation: str = "",
        silence_s_max: float = SILENCE_S_MAX,
    ) -> None:
        self._open, self._request, self._policy = open_stream, request, policy
        self._silence_s_max = silence_s_max
        self.position: int = max(request.from_position - 1, 0)
        self.head: int = 0
        self.incarnation: str = incarnation
        self.caught_up: bool = False

    async def __aiter__(self) -> AsyncIterator[ledger.Event]:
        """Event by event. A lost connection is no error; what will not pass is (RapportError)."""
        async for message in self.messages():
            for event in message.events.events:
                self.position = event.position
                yield event
            self.position = max(self.position, message.read_through_position)

    async def messages(self) -> AsyncGenerator[ledger.SubscribeEventsResponse, None]:
        """Message by message as the server sends them, heartbeats included.

        A message never repeats events of an earlier one, also after a reconnect.
        """
        failures = 0
        while True:
            began_at = self.position
            self._request.from_position = self.position + 1
            error: RapportError | None = None
            try:
                async for message in self._one_stream():
                    yield message
                    self.position = max(self.position, message.read_through_position)
                error = unavailable("the server ended the subscription")
            except grpc.aio.AioRpcError as failure:
                error = error_of(failure)
            except TimeoutError:
                error = unavailable(f"nothing was heard for {self._silence_s_max:g} s")
            if not error.is_passing:
                raise error
            self.caught_up = False
            failures = 1 if self.position > began_at else failures + 1
            await self._policy.sleep(self._policy.delay_s(failures, error.retry_after_s))

    async def _one_stream(self) -> AsyncIterator[ledger.SubscribeEventsResponse]:
        stream = self._open(self._request)
        try:
            while True:
                async with asyncio.timeout(self._silence_s_max):
                    message = await stream.read()
                if not isinstance(message, ledger.SubscribeEventsResponse):
                    await _raise_if_failed(stream)
                    return
                self._check(message)
                yield message
        finally:
            stream.cancel()

    def _check(self, message: ledger.SubscribeEventsResponse) -> None:
        known, found = self.incarnation, message.incarnation
        if known and found and known != found:
            raise IncarnationChanged(self._request.journal or "of the tenant", known, found)
        self.incarnation = found or known
        self.head = message.head_position
        content = message.WhichOneof("content")
        self.caught_up = content == "caught_up" or (
            self.caught_up and message.read_through_position >= message.head_position
        )


async def _raise_if_failed(stream: Stream) -> None:
    code = await stream.code()
    if code is not grpc.StatusCode.OK:
        raise grpc.aio.AioRpcError(
            code,
            await stream.initial_metadata() or grpc.aio.Metadata(),
            await stream.trailing_metadata() or grpc.aio.Metadata(),
            details=await stream.details(),
        )
