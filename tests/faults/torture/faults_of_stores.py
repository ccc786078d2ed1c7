"""Faults of what PostgreSQL and NATS keep: full disks, streams wiped, cut and spoiled."""

import asyncio
from collections.abc import Sequence
from typing import Final

import asyncpg

from services.runtime import streams
from tests.faults.torture.faults import Fault
from tests.faults.torture.stage import Stage

_END_CONNECTIONS: Final = """
SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
   AND (application_name LIKE 'rapport-%' OR application_name = '')
"""
# Below what a ledger wants to be free, and far above what PostgreSQL needs.
_LOW_BYTES: Final = 300 << 20


class _OfPostgres(Fault):
    def choose(self) -> None:
        self.target = "postgres"


class ConnectionsKilled(_OfPostgres):
    """pg_terminate_backend of everybody, relays' locks included."""

    name = "postgres-connections-killed"
    lasts_s = (0.0, 0.0)

    async def begin(self) -> None:
        self.detail["connections"] = len(await self.stage.owner(_END_CONNECTIONS))


class LongTransaction(_OfPostgres):
    """A transaction with a snapshot and an id of its own that nobody ends."""

    name = "postgres-long-transaction"
    lasts_s = (10.0, 40.0)

    def choose(self) -> None:
        self.target = "postgres-transactions"
        self._connection: asyncpg.Connection | None = None

    async def begin(self) -> None:
        dsn = self.stage.cluster.database.admin_dsn
        self._connection = await asyncpg.connect(dsn, timeout=5)
        await self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        await self._connection.execute("SELECT pg_current_xact_id(), count(*) FROM journal.events")

    async def end(self) -> None:
        if self._connection is not None:
            self._connection.terminate()


class _OfDisk(Fault):
    @classmethod
    def why_not(cls, stage: Stage) -> str | None:
        return stage.no_disks


class DiskLow(_OfDisk):
    """Less is free on PostgreSQL's disk than a ledger wants."""

    name = "postgres-disk-low"
    lasts_s = (3.0, 10.0)
    leave_bytes = _LOW_BYTES

    def choose(self) -> None:
        self.target = "postgres"

    async def begin(self) -> None:
        fill = self.stage.disks["disk"].fill
        await self.wholly(asyncio.to_thread(fill, self.leave_bytes))

    async def end(self) -> None:
        await asyncio.to_thread(self.stage.disks["disk"].empty)
        await asyncio.to_thread(self.stage.cluster.postgres.start)


class DiskFull(DiskLow):
    """Nothing is free on PostgreSQL's disk: it gets ENOSPC, for its log too."""

    name = "postgres-disk-full"
    leave_bytes = 0


class StoreFull(_OfDisk):
    """Nothing is free on the disk of a server of NATS."""

    name = "nats-disk-full"
    lasts_s = (3.0, 10.0)

    def choose(self) -> None:
        self.node = self.dice.choice(self.stage.nodes.all)
        self.target = self.node.home.name

    async def begin(self) -> None:
        await self.wholly(asyncio.to_thread(self.stage.disks[self.target].fill))

    async def end(self) -> None:
        await asyncio.to_thread(self.stage.disks[self.target].empty)
        # JetStream switches itself off when it cannot write; nothing but a restart brings it back.
        await asyncio.to_thread(self.node.kill)
        await asyncio.to_thread(self.node.start)


class _OfStream(Fault):
    lasts_s = (0.0, 0.0)

    def choose(self) -> None:
        self.journal = self.dice.choice(sorted(self.stage.journals))
        self.stream = streams.stream_name(self.journal)
        self.target = self.stream
        self.detail = {"journal": self.journal}

    @property
    def claims(self) -> frozenset[str]:
        return frozenset({"streams", *(node.home.name for node in self.stage.nodes.all)})


class StreamWiped(_OfStream):
    """The stream is deleted with everything in it."""

    name = "nats-stream-wiped"

    async def begin(self) -> None:
        async with self.stage.nats() as admin:
            await admin.jetstream(timeout=5).delete_stream(self.stream)


class ForeignMessage(_OfStream):
    """Somebody who may publishes on a journal's subjects: the stream is ahead of the journal."""

    name = "nats-foreign-message"

    async def begin(self) -> None:
        (tenant, *_) = self.stage.journals[self.journal]
        subject = f"rapport.v1.events.{self.journal}.{tenant}.touchpoint.call"
        async with self.stage.nats(admin=False) as stranger:
            answer = await stranger.jetstream(timeout=5).publish(subject, b"!")
        self.detail["sequence"] = answer.seq


class TailCut(_OfStream):
    """NATS crashes, and has what it had a while ago: the tails of all streams are gone."""

    name = "nats-tail-cut-off"
    lasts_s = (3.0, 8.0)

    def choose(self) -> None:
        self.target = "nats"

    async def begin(self) -> None:
        older = self.stage.run.directory / "older"
        await self.wholly(asyncio.to_thread(self.stage.nodes.put_aside, older))

    async def end(self) -> None:
        older = self.stage.run.directory / "older"
        await asyncio.to_thread(self.stage.nodes.put_back, older)


class LeaderKilled(_OfStream):
    """SIGKILL to the server that leads a stream's three copies."""

    name = "nats-leader-killed"
    lasts_s = (3.0, 10.0)

    @classmethod
    def why_not(cls, stage: Stage) -> str | None:
        return None if stage.nats_mode == "r3" else "NATS is one server in this run"

    def choose(self) -> None:
        super().choose()
        self._node = self.stage.nodes.all[0]

    async def begin(self) -> None:
        async with self.stage.nats() as admin:
            info = await admin.jetstream(timeout=5).stream_info(self.stream)
        leader = info.cluster.leader if info.cluster is not None else ""
        self.detail["leader"] = leader
        self._node = next(node for node in self.stage.nodes.all if node.server_name == leader)
        await self.wholly(asyncio.to_thread(self._node.kill))

    async def end(self) -> None:
        await asyncio.to_thread(self._node.start)


OF_STORES: Final[Sequence[type[Fault]]] = (
    ConnectionsKilled,
    LongTransaction,
    DiskLow,
    DiskFull,
    StoreFull,
    StreamWiped,
    ForeignMessage,
    TailCut,
    LeaderKilled,
)
