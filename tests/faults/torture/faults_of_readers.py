"""Faults of readers: those that stop reading, on the ledger and on NATS, until they are cut off."""

import asyncio
import json
import socket
from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import grpc
from rapport.errors import error_of
from rapport.v1 import ledger_service_pb2 as ledger
from rapport.v1.ledger_service_pb2_grpc import LedgerServiceStub

from tests.faults.torture.faults import Fault

_READERS: Final = 5
# A reader that is cut off reads what is left, and then why.
_LEFT_S: Final = 10.0
# As many times each message comes, so that what nobody reads soon fills every buffer on its way.
_COPIES: Final = 100
_WINDOW_BYTES: Final = 4096
_PIECE_BYTES: Final = 1 << 16


class _SlowReaders(Fault):
    """Readers that stop reading; when the fault ends they hear what became of them."""

    def choose(self) -> None:
        self.journal = self.dice.choice(sorted(self.stage.journals))
        self.target = f"{self.name} of {self.journal}"
        self._stopped = asyncio.Event()
        self._tasks: list[asyncio.Task[str]] = []

    async def end(self) -> None:
        self._stopped.set()
        told = Counter(await asyncio.gather(*self._tasks))
        self.detail["told"] = dict(sorted(told.items()))

    @abstractmethod
    async def _reads(self) -> str:
        """Begin to read, stop, and read what is left once `_stopped`; why it ended."""


class SlowConsumers(_SlowReaders):
    """Subscribers of the ledger read once and no more, longer than it waits: READER_TOO_SLOW."""

    name = "slow-consumers"
    lasts_s = (8.0, 20.0)

    async def begin(self) -> None:
        self._tasks = [asyncio.create_task(self._reads()) for _ in range(_READERS)]

    async def _reads(self) -> str:
        (tenant, *_) = self.stage.journals[self.journal]
        who = (("x-rapport-tenant", tenant), ("x-rapport-principal", "services/slow"))
        target = self.stage.target("ledger", self.dice.randrange(2), alone=True)
        # A window that does not grow: what is sent beyond it waits in the ledger.
        options = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", _PIECE_BYTES))
        async with grpc.aio.insecure_channel(target, options=options) as channel:
            call = LedgerServiceStub(channel).SubscribeEvents(
                ledger.SubscribeEventsRequest(), metadata=who
            )
            try:
                await call.read()
                await self._stopped.wait()
                async with asyncio.timeout(_LEFT_S):
                    while await call.read() is not grpc.aio.EOF:
                        pass
            except grpc.aio.AioRpcError as error:
                return error_of(error).reason
            except TimeoutError:
                return "nothing"
        return "the end"


class SlowNatsConsumer(_SlowReaders):
    """A subscriber of NATS takes nothing any more, until the server hangs up."""

    name = "nats-slow-consumer"
    # The server waits for 10 seconds.
    lasts_s = (14.0, 24.0)

    def choose(self) -> None:
        super().choose()
        self.node = self.dice.choice(self.stage.nodes.all)
        self.detail = {"node": self.node.home.name}

    async def begin(self) -> None:
        self._tasks = [asyncio.create_task(self._reads())]

    async def _reads(self) -> str:
        where = urlsplit(self.node.url)
        try:
            async with asyncio.timeout(_LEFT_S):
                reader, writer = await self._connected(where.hostname or "", where.port or 0)
        except (OSError, TimeoutError) as error:
            return type(error).__name__
        try:
            hello = {"verbose": False, "user": where.username, "pass": where.password}
            subject = f"rapport.v1.events.{self.journal}.>"
            asked = "".join(f"SUB {subject} {n}\r\n" for n in range(1, _COPIES + 1))
            writer.write(f"CONNECT {json.dumps(hello)}\r\n{asked}PING\r\n".encode())
            await self._stopped.wait()
            return await self._left(reader)
        except OSError:
            return "hung up"
        finally:
            writer.close()

    async def _connected(
        self, host: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WINDOW_BYTES)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (host, port))
        return await asyncio.open_connection(sock=sock, limit=_WINDOW_BYTES)

    async def _left(self, reader: asyncio.StreamReader) -> str:
        try:
            async with asyncio.timeout(_LEFT_S):
                while await reader.read(_PIECE_BYTES):
                    pass
        except TimeoutError:
            return "nothing"
        return "hung up"


OF_READERS: Final[Sequence[type[Fault]]] = (SlowConsumers, SlowNatsConsumer)
