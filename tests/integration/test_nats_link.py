"""The projector's connection to NATS."""

import asyncio
from typing import Any

import pytest
from nats.aio.client import Client
from rapport.events.connecting import connect

from deploy.local.nats import NatsServer
from services.projector.intake import link as links
from services.projector.intake.link import NatsLink


async def test_a_connection_that_nats_refuses_for_good_is_made_anew(
    private_nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Client] = []

    async def connected(*arguments: Any, **options: Any) -> Client:
        made.append(await connect(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(links, "connect", connected)
    link = NatsLink(private_nats.url)
    running = asyncio.create_task(link.run())
    try:
        client = await link.wait_connected(20)
        assert client is not None
        # As the server says it to a client; the library gives the connection up then.
        await client._process_err("'maximum connections exceeded'")
        async with asyncio.timeout(20):
            while (again := link.client) is None or again is client:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert link.generation == 2
        assert await link.wait_connected(0) is again
        assert len(made) == 2
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await link.close()


async def test_a_connection_that_ends_late_takes_nothing_from_the_one_after(
    private_nats: NatsServer,
) -> None:
    link = NatsLink(private_nats.url)
    running = asyncio.create_task(link.run())
    try:
        client = await link.wait_connected(20)
        assert client is not None
        ended: Any = client._disconnected_cb
        client._disconnected_cb = None
        await client._process_err("'maximum connections exceeded'")
        async with asyncio.timeout(20):
            while link.generation < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        # What it still had to send is given up only now.
        await ended()
        async with asyncio.timeout(10):
            assert await link.wait_connected(60) is not None
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await link.close()
