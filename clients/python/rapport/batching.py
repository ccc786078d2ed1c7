"""Gathering single events into batches."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Sequence
from contextlib import aclosing
from typing import Final

from rapport.v1 import ledger_service_pb2 as ledger

# Below the server's 8 MiB for a request.
BATCH_BYTES_MAX: Final = 4 * 1024 * 1024

type Item = ledger.NewEvent | Sequence[ledger.NewEvent]
type Source = AsyncIterable[Item] | Iterable[Item]


async def batches_of(source: Source, size: int) -> AsyncGenerator[Sequence[ledger.NewEvent], None]:
    """Batches as given; single events gathered to `size` and at most BATCH_BYTES_MAX.

    A batch is also closed before an event id that it already holds: a repeat is then for the
    ledger to judge, as anywhere else, instead of spoiling the batch. What the source raises comes
    after what it gave.
    """
    gathered = _Gathered()
    async with aclosing(_as_async(source)) as items:
        try:
            async for item in items:
                if isinstance(item, ledger.NewEvent):
                    if gathered.events and not gathered.has_room_for(item, size):
                        yield gathered.events
                        gathered = _Gathered()
                    gathered.add(item)
                    continue
                if gathered.events:
                    yield gathered.events
                    gathered = _Gathered()
                if item:
                    yield item
        except Exception:
            if gathered.events:
                yield gathered.events
            raise
    if gathered.events:
        yield gathered.events


class _Gathered:
    """A batch in the making."""

    __slots__ = ("bytes", "events", "ids")

    def __init__(self) -> None:
        self.events: list[ledger.NewEvent] = []
        self.ids: set[str] = set()
        self.bytes = 0

    def has_room_for(self, event: ledger.NewEvent, size: int) -> bool:
        fits = len(self.events) < size and self.bytes + event.ByteSize() + 4 <= BATCH_BYTES_MAX
        return fits and event.event_id not in self.ids

    def add(self, event: ledger.NewEvent) -> None:
        self.events.append(event)
        self.ids.add(event.event_id)
        self.bytes += event.ByteSize() + 4


async def _as_async(source: Source) -> AsyncGenerator[Item, None]:
    if isinstance(source, AsyncIterable):
        async for item in source:
            yield item
    else:
        for item in source:
            yield item
