"""Prometheus metrics of one process, on a port of their own.

Every service makes one registry in its composition root and hands it to its parts. One process is
one registry is one port: prometheus_client's multi-process mode is not used.
"""

import threading
from typing import Final
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server

# Upper bounds in seconds, from a commit on a fast disk to the longest deadline anybody waits.
LATENCY_BUCKETS_S: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
# Upper bounds of how many things went together.
SIZE_BUCKETS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


class MetricsServer:
    """Answers GET /metrics from a thread until it is closed."""

    def __init__(self, server: WSGIServer, thread: threading.Thread) -> None:
        self._server = server
        self._thread = thread

    @property
    def port(self) -> int:
        """The port it listens on: the kernel's choice when it was started with 0."""
        return int(self._server.server_port)

    def close(self) -> None:
        """Stop answering and give the port back; waits for the thread, at most a second."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(1.0)


def start_metrics(host: str, port: int, registry: CollectorRegistry) -> MetricsServer:
    """Serve `registry` on `host:port`; port 0 lets the kernel choose. Raises OSError when taken.

    There is no authentication: `host` should be a loopback address, or one that only the
    monitoring reaches.
    """
    server, thread = start_http_server(port, addr=host, registry=registry)
    return MetricsServer(server, thread)
