"""The client's subscriber when NATS ends its connection with an error."""

import asyncio
from typing import Any

import pytest
from nats.aio.client import Client
from rapport.events import subscriber as subscribers
from rapport.events.connecting import connect

from tests.integration.test_event_subscriber import Stream, subscriber
from tests.support.servers import NatsEndpoint


async def test_a_connection_that_nats_refuses_for_good_is_made_anew(
    nats_server: NatsEndpoint, test_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Client] = []

    async def connected(*arguments: Any, **options: Any) -> Client:
        made.append(await connect(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(subscribers, "connect", connected)
    stream = Stream(nats_server.url, nats_server.admin_url, f"refused-{test_run.name}")
    await stream.begin()
    positions = []
    try:
        await stream.publish(1)
        async with subscriber(stream) as events, asyncio.timeout(30):
            async for event in events:
                positions.append(event.position)
                if event.position == 3:
                    break
                if event.position == 1:
                    # As the server says it to a client; the library gives the connection up then.
                    await made[0]._process_err("'maximum connections exceeded'")
                    await stream.publish(2)
                    await stream.publish(3)
        assert positions == [1, 2, 3]
        assert len(made) == 2
        assert all(client.is_closed for client in made)
    finally:
        await stream.end()
        await stream.client.close()
