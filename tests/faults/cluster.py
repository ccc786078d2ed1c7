"""Rapport as it runs: processes of its own, two of each service, on servers that may be crashed."""

import asyncio
import secrets
import shutil
import signal
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families
from rapport import Rapport, RetryPolicy

from deploy.local.files import write_private
from deploy.local.nats import NatsServer
from deploy.local.postgres import PostgresServer
from deploy.local.provision import Login, ensure_logins, with_login
from deploy.local.service import LEDGER, PROJECTOR, Service, ServiceSpec
from deploy.local.state import StackState
from services.operator.config import Installation
from services.runtime.vault.master import MasterKeys
from tests.support.databases import Background, Database, DatabaseFactory
from tests.support.servers import TestRun, service_env

WAIT_S: Final = 60.0
_POLL_S: Final = 0.05
_KILL: Final = ((signal.SIGKILL, 10.0),)
# A crash in mid-test must not wait for the polite end of its victims.
_QUICK: Final = {"RAPPORT_DRAIN_NOTICE_S": "0", "RAPPORT_DRAIN_GRACE_S": "1"}


class Replica:
    """One process of a service; its address stays the same from one start to the next."""

    def __init__(self, service: Service, state: StackState) -> None:
        self.name = service.name
        self._service, self._state = service, state

    @property
    def target(self) -> str:
        """Where it listens, or listened."""
        return self._state.endpoints[self.name]

    @property
    def views_login(self) -> str:
        """The login of a projector."""
        dsn = self._state.env[f"{self.name.upper().replace('-', '_')}_VIEWS"]
        return urlsplit(dsn).username or ""

    async def start(self) -> None:
        """Returns when it listens."""
        await asyncio.to_thread(self._service.start)

    @property
    def log(self) -> Path:
        """What it says."""
        return self._service.log

    @property
    def metrics_target(self) -> str:
        """Where its metrics are."""
        return self._state.endpoints[f"{self.name}_metrics"]

    @property
    def pid(self) -> int:
        """Of its process."""
        assert self._service.process is not None
        return int(self._service.process.pid)

    async def drain(self) -> None:
        """SIGTERM, and SIGKILL for who does not end; returns when it is gone."""
        await asyncio.to_thread(self._service.stop)

    async def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        assert self._service.process is not None
        await asyncio.to_thread(self._service.process.stop, _KILL)

    def freeze(self) -> None:
        """SIGSTOP: it keeps its connections and its locks, and does nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def end(self) -> None:
        """Let it end, whatever state it is in; blocks."""
        if self._service.alive():
            assert self._service.process is not None
            self._service.process.stop(_KILL)

    def ensure(self) -> None:
        """Start it unless it runs; blocks."""
        if self._service.alive():
            self.thaw()
        self._service.start()

    async def metrics(self) -> dict[tuple[str, ...], float]:
        """Its samples by name and label values, in the order of the labels' names."""
        url = f"http://{self._state.endpoints[f'{self.name}_metrics']}/metrics"
        text = await asyncio.to_thread(_fetch, url)
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def is_serving(self, name: str = "") -> bool:
        """The health of a name."""
        async with grpc.aio.insecure_channel(self.target) as channel:
            request = health_pb2.HealthCheckRequest(service=name)
            answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=30)
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def until_serving(self, name: str = "", *, serving: bool = True) -> None:
        """Returns when the health of a name is so."""

        async def look() -> bool:
            return await self.is_serving(name) is serving

        await until(look, f"{self.name} {name} {'' if serving else 'NOT_'}SERVING")

    def _signal(self, number: signal.Signals) -> None:
        assert self._service.process is not None
        assert self._service.process.signal(number), f"{self.name} is gone"


@dataclass(slots=True)
class Cluster:
    """Two ledgers, each with a relay, and two projectors on a PostgreSQL and a NATS."""

    postgres: PostgresServer
    nats: NatsServer
    database: Database
    ledgers: tuple[Replica, Replica]
    projectors: tuple[Replica, Replica]
    state: StackState
    directory: Path
    # One more replica by name: a ledger, or a projector that has its entry for the views.
    make: Callable[[str], Replica]
    # The name of a journal made ahead, so that relays and projectors have found it when it is used.
    ahead: str = ""

    @property
    def installation(self) -> Installation:
        """What operators' commands take."""
        return Installation.from_mapping(self.state.env)

    def client(
        self,
        tenant: str | None = None,
        *,
        ledger: str | None = None,
        projector: str | None = None,
        retry: RetryPolicy | None = None,
        principal: str = "services/tests",
    ) -> Rapport:
        """A client of whichever replicas answer, unless told which."""
        return Rapport(
            ledger or any_of(self.ledgers),
            projector or any_of(self.projectors),
            tenant=tenant,
            principal=principal,
            retry=retry,
        )

    def mend(self) -> None:
        """Start whatever a test left dead or frozen; blocks."""
        self.postgres.start()
        self.nats.start()
        for replica in (*self.ledgers, *self.projectors):
            replica.ensure()


