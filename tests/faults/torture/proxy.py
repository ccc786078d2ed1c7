"""A TCP proxy whose weather changes: what passes between two processes, and how badly.

Bytes are never lost from the middle of a connection, as TCP never loses them: what is held back
arrives when the weather is fair again, or the connection ends.
"""

import asyncio
import random
import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast

type Address = tuple[str, int]

_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER without a second: close() sends RST
_CONNECT_TIMEOUT_S: Final = 5.0
_BIND_AGAIN_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Weather:
    """How bytes pass; the default is fair.

    latency_s, jitter_s: each piece comes so much later, in order. bytes_per_s: at most, each
    way; 0 for no limit. loses_up: nothing reaches the server; loses_down: nothing comes back (the
    other way works, so that either end believes the connection lives). half_open: connections
    are accepted, and nothing is answered. refuses: nobody listens, and what was open is reset.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: int = 0
    loses_up: bool = False
    loses_down: bool = False
    half_open: bool = False
    refuses: bool = False

    @property
    def delays(self) -> bool:
        """Whether bytes come later than they might."""
        return self.latency_s > 0 or self.bytes_per_s > 0


FAIR: Final = Weather()


class Proxy:
    """Listens on a port of its own on loopback, for ever the same one."""

    def __init__(
        self, name: str, upstreams: Callable[[], Sequence[Address]], dice: random.Random
    ) -> None:
        """`upstreams` says where the server listens now; of several, the first that answers."""
        self.name, self.port = name, 0
        self.weather = FAIR
        self._upstreams, self._dice = upstreams, dice
        self._server: asyncio.Server | None = None
        self._pairs: set[_Pair] = set()

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._pairs)

    async def start(self) -> None:
        """Listen; the port is the kernel's choice the first time and stays."""
        loop = asyncio.get_running_loop()
        while self._server is None:
            try:
                self._server = await loop.create_server(
                    lambda: _Pair(self).client, "127.0.0.1", self.port
                )
            except OSError:
                # A connection from this very port to somewhere may hold it for a moment.
                await asyncio.sleep(_BIND_AGAIN_S)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and reset what is open."""
        self._stop_listening()
        self.reset()
        await asyncio.sleep(0)

    async def become(self, weather: Weather) -> None:
        """Change the weather, for connections that are open too."""
        was, self.weather = self.weather, weather
        if weather.refuses:
            self._stop_listening()
            self.reset()
        elif was.refuses:
            await self.start()
        for pair in list(self._pairs):
            pair.weather_changed()

    def reset(self) -> None:
        """RST to both ends of every connection."""
        for pair in list(self._pairs):
            pair.reset()

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def reach(self, protocol: "_End") -> None:
        """Connect to the first server that answers; OSError when none does."""
        loop = asyncio.get_running_loop()
        failure: OSError = ConnectionRefusedError(f"{self.name}: nowhere to connect to")
        for host, port in self._upstreams():
            try:
                async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                    await loop.create_connection(lambda: protocol, host, port)
            except OSError as error:
                failure = error
            else:
                return
        raise failure

    def opened(self, pair: "_Pair") -> None:
        """Of a pair: its client is there."""
        self._pairs.add(pair)

    def closed(self, pair: "_Pair") -> None:
        """Of a pair: it is over."""
        self._pairs.discard(pair)

    def delay_s(self, size: int) -> float:
        """How much later than the piece before it a piece of `size` bytes may come."""
        return size / self.weather.bytes_per_s if self.weather.bytes_per_s else 0.0

    def latency_s(self) -> float:
        """What this piece takes on its way."""
        return self.weather.latency_s + self._dice.random() * self.weather.jitter_s


class _Pair:
    """The two ends of one connection through the proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.client, self.server = _End(self, is_client=True), _End(self, is_client=False)
        self.client.other, self.server.other = self.server, self.client
        self._connecting: asyncio.Task[None] | None = None

    def begun(self) -> None:
        """The client is connected; so will be the server, unless nobody is to answer."""
        self.proxy.opened(self)
        self.weather_changed()

    def weather_changed(self) -> None:
        """Hold or let go; a client that nobody answered so far is connected now."""
        if self._connecting is None and not self.proxy.weather.half_open:
            self._connecting = asyncio.create_task(self._connect())
        self.client.steer()
        self.server.steer()

    def holds(self, is_client: bool) -> bool:
        """Whether nothing from that end is to pass."""
        weather = self.proxy.weather
        return weather.half_open or (weather.loses_up if is_client else weather.loses_down)

    def reset(self) -> None:
        """RST both ends."""
        if self._connecting is not None:
            self._connecting.cancel()
        self.client.abort()
        self.server.abort()
        self.proxy.closed(self)

    def over(self) -> None:
        """One end is gone: the other one goes once it has all that was sent to it."""
        if self._connecting is not None and self.server.transport is None:
            self._connecting.cancel()
        self.proxy.closed(self)
        self.client.finish()
        self.server.finish()

    async def _connect(self) -> None:
        try:
            await self.proxy.reach(self.server)
        except OSError:
            self.reset()
            return
        self.client.steer()


