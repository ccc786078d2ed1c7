"""Loading events by the million: atomic batches through one stream, with back-pressure.

The server's window says how many batches and bytes may be unanswered; the source is read no faster
than that. When the connection breaks, a new stream is opened and every unanswered batch is sent
again with the same event ids: what had been recorded answers as replays.
"""

import asyncio
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Sequence,
)
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, Final

import grpc

from rapport.batching import Source, batches_of
from rapport.errors import RapportError, error_of, error_of_refusal, unavailable
from rapport.retry import RetryPolicy
from rapport.v1 import ledger_service_pb2 as ledger

BATCH_EVENTS: Final = 500
READ_AHEAD_BATCHES: Final = 2

type Stream = grpc.aio.StreamStreamCall[ledger.IngestEventsRequest, ledger.IngestEventsResponse]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one batch: exactly one of `appended` and `refused` is set.

    batch: 1, 2, 3 … in the order of the source. refused: a definite error; nothing of the batch
    was written.
    """

    batch: int
    events: Sequence[ledger.NewEvent]
    appended: ledger.AppendEventsResponse | None = None
    refused: RapportError | None = None

    @property
    def replayed(self) -> int:
        """How many of the events had been recorded before."""
        return sum(event.replayed for event in self.appended.events) if self.appended else 0


class _Batch:
    """One batch on its way."""

    __slots__ = ("attempts", "bytes", "events", "not_before_s", "number", "verdict")

    def __init__(self, number: int, events: Sequence[ledger.NewEvent]) -> None:
        self.number, self.events = number, events
        # The request's size but for a few bytes around each event.
        self.bytes = sum(event.ByteSize() + 4 for event in events)
        self.attempts, self.not_before_s = 0, 0.0
        self.verdict: Verdict | None = None


class Ingest:
    """One load. `verdicts` may be run once."""

    def __init__(
        self,
        open_stream: Callable[[], Stream],
        source: Source,
        policy: RetryPolicy,
        *,
        batch_events: int = BATCH_EVENTS,
        stalled_s_max: float = 300.0,
    ) -> None:
        self._open, self._policy = open_stream, policy
        self._source = batches_of(source, batch_events)
        self._source_error: Exception | None = None
        self._exhausted = False
        self._stalled_s_max = stalled_s_max
        # Read from the source and not sent yet.
        self._ahead: deque[_Batch] = deque()
        # Sent and not yet handed to the caller, in the source's order.
        self._unsettled: deque[_Batch] = deque()
        # Of those: sent on this stream and unanswered; and to be sent again, in order.
        self._in_flight: deque[tuple[int, _Batch]] = deque()
        self._again: deque[_Batch] = deque()
        self._in_flight_bytes = 0
        self._changed = asyncio.Event()
        self._progress_s = 0.0

    async def verdicts(self) -> AsyncIterator[Verdict]:
        """One verdict a batch, in the order of the source.

        A batch refused for a passing reason (TOO_BUSY, UNAVAILABLE, OUTCOME_UNKNOWN) is sent again,
        after those already on their way: then its positions come after theirs. Raises RapportError
        when the stream is refused for good or nothing moved for `stalled_s_max` seconds, and
        whatever the source raises once what it gave before is settled. After an error, batches
        without a verdict are of unknown outcome.
        """
        reader = asyncio.create_task(self._read_ahead())
        self._progress_s, failures = self._policy.clock(), 0
        try:
            while True:
                progress_s, error = self._progress_s, None
                try:
                    async with aclosing(self._one_stream()) as settled:
                        async for verdict in settled:
                            yield verdict
                except grpc.aio.AioRpcError as failure:
                    error = error_of(failure)
                if error is None and self._all_settled():
                    break
                failures = 1 if self._progress_s > progress_s else failures + 1
                await self._wait_to_reopen(error or unavailable("the stream ended"), failures)
        finally:
            await _cancel(reader)
            await self._source.aclose()
        if self._source_error is not None:
            raise self._source_error

    async def _wait_to_reopen(self, error: RapportError, failures: int) -> None:
        if not error.is_passing:
            raise error
        if self._policy.clock() - self._progress_s > self._stalled_s_max:
            raise error.of_unknown_outcome() if self._unsettled else error
        await self._policy.sleep(self._policy.delay_s(failures, error.retry_after_s))

    async def _read_ahead(self) -> None:
        """A task of its own, over all streams: cancelling a read would end the source."""
        number = 0
        try:
            async for events in self._source:
                number += 1
                self._ahead.append(_Batch(number, events))
                self._changed.set()
                await self._until(lambda: len(self._ahead) < READ_AHEAD_BATCHES)
        except Exception as error:  # noqa: BLE001 - raised by verdicts, after the rest is settled
            self._source_error = error
        self._exhausted = True
        self._changed.set()

    async def _one_stream(self) -> AsyncGenerator[Verdict, None]:
        """Until all is settled or the stream ends (with AioRpcError when it failed)."""
        # Everything unanswered goes again, in order; numbers count from 1 on every stream.
        self._in_flight.clear()
        self._in_flight_bytes = 0
        self._again = deque(batch for batch in self._unsettled if batch.verdict is None)
        stream = self._open()
        sender: asyncio.Task[None] | None = None
        try:
            while isinstance(answer := await stream.read(), ledger.IngestEventsResponse):
                if sender is None:
                    sender = asyncio.create_task(self._send(stream, answer.window))
                    continue
                self._settle(answer)
                while self._unsettled and (verdict := self._unsettled[0].verdict) is not None:
                    self._unsettled.popleft()
                    yield verdict
        finally:
            if sender is not None:
                await _cancel(sender)
            stream.cancel()

    async def _send(self, stream: Stream, window: ledger.IngestWindow) -> None:
        number = 0
        # What breaks the stream is seen by its reader.
        with suppress(grpc.aio.AioRpcError, grpc.aio.UsageError, asyncio.InvalidStateError):
            while (batch := await self._next_to_send()) is not None:
                await self._wait_for_room(window, batch.bytes)
                number += 1
                batch.attempts += 1
                self._in_flight.append((number, batch))
                self._in_flight_bytes += batch.bytes
                await stream.write(ledger.IngestEventsRequest(batch=number, events=batch.events))
            await stream.done_writing()

    async def _next_to_send(self) -> _Batch | None:
        """The next batch, those to be sent again first; None once all are settled."""
        await self._until(lambda: bool(self._again or self._ahead) or self._all_settled())
        if self._again:
            batch = self._again.popleft()
            wait_s = batch.not_before_s - self._policy.clock()
            if wait_s > 0:
                await self._policy.sleep(wait_s)
            return batch
        if not self._ahead:
            return None
        batch = self._ahead.popleft()
        self._unsettled.append(batch)
        self._changed.set()
        return batch

    def _all_settled(self) -> bool:
        waiting = self._ahead or any(batch.verdict is None for batch in self._unsettled)
        return self._exhausted and not waiting

    async def _wait_for_room(self, window: ledger.IngestWindow, batch_bytes: int) -> None:
        """One batch may always be on its way, however small the window."""
        await self._until(
            lambda: (
                not self._in_flight
                or (
                    len(self._in_flight) < window.batches_max
                    and self._in_flight_bytes + batch_bytes <= window.bytes_max
                )
            )
        )

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    def _settle(self, answer: ledger.IngestEventsResponse) -> None:
        if not self._in_flight or self._in_flight[0][0] != answer.batch:
            raise unavailable(f"batch {answer.batch} was answered out of turn").of_unknown_outcome()
        _, batch = self._in_flight.popleft()
        self._in_flight_bytes -= batch.bytes
        self._changed.set()
        if answer.WhichOneof("result") == "appended":
            batch.verdict = Verdict(batch.number, batch.events, appended=answer.appended)
            self._progress_s = self._policy.clock()
            return
        error, now_s = error_of_refusal(answer.refused), self._policy.clock()
        if not error.is_passing:
            batch.verdict = Verdict(batch.number, batch.events, refused=error)
            self._progress_s = now_s
            return
        if now_s - self._progress_s > self._stalled_s_max:
            raise error.of_unknown_outcome()
        batch.not_before_s = now_s + self._policy.delay_s(batch.attempts, error.retry_after_s)
        self._again.append(batch)


async def _cancel(task: "asyncio.Task[Any]") -> None:
    if task.done():
        return
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
