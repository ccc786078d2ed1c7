"""SubscribeEvents: catch up, then live; never silent for longer than a heartbeat.

Nothing waits here for a reader but one message: events are read when the one before was taken, and
no connection is held meanwhile.
"""

import asyncio

from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.api.parts import Parts, stopping
from services.ledger.api.reading import (
    Filter,
    check_filter,
    check_journal,
    check_view,
    journal_to_read,
    may_view,
    presented,
    presenter,
)
from services.runtime.caller import Caller
from services.runtime.errors import invalid
from services.runtime.payloads import rules
from services.runtime.payloads.checking import Found, add
from services.runtime.server import Context, write


async def subscribe_events(
    parts: Parts, caller: Caller, request: pb.SubscribeEventsRequest, context: Context
) -> None:
    """Answer until the caller leaves, is too slow, or the ledger stops."""
    which = _check(request)
    may_view(caller, request.view)
    journal, tenant = await journal_to_read(parts, caller, request.journal, "journal")
    subscription = Subscription(parts, caller, request, context, which, journal, tenant)
    await subscription.run()


class Subscription:
    """One stream."""

    def __init__(
        self,
        parts: Parts,
        caller: Caller,
        request: pb.SubscribeEventsRequest,
        context: Context,
        which: Filter,
        journal: str,
        tenant: str | None,
    ) -> None:
        self._parts, self._context, self._which = parts, context, which
        self._caller, self._view = caller, request.view
        self._journal, self._tenant = journal, tenant
        self._through = max(request.from_position, 1) - 1
        self._head = 0
        self._incarnation = ""
        self._sent_s = parts.clock.monotonic_s()

    async def run(self) -> None:
        """Ends only by raising."""
        told = False  # that it has caught up, since it last sent events
        while True:
            row = await self._parts.journal.head(self._journal)
            self._head, self._incarnation = row.head, row.incarnation
            if row.head > self._through:
                told = not await self._catch_up() and told
                continue
            if not told:
                await self._send(caught_up=pb.CaughtUp())
                told = True
            await self._wait()

    async def _catch_up(self) -> bool:
        """Send everything up to the head; whether any event was let through."""
        any_sent = False
        show = presenter(self._parts, self._caller, self._view)
        chunks = self._parts.journal.read_journal(
            self._journal,
            from_position=self._through + 1,
            through=self._head,
            tenant=self._tenant,
            types=self._which.types,
            kinds=self._which.kinds,
        )
        async for chunk, events in presented(self._parts, chunks, show):
            self._leave_if_stopping()
            self._through = chunk.read_through
            if events:
                any_sent = True
                await self._send(events=pb.EventBatch(events=events))
            elif self._silence_s() >= self._parts.heartbeat_s:
                await self._send(heartbeat=pb.Heartbeat())
        return any_sent

    async def _wait(self) -> None:
        """Until the journal grows; sends a heartbeat when it has been silent for long enough."""
        left_s = max(self._parts.heartbeat_s - self._silence_s(), 0.0)
        growing = asyncio.ensure_future(
            self._parts.journal.wait_beyond(self._journal, self._through, left_s)
        )
        draining = asyncio.ensure_future(self._parts.draining.wait())
        try:
            await asyncio.wait({growing, draining}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            growing.cancel()
            draining.cancel()
        self._leave_if_stopping()
        if self._silence_s() >= self._parts.heartbeat_s:
            await self._send(heartbeat=pb.Heartbeat())

    async def _send(
        self,
        *,
        events: pb.EventBatch | None = None,
        caught_up: pb.CaughtUp | None = None,
        heartbeat: pb.Heartbeat | None = None,
    ) -> None:
        response = pb.SubscribeEventsResponse(
            # Nobody can have read what is not there: whoever begins beyond the head sees so.
            read_through_position=min(self._through, self._head),
            head_position=self._head,
            incarnation=self._incarnation,
            events=events,
            caught_up=caught_up,
            heartbeat=heartbeat,
        )
        await write(self._context, response, timeout_s=self._parts.reader_timeout_s)
        self._sent_s = self._parts.clock.monotonic_s()

    def _silence_s(self) -> float:
        return self._parts.clock.monotonic_s() - self._sent_s

    def _leave_if_stopping(self) -> None:
        if self._parts.draining.is_set():
            raise stopping()


def _check(request: pb.SubscribeEventsRequest) -> Filter:
    found: Found = []
    check_journal(request.journal, "journal", found)
    add(found, "from_position", rules.not_negative(request.from_position))
    which = check_filter(list(request.types), list(request.kinds), found)
    check_view(request.view, found)
    if found:
        raise invalid(found)
    return which
