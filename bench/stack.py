"""What is measured: real servers and services as processes, in a folder that goes afterwards.

It is what `rapport up` runs, fsync on, ports from the kernel; only that each service is started
when a measurement wants it, and that there may be more databases on the server.
"""

import asyncio
import dataclasses
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import asyncpg

from deploy.local.config import LocalConfig
from deploy.local.postgres import remove_home
from deploy.local.provision import create_database, migrate_all, with_database
from deploy.local.readiness import ensure_tenant, wait_serving
from deploy.local.service import LEDGER, PROJECTOR, Service, ServiceSpec
from deploy.local.stack import Stack
from deploy.local.state import StackState

TENANT: Final = "default"
JOURNAL: Final = "main"
PRINCIPAL: Final = "services/bench"
_POLL_S: Final = 0.02

# A ledger that publishes nothing: what appending costs by itself.
LEDGER_ALONE: Final = dataclasses.replace(
    LEDGER,
    settings={k: v for k, v in LEDGER.settings.items() if k != "RAPPORT_NATS_URL"},
)


class BenchError(Exception):
    """The benchmark itself broke."""


def bench_directory() -> Path:
    """A new folder for a stack; who made it removes it."""
    directory = Path(tempfile.mkdtemp(prefix="rapport-bench-"))
    # PostgreSQL may run as another user and must get through.
    directory.chmod(0o711)
    return directory


class BenchStack:
    """PostgreSQL and NATS, and the services started so far. An async context manager.

    Leaving it ends every process and removes every file.
    """

    def __init__(self) -> None:
        self.directory = bench_directory()
        config = dataclasses.replace(
            LocalConfig.from_env(), postgres_dsn=None, nats_url=None, nats_admin_url=None
        )
        self._config = config
        self._stack = Stack(self.directory, config, services=())
        self._services: dict[str, Service] = {}
        # The folder's lock, from beginning to end.
        self._held = ExitStack()

    @property
    def state(self) -> StackState:
        """Endpoints and settings."""
        return self._stack.state

    @property
    def dsn(self) -> str:
        """The owner's DSN of the database the services use."""
        return self.state.env["RAPPORT_POSTGRES_DSN"]

    @property
    def nats_admin_url(self) -> str:
        """A NATS login that may make and delete streams."""
        return self.state.env["RAPPORT_NATS_ADMIN_URL"]

    def target(self, name: str) -> str:
        """Where a service listens."""
        return self.state.endpoints[name]

    async def __aenter__(self) -> Self:
        try:
            self._held.enter_context(self._stack.locked())
            await self._stack.up()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._end()

    async def start_ledger(self, *, relay: bool) -> str:
        """Start the ledger, with or without its relay; where it listens."""
        target = await self._start(LEDGER if relay else LEDGER_ALONE)
        await ensure_tenant(target, TENANT)
        return target

    async def start_projector(self) -> str:
        """Start the projector; where it listens."""
        return await self._start(PROJECTOR)

    async def stop(self, name: str) -> None:
        """End a service in order."""
        await asyncio.to_thread(self._services.pop(name).stop)

    def pid(self, name: str) -> int:
        """The process of a service."""
        process = self._services[name].process
        assert process is not None
        return process.pid

    async def fresh_database(self, name: str) -> str:
        """A migrated, empty database on the same server; its owner's DSN."""
        await create_database(self.dsn, name)
        dsn = with_database(self.dsn, name)
        await migrate_all(dsn)
        conn = await asyncpg.connect(dsn)
        try:
            await conn.execute("SELECT journal.ensure_partitions()")
        finally:
            await conn.close()
        return dsn

    async def head(self) -> int:
        """The last position of the journal."""
        return await self._number("SELECT head FROM journal.journals WHERE journal = $1")

    async def checkpoint(self) -> int:
        """The last position in the read models; 0 before there are any."""
        return await self._number("SELECT position FROM views.checkpoints WHERE journal = $1")

    async def projected(self, position: int, *, timeout_s: float = 3600.0) -> None:
        """Returns when the read models hold a position."""
        try:
            async with asyncio.timeout(timeout_s):
                conn = await asyncpg.connect(self.dsn)
                try:
                    query = "SELECT position FROM views.checkpoints WHERE journal = $1"
                    while (await conn.fetchval(query, JOURNAL) or 0) < position:  # noqa: ASYNC110
                        await asyncio.sleep(_POLL_S)
                finally:
                    await conn.close()
        except TimeoutError:
            raise BenchError(f"the read models do not reach {position}") from None

    async def _number(self, query: str) -> int:
        conn = await asyncpg.connect(self.dsn)
        try:
            return int(await conn.fetchval(query, JOURNAL) or 0)
        finally:
            await conn.close()

    async def _start(self, spec: ServiceSpec) -> str:
        service = Service(spec, self.directory, self.state, self._config.inherited, self._saved)
        self._services[spec.name] = service
        await asyncio.to_thread(service.start)
        target = self.state.endpoints[spec.name]
        await wait_serving(spec.name, target)
        return target

    def _saved(self) -> None:
        self.state.save(self.directory)

    async def _end(self) -> None:
        for name in ("projector", "ledger"):
            if name in self._services:
                await self.stop(name)
        home = None
        if StackState.load(self.directory) is not None:
            await self._stack.stop_parts()
            home = self.state.postgres_home
        if home is not None:
            remove_home(Path(home))
        self._held.close()
        shutil.rmtree(self.directory, ignore_errors=True)
