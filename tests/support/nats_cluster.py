"""Three real servers of `deploy/nats/cluster.conf` on this machine, with secrets of their own."""

import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.local.files import make_directory
from deploy.local.nats import STOP, find_nats_server
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.process import Process, spawn

CONF: Final = Path(__file__).resolve().parents[2] / "deploy/nats/cluster.conf"
NODES: Final = 3
_KILL: Final = ((signal.SIGKILL, 10.0),)


class NatsCluster:
    """The servers by name, `nats-1` to `nats-3`; calls block. Nobody waits for a quorum here."""

    def __init__(self, home: Path, binary: Path | None = None) -> None:
        self._home, self._binary = home, find_nats_server(binary)
        # Quoted, since a secret may look like a number to the server's configuration.
        self._secrets = {
            name: f"s{secrets.token_hex(12)}" for name in ("NATS_PASSWORD", "NATS_ADMIN_PASSWORD")
        }
        self._route = f"s{secrets.token_hex(12)}"
        self._routes = [free_port() for _ in range(NODES)]
        self._ports = [free_port() for _ in range(NODES)]
        self.processes: dict[str, Process] = {}
        conf = CONF.read_text().replace("http: 127.0.0.1:8222", "http: 127.0.0.1:-1")
        self._conf = home / "cluster.conf"
        self._conf.write_text(conf)

    @property
    def url(self) -> str:
        """All three, for services and subscribers."""
        return self._urls("rapport", self._secrets["NATS_PASSWORD"])

    @property
    def admin_url(self) -> str:
        """All three, for who may delete."""
        return self._urls("admin", self._secrets["NATS_ADMIN_PASSWORD"])

    def start(self, name: str) -> None:
        """Start one of them, with what it had stored."""
        number = int(name.rpartition("-")[2]) - 1
        store = self._home / name
        make_directory(store, 0o700)
        env = {
            "PATH": "/usr/bin:/bin",
            "NATS_NAME": name,
            "NATS_LISTEN": f"{LOOPBACK}:{self._ports[number]}",
            "NATS_CLUSTER_LISTEN": f"{LOOPBACK}:{self._routes[number]}",
            "NATS_STORE_DIR": f'"{store}"',
            "NATS_ROUTE_PASSWORD": self._route,
            **self._secrets,
        }
        for other, port in enumerate(self._routes, 1):
            env[f"NATS_ROUTE_{other}"] = f"nats://route:{self._route}@{LOOPBACK}:{port}"
        argv = [str(self._binary), "-c", str(self._conf)]
        self.processes[name] = spawn(name, argv, env=env, log=self._home / f"{name}.log")

    def kill(self, name: str) -> None:
        """SIGKILL."""
        self.processes.pop(name).stop(_KILL)

    def end(self) -> None:
        """All that run."""
        for process in self.processes.values():
            process.stop(STOP)
        self.processes.clear()

    def _urls(self, user: str, password: str) -> str:
        return ",".join(f"nats://{user}:{password}@{LOOPBACK}:{port}" for port in self._ports)


@contextmanager
def nats_cluster(home: Path, binary: Path | None = None) -> Iterator[NatsCluster]:
    """Three servers, told to start."""
    cluster = NatsCluster(home, binary)
    try:
        for number in range(NODES):
            cluster.start(f"nats-{number + 1}")
        yield cluster
    finally:
        cluster.end()
