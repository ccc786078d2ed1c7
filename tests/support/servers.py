"""The real servers of a test run: started once, shared by all workers, gone at the end.

A run has one folder. Whoever needs a server first starts it under a file lock; the process that
began the run stops them all. A run that was killed leaves its folder, and the next run sweeps it.
"""

import fcntl
import hashlib
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local.config import LocalConfig
from deploy.local.errors import StackError
from deploy.local.nats import NatsServer
from deploy.local.postgres import PostgresServer, postgres_home, remove_home
from deploy.local.process import Process, ProcessIdentity, identity_of
from deploy.local.state import FILE_NAME as STATE_FILE
from deploy.local.state import StackState

RUN_PREFIX = "rapport-tests-"


@dataclass(frozen=True, slots=True)
class NatsEndpoint:
    """A NATS server that tests share: name journals and streams so that they meet nobody else's."""

    url: str
    admin_url: str


class TestRun:
    """The folder of one test run and the servers in it."""

    __test__ = False

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.config = LocalConfig.from_env()

    @classmethod
    def begin(cls) -> "TestRun":
        """A new run, owned by this process; sweeps what killed runs left."""
        sweep()
        directory = Path(tempfile.mkdtemp(prefix=RUN_PREFIX))
        directory.chmod(0o711)  # PostgreSQL may run as another user and must get through
        owner = identity_of(os.getpid())
        assert owner is not None
        (directory / "owner").write_text(json.dumps([owner.pid, owner.started]))
        return cls(directory)

    @property
    def name(self) -> str:
        """Eight characters that differ between runs, for names on servers shared with others."""
        return hashlib.sha256(str(self.directory).encode()).hexdigest()[:8]

    @contextmanager
    def locked(self, name: str) -> Iterator[Path]:
        """Holds the run's lock of that name; yields the file that keeps what its holders share."""
        with (self.directory / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.directory / f"{name}.json"

    def postgres_dsn(self) -> str:
        """The admin DSN of the run's server: RAPPORT_POSTGRES_DSN, or one started for the run."""
        if self.config.postgres_dsn is not None:
            return self.config.postgres_dsn
        with self.locked("postgres"):
            server = PostgresServer(
                self._postgres_home(),
                binaries=self.config.postgres_bin,
                durable=False,
                max_connections=300,
            )
            server.start()
            return server.dsn

    def nats(self) -> NatsEndpoint:
        """The run's NATS: RAPPORT_NATS_URL, or one started for the run."""
        if self.config.nats_url is not None:
            assert self.config.nats_admin_url is not None
            return NatsEndpoint(self.config.nats_url, self.config.nats_admin_url)
        with self.locked("nats"):
            server = NatsServer(self.directory / "nats", binary=self.config.nats_bin)
            server.start()
            return NatsEndpoint(server.url, server.admin_url)

    @contextmanager
    def private_postgres(self, *, max_connections: int = 100) -> Iterator[PostgresServer]:
        """A server of one test's own, fsync on, to be crashed at will."""
        directory = Path(tempfile.mkdtemp(prefix="postgres-", dir=self.directory))
        directory.chmod(0o711)
        server = PostgresServer(
            postgres_home(directory),
            binaries=self.config.postgres_bin,
            max_connections=max_connections,
            shared_buffers="32MB",
        )
        try:
            server.start()
            yield server
        finally:
            server.find()
            server.abort()
            remove_home(server.home)

    @contextmanager
    def private_nats(self) -> Iterator[NatsServer]:
        """A server of one test's own, to be stopped, killed and wiped; its port stays."""
        directory = Path(tempfile.mkdtemp(prefix="nats-", dir=self.directory))
        server = NatsServer(directory, binary=self.config.nats_bin)
        try:
            server.start()
            yield server
        finally:
            server.find()
            server.kill()
            shutil.rmtree(directory, ignore_errors=True)

    def end(self) -> None:
        """Stops every service and server below the folder and removes it."""
        for file in self.directory.rglob(STATE_FILE):
            _end_services(file.parent)
        for pid_file in self.directory.rglob("nats.pid"):
            nats = NatsServer(pid_file.parent)
            nats.find()
            nats.kill()
        homes = [path.parent for path in self.directory.rglob("postgres/data")]
        with suppress(OSError):
            homes.append(Path((self.directory / "postgres-home").read_text()))
        for home in homes:
            postgres = PostgresServer(home)
            postgres.find()
            postgres.abort()
            remove_home(home)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _postgres_home(self) -> Path:
        note = self.directory / "postgres-home"
        if not note.exists():
            note.write_text(str(postgres_home(self.directory)))
        return Path(note.read_text())


def sweep() -> None:
    """Ends the servers of earlier runs whose owner is gone; leaves running runs alone."""
    for directory in Path(tempfile.gettempdir()).glob(f"{RUN_PREFIX}*"):
        with suppress(OSError, ValueError):
            pid, started = json.loads((directory / "owner").read_text())
            if identity_of(pid) != ProcessIdentity(pid, started):
                TestRun(directory).end()


def _end_services(directory: Path) -> None:
    with suppress(StackError):
        state = StackState.load(directory)
        for name, identity in state.processes.items() if state is not None else ():
            process = Process.adopt(name, identity)
            if process is not None and name not in ("postgres", "nats"):
                process.stop(((signal.SIGKILL, 10.0),))


def service_env(dsns: Mapping[str, str], nats: NatsEndpoint | NatsServer) -> dict[str, str]:
    """DSNs and NATS as the services read them from the environment."""
    return {**dsns, "RAPPORT_NATS_URL": nats.url, "RAPPORT_NATS_ADMIN_URL": nats.admin_url}
