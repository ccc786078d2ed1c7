"""No attempt to connect to NATS leaves a socket open. (These talk to servers on loopback.)"""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import nats.errors
import pytest
from rapport.events.connecting import connect

_WAIT_S: Final = 30.0
_INFO: Final = b'INFO {"server_id":"x","version":"2.15.1","headers":true,"max_payload":1048576}\r\n'


class Server:
    """Greets the first ones that come and soon hangs up; ends everybody else without a word.

    Or, told to be `silent`, says nothing and keeps them.
    """

    def __init__(self, *, greeted: int = 0, silent: bool = False) -> None:
        self.greeted, self.silent = greeted, silent
        self.came = 0
        self.changed = asyncio.Condition()
        self.left = asyncio.Event()
        self.port = 0

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self.changed:
            self.came += 1
            self.changed.notify_all()
        try:
            if self.came <= self.greeted:
                writer.write(_INFO)
                while await reader.readline() != b"PING\r\n":
                    pass
                writer.write(b"PONG\r\n")
                await writer.drain()
            elif self.silent:
                await reader.read()
                self.left.set()
        finally:
            writer.close()

    async def until_came(self, times: int) -> None:
        async with asyncio.timeout(_WAIT_S), self.changed:
            await self.changed.wait_for(lambda: self.came >= times)


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Server]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()  # who is still connected is not waited for


@contextmanager
def nothing_left_open() -> Iterator[None]:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert [str(warning.message) for warning in seen] == []


async def quiet(_: Exception) -> None:
    """What goes wrong is the subject here."""


async def test_an_attempt_to_reconnect_that_fails_closes_its_connection() -> None:
    with nothing_left_open():
        async with serving(Server(greeted=1)) as server:
            client = await connect([server.url], reconnect_time_wait=0.01, error_cb=quiet)
            await server.until_came(5)
            await client.close()


async def test_a_refused_connection_is_closed() -> None:
    with nothing_left_open():
        async with serving(Server()) as server:
            with pytest.raises(nats.errors.Error):
                await connect([server.url], allow_reconnect=False, error_cb=quiet)


async def test_a_connection_given_up_in_mid_greeting_is_closed() -> None:
    with nothing_left_open():
        async with serving(Server(silent=True)) as server:
            connecting = asyncio.create_task(connect([server.url], connect_timeout=600))
            await server.until_came(1)
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            async with asyncio.timeout(_WAIT_S):
                await server.left.wait()