class _End(asyncio.Protocol):
    """One end: what it says goes to the other, at once when the weather is fair."""

    other: "_End"

    def __init__(self, pair: _Pair, *, is_client: bool) -> None:
        self._pair, self._is_client = pair, is_client
        self.transport: asyncio.Transport | None = None
        self._full = False  # the other end's buffer
        self._paused = False
        # What came although reading is paused: uvloop begins to read whatever it was told before.
        self._kept: list[bytes] = []
        # Pieces on their way, the oldest first.
        self._under_way: deque[bytes] = deque()
        self._due_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if self._is_client:
            self._pair.begun()
        else:
            self.steer()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if exc is not None and self.other.transport is not None:
            self.other.abort()
        self._pair.over()

    def data_received(self, data: bytes) -> None:
        if self._paused:
            self._kept.append(data)
            return
        if not self._pair.proxy.weather.delays and not self._under_way:
            self._pass_on(data)
            return
        loop, proxy = asyncio.get_running_loop(), self._pair.proxy
        now_s = loop.time()
        self._due_s = max(self._due_s, now_s) + proxy.delay_s(len(data))
        self._due_s = max(self._due_s, now_s + proxy.latency_s())
        self._under_way.append(data)
        # Whose time it is says nobody: timers of nearly the same time come in any order.
        loop.call_at(self._due_s, self._oldest_arrives)
        self.steer()

    def eof_received(self) -> bool:
        return False  # half-closed connections are none of gRPC's, PostgreSQL's or NATS's

    def pause_writing(self) -> None:
        self.other.set_full(True)

    def resume_writing(self) -> None:
        self.other.set_full(False)

    def set_full(self, full: bool) -> None:
        """The other end takes no more, or does again."""
        self._full = full
        self.steer()

    def steer(self) -> None:
        """Read on or not: what is not read waits in the kernel, as on a network that lost it."""
        if self.transport is None or self.transport.is_closing():
            return
        delayed = bool(self._under_way) and self._pair.proxy.weather.bytes_per_s > 0
        stop = (
            self.other.transport is None
            or self._full
            or delayed
            or self._pair.holds(self._is_client)
        )
        if stop and not self._paused:
            self.transport.pause_reading()
        elif not stop and self._paused:
            self.transport.resume_reading()
        self._paused = stop
        if not stop and self._kept:
            kept, self._kept = b"".join(self._kept), []
            self.data_received(kept)

    def finish(self) -> None:
        """Close, once what the other end said last has been said."""
        if self.transport is not None and not self.other.is_speaking:
            self.transport.close()

    @property
    def is_speaking(self) -> bool:
        """Whether something of it is still on its way."""
        return bool(self._under_way)

    def abort(self) -> None:
        """RST."""
        if self.transport is None:
            return
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()

    def _oldest_arrives(self) -> None:
        self._pass_on(self._under_way.popleft())
        self.steer()
        if self.transport is None:
            self.other.finish()

    def _pass_on(self, data: bytes) -> None:
        to = self.other.transport
        if to is not None and not to.is_closing():
            to.write(data)
