"""The whole of Rapport in one folder: PostgreSQL, NATS, the ledger and the projector."""

import fcntl
import os
import secrets
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from deploy.local.config import LocalConfig
from deploy.local.errors import StackError
from deploy.local.files import write_private
from deploy.local.nats import NatsServer
from deploy.local.postgres import PostgresServer, postgres_home
from deploy.local.process import Process, identity_of
from deploy.local.provision import (
    LOGIN_PARTS,
    SCHEMA_PARTS,
    Login,
    SchemaPart,
    create_database,
    ensure_logins,
    migrate_all,
    with_login,
)
from deploy.local.readiness import ensure_tenant, wait_serving
from deploy.local.service import LEDGER, PROJECTOR, Service, ServiceSpec
from deploy.local.state import StackState
from deploy.local.supervisor import Part, Supervisor, in_thread
from services.runtime.migrations import MigrationError
from services.runtime.vault.master import MasterKeys

DATABASE = "rapport"
DEFAULT_TENANT = "default"
SUPERVISOR_STOP_TIMEOUT_S = 150.0


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One line of `rapport status`; pid and endpoint are None when it does not run here."""

    name: str
    state: str
    pid: int | None
    endpoint: str | None


class Stack:
    """What runs in `directory`, and how to start and stop it.

    `up` returns when everything serves; `watch` then keeps it so; `down` ends it in the order
    projector, ledger, NATS, PostgreSQL. One process at a time may be between `up` and `down` on a
    folder; it holds the folder's lock.
    """

    def __init__(
        self,
        directory: Path,
        config: LocalConfig | None = None,
        *,
        services: Sequence[ServiceSpec] = (LEDGER, PROJECTOR),
        schemas: Sequence[SchemaPart] = SCHEMA_PARTS,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.directory = directory.absolute()
        self.config = LocalConfig.from_env() if config is None else config
        self._services = services
        self._schemas = schemas
        self._say = say
        self._supervisor: Supervisor | None = None
        self._state: StackState | None = None

    @property
    def state(self) -> StackState:
        """What is written in `stack.json`; valid after `up`."""
        assert self._state is not None
        return self._state

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the folder's lock; makes the folder. Raises StackError when another holds it."""
        self._make_directory()
        with (self.directory / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                state = StackState.load(self.directory)
                who = "" if state is None or state.supervisor is None else state.supervisor.pid
                raise StackError(f"{self.directory} is already up, by process {who}") from error
            yield

    async def up(self) -> StackState:
        """Starts what does not run, adopts what does. Needs the lock. Raises StackError."""
        state = self._load_or_begin()
        supervisor = Supervisor(self._wanted_parts(state), self._say, self._started)
        self._supervisor = supervisor
        self._use_external_servers(state)
        servers = [part for part in supervisor.parts if not isinstance(part, Service)]
        for part in servers:
            await supervisor.start(part)
        await self._prepare_database(state)
        self._save()
        for part in supervisor.parts:
            if isinstance(part, Service):
                await supervisor.start(part)
                await wait_serving(part.name, state.endpoints[part.name])
                if part.name == LEDGER.name:
                    await ensure_tenant(state.endpoints[part.name], DEFAULT_TENANT)
        state.ready = True
        self._save()
        return state

    async def watch(self) -> None:
        """Restarts whatever ends, until cancelled. After `up`."""
        assert self._supervisor is not None
        await self._supervisor.watch()

    async def stop_parts(self) -> None:
        """Ends every part, those an earlier `up` left included. Needs the lock."""
        state = self._state or StackState.load(self.directory)
        if state is None:
            return
        self._state = state
        state.ready = False
        self._save()
        await Supervisor(self._known_parts(state), self._say, self._started).stop()
        state.processes.clear()
        state.supervisor = None
        self._save()

    async def down(self) -> bool:
        """Ends whatever `up` runs the folder, then what is left; False if nothing was ever up."""
        state = StackState.load(self.directory)
        if state is None:
            return False
        running = Process.adopt("up", state.supervisor)
        if running is not None and running.pid != os.getpid():
            running.signal(signal.SIGTERM)
            if not await in_thread(lambda: running.wait(SUPERVISOR_STOP_TIMEOUT_S)):
                raise StackError(f"`rapport up` (pid {running.pid}) does not end")
        with self.locked():
            await self.stop_parts()
        return True

    def status(self) -> list[PartStatus]:
        """What runs now, in the order it was started; empty if nothing was ever up."""
        state = StackState.load(self.directory)
        if state is None:
            return []
        lines = []
        for name in ("postgres", "nats", *(spec.name for spec in self._services), "up"):
            identity = state.supervisor if name == "up" else state.processes.get(name)
            process = Process.adopt(name, identity)
            external = name in ("postgres", "nats") and identity is None and state.ready
            lines.append(
                PartStatus(
                    name,
                    "external" if external else "stopped" if process is None else "running",
                    None if process is None else process.pid,
                    None if process is None else state.endpoints.get(name),
                )
            )
        return lines

    def _make_directory(self) -> None:
        # A folder that was there keeps its mode: it may hold more than this stack. Root's must be
        # open for passing through, because PostgreSQL runs as another user; its files are not.
        if not self.directory.exists():
            try:
                self.directory.mkdir(parents=True, mode=0o711 if os.geteuid() == 0 else 0o700)
            except OSError as error:
                raise StackError(f"cannot make {self.directory}: {error.strerror}") from error
            (self.directory / ".gitignore").write_text("*\n")
        for name in ("run", "logs"):
            (self.directory / name).mkdir(mode=0o700, exist_ok=True)

    def _load_or_begin(self) -> StackState:
        state = StackState.load(self.directory)
        if state is None:
            state = StackState(installation=secrets.token_hex(4))
        for part in LOGIN_PARTS:
            state.passwords.setdefault(part.name, secrets.token_urlsafe(24))
        state.ready = False
        state.supervisor = identity_of(os.getpid())
        state.env["RAPPORT_MASTER_KEY_FILE"] = str(self._master_key(state))
        self._state = state
        self._save()
        return state

    def _master_key(self, state: StackState) -> Path:
        path = self.directory / "master.key"
        if not path.exists():
            if "RAPPORT_MASTER_KEY_FILE" in state.env:
                raise StackError(f"{path} is gone, and what it sealed with it: put it back")
            write_private(path, MasterKeys.generate_line() + "\n")
        return path

    def _wanted_parts(self, state: StackState) -> list[Part]:
        """What `up` has to run, in order: no server that the environment names another for."""
        if self.config.postgres_dsn is None and state.postgres_home is None:
            state.postgres_home = str(postgres_home(self.directory))
            self._save()
        return [
            part
            for part in self._known_parts(state)
            if not (isinstance(part, PostgresServer) and self.config.postgres_dsn is not None)
            and not (isinstance(part, NatsServer) and self.config.nats_url is not None)
        ]

    def _known_parts(self, state: StackState) -> list[Part]:
        """What may run from this folder, in order, whatever the environment says now."""
        parts: list[Part] = []
        if state.postgres_home is not None:
            home = Path(state.postgres_home)
            parts.append(PostgresServer(home, binaries=self.config.postgres_bin))
        parts.append(NatsServer(self.directory / "nats", binary=self.config.nats_bin))
        parts += [
            Service(spec, self.directory, state, self.config.inherited, self._save)
            for spec in self._services
        ]
        return parts

    def _use_external_servers(self, state: StackState) -> None:
        if self.config.postgres_dsn is not None:
            self.use_postgres(state, self.config.postgres_dsn, None)
            state.endpoints.pop("postgres", None)
            state.processes.pop("postgres", None)
        if self.config.nats_url is not None:
            assert self.config.nats_admin_url is not None
            state.env["RAPPORT_NATS_URL"] = self.config.nats_url
            state.env["RAPPORT_NATS_ADMIN_URL"] = self.config.nats_admin_url
            state.endpoints.pop("nats", None)
            state.endpoints.pop("nats_monitoring", None)
            state.processes.pop("nats", None)

    def use_postgres(self, state: StackState, admin_dsn: str, data: Path | None) -> None:
        """Points the parts at a server. `data`: its folder on this machine; None: elsewhere."""
        state.env["RAPPORT_POSTGRES_DSN"] = admin_dsn
        state.env["RAPPORT_POSTGRES_DATA"] = "" if data is None else str(data)
        for part, login in zip(LOGIN_PARTS, self._logins(state), strict=True):
            state.env[part.dsn_variable] = with_login(admin_dsn, login.user, login.password)

    def _started(self, part: Part) -> None:
        """Writes down where a part is now; services read it when they are next started."""
        state = self.state
        if part.process is not None:
            state.processes[part.name] = part.process.identity
        if isinstance(part, PostgresServer):
            self.use_postgres(state, part.dsn_of(DATABASE), part.data)
            state.endpoints["postgres"] = f"127.0.0.1:{part.port}"
        elif isinstance(part, NatsServer):
            state.env["RAPPORT_NATS_URL"] = part.url
            state.env["RAPPORT_NATS_ADMIN_URL"] = part.admin_url
            state.endpoints["nats"] = f"127.0.0.1:{part.port}"
            state.endpoints["nats_monitoring"] = part.monitoring_url
        self._save()

    async def _prepare_database(self, state: StackState) -> None:
        admin_dsn = state.env["RAPPORT_POSTGRES_DSN"]
        try:
            for part in self._supervisor.parts if self._supervisor is not None else []:
                if isinstance(part, PostgresServer):
                    await create_database(part.dsn, DATABASE)
            applied = await migrate_all(admin_dsn, self._schemas)
            await ensure_logins(admin_dsn, self._logins(state))
        except MigrationError as error:
            raise StackError(f"migration: {error}") from error
        except (OSError, asyncpg.PostgresError) as error:
            raise StackError(f"PostgreSQL cannot be prepared: {error}") from error
        if applied:
            self._say(f"postgres: applied {len(applied)} migrations, up to {applied[-1]}")

    def _logins(self, state: StackState) -> list[Login]:
        return [
            Login(
                f"rapport_{state.installation}_{part.name}",
                state.passwords[part.name],
                part.group,
            )
            for part in LOGIN_PARTS
        ]

    def _save(self) -> None:
        self.state.save(self.directory)
