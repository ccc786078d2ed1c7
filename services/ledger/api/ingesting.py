"""IngestEvents: batches prepared while earlier ones commit, answered in order.

What may be under way is bounded: batches and bytes by the window, events by the server, and bytes
once more over all streams; beyond that nothing is read from the stream. Batches are committed in
the order they were sent. One that names events still under way, or the same ones as something under
way, waits for that; one that names events nobody has yet may be taken back for another round, so
that those after it wait for it. What is sent again in other bytes takes another round too, and may
be overtaken by batches that have nothing to do with it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, Final

from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.api.adopting import refuse_uncalibrated
from services.ledger.api.appending import count_appended, scope_of
from services.ledger.api.drafts import Draft, read_batch
from services.ledger.api.failures import failure_of
from services.ledger.api.kinds import kinds_named
from services.ledger.api.parts import Parts, stopping
from services.ledger.api.presenting import append_answer
from services.ledger.api.recording import Prepared
from services.ledger.api.refusals import batch_refusal
from services.ledger.domain.events import Recorded, TenantRow
from services.ledger.journal.outcomes import Busy
from services.runtime.caller import Caller
from services.runtime.errors import RapportError, Reason, Violation, forget_frames, invalid
from services.runtime.grpc_errors import unforeseen
from services.runtime.limits import (
    INGEST_BATCHES_MAX,
    INGEST_BYTES_MAX,
    INGEST_EVENTS_MAX,
)
from services.runtime.server import Context, write

# How long a batch waits inside for room that other callers take.
BUSY_WAIT_S: Final = 30.0
_METHOD: Final = "IngestEvents"

type Verdict = asyncio.Future[tuple[Recorded, ...]]


class _Batch:
    """One batch of the stream on its way."""

    __slots__ = ("bytes", "events", "number", "started_s", "verdict")

    def __init__(self, request: pb.IngestEventsRequest, started_s: float) -> None:
        self.number = request.batch
        self.bytes = request.ByteSize()
        self.events = len(request.events)
        self.started_s = started_s
        self.verdict: Verdict | RapportError | None = None


class Ingest:
    """One stream."""

    def __init__(self, parts: Parts, caller: Caller, tenant: TenantRow, context: Context) -> None:
        self._parts, self._caller, self._tenant = parts, caller, tenant
        self._context = context
        self._answers: asyncio.Queue[_Batch | RapportError | None] = asyncio.Queue()
        self._room = asyncio.Condition()
        self._batches = self._bytes = self._events = 0
        # What is under way, and the ids of its events and of those they name.
        self._tasks: dict[Verdict, frozenset[str]] = {}

    async def run(self, requests: AsyncIterator[pb.IngestEventsRequest]) -> None:
        """Answer until the caller ends the stream; what is under way then is still answered."""
        window = pb.IngestWindow(batches_max=INGEST_BATCHES_MAX, bytes_max=INGEST_BYTES_MAX)
        await self._write(pb.IngestEventsResponse(window=window))
        taker = asyncio.create_task(self._take_all(requests), name="ingest")
        try:
            while (item := await self._answers.get()) is not None:
                if isinstance(item, RapportError):
                    raise item
                await self._write(await self._answer(item))
                await self._leave(item)
        finally:
            # A caller that went away: what has not begun to commit is dropped, definitely.
            left: list[asyncio.Future[Any]] = [taker, *self._tasks]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _take_all(self, requests: AsyncIterator[pb.IngestEventsRequest]) -> None:
        draining = asyncio.ensure_future(self._parts.draining.wait())
        reading: asyncio.Future[pb.IngestEventsRequest | None] | None = None
        try:
            while True:
                reading = asyncio.ensure_future(_next(requests))
                await asyncio.wait({reading, draining}, return_when=asyncio.FIRST_COMPLETED)
                if not reading.done():
                    self._answers.put_nowait(stopping())
                    return
                request = reading.result()
                if request is None:
                    self._answers.put_nowait(None)
                    return
                batch = _Batch(request, self._parts.clock.monotonic_s())
                await self._enter(batch)
                await self._parts.ingest_room.enter(batch.bytes)
                try:
                    batch.verdict = await self._take(batch, request)
                finally:
                    self._leave_room(batch)
                self._answers.put_nowait(batch)
        except RapportError as error:
            self._answers.put_nowait(error)
        except Exception as fault:  # noqa: BLE001 - told at the end of the stream
            self._answers.put_nowait(unforeseen(fault, _METHOD))
        finally:
            draining.cancel()
            if reading is not None:
                reading.cancel()

    async def _take(self, batch: _Batch, request: pb.IngestEventsRequest) -> Verdict | RapportError:
        """Everything up to the batch being taken in by the journal; why not, if it is refused."""
        try:
            drafts = await self._drafts(request, batch.bytes)
            await refuse_uncalibrated(self._parts.journal, self._tenant.tenant, drafts)
            await self._targets_settled(drafts)
            recorder, tenant = self._parts.recorder, self._tenant
            prepared = await recorder.prepare(tenant.journal, tenant.tenant, self._caller, drafts)
            verdict = await self._submit(prepared)
            if prepared.rests_on_absence:
                await asyncio.wait({verdict})
        except Exception as error:  # noqa: BLE001 - a verdict of this batch and of no other
            return _refusal(error)
        return verdict

    async def _drafts(self, request: pb.IngestEventsRequest, size_bytes: int) -> list[Draft]:
        if request.batch <= 0:
            raise invalid([Violation("batch", "takes 1, 2, 3 …", Reason.OUT_OF_RANGE)])
        kinds, parts, tenant = kinds_named(request.events), self._parts, self._tenant.tenant
        await parts.kinds.learn(tenant, kinds)
        if self._tasks and not all(parts.kinds.has(tenant, kind) for kind in kinds):
            # The policy that has it may be under way.
            await asyncio.wait(set(self._tasks))
            await parts.kinds.learn(tenant, kinds)
        scope = scope_of(parts, self._tenant, self._caller)
        return read_batch(request.events, size_bytes, scope)

    async def _submit(self, prepared: Prepared) -> Verdict:
        """Hand the batch to the journal; waits for room rather than lose its place."""
        waited_s = 0.0
        while True:
            task = asyncio.ensure_future(self._parts.recorder.commit(prepared))
            self._tasks[task] = frozenset(_ids(prepared.drafts))
            task.add_done_callback(self._done)
            # The journal takes a batch in, or says Busy, before it first waits.
            await asyncio.sleep(0)
            error = task.exception() if task.done() and not task.cancelled() else None
            if not isinstance(error, Busy) or waited_s >= BUSY_WAIT_S:
                return task
            delay_s = error.retry_after_ms / 1000
            waited_s += delay_s
            await asyncio.sleep(delay_s)

    def _done(self, task: Verdict) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled():
            task.exception()  # heard of here, even if its caller went away

    async def _targets_settled(self, drafts: Sequence[Draft]) -> None:
        """Wait for what is under way with events that drafts name, or are, or have in common."""
        named = set(_ids(draft for draft in drafts if draft.target is not None))
        if named and (meet := [t for t, ids in self._tasks.items() if not named.isdisjoint(ids)]):
            await asyncio.wait(meet)

    async def _answer(self, batch: _Batch) -> pb.IngestEventsResponse:
        verdict = batch.verdict
        assert verdict is not None
        if not isinstance(verdict, RapportError):
            try:
                recorded = await verdict
            except Exception as error:  # noqa: BLE001 - a verdict of this batch and of no other
                verdict = _refusal(error, writing=True)
            else:
                count_appended(self._parts, recorded, batch.started_s)
                answer = append_answer(self._tenant.journal, recorded)
                return pb.IngestEventsResponse(batch=batch.number, appended=answer)
        self._parts.metrics.refused(verdict.reason.value)
        return pb.IngestEventsResponse(batch=batch.number, refused=batch_refusal(verdict))

    async def _enter(self, batch: _Batch) -> None:
        def has_room() -> bool:
            if self._batches == 0:
                return True  # a batch alone is judged by its own limits
            return (
                self._batches < INGEST_BATCHES_MAX
                and self._bytes + batch.bytes <= INGEST_BYTES_MAX
                and self._events + batch.events <= INGEST_EVENTS_MAX
            )

        async with self._room:
            await self._room.wait_for(has_room)
            self._batches += 1
            self._bytes += batch.bytes
            self._events += batch.events

    def _leave_room(self, batch: _Batch) -> None:
        """Once it has its verdict, whether or not that is read: then only its answer is left."""
        room, verdict = self._parts.ingest_room, batch.verdict
        if isinstance(verdict, asyncio.Future):
            verdict.add_done_callback(lambda _: room.leave(batch.bytes))
        else:
            room.leave(batch.bytes)

    async def _leave(self, batch: _Batch) -> None:
        async with self._room:
            self._batches -= 1
            self._bytes -= batch.bytes
            self._events -= batch.events
            self._room.notify_all()

    async def _write(self, response: pb.IngestEventsResponse) -> None:
        await write(self._context, response, timeout_s=self._parts.reader_timeout_s)


def _refusal(error: Exception, *, writing: bool = False) -> RapportError:
    """What a batch's caller is told of the error; it holds nothing of the batch."""
    refusal = failure_of(error, writing=writing) or unforeseen(error, _METHOD)
    forget_frames(error)
    return refusal


def _ids(drafts: Iterable[Draft]) -> Iterator[str]:
    for draft in drafts:
        yield draft.event_id
        if draft.target is not None:
            yield draft.target


async def _next(requests: AsyncIterator[pb.IngestEventsRequest]) -> pb.IngestEventsRequest | None:
    return await anext(requests, None)
