"""A ledger on a real socket that keeps events in a dictionary and fails on command.

It stands for the wire alone: what a client must do about refusals, broken streams and windows.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from rapport.v1 import errors_pb2
from rapport.v1 import ledger_service_pb2 as ledger
from rapport.v1.ledger_service_pb2_grpc import (
    LedgerServiceServicer,
    add_LedgerServiceServicer_to_server,
)

type Context = grpc.aio.ServicerContext[Any, Any]


async def refuse(
    context: Context, code: grpc.StatusCode, reason: str, retry_ms: int | None = None
) -> NoReturn:
    """Ends the call the way the services do."""
    status = status_pb2.Status(code=code.value[0], message=f"refused: {reason}")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain="rapport"))
    if retry_ms is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(retry_ms)
        status.details.add().Pack(retry)
    await context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort raises")


def refusal(code: grpc.StatusCode, reason: str, retry_ms: int = 0) -> ledger.BatchRefusal:
    """A refused batch within a stream."""
    return ledger.BatchRefusal(
        code=code.value[0],
        reason=errors_pb2.ErrorReason.Value(f"ERROR_REASON_{reason}"),
        retry_delay_ms=retry_ms,
    )


@dataclass
class FakeLedger(LedgerServiceServicer):
    """positions: by event id. before_append: runs before an append is carried out; after_append:
    after it, before the answer. judge: what a batch of an ingest stream is refused for."""

    positions: dict[str, int] = field(default_factory=dict)
    window: ledger.IngestWindow = field(
        default_factory=lambda: ledger.IngestWindow(batches_max=4, bytes_max=1 << 20)
    )
    before_append: Callable[[Context], Awaitable[None]] | None = None
    after_append: Callable[[Context], Awaitable[None]] | None = None
    judge: Callable[[ledger.IngestEventsRequest], ledger.BatchRefusal | None] = lambda _: None
    # Answers this many batches of a stream, then breaks it; one number a stream, then no more.
    breaks_after: list[int] = field(default_factory=list)
    streams: int = 0
    calls: int = 0
    unanswered_max: int = 0
    subscribed_from: list[int] = field(default_factory=list)
    subscriptions: list[list[ledger.SubscribeEventsResponse]] = field(default_factory=list)

    def record(self, events: Any) -> ledger.AppendEventsResponse:
        """Stores what is new and answers for all."""
        answer = ledger.AppendEventsResponse(journal="main")
        for event in events:
            replayed = event.event_id in self.positions
            position = self.positions.setdefault(event.event_id, len(self.positions) + 1)
            answer.events.add(event_id=event.event_id, position=position, replayed=replayed)
            answer.last_position = max(answer.last_position, position)
        return answer

    async def AppendEvents(
        self, request: ledger.AppendEventsRequest, context: Any
    ) -> ledger.AppendEventsResponse:
        self.calls += 1
        if self.before_append is not None:
            await self.before_append(context)
        answer = self.record(request.events)
        if self.after_append is not None:
            await self.after_append(context)
        return answer

    async def IngestEvents(
        self, request_iterator: AsyncIterator[ledger.IngestEventsRequest], context: Any
    ) -> AsyncIterator[ledger.IngestEventsResponse]:
        self.streams += 1
        left = self.breaks_after.pop(0) if self.breaks_after else None
        yield ledger.IngestEventsResponse(window=self.window)
        expected = 0
        async for request in request_iterator:
            expected += 1
            assert request.batch == expected, "numbers count from 1 on every stream"
            refused = self.judge(request)
            answer = ledger.IngestEventsResponse(batch=request.batch)
            if refused is not None:
                answer.refused.CopyFrom(refused)
            else:
                answer.appended.CopyFrom(self.record(request.events))
            if left is not None and expected > left:  # recorded, and the answer is lost
                await refuse(context, grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE", 1)
            yield answer

    async def SubscribeEvents(
        self, request: ledger.SubscribeEventsRequest, context: Any
    ) -> AsyncIterator[ledger.SubscribeEventsResponse]:
        self.subscribed_from.append(request.from_position)
        for message in self.subscriptions.pop(0):
            yield message
        await refuse(context, grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE", 1)


async def serve(servicer: FakeLedger) -> tuple[grpc.aio.Server, str]:
    """Listens on a port of the kernel's choice."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_LedgerServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, f"127.0.0.1:{port}"
