"""The edge around every RPC. (These talk to a server on loopback.)"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from services.runtime.caller import MetadataIdentifier
from services.runtime.errors import RapportError, Reason
from services.runtime.limits import CALL_BYTES_IN_FLIGHT_MAX
from services.runtime.server import RpcServer
from tests.support.garbage import nothing_left_behind

SERVICE = "rapport.tests.Service"
WHO = (("x-rapport-principal", "services/tests"),)
# Two do not fit at once.
LARGE = bytes(CALL_BYTES_IN_FLIGHT_MAX // 2 + 1)

type Handler = Callable[[bytes, Any], Awaitable[bytes]]
type Call = Callable[[bytes], Awaitable[bytes]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Call]:
    """A server with one RPC, as a function from request to response."""
    server = RpcServer((), MetadataIdentifier())
    handlers = {"Call": grpc.unary_unary_rpc_method_handler(handler, bytes, bytes)}
    server.edge.add_registered_method_handlers(SERVICE, handlers)
    port = await server.start("127.0.0.1:0")
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            method: Any = channel.unary_unary(f"/{SERVICE}/Call")
            yield lambda request: method(request, metadata=WHO)
    finally:
        await server.stop(notice_s=0, grace_s=0)


async def refused(call: Call, request: bytes, code: grpc.StatusCode) -> None:
    """A few times, since gRPC holds the last calls until others come."""
    for _ in range(4):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await call(request)
        assert failure.value.code() is code


async def test_nothing_is_left_of_a_call_refused_for_want_of_room() -> None:
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def handler(request: bytes, _: Any) -> bytes:
        under_way.set()
        await go_on.wait()
        return b""

    async with serving(handler) as call:
        first = asyncio.ensure_future(call(LARGE))
        await under_way.wait()
        with nothing_left_behind():
            await refused(call, LARGE, grpc.StatusCode.RESOURCE_EXHAUSTED)
        go_on.set()
        await first


async def test_nothing_is_left_of_a_call_whose_handler_kept_its_error() -> None:
    async def handler(request: bytes, _: Any) -> bytes:
        error = RapportError(Reason.EVENT_UNKNOWN, "there is no such event")
        raise error from ValueError("what was behind it")

    async with serving(handler) as call:
        with nothing_left_behind():
            await refused(call, b"x", grpc.StatusCode.NOT_FOUND)


async def test_nothing_is_left_of_a_call_that_met_a_fault() -> None:
    async def handler(request: bytes, _: Any) -> bytes:
        raise ZeroDivisionError

    async with serving(handler) as call:
        with nothing_left_behind():
            await refused(call, b"x", grpc.StatusCode.INTERNAL)
