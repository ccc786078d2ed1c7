"""The metrics port, over loopback."""

from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry, Counter

from services.runtime.metrics import start_metrics


def test_metrics_are_served_on_a_port_of_the_kernels_choice() -> None:
    registry = CollectorRegistry()
    Counter("rapport_things", "Things.", registry=registry).inc(3)
    server = start_metrics("127.0.0.1", 0, registry)
    try:
        assert server.port > 0
        with urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
            assert b"rapport_things_total 3.0" in answer.read()
    finally:
        server.close()


def test_a_taken_port_is_an_error() -> None:
    server = start_metrics("127.0.0.1", 0, CollectorRegistry())
    try:
        with pytest.raises(OSError, match="in use"):
            start_metrics("127.0.0.1", server.port, CollectorRegistry())
    finally:
        server.close()
