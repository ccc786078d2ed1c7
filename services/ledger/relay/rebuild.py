"""Making a journal's stream anew: what `rapport stream rebuild` does."""

import asyncio
from typing import Final

from rapport.events.connecting import connect

from services.ledger.relay.stream import EventStream
from services.runtime.jetstream import check_server_version, servers_of

CONNECT_TIMEOUT_S: Final = 5


async def rebuild_stream(
    admin_url: str, journal: str, *, first_position: int = 1, replicas: int = 1
) -> None:
    """Delete the journal's stream and create it empty; the relay fills it from `first_position`.

    Needs the admin credential. Durable consumers are dropped with the stream; subscribers keep
    their own position and go on. Raises nats errors; the stream may then be missing, which the
    relay mends by itself. TimeoutError when NATS cannot be reached: nothing was done.
    """
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        client = await connect(servers_of(admin_url), connect_timeout=CONNECT_TIMEOUT_S)
    try:
        check_server_version(client)
        await EventStream(client, journal, replicas=replicas).recreate(first_position)
    finally:
        await client.close()
