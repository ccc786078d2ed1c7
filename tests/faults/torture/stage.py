"""Where a run plays: every process, on servers of its own, with a proxy between every pair."""

import asyncio
import random
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from nats.aio.client import Client
from rapport import Rapport
from rapport.events.connecting import connect

from deploy.local.postgres import PostgresServer, postgres_home, remove_home
from deploy.local.service import ServiceSpec
from tests.faults.cluster import Cluster, Replica, Wiring, cluster_on
from tests.faults.torture.disks import SmallDisk, small_disk, why_no_disks
from tests.faults.torture.history import HistoryWriter
from tests.faults.torture.nodes import NODES, Nodes
from tests.faults.torture.proxy import Address, Proxy
from tests.faults.torture.skewed import SKEW_FILE, set_skew
from tests.support.databases import Background
from tests.support.servers import TestRun

_LEDGERS: Final = ("ledger-1", "ledger-2", "ledger-3")
_PROJECTORS: Final = ("projector-1", "projector-2")
# Twice what ledgers want to be free; memory is used only for what is written.
POSTGRES_DISK_BYTES: Final = 1_536 << 20
NATS_DISK_BYTES: Final = 512 << 20
_CONNECT_S: Final = 5.0
_PORT: Final = re.compile(r":\d+$")


@dataclass(slots=True)
class Stage:
    """All there is in a run. `pairs` is by name: `ledger-1>postgres`, `clients>ledger-2` …"""

    seed: int
    run: TestRun
    history: HistoryWriter
    nats_mode: Literal["single", "r3"]
    nodes: Nodes
    pairs: dict[str, Proxy] = field(default_factory=dict)
    disks: dict[str, SmallDisk] = field(default_factory=dict)
    no_disks: str | None = None
    journals: dict[str, tuple[str, ...]] = field(default_factory=dict)
    third: Replica | None = None
    _cluster: Cluster | None = None

    @property
    def cluster(self) -> Cluster:
        """The processes."""
        assert self._cluster is not None, "it has not been started yet"
        return self._cluster

    def start_with(self, cluster: Cluster) -> None:
        """The processes run."""
        self._cluster = cluster

    @property
    def replicas(self) -> list[Replica]:
        """Every process of a service but the third ledger."""
        return [*self.cluster.ledgers, *self.cluster.projectors]

    @property
    def proxies(self) -> dict[str, Proxy]:
        """Every pair, those between the servers of NATS included."""
        return {**self.pairs, **{proxy.name: proxy for proxy in self.nodes.routes.values()}}

    def dice(self, name: str) -> random.Random:
        """Dice of its own for whoever needs some: what others throw does not change them."""
        return random.Random(f"{self.seed} {name}")

    def target(self, kind: str, first: int, *, alone: bool) -> str:
        """Where clients find a service, through proxies: one replica, or first one, then both."""
        ports = [self.pairs[f"clients>{kind}-{n + 1}"].port for n in (first, 1 - first)]
        found = [f"127.0.0.1:{port}" for port in ports]
        return found[0] if alone else f"ipv4:{','.join(found)}"

    @property
    def subscribers_nats(self) -> str:
        """How subscribers find NATS."""
        return _moved(self.nodes.all[0].url, self.pairs["clients>nats"].port)

    def direct(self, tenant: str | None = None, projector: int = 0) -> Rapport:
        """A client that no proxy disturbs, for before and after."""
        target = self.cluster.projectors[projector].target
        return self.cluster.client(tenant, projector=target)

    async def owner(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Rows of a statement run as the database's owner, undisturbed."""
        async with self.owner_connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
            return rows

    @asynccontextmanager
    async def owner_connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection as the database's owner that is dropped at the end, whatever its state."""
        dsn = self.cluster.database.admin_dsn
        connection = await asyncpg.connect(dsn, timeout=_CONNECT_S, command_timeout=30)
        try:
            yield connection
        finally:
            connection.terminate()

    @asynccontextmanager
    async def nats(self, node: int = 0, *, admin: bool = True) -> AsyncIterator[Client]:
        """A connection to one of the servers of NATS, undisturbed."""
        server = self.nodes.all[node]
        async with asyncio.timeout(_CONNECT_S):
            client = await connect(
                server.admin_url if admin else server.url,
                allow_reconnect=False,
                connect_timeout=int(_CONNECT_S),
                error_cb=_quiet,
            )
        try:
            yield client
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CONNECT_S):
                    await client.close()


class ThroughProxies(Wiring):
    """Every way of a replica leads through a proxy of that pair; its clock can be moved."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def via(self, name: str, variable: str, address: str) -> str:
        """The proxy's address in place of the server's."""
        pairs = self._stage.pairs
        if variable.endswith("_DSN"):
            return _moved(address, pairs[f"{name}>postgres"].port)
        if variable == "RAPPORT_NATS_URL":
            return _moved(address, pairs[f"{name}>nats"].port)
        if variable == "RAPPORT_LEDGER_TARGET":
            ports = [pairs[f"{name}>{ledger}"].port for ledger in _LEDGERS[:2]]
            return f"ipv4:{','.join(f'127.0.0.1:{port}' for port in ports)}"
        if variable == "RAPPORT_POSTGRES_DATA" and name == "ledger-2":
            return ""  # it learns of a full disk from PostgreSQL alone
        return address

    def spec(self, spec: ServiceSpec) -> ServiceSpec:
        """The same service with a clock that can be moved."""
        return replace(spec, module=f"tests.faults.torture.skewed_{spec.module.split('.')[-1]}")

    def env(self, name: str) -> dict[str, str]:
        """Where the clock looks, and how many copies a stream has."""
        path = skew_file(self._stage, name)
        set_skew(path, 0)
        replicas = NODES if self._stage.nats_mode == "r3" else 1
        return {SKEW_FILE: str(path), "RAPPORT_STREAM_REPLICAS": str(replicas)}


def skew_file(stage: Stage, name: str) -> Path:
    """What a replica's clock looks at."""
    return stage.run.directory / f"skew-{name}"


