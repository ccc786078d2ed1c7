"""Connections to NATS that leave no socket open behind them.

nats-py (2.16) forgets the connection of an attempt that comes to nothing after the socket was
opened, as with a server that is just starting or too slow to greet: when it reconnects, the next
attempt takes its place; and `connect` raises without closing it when it may not try again, or is
cancelled. Such a socket stays open until it is collected, with a ResourceWarning.
"""

from typing import Any

from nats.aio.client import Client, Srv


class _Client(Client):
    """Closes the connection of the attempt before."""

    def abandon(self) -> None:
        """Close the connection, if there is one, whatever became of it."""
        if self._transport:
            self._transport.close()  # type: ignore[no-untyped-call]

    async def _connect_to_server(self, s: Srv) -> None:
        self.abandon()
        await super()._connect_to_server(s)


async def connect(servers: str | list[str], **options: Any) -> Client:
    """A connected client, as of `nats.connect`; raises what that raises."""
    client = _Client()
    try:
        await client.connect(servers, **options)
    except BaseException:
        client.abandon()
        raise
    return client
