"""The projector's connection to NATS: one for all journals, made and made again for ever."""

import asyncio
from contextlib import suppress
from typing import Final

import nats.errors
from nats.aio.client import Client
from rapport.events.connecting import connect

from services.runtime.jetstream import servers_of
from services.runtime.logs import get_logger

_log = get_logger(__name__)

_RECONNECT_S: Final = 0.25
_CONNECT_AGAIN_S: Final = 1.0


class NatsLink:
    """A connection that comes and goes. `generation` counts how often it came."""

    def __init__(self, url: str | None) -> None:
        """`url` None: there is no NATS, and there never will be."""
        self._url = url
        self._client: Client | None = None
        self._connected = asyncio.Event()
        self.generation = 0

    @property
    def client(self) -> Client | None:
        """The client while it is connected."""
        client = self._client
        return client if client is not None and client.is_connected else None

    async def wait_connected(self, timeout_s: float) -> Client | None:
        """The client once it is connected; None when that takes longer than `timeout_s`."""
        if self._url is None:
            return None
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._connected.wait()
        return self.client

    async def run(self) -> None:
        """Connect, and stay connected; ends only by cancellation or when there is no NATS."""
        if self._url is None:
            _log.warning("no nats is configured: everything is read from the ledger")
            await asyncio.Event().wait()
            return
        while True:
            if self._client is None or self._client.is_closed:
                # The client gives it up for most errors that the server sends.
                self._connected.clear()
                self._client = await self._connect(self._url)
                await self._come()
            await asyncio.sleep(_CONNECT_AGAIN_S)

    async def _connect(self, url: str) -> Client:
        told = False
        while True:
            try:
                return await connect(
                    servers_of(url),
                    name="rapport-projector",
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_RECONNECT_S,
                    disconnected_cb=self._gone,
                    reconnected_cb=self._come,
                    error_cb=_ignore,
                )
            except (OSError, TimeoutError, nats.errors.Error) as error:
                if not told:
                    _log.warning("waiting for nats", exc_info=error)
                    told = True
                await asyncio.sleep(_CONNECT_AGAIN_S)

    async def close(self) -> None:
        """End the connection."""
        client, self._client = self._client, None
        if client is not None and not client.is_closed:
            with suppress(nats.errors.Error, OSError):
                await client.close()

    async def _come(self) -> None:
        self.generation += 1
        self._connected.set()
        _log.info("nats connected", count=self.generation)

    async def _gone(self) -> None:
        # One that the client gave up may say so late, when the next one is there.
        if self.client is None:
            self._connected.clear()


async def _ignore(_: Exception) -> None:
    """What goes wrong is noticed by silence; the client would print it otherwise."""
