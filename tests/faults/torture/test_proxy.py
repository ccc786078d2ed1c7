"""The weather between two processes, on loopback."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from functools import partial
from unittest.mock import Mock

import pytest
import uvloop

from tests.faults.torture.proxy import FAIR, Proxy, Weather, _Pair

type Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """Before a server that says everything again."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    made = Proxy("client>echo", lambda: [("127.0.0.1", 1), ("127.0.0.1", port)], random.Random(1))
    await made.start()
    yield made
    await made.close()
    server.close()


async def line(proxy: Proxy) -> Line:
    return await asyncio.open_connection("127.0.0.1", proxy.port)


async def says(line: Line, text: bytes, within_s: float = 30.0) -> bytes:
    line[1].write(text)
    async with asyncio.timeout(within_s):
        return await line[0].readexactly(len(text))


async def test_in_fair_weather_everything_passes_to_the_first_server_that_answers(
    proxy: Proxy,
) -> None:
    text = random.Random(2).randbytes(3_000_000)
    one = await line(proxy)
    assert await says(one, text) == text
    one[1].close()


async def test_what_is_late_comes_late_and_in_order(proxy: Proxy) -> None:
    await proxy.become(Weather(latency_s=0.05, jitter_s=0.05))
    one = await line(proxy)
    began_s = asyncio.get_running_loop().time()
    assert await says(one, b"".join(bytes([n]) * 100 for n in range(200))) == b"".join(
        bytes([n]) * 100 for n in range(200)
    )
    assert asyncio.get_running_loop().time() - began_s >= 0.1  # there and back
    one[1].close()


async def test_a_throttled_line_takes_the_time_its_bytes_need(proxy: Proxy) -> None:
    await proxy.become(Weather(bytes_per_s=100_000))
    one = await line(proxy)
    began_s = asyncio.get_running_loop().time()
    assert await says(one, b"x" * 20_000) == b"x" * 20_000
    assert asyncio.get_running_loop().time() - began_s >= 0.2
    one[1].close()


@pytest.mark.parametrize(
    "weather", [Weather(loses_up=True), Weather(loses_down=True), Weather(half_open=True)]
)
async def test_what_is_held_back_arrives_when_the_weather_is_fair_again(
    proxy: Proxy, weather: Weather
) -> None:
    one = await line(proxy)
    assert await says(one, b"before") == b"before"
    await proxy.become(weather)
    with pytest.raises(TimeoutError):
        await says(one, b"meanwhile", 0.1)
    two = await line(proxy)  # accepted all the same
    with pytest.raises(TimeoutError):
        await says(two, b"anybody?", 0.1)
    await proxy.become(FAIR)
    async with asyncio.timeout(30):
        assert await one[0].readexactly(9) == b"meanwhile"
        assert await two[0].readexactly(8) == b"anybody?"
    for each in (one, two):
        each[1].close()


async def test_a_reset_is_seen_at_once_and_the_next_connection_is_a_new_one(proxy: Proxy) -> None:
    one = await line(proxy)
    assert await says(one, b"before") == b"before"
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(one[0].read(1), 30)
    two = await line(proxy)
    assert await says(two, b"after") == b"after"
    assert proxy.connections == 1
    two[1].close()


async def test_a_proxy_that_refuses_listens_on_the_same_port_again(proxy: Proxy) -> None:
    port = proxy.port
    await proxy.become(Weather(refuses=True))
    with pytest.raises(ConnectionRefusedError):
        await line(proxy)
    await proxy.become(FAIR)
    one = await line(proxy)
    assert await says(one, b"again") == b"again"
    assert proxy.port == port
    one[1].close()


def test_bytes_keep_their_order_whatever_order_timers_come_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timers: list[Callable[[], None]] = []
    loop = Mock(time=lambda: 0.0)
    loop.call_at.side_effect = lambda _, done, *what: timers.append(partial(done, *what))
    monkeypatch.setattr("tests.faults.torture.proxy.asyncio.get_running_loop", lambda: loop)
    proxy = Proxy("client>server", list, random.Random(1))
    proxy.weather = Weather(latency_s=1.0)
    pair = _Pair(proxy)
    pair.client.transport, pair.server.transport = (
        Mock(is_closing=lambda: False) for _ in range(2)
    )
    for piece in (b"a", b"b", b"c"):
        pair.client.data_received(piece)
    for arrived in reversed(timers):
        arrived()
    assert [call.args for call in pair.server.transport.write.mock_calls] == [
        (b"a",),
        (b"b",),
        (b"c",),
    ]


def test_a_client_that_speaks_first_is_heard_on_uvloop_too() -> None:
    async def speak() -> bytes:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read(100))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        where = ("127.0.0.1", server.sockets[0].getsockname()[1])
        proxy = Proxy("client>echo", lambda: [where], random.Random(1))
        await proxy.start()
        heard = b""
        for _ in range(20):
            one = await line(proxy)
            one[1].write(b"first")
            heard += await asyncio.wait_for(one[0].readexactly(5), 30)
            one[1].close()
        await proxy.close()
        server.close()
        return heard

    assert uvloop.run(speak()) == b"first" * 20