async def until(
    condition: Callable[[], Awaitable[Any]], what: str, timeout_s: float = WAIT_S
) -> Any:
    """Looks until the condition holds, and gives what it gave; fails with `what` if it never does.

    What is waited for is the doing of other processes: nobody tells this one.
    """
    deadline_s = time.monotonic() + timeout_s
    while not (found := await condition()):
        assert time.monotonic() < deadline_s, f"never came: {what}"
        await asyncio.sleep(_POLL_S)
    return found


@contextmanager
def cluster_of(run: TestRun, background: Background) -> Iterator[Cluster]:
    """A cluster of one's own; blocks while it starts."""
    with (
        run.private_postgres(max_connections=200) as postgres,
        run.private_nats() as nats,
        cluster_on(run, background, postgres, nats) as cluster,
    ):
        yield cluster


class Wiring:
    """How the processes of a cluster reach each other: directly, unless told otherwise."""

    def via(self, name: str, variable: str, address: str) -> str:
        """What the replica `name` is given as the setting `variable`, which says `address`."""
        return address

    def spec(self, spec: ServiceSpec) -> ServiceSpec:
        """The service as it is to run."""
        return spec

    def env(self, name: str) -> dict[str, str]:
        """More of the environment of the replica `name`."""
        return {}


@contextmanager
def cluster_on(
    run: TestRun,
    background: Background,
    postgres: PostgresServer,
    nats: NatsServer,
    wiring: Wiring | None = None,
) -> Iterator[Cluster]:
    """A cluster on servers that run already; blocks while it starts."""
    wiring = wiring or Wiring()
    directory = Path(tempfile.mkdtemp(prefix="cluster-", dir=run.directory))
    directory.chmod(0o711)
    for name in ("run", "logs"):
        (directory / name).mkdir(mode=0o700)
    database = DatabaseFactory(postgres.dsn, run, background).create()
    state = _state_of(directory, database, nats)
    state.env["RAPPORT_POSTGRES_DATA"] = str(postgres.data)

    def make(name: str) -> Replica:
        target = name.upper().replace("-", "_")
        spec = replace(LEDGER, name=name, target=target)
        if name.startswith("projector"):
            settings = {**PROJECTOR.settings, "RAPPORT_LEDGER_TARGET": "LEDGERS"}
            settings["RAPPORT_VIEWS_DSN"] = f"{target}_VIEWS"
            spec = replace(PROJECTOR, name=name, target=target, settings=settings)
        settings = {}
        for variable, entry in spec.settings.items():
            settings[variable] = f"{target}:{variable}"
            state.env[settings[variable]] = wiring.via(name, variable, state.env[entry])
        spec = wiring.spec(replace(spec, settings=settings))
        inherited = {**run.config.inherited, **_QUICK, **wiring.env(name)}
        service = Service(spec, directory, state, inherited, lambda: state.save(directory))
        return Replica(service, state)

    started: list[Replica] = []

    def start(*names: str) -> tuple[Replica, Replica]:
        one, two = (make(name) for name in names)
        started.extend((one, two))
        with ThreadPoolExecutor() as threads:
            list(threads.map(Replica.ensure, (one, two)))
        return one, two

    try:
        ledgers = start("ledger-1", "ledger-2")
        state.env["LEDGERS"] = any_of(ledgers)
        # A login of its own each, so that PostgreSQL can tell them apart.
        state.env["PROJECTOR_1_VIEWS"] = database.views_dsn
        state.env["PROJECTOR_2_VIEWS"] = background.run(_add_login(database))
        projectors = start("projector-1", "projector-2")
        yield Cluster(postgres, nats, database, ledgers, projectors, state, directory, make)
    finally:
        for replica in reversed(started):
            replica.end()
        shutil.rmtree(directory, ignore_errors=True)


def any_of(replicas: tuple[Replica, Replica], first: int = 0) -> str:
    """A target that is whichever of two answers, beginning with one of them."""
    ordered = (replicas[first], replicas[1 - first])
    return f"ipv4:{','.join(replica.target for replica in ordered)}"


def _state_of(directory: Path, database: Database, nats: NatsServer) -> StackState:
    key_file = directory / "master.key"
    write_private(key_file, MasterKeys.generate_line("first") + "\n")
    env = service_env(database.env(), nats)
    env["RAPPORT_VAULT_READER_DSN"] = database.vault_reader_dsn
    env["RAPPORT_MASTER_KEY_FILE"] = str(key_file)
    return StackState(installation=secrets.token_hex(4), env=env)


async def _add_login(database: Database) -> str:
    """The DSN of one more login for the views."""
    name = f"{urlsplit(database.views_dsn).username}_2"
    login = Login(name, secrets.token_urlsafe(16), "rapport_projector")
    await ensure_logins(database.admin_dsn, [login])
    return with_login(database.admin_dsn, login.user, login.password)


def _fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        text: str = answer.read().decode()
    return text
