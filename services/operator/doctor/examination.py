"""One run of the doctor: what is compared with what, in which order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from nats.aio.client import Client

from services.operator import connecting
from services.operator.config import Installation
from services.operator.doctor import journal as journals
from services.operator.doctor import stream as streaming
from services.operator.doctor import views
from services.operator.doctor.facts import FactsFollower, TicksFollower
from services.operator.doctor.journal import SQL, EventsInOrder, Follower, JournalRow
from services.operator.doctor.keys import check_keys
from services.operator.doctor.report import Check, Difference, JournalReport, Report
from services.operator.doctor.stream import StreamFollower
from services.operator.doctor.waiting import (
    POLL_S,
    grown_to,
    stream_position,
    tenants_built,
    views_position,
)
from services.operator.outcomes import Refused, Unavailable
from services.projector.door import one_version
from services.runtime.vault.master import MasterKeys

# How long relay and projector may stand still before they count as behind.
PATIENCE_S: Final = 15.0
# An erasure under way is in the key store a moment before it is in the journal.
ERASURE_PATIENCE_S: Final = 3.0


async def examine(
    installation: Installation,
    *,
    journal: str | None = None,
    deep: bool = True,
    patience_s: float = PATIENCE_S,
) -> Report:
    """Compare one journal, or all, with everything derived; changes nothing anywhere.

    Appends may go on meanwhile: everything is compared as of the snapshots that are taken once
    relay and projector have come to the head found at the start. Raises Refused for an unknown
    journal, Usage and Unavailable when Postgres cannot be reached; NATS out of reach is a finding.
    """
    report = Report(deep)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        journal_dsn = installation.journal_dsn
        now = await enter(connecting.postgres(journal_dsn, "RAPPORT_JOURNAL_DSN"))
        reads = await enter(connecting.postgres(journal_dsn, "RAPPORT_JOURNAL_DSN"))
        kept = await enter(connecting.postgres(installation.views_dsn, "RAPPORT_VIEWS_DSN"))
        vault = await enter(connecting.postgres(installation.vault_dsn, "RAPPORT_VAULT_DSN"))
        names = [row["journal"] for row in await now.fetch(SQL["journals"])]
        if journal is not None and journal not in names:
            raise Refused(f"there is no journal {journal}")
        client: Client | None = None
        problem = ""
        try:
            client = await enter(connecting.nats_client(installation.nats_url))
        except Unavailable as error:
            problem = str(error)
        asked = names if journal is None else [journal]
        for name in asked:
            found = JournalReport(name)
            report.journals.append(found)
            await _Examination(now, reads, kept, client, problem, found, patience_s).run(deep)
        report.key_store = await _examine_keys(
            now, vault, asked, journal is None, _master_keys(installation), patience_s
        )
    return report


def _master_keys(installation: Installation) -> MasterKeys | None:
    if installation.master_key or installation.master_key_file:
        return installation.master_keys()
    return None


@dataclass(slots=True)
class _Examination:
    """One journal. `now` sees the journal as it is, `reads` and `views` their snapshots."""

    now: asyncpg.Connection
    reads: asyncpg.Connection
    views: asyncpg.Connection
    client: Client | None
    problem: str
    report: JournalReport
    patience_s: float

    async def run(self, deep: bool) -> None:
        name = self.report.journal
        target = int(await self.now.fetchval(SQL["journal_head"], name))
        positions = self.report.check("journal")
        stream = self.report.check("stream")
        await self._wait(name, target)
        # The read models first: then the journal's snapshot has at least what they have.
        async with one_version(self.views), _snapshot(self.reads):
            # A snapshot is taken by the first statement.
            await self.views.execute("SELECT 1")
            row = await journals.read_row(self.reads, name)
            assert row is not None, "journals are never removed"
            info = await self._look_at_stream(row, target, stream)
            counts = self.report.check("read models")
            checkpoint = await views.check_checkpoint(self.views, row, target, counts)
            await views.check_parked(self.views, name, self.report.check("parked events"))
            if deep:
                await journals.check_keys(self.reads, row, positions)
                await self._walk(row, positions, stream, info, checkpoint)
            elif info is not None and self.client is not None:
                await streaming.check_tail(self.client, self.reads, row, info, stream)
            await journals.check_counts(self.reads, row, positions)
            if checkpoint is not None:
                await views.check_kept(self.views, row, checkpoint, counts)

    async def _wait(self, name: str, target: int) -> None:
        if self.client is not None:
            await grown_to(target, stream_position(self.client, name), self.patience_s)
        await grown_to(target, views_position(self.views, name), self.patience_s)
        await grown_to(0, tenants_built(self.views, name), self.patience_s)

    async def _look_at_stream(self, row: JournalRow, target: int, check: Check) -> Any | None:
        """The stream's state when its messages can be compared."""
        if self.client is None:
            check.fail(self.problem)
            return None
        try:
            info = await streaming.look_at_stream(self.client, row, target, check)
        except Unavailable as error:
            check.fail(str(error))
            return None
        if info is not None and info.state.last_seq > row.head:
            # Beyond the snapshot; beyond the journal as well?
            head = await self.now.fetchval(SQL["journal_head"], row.journal)
            if info.state.last_seq > head:
                what = "the stream is ahead of the journal"
                streaming.diverged(check, Difference(what, head + 1, "", head, info.state.last_seq))
        return info

    async def _walk(
        self,
        row: JournalRow,
        positions: Check,
        stream: Check,
        info: Any | None,
        checkpoint: int | None,
    ) -> None:
        facts = self.report.check("events of the read models")
        followers: list[Follower] = [EventsInOrder(row, positions)]
        if info is not None and self.client is not None:
            followers.append(StreamFollower(row, stream, self.client, info))
        kept = None
        if checkpoint is None:
            facts.skip("the read models cannot be compared: see above")
        else:
            kept = FactsFollower(self.views, row, checkpoint, facts)
            await kept.begin()
            followers += [kept, TicksFollower(self.views, row, checkpoint, facts)]
        await journals.walk(self.reads, row, followers)
        if kept is not None:
            await views.check_folds(self.views, row, kept.seen, self.report, facts)


@asynccontextmanager
async def _snapshot(conn: asyncpg.Connection) -> AsyncIterator[None]:
    """One moment of a database, taken now, for everything read inside."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        await conn.execute("SELECT 1")  # a snapshot is taken by the first statement
        yield


async def _examine_keys(
    now: asyncpg.Connection,
    vault: asyncpg.Connection,
    names: Sequence[str],
    all_journals: bool,
    master_keys: MasterKeys | None,
    patience_s: float,
) -> Check:
    """The key store's check, made again for a moment while it differs."""
    clock = asyncio.get_running_loop().time
    until_s = clock() + min(patience_s, ERASURE_PATIENCE_S)
    while True:
        check = Check("key store")
        await check_keys(now, vault, names, all_journals, master_keys, check)
        if check.difference is None or clock() >= until_s:
            return check
        await asyncio.sleep(POLL_S)
