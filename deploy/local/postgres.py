"""An embedded PostgreSQL: a folder that holds a cluster of its own, and the server on it.

Loopback TCP only, scram only, a random superuser password, a port from the kernel that is kept
from one start to the next where possible. The wheel serves for trying and testing; production
sets RAPPORT_POSTGRES_DSN.
"""

import os
import secrets
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from deploy.local.errors import StackError
from deploy.local.files import make_directory, secret_in, write_private
from deploy.local.ports import free_port
from deploy.local.postgres_binaries import (
    find_binaries,
    root_state_dir,
    server_user,
    traversable,
)
from deploy.local.process import (
    POLL_INTERVAL_S,
    Escalation,
    Process,
    command_line_of,
    identity_of,
    spawn,
    tail_of,
)

SUPERUSER = "rapport_admin"
START_TIMEOUT_S = 60.0
START_ATTEMPTS_MAX = 20

# SIGINT is PostgreSQL's fast shutdown, SIGQUIT the immediate one (recovery at the next start).
STOP: Escalation = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))
ABORT: Escalation = ((signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))

_CHILD_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

_CONF = """\
# Written at every start; changes here are lost.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
cluster_name = 'rapport'
password_encryption = 'scram-sha-256'
max_connections = {max_connections}
shared_buffers = '{shared_buffers}'
max_wal_size = '1GB'
fsync = {durable}
full_page_writes = {durable}
synchronous_commit = {durable}
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_line_prefix = '%m [%p] %q%u@%d '
"""

_HBA = """\
# Written at every start; changes here are lost.
host all all 127.0.0.1/32 scram-sha-256
"""


def postgres_home(directory: Path) -> Path:
    """Where the cluster of a stack in `directory` goes: inside it, if its user can get there.

    Only root needs the other answer: a new folder under /var/lib/rapport, because the user
    PostgreSQL runs as may not enter, say, /root.
    """
    run_as = server_user()
    home = directory.resolve() / "postgres"
    if run_as is None or traversable(home):
        return home
    place = root_state_dir() / f"postgres-data-{secrets.token_hex(8)}"
    make_directory(place, 0o711)
    write_private(place / "belongs-to", f"{directory.resolve()}\n")
    return place / "postgres"


