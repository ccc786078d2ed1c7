"""The relay's one connection to NATS, however often its tasks start again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.ledger.relay import relay as relays
from services.ledger.relay.relay import Relay
from services.runtime.jetstream import SERVER_VERSION_MIN, ServerTooOld


class FakeClient:
    """Counts what is subscribed to; `version` is the server's."""

    is_connected = True

    def __init__(self, version: tuple[int, int, int]) -> None:
        names = ("major", "minor", "patch")
        self.connected_server_version = SimpleNamespace(**dict(zip(names, version, strict=True)))
        self.subjects: list[str] = []
        self.is_closed = False

    async def subscribe(self, subject: str, **_: Any) -> None:
        self.subjects.append(subject)

    async def close(self) -> None:
        self.is_closed = True


class LogOutOfReach:
    """A journal store whose Postgres is away."""

    async def journal_names(self) -> list[str]:
        raise ConnectionError


def relay_and_clients(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int]
) -> tuple[Relay, list[FakeClient]]:
    clients: list[FakeClient] = []

    async def connect(*_: Any, **__: Any) -> FakeClient:
        clients.append(FakeClient(version))
        return clients[-1]

    monkeypatch.setattr(relays, "connect", connect)
    log: Any = LogOutOfReach()
    relay = Relay(
        log, nats_url="", dsn="", registry=CollectorRegistry(), on_health=lambda healthy: None
    )
    return relay, clients


async def test_a_task_that_starts_again_subscribes_to_hints_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    relay, clients = relay_and_clients(monkeypatch, SERVER_VERSION_MIN)
    for _ in range(3):
        with pytest.raises(ConnectionError):
            await relay._run()
    (client,) = clients
    assert client.subjects == ["rapport.wake.*"]


async def test_a_server_that_is_too_old_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    relay, clients = relay_and_clients(monkeypatch, (2, 10, 0))
    for _ in range(3):
        with pytest.raises(ServerTooOld):
            await relay._run()
    assert len(clients) == 3
    assert all(client.is_closed for client in clients)


async def test_who_cannot_reach_nats_leaves_the_lead_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    relay, _ = relay_and_clients(monkeypatch, SERVER_VERSION_MIN)
    tried, led = asyncio.Event(), False

    async def connect(*_: Any, **__: Any) -> None:
        tried.set()
        await asyncio.Event().wait()

    @asynccontextmanager
    async def leadership(*_: Any, **__: Any) -> AsyncIterator[None]:
        nonlocal led
        led = True
        yield

    monkeypatch.setattr(relays, "connect", connect)
    monkeypatch.setattr(relays, "leadership", leadership)
    leading = asyncio.create_task(relay._lead("main"))
    async with asyncio.timeout(10):
        await tried.wait()
    assert not led
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)