@asynccontextmanager
async def staged(
    seed: int, run: TestRun, background: Background, history: HistoryWriter, nats_mode: str
) -> AsyncIterator[Stage]:
    """Everything started, the journals of the run made; everything ended at the end."""
    mode: Literal["single", "r3"] = "r3" if nats_mode == "r3" else "single"
    directory = await asyncio.to_thread(_make_directory, run)
    number = NODES if mode == "r3" else 1
    stage = Stage(seed, run, history, mode, Nodes(directory, run.config.nats_bin, number))
    stage.no_disks = await asyncio.to_thread(why_no_disks)
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        threaded = ExitStack()
        stack.push_async_callback(asyncio.to_thread, threaded.close)
        for node in stage.nodes.all:
            await asyncio.to_thread(_make_disk, stage, threaded, node.home, NATS_DISK_BYTES)
        await stage.nodes.start_routes(lambda name, where: _proxy(stage, stack, name, where))
        threaded.callback(stage.nodes.end)
        await asyncio.to_thread(stage.nodes.start)
        postgres = await asyncio.to_thread(_start_postgres, stage, directory, threaded)
        await _start_proxies(stage, stack, postgres)
        first = stage.nodes.all[0]
        made = cluster_on(run, background, postgres, first, ThroughProxies(stage))
        stage.start_with(await asyncio.to_thread(threaded.enter_context, made))
        threaded.callback(_end_third, stage)
        await _make_journals(stage)
        yield stage


def _end_third(stage: Stage) -> None:
    if stage.third is not None:
        stage.third.end()


def _make_directory(run: TestRun) -> Path:
    directory = Path(tempfile.mkdtemp(prefix="torture-", dir=run.directory))
    directory.chmod(0o711)  # PostgreSQL may run as another user and must get through
    return directory


def _make_disk(stage: Stage, stack: ExitStack, home: Path, size_bytes: int) -> None:
    home.mkdir(parents=True, exist_ok=True)
    if stage.no_disks is None:
        stage.disks[home.name] = stack.enter_context(small_disk(home, size_bytes))


def _start_postgres(stage: Stage, directory: Path, stack: ExitStack) -> PostgresServer:
    place = directory / "disk"
    _make_disk(stage, stack, place, POSTGRES_DISK_BYTES)
    place.chmod(0o711)
    server = PostgresServer(
        postgres_home(place),
        binaries=stage.run.config.postgres_bin,
        max_connections=200,
        shared_buffers="32MB",
    )

    def end() -> None:
        server.find()
        server.abort()
        remove_home(server.home)

    stack.callback(end)
    server.start()
    return server


async def _start_proxies(stage: Stage, stack: AsyncExitStack, postgres: PostgresServer) -> None:
    def to(name: str) -> Callable[[], list[Address]]:
        return lambda: [_address(stage.cluster.state.endpoints[name])]

    for number, name in enumerate((*_LEDGERS, *_PROJECTORS)):
        first = number % len(stage.nodes.all)
        ways: dict[str, Callable[[], list[Address]]] = {
            "postgres": lambda: [("127.0.0.1", postgres.port)],
            "nats": lambda first=first: stage.nodes.addresses(first),  # type: ignore[misc]
        }
        if name in _PROJECTORS:
            ways |= {ledger: to(ledger) for ledger in _LEDGERS[:2]}
        for server, where in ways.items():
            pair = f"{name}>{server}"
            stage.pairs[pair] = _proxy(stage, stack, pair, where)
    for name in (*_LEDGERS[:2], *_PROJECTORS):
        pair = f"clients>{name}"
        stage.pairs[pair] = _proxy(stage, stack, pair, to(name))
    nats_pair = "clients>nats"
    stage.pairs[nats_pair] = _proxy(stage, stack, nats_pair, lambda: stage.nodes.addresses(0))
    for proxy in stage.pairs.values():
        await proxy.start()


def _proxy(
    stage: Stage, stack: AsyncExitStack, name: str, where: Callable[[], list[Address]]
) -> Proxy:
    proxy = Proxy(name, where, stage.dice(name))
    stack.push_async_callback(proxy.close)
    return proxy


async def _make_journals(stage: Stage) -> None:
    """Two journals: one of two tenants, and one of one, which poison may come into."""
    base = f"torture-{stage.seed}"
    stage.journals = {f"{base}-a": (f"{base}-a1", f"{base}-a2"), f"{base}-b": (f"{base}-b1",)}
    async with stage.direct() as client:
        for journal, tenants in stage.journals.items():
            await client.create_journal(journal)
            for tenant in tenants:
                await client.create_tenant(tenant, journal=journal)


def _address(target: str) -> Address:
    host, _, port = target.rpartition(":")
    return host, int(port)


def _moved(url: str, port: int) -> str:
    """The URL with another port."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=_PORT.sub(f":{port}", parts.netloc)))


async def _quiet(_: Exception) -> None:
    """Errors come as exceptions of what was asked for."""
