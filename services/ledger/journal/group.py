"""Group commit: whatever waits when the last commit ends goes into the next transaction.

One committer a journal. It knows nothing of Postgres: it forms groups and hands each to a function
that commits it and answers with one verdict a batch.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.ledger.domain.events import Batch
from services.ledger.journal.outcomes import DeadlinePassed, Unavailable
from services.runtime.limits import GROUP_BYTES_MAX, GROUP_EVENTS_MAX
from services.runtime.logs import get_logger

_log = get_logger(__name__)

_GATHER_S: Final = 0.005
# From the first bytes of a request to its batch being queued takes the loop several rounds.
_QUIET_ROUNDS: Final = 6
_STOPPING: Final = "the ledger is stopping"


@dataclass(slots=True, eq=False)
class Pending[V]:
    """A batch that waits for its group, and the future its caller waits on."""

    batch: Batch
    verdict: asyncio.Future[V]
    size_bytes: int
    started: bool = False

    def expire(self) -> None:
        """The caller's deadline has passed: drop it, unless its group is under way already."""
        if not self.started and not self.verdict.done():
            self.verdict.set_exception(DeadlinePassed("the deadline passed before its turn came"))


@dataclass(slots=True)
class _Touched:
    """What the batches of a group, of one tenant, write to."""

    event_ids: set[str] = field(default_factory=set)
    homes: set[str] = field(default_factory=set)

    def add(self, batch: Batch) -> None:
        self.event_ids.update(record.event_id for record in batch.records)
        self.homes.update(record.home for record in batch.records)

    def meets(self, batch: Batch) -> bool:
        """Whether the verdict on `batch` depends on that of an earlier batch of the group."""
        return (
            not self.event_ids.isdisjoint(batch.unknown_targets)
            or any(record.event_id in self.event_ids for record in batch.records)
            or any(
                record.expected_revision is not None and record.home in self.homes
                for record in batch.records
            )
        )


class GroupCommit[V]:
    """Commits the batches of one journal in groups, in the order they came in.

    `commit` gets 1 or more batches and answers with a verdict or an exception for each; what it
    raises goes to all. `leave` is told of every batch that is answered or dropped, once.

    A batch whose verdict depends on another of the group waits for the next one, and so do all
    later ones of its tenant: the order within a tenant is kept, other tenants do not wait.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Batch]], Awaitable[Sequence[V | BaseException]]],
        leave: Callable[[Pending[V]], None],
        *,
        events_max: int = GROUP_EVENTS_MAX,
        bytes_max: int = GROUP_BYTES_MAX,
    ) -> None:
        self._commit, self._leave = commit, leave
        self._events_max, self._bytes_max = events_max, bytes_max
        self._queue: deque[Pending[V]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    def submit(self, pending: Pending[V]) -> None:
        """Queue it; its verdict is set when its group was committed or it was dropped."""
        if self._closed:
            pending.verdict.set_exception(Unavailable(_STOPPING))
            self._leave(pending)
            return
        self._queue.append(pending)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(), name="group commit")

    async def close(self) -> None:
        """Refuse what waits and let the group under way end."""
        self._closed = True
        while self._queue:
            pending = self._queue.popleft()
            if not pending.verdict.done():
                pending.verdict.set_exception(Unavailable(_STOPPING))
            self._leave(pending)
        if self._worker is not None:
            await self._worker

    async def _work(self) -> None:
        """Commit group after group until nothing waits."""
        try:
            while self._queue:
                await self._gather()
                group = self._take()
                if group:
                    await self._settle(group)
        finally:
            self._worker = None

    async def _gather(self) -> None:
        """Let callers whose requests are being read already come along: a commit costs a flush.

        Ends as soon as the event loop has gone round a few times without bringing another batch,
        which takes microseconds when there is nobody else, and after _GATHER_S in any case.
        """
        loop = asyncio.get_running_loop()
        end_s, quiet = loop.time() + _GATHER_S, 0
        while quiet < _QUIET_ROUNDS and loop.time() < end_s:
            waiting = len(self._queue)
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self._queue) == waiting else 0

    async def _settle(self, group: Sequence[Pending[V]]) -> None:
        verdicts: Sequence[V | BaseException]
        try:
            verdicts = await self._commit([pending.batch for pending in group])
            assert len(verdicts) == len(group)
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller must hear of it
            _log.exception("group commit failed", callers=len(group))
            verdicts = [error] * len(group)
        for pending, verdict in zip(group, verdicts, strict=True):
            if not pending.verdict.done():  # the caller may have gone away meanwhile
                if isinstance(verdict, BaseException):
                    pending.verdict.set_exception(verdict)
                else:
                    pending.verdict.set_result(verdict)
            self._leave(pending)

    def _take(self) -> list[Pending[V]]:
        """The next group, out of the queue; empty when all that waited was dropped."""
        group: list[Pending[V]] = []
        deferred: list[Pending[V]] = []
        touched: dict[str, _Touched] = {}
        waiting_tenants: set[str] = set()
        events = size_bytes = 0
        while self._queue:
            pending = self._queue[0]
            batch = pending.batch
            if pending.verdict.done():  # gone, or too late
                self._leave(self._queue.popleft())
                continue
            events += len(batch.records)
            size_bytes += pending.size_bytes
            if group and (events > self._events_max or size_bytes > self._bytes_max):
                break
            self._queue.popleft()
            mine = touched.setdefault(batch.tenant, _Touched())
            if batch.tenant in waiting_tenants or mine.meets(batch):
                waiting_tenants.add(batch.tenant)
                deferred.append(pending)
                events -= len(batch.records)
                size_bytes -= pending.size_bytes
                continue
            mine.add(batch)
            pending.started = True
            group.append(pending)
        self._queue.extendleft(reversed(deferred))
        return group
