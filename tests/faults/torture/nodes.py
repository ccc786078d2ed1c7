"""NATS as the kit runs it: one server, or three with copies of every stream on each."""

import shutil
import signal
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from deploy.local.files import make_directory, secret_in, write_private
from deploy.local.nats import NatsServer
from deploy.local.ports import free_port
from tests.faults.torture.proxy import Address, Proxy

NODES: Final = 3
_CLUSTER: Final = """
cluster {{
  name: "torture"
  listen: "127.0.0.1:{port}"
  # Found by their routes alone, which lead through proxies; nobody is told of another way.
  advertise: "127.0.0.1:1"
  no_advertise: true
  connect_retries: 1000000
  pool_size: -1
  routes: [{routes}]
}}
"""


class Node(NatsServer):
    """One of three servers of a cluster: ready when it listens, quorum or not."""

    def __init__(self, home: Path, number: int, binary: Path | None) -> None:
        super().__init__(home, binary=binary)
        self.name = self.server_name = f"nats-{number}"
        self.route_port = free_port()

    def _jetstream_answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
            return True
        return False


class Nodes:
    """All servers of NATS; calls block but for `routes_started`."""

    def __init__(self, directory: Path, binary: Path | None, number: int) -> None:
        self._directory = directory
        self.routes: dict[tuple[int, int], Proxy] = {}
        if number == 1:
            self.all: tuple[NatsServer, ...] = (NatsServer(directory / "nats-1", binary=binary),)
            return
        nodes = tuple(Node(directory / f"nats-{n + 1}", n + 1, binary) for n in range(number))
        self.all = nodes
        self._nodes = nodes

    async def start_routes(self, make: Callable[[str, Callable[[], list[Address]]], Proxy]) -> None:
        """Make the proxies between servers and write how they find each other."""
        if len(self.all) == 1:
            return
        for a, one in enumerate(self._nodes):
            for b, other in enumerate(self._nodes):
                if a != b:
                    proxy = make(f"{one.name}>{other.name}", partial(_route_of, other))
                    self.routes[a, b] = proxy
                    await proxy.start()
        secrets = ("password", "admin-password")
        for a, one in enumerate(self._nodes):
            make_directory(one.home, 0o700)
            for secret in secrets:
                write_private(one.home / secret, secret_in(self._nodes[0].home / secret) + "\n")
            ports = [self.routes[a, b].port for b in range(len(self._nodes)) if b != a]
            routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
            one.more_settings = _CLUSTER.format(port=one.route_port, routes=routes)

    def start(self) -> None:
        """Start what is not running."""
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda node: node.start(), self.all))

    def stop(self) -> None:
        """End them in order."""
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda node: node.stop(), self.all))

    def end(self) -> None:
        """Whatever state they are in."""
        for node in self.all:
            node.find()
            if node.process is not None:
                node.process.signal(signal.SIGCONT)
            node.kill()

    def addresses(self, first: int) -> list[Address]:
        """Where clients are served, beginning with one of them."""
        order = [*self.all[first:], *self.all[:first]]
        return [("127.0.0.1", node.port) for node in order if node.port]

    def put_aside(self, older: Path) -> None:
        """Copy what they have stored; they are down for a moment."""
        self.stop()
        for node in self.all:
            shutil.rmtree(older / node.home.name, ignore_errors=True)
            shutil.copytree(node.store, older / node.home.name)
        self.start()

    def put_back(self, older: Path) -> None:
        """A crash, after which they have what was copied, and nothing younger."""
        for node in self.all:
            node.kill()
        for node in self.all:
            for entry in node.store.iterdir():
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            shutil.copytree(older / node.home.name, node.store, dirs_exist_ok=True)
        self.start()

    @property
    def homes(self) -> Sequence[Path]:
        """Their folders."""
        return [node.home for node in self.all]


def _route_of(node: Node) -> list[Address]:
    return [("127.0.0.1", node.route_port)]
