"""The journal: what the edge, the relay and the operator's commands call."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from services.ledger.domain.events import (
    ArchivedEvent,
    Batch,
    Chunk,
    JournalRow,
    Recorded,
    StoredEvent,
    TenantRow,
)
from services.ledger.journal.admission import Admission, InFlightLimits
from services.ledger.journal.appending import Appender, Clash, Verdict
from services.ledger.journal.catalog import Catalog
from services.ledger.journal.disk import DiskFloor
from services.ledger.journal.group import GroupCommit, Pending
from services.ledger.journal.heads import Heads
from services.ledger.journal.outcomes import Archived, DeadlinePassed, EventIdTaken
from services.ledger.journal.partitions import PartitionKeeper
from services.ledger.journal.reading import Reader, plan_by_key
from services.runtime import migrations
from services.runtime.clock import Clock, SystemClock
from services.runtime.pg import create_pool

SCHEMA: Final = "journal"
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"

WRITE_POOL_MAX: Final = 4
READ_POOL_MAX: Final = 8
# A frozen replica loses its locks after these, and a healthy one stops waiting for it.
LOCK_TIMEOUT_MS: Final = 5_000
STATEMENT_TIMEOUT_MS: Final = 10_000
IDLE_IN_TRANSACTION_TIMEOUT_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class GroupReport:
    """A group that was committed or refused: for metrics."""

    journal: str
    batches: int
    events: int  # new ones
    duration_s: float


class Journal:
    """All journals of a database, through logins of the group role rapport_ledger.

    Any number of processes may have one: the lock on a journal's row puts them in order. Writes
    and reads have pools of their own, so that readers never hold up an append.

    `on_append` is told of every growth (journal, head), for hints to others; `on_group` of every
    group. Neither may raise or block.
    """

    def __init__(
        self,
        writes: asyncpg.Pool,
        reads: asyncpg.Pool,
        *,
        limits: InFlightLimits | None = None,
        disk: DiskFloor | None = None,
        clock: Clock | None = None,
        on_append: Callable[[str, int], None] | None = None,
        on_group: Callable[[GroupReport], None] | None = None,
    ) -> None:
        self._writes, self._reads = writes, reads
        self._clock = clock or SystemClock()
        self._disk = disk
        self.on_append = on_append
        self.on_group = on_group
        self._admission = Admission(limits or InFlightLimits())
        self._partitions = PartitionKeeper(writes)
        self._appender = Appender(writes, self._partitions.ensure)
        self._reader = Reader(reads)
        self._catalog = Catalog(writes, self._reader)
        self._heads = Heads(self._read_head)
        self._committers: dict[str, GroupCommit[Verdict]] = {}

    @classmethod
    async def connect(
        cls,
        dsn: str,
        *,
        application_name: str = "rapport-ledger",
        lock_timeout_ms: int = LOCK_TIMEOUT_MS,
        limits: InFlightLimits | None = None,
        disk: DiskFloor | None = None,
        clock: Clock | None = None,
        on_append: Callable[[str, int], None] | None = None,
        on_group: Callable[[GroupReport], None] | None = None,
    ) -> "Journal":
        """Open the pools, as a login of the group role rapport_ledger."""
        pools: list[asyncpg.Pool] = []
        try:
            for name, size_max, init in (
                ("append", WRITE_POOL_MAX, None),
                ("read", READ_POOL_MAX, plan_by_key),
            ):
                pool = await create_pool(
                    dsn,
                    application_name=f"{application_name}-{name}",
                    size_min=1,
                    size_max=size_max,
                    statement_timeout_ms=STATEMENT_TIMEOUT_MS,
                    lock_timeout_ms=lock_timeout_ms,
                    idle_in_transaction_timeout_ms=IDLE_IN_TRANSACTION_TIMEOUT_MS,
                    init=init,
                )
                pools.append(pool)
        except BaseException:
            for pool in pools:
                pool.terminate()
            raise
        return cls(
            *pools,
            limits=limits,
            disk=disk,
            clock=clock,
            on_append=on_append,
            on_group=on_group,
        )

    async def start(self) -> None:
        """Make the partitions that the next appends need."""
        await self._partitions.ensure()

    async def close(self) -> None:
        """End the groups under way, refuse what waits, close the pools."""
        await asyncio.gather(*(committer.close() for committer in self._committers.values()))
        await self._heads.close()
        await self._partitions.close()
        await asyncio.gather(self._writes.close(), self._reads.close())

    async def schema_version(self) -> int:
        """The highest applied migration, for readiness; raises what the driver raises."""
        async with self._reads.acquire() as connection:
            return await migrations.schema_version(connection, SCHEMA)

    # --- Appending ---

    async def append(
        self, batch: Batch, *, deadline_s: float | None = None
    ) -> tuple[Recorded, ...]:
        """Record a batch, all or nothing; one answer a record, in order, when it is durable.

        Batches of a tenant are recorded in the order of the calls. `deadline_s` is from now; once
        the batch's group is under way it is waited for. A caller that is cancelled before that has
        nothing recorded. Raises the outcomes of `outcomes.py`.
        """
        assert batch.records, "an append has at least one event"
        if deadline_s is not None and deadline_s <= 0:
            raise DeadlinePassed("the deadline had passed before its turn came")
        if self._disk is not None:
            self._disk.check()
        loop = asyncio.get_running_loop()
        pending: Pending[Verdict] = Pending(batch, loop.create_future(), batch.payload_bytes)
        self._admission.enter(batch.tenant, len(batch.records), pending.size_bytes)
        self._committer(batch.journal).submit(pending)
        timer = None if deadline_s is None else loop.call_later(deadline_s, pending.expire)
        try:
            verdict = await pending.verdict
        finally:
            if timer is not None:
                timer.cancel()
            # Its future keeps the error of a refusal, which keeps this frame, which has the batch.
            del pending
        if not isinstance(verdict, Clash):
            return verdict
        ids = [(index, batch.records[index].event_id) for index in verdict.indexes]
        stored = await self._reader.events_by_id(
            batch.journal, batch.tenant, [event_id for _, event_id in ids]
        )
        missing = [event_id for _, event_id in ids if event_id not in stored]
        archived = await self._reader.archived_by_id(batch.journal, batch.tenant, missing)
        raise EventIdTaken(
            [(index, stored[key]) for index, key in ids if key in stored],
            [(index, archived[key]) for index, key in ids if key in archived],
        )

    def _committer(self, journal: str) -> GroupCommit[Verdict]:
        committer = self._committers.get(journal)
        if committer is None:

            async def commit(batches: Sequence[Batch]) -> Sequence[Verdict | BaseException]:
                return await self._commit(journal, batches)

            committer = self._committers[journal] = GroupCommit(commit, self._leave)
        return committer

    async def _commit(
        self, journal: str, batches: Sequence[Batch]
    ) -> Sequence[Verdict | BaseException]:
        started_s = self._clock.monotonic_s()
        committed = await self._appender.commit(journal, batches)
        if self.on_group is not None:
            duration_s = self._clock.monotonic_s() - started_s
            self.on_group(GroupReport(journal, len(batches), committed.appended, duration_s))
        if committed.head is not None and committed.appended:
            self._heads.moved(journal, committed.head)
            self._partitions.grown(committed.appended)
            if self.on_append is not None:
                self.on_append(journal, committed.head)
        return committed.verdicts

    def _leave(self, pending: Pending[Verdict]) -> None:
        batch = pending.batch
        self._admission.leave(batch.tenant, len(batch.records), pending.size_bytes)

    # --- Reading ---

    async def get(self, tenant: str, event_id: str) -> StoredEvent | None:
        """The tenant's event of that id; None when it has none. Raises Archived."""
        found = (await self.get_many(tenant, (event_id,))).get(event_id)
        if found is None and await self.archived(tenant, (event_id,)):
            row = await self.tenant(tenant)
            assert row is not None
            raise Archived(row.journal, (await self.head(row.journal)).detached_through + 1)
        return found

    async def get_many(self, tenant: str, event_ids: Iterable[str]) -> dict[str, StoredEvent]:
        """The tenant's events by id; those it does not have, or has in files, are left out."""
        row = await self.tenant(tenant)
        if row is None:
            return {}
        return await self._reader.events_by_id(row.journal, tenant, event_ids)

    async def archived(self, tenant: str, event_ids: Iterable[str]) -> dict[str, ArchivedEvent]:
        """What is kept of those of the tenant's events that are in files, by id."""
        row = await self.tenant(tenant)
        if row is None:
            return {}
        return await self._reader.archived_by_id(row.journal, tenant, event_ids)

    async def read_journal(
        self,
        journal: str,
        *,
        from_position: int | None = None,
        backwards: bool = False,
        limit: int | None = None,
        tenant: str | None = None,
        types: Collection[str] = (),
        kinds: Collection[str] = (),
        through: int | None = None,
    ) -> AsyncGenerator[Chunk]:
        """Read a journal's events, in order or the last one first, in chunks.

        Begins at `from_position` (default: the beginning; backwards the head) and ends at the head
        as of now, or at `through` if that comes first; backwards at position 1. `limit` counts the
        events let through by `tenant`, `types` (full names) and `kinds`; empty lets all through.
        A chunk may hold no events: it says how far the read has come. Raises JournalUnknown, before
        the first chunk, and Archived where it comes to what is in files.
        """
        head = (await self.head(journal)).head
        if backwards:
            first = head if from_position is None else min(from_position, head)
            end = 1
        else:
            first = max(1 if from_position is None else from_position, 1)
            end = head if through is None else min(through, head)
        chunks = self._reader.journal_events(
            journal,
            first,
            end,
            backwards=backwards,
            limit=limit,
            tenant=tenant,
            types=types,
            kinds=kinds,
        )
        async for chunk in chunks:
            yield chunk

    async def read_known(
        self, journal: str, first: int, last: int, *, limit: int
    ) -> AsyncGenerator[Chunk]:
        """Positions that are known to be there, in order; as `read_journal`, without its head."""
        chunks = self._reader.journal_events(
            journal, first, last, backwards=False, limit=limit, tenant=None, types=(), kinds=()
        )
        async for chunk in chunks:
            yield chunk

    async def read_home(
        self,
        tenant: str,
        home: str,
        *,
        from_revision: int | None = None,
        backwards: bool = False,
        limit: int | None = None,
        types: Collection[str] = (),
        kinds: Collection[str] = (),
    ) -> AsyncGenerator[Chunk]:
        """Read the events of a home by revision, as of now; `read_through` is a revision.

        Begins at `from_revision` (default: 1; backwards the last one). Otherwise as `read_journal`.
        """
        row = await self.tenant(tenant)
        if row is None:
            return
        chunks = self._reader.home_events(
            row.journal,
            tenant,
            home,
            from_revision=from_revision,
            backwards=backwards,
            limit=limit,
            types=types,
            kinds=kinds,
        )
        async for chunk in chunks:
            yield chunk

    async def head(self, journal: str) -> JournalRow:
        """The journal's row. Raises JournalUnknown."""
        return await self._reader.journal_row(journal)

    async def row_at(self, journal: str, position: int) -> StoredEvent | None:
        """The event at a position; None beyond the head, and for what is in a file."""
        return await self._reader.event_at(journal, position)

    async def erasures(self, journal: str) -> AsyncGenerator[StoredEvent]:
        """The SubjectErased events of a journal, in order."""
        async for event in self._reader.erasures(journal):
            yield event

    async def wait_beyond(self, journal: str, position: int, timeout_s: float) -> int:
        """Return the head as soon as it is beyond `position`, else as last known after a time."""
        return await self._heads.wait_beyond(journal, position, timeout_s)

    def nudge(self, journal: str) -> None:
        """Another replica says that the journal has grown: look now."""
        self._heads.nudge(journal)

    async def _read_head(self, journal: str) -> int:
        return (await self.head(journal)).head

    # --- Tenants and journals ---

    async def tenant(self, tenant: str) -> TenantRow | None:
        """The tenant; None when there is none of that name. Kept in memory once found."""
        return await self._catalog.tenant(tenant)

    async def create_tenant(self, tenant: str, journal: str) -> tuple[TenantRow, bool]:
        """Create a tenant pinned to a journal; (it, True), or (the one there was, False).

        The one there was may be in another journal. Raises JournalUnknown.
        """
        return await self._catalog.create_tenant(tenant, journal)

    async def list_tenants(self, after: str, limit: int) -> list[TenantRow]:
        """Tenants by name beyond `after`, at most `limit`."""
        return await self._catalog.list_tenants(after, limit)

    async def create_journal(self, journal: str) -> tuple[JournalRow, bool]:
        """Create a journal; (it, True), or (the one there was, False)."""
        return await self._catalog.create_journal(journal)

    async def list_journals(self, after: str = "", limit: int | None = None) -> list[JournalRow]:
        """Journals by name beyond `after`, at most `limit`, or all."""
        return await self._catalog.list_journals(after, limit)

    async def journal_names(self) -> list[str]:
        """The names of all journals, in order."""
        return [row.journal for row in await self.list_journals()]