class PostgresServer:
    """A cluster under `home` and the server on it; all calls block.

    `start` also makes the cluster, and adopts a server that already runs on it. durable=False
    switches fsync off, for tests that can afford to lose everything.
    """

    name = "postgres"

    def __init__(
        self,
        home: Path,
        *,
        binaries: Path | None = None,
        durable: bool = True,
        max_connections: int = 100,
        shared_buffers: str = "128MB",
    ) -> None:
        self.home = home.resolve()
        self.data = self.home / "data"
        self.log = self.home / "postgres.log"
        self.port = 0
        self.process: Process | None = None
        self._password = ""
        self._binaries = binaries
        self._durable = durable
        self._max_connections = max_connections
        self._shared_buffers = shared_buffers

    @property
    def dsn(self) -> str:
        """The superuser's DSN of database `postgres`; valid after `start`."""
        return self.dsn_of("postgres")

    def dsn_of(self, database: str, user: str = SUPERUSER, password: str | None = None) -> str:
        """A DSN on this server; without a password it is the superuser's."""
        secret = quote(self._password if password is None else password, safe="")
        return f"postgresql://{user}:{secret}@127.0.0.1:{self.port}/{database}"

    def alive(self) -> bool:
        return self.process is not None and self.process.alive()

    def start(self) -> None:
        """Returns when connections are accepted. Raises StackError with the log's last lines."""
        if self.alive():
            return
        run_as = server_user()
        programs = find_binaries(self._binaries, run_as)
        if run_as is not None and not traversable(self.home):
            raise StackError(
                f"PostgreSQL runs as {run_as.name}, who may not enter a parent of {self.home}"
            )
        make_directory(self.home, 0o700, run_as)
        # Root's alone: whoever runs as `nobody` must not find it in a folder of its own.
        secret = self.home / "password"
        self._password = secret_in(secret)
        self._make_cluster(programs)
        self.process = self._running()
        if self.process is None or not self._wait_ready(self.process, 0):
            self._launch(programs)

    def stop(self) -> None:
        """Fast shutdown: running transactions end, everything is on disk. Reaps the server."""
        if self.process is not None:
            self.process.stop(STOP)
            self.process = None

    def abort(self) -> None:
        """Immediate shutdown: nothing is written out, the next start recovers."""
        if self.process is not None:
            self.process.stop(ABORT)
            self.process = None

    def kill(self) -> None:
        """A crash: SIGKILL to the postmaster; its backends notice and leave."""
        if self.process is not None:
            self.process.stop(((signal.SIGKILL, 10.0),))
            self.process = None

    def find(self) -> Process | None:
        """The server running on this cluster, whoever started it; None if there is none."""
        self.process = self.process if self.alive() else self._running()
        return self.process

    def _make_cluster(self, programs: Path) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        run_as = server_user()
        # Under another name until complete, so that a kill in between leaves nothing half made.
        staged = self.home / "data.new"
        shutil.rmtree(staged, ignore_errors=True)
        password_file = self.home / "password.new"
        write_private(password_file, self._password + "\n", run_as)
        command = [str(programs / "initdb"), "-D", str(staged), "-U", SUPERUSER]
        command += [f"--pwfile={password_file}", "--auth=scram-sha-256", "--encoding=UTF8"]
        command += ["--locale=C", "--data-checksums", "--no-instructions"]
        command += [] if self._durable else ["--no-sync"]
        try:
            answer = subprocess.run(  # noqa: S603
                command,
                env=_CHILD_ENV,
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                umask=0o077,
                user=None if run_as is None else run_as.uid,
                group=None if run_as is None else run_as.gid,
                extra_groups=None if run_as is None else [],
            )
        except OSError as error:
            whom = "this user" if run_as is None else run_as.name
            raise StackError(
                f"cannot run initdb as {whom} ({error}); RAPPORT_POSTGRES_DSN names another server"
            ) from error
        finally:
            password_file.unlink(missing_ok=True)
        if answer.returncode != 0:
            lines = (answer.stderr or answer.stdout).strip().splitlines()
            raise StackError(f"initdb failed: {' | '.join(lines[-3:])}")
        staged.rename(self.data)

    def _launch(self, programs: Path) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        port = self._recorded_port() or free_port()
        self._forget_stale_lock()
        for _ in range(START_ATTEMPTS_MAX):
            offset = self.log.stat().st_size if self.log.exists() else 0
            self._configure(port)
            process = spawn(
                "postgres",
                [str(programs / "postgres"), "-D", str(self.data)],
                env=_CHILD_ENV,
                log=self.log,
                run_as=server_user(),
            )
            self.process = process
            if self._wait_ready(process, port, deadline):
                return
            said = self.log.read_bytes()[offset:].decode(errors="replace")
            self.process = None
            if "could not create any TCP/IP sockets" in said:
                port = free_port()
            elif "shared memory block" not in said or time.monotonic() > deadline:
                break
            else:  # backends of a killed server are still leaving; its segment tells
                time.sleep(10 * POLL_INTERVAL_S)
        raise StackError(f"PostgreSQL does not start ({self.log}): {tail_of(self.log)}")

    def _wait_ready(self, process: Process, port: int, deadline: float | None = None) -> bool:
        """Whether it says ready in postmaster.pid; False when it ended instead."""
        deadline = time.monotonic() + START_TIMEOUT_S if deadline is None else deadline
        while time.monotonic() < deadline:
            lines = self._lock_file()
            if len(lines) > 7 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
                self.port = int(lines[3]) or port
                write_private(self.home / "port", f"{self.port}\n")
                return True
            if process.wait(POLL_INTERVAL_S):
                return False
        process.stop(STOP)
        raise StackError(f"PostgreSQL is not ready in time ({self.log}): {tail_of(self.log)}")

    def _configure(self, port: int) -> None:
        text = _CONF.format(
            port=port,
            max_connections=self._max_connections,
            shared_buffers=self._shared_buffers,
            durable="on" if self._durable else "off",
        )
        write_private(self.data / "postgresql.conf", text, server_user())
        write_private(self.data / "pg_hba.conf", _HBA, server_user())

    def _running(self) -> Process | None:
        lines = self._lock_file()
        if not lines or not lines[0].isdigit():
            return None
        pid = int(lines[0])
        identity = identity_of(pid)
        if identity is None or str(self.data) not in (command_line_of(pid) or []):
            return None
        return Process.adopt("postgres", identity)

    def _forget_stale_lock(self) -> None:
        """Removes a lock file whose pid now belongs to a stranger, which PostgreSQL would fear."""
        lines = self._lock_file()
        if lines and lines[0].isdigit():
            words = command_line_of(int(lines[0]))
            if words is not None and str(self.data) not in words:
                (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _lock_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _recorded_port(self) -> int | None:
        with suppress(OSError, ValueError):
            return int((self.home / "port").read_text())
        return None


def remove_home(home: Path) -> None:
    """Deletes a cluster and, if it was made for this one, its folder among root's state."""
    shutil.rmtree(home, ignore_errors=True)
    if (home.parent / "belongs-to").exists():
        with suppress(OSError):
            (home.parent / "belongs-to").unlink()
            os.rmdir(home.parent)
