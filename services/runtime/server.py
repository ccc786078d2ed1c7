"""The gRPC server both services stand on: options, health, reflection, one edge around all RPCs.

The edge is one piece instead of several interceptors: it names the caller, turns errors into
statuses, counts and times. Handlers raise RapportError and know nothing of it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol, cast

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from services.runtime.caller import CallerIdentifier, set_current_caller
from services.runtime.clock import Clock, SystemClock
from services.runtime.errors import RapportError, Reason, forget_frames
from services.runtime.grpc_errors import code_of, grpc_status_of, unforeseen
from services.runtime.limits import (
    MESSAGE_BYTES_MAX,
    METADATA_BYTES_MAX,
    STREAM_WINDOW_BYTES,
)
from services.runtime.room import Room

_STREAMS_PER_CONNECTION_MAX: Final = 1_000
_KEEPALIVE_TIME_MS: Final = 30_000
_KEEPALIVE_TIMEOUT_MS: Final = 10_000
_PING_INTERVAL_MIN_MS: Final = 5_000
# A watcher of the health service that does not read must not hold up a stop.
_HEALTH_TIMEOUT_S: Final = 1.0

OPTIONS: Final[tuple[tuple[str, int], ...]] = (
    # On by default, it lets two servers share a port without a word.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_metadata_size", METADATA_BYTES_MAX),
    ("grpc.max_concurrent_streams", _STREAMS_PER_CONNECTION_MAX),
    # What a stream may have sent that nobody here has asked for yet. Left alone, gRPC lets it grow
    # to many megabytes a stream.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", STREAM_WINDOW_BYTES),
    # A client that vanished without a word is noticed within 40 s.
    ("grpc.keepalive_time_ms", _KEEPALIVE_TIME_MS),
    ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", _PING_INTERVAL_MIN_MS),
)

type Context = grpc.aio.ServicerContext[Any, Any]
type RpcMethod = grpc.RpcMethodHandler[Any, Any]
type Behaviour = Callable[[Any, Context], Awaitable[Any]]


class CallObserver(Protocol):
    """Is told of every call that ends; for metrics."""

    def call_ended(self, method: str, code: str, reason: str, duration_s: float) -> None:
        """`reason` is that of the error, or empty; `code` a gRPC code, CANCELLED when it left."""
        ...


class NoObserver:
    """Counts nothing."""

    def call_ended(self, method: str, code: str, reason: str, duration_s: float) -> None:
        """Do nothing."""


class CallerGone(Exception):  # noqa: N818 - says what happened
    """The caller went away while something was written to it."""


class _Malformed:
    """Stands for a request that could not be decoded."""


class Edge:
    """What stands around the RPCs of the project's own services: each is wrapped once.

    Given to the generated `add_…_to_server` in place of the server, whose interceptors would wrap
    every call anew. Health and reflection need no caller and go to the server itself.
    """

    def __init__(
        self,
        server: grpc.aio.Server,
        identifier: CallerIdentifier,
        observer: CallObserver | None = None,
        *,
        clock: Clock | None = None,
        room: Room | None = None,
    ) -> None:
        self._server = server
        self._room = room or Room()
        self._identifier = identifier
        self._observer: CallObserver = observer or NoObserver()
        self._clock: Clock = clock or SystemClock()

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Generated code offers the same handlers by name next."""

    def add_registered_method_handlers(
        self, service: str, handlers: Mapping[str, RpcMethod]
    ) -> None:
        """Put a service's handlers on the server, wrapped."""
        wrapped = {
            name: self._wrapped(handler, f"/{service}/{name}") for name, handler in handlers.items()
        }
        generic = grpc.method_handlers_generic_handler(service, wrapped)
        self._server.add_generic_rpc_handlers((generic,))

    def _wrapped(self, handler: Any, method: str) -> RpcMethod:
        decode = _decoder(handler.request_deserializer)
        encode = handler.response_serializer
        if handler.stream_stream is not None:
            return grpc.stream_stream_rpc_method_handler(
                self._streaming(handler.stream_stream, method), decode, encode
            )
        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(
                self._streaming(handler.unary_stream, method), decode, encode
            )
        assert handler.unary_unary is not None, "no RPC takes a stream and answers once"
        # Without a decoder of gRPC's: what is refused for want of room costs nothing but its bytes.
        return grpc.unary_unary_rpc_method_handler(
            self._unary(handler.unary_unary, decode, method), None, encode
        )

    def _unary(self, behaviour: Any, decode: Any, method: str) -> Any:
        async def call(data: bytes, context: Context) -> Any:
            with self._room.taken(len(data)):
                return await behaviour(_decoded(decode(data)), context)

        return self._guarded(call, method)

    def _streaming(self, behaviour: Any, method: str) -> Any:
        # Written with `context.write`, not as a generator: what fails while writing is then
        # handled in this task too, and nothing is left suspended when the caller goes away.
        async def call(request: Any, context: Context) -> None:
            with self._room.stream():
                result = behaviour(request, context)
                if hasattr(result, "__aiter__"):
                    await _write_all(result, context)
                else:
                    await result

        return self._guarded(call, method)

    def _guarded(self, call: Behaviour, method: str) -> Behaviour:
        async def answer(request: Any, context: Context) -> Any:
            try:
                outcome = await self._outcome(call, request, context, method)
                if isinstance(outcome, RapportError):
                    await context.abort_with_status(grpc_status_of(outcome))
                return outcome
            finally:
                # gRPC's call keeps the exception that aborts it, and that keeps this frame. With
                # the context in it that is a cycle, and the request, of up to 9 MiB, would stay
                # until Python looks for cycles, which it does once in many calls.
                del request, context

        return answer

    async def _outcome(
        self, call: Behaviour, request: Any, context: Context, method: str
    ) -> Any | RapportError:
        """The answer, or the error to abort with."""
        started_s = self._clock.monotonic_s()

        def ended(code: str, reason: str = "") -> None:
            duration_s = self._clock.monotonic_s() - started_s
            self._observer.call_ended(method, code, reason, duration_s)

        try:
            metadata = dict(cast("Any", context.invocation_metadata()) or ())
            set_current_caller(await self._identifier.identify(metadata))
            answer = await call(_decoded(request), context)
        except (CallerGone, asyncio.CancelledError) as gone:
            ended("CANCELLED")
            if isinstance(gone, CallerGone):
                return None
            raise
        except grpc.aio.AbortError:
            ended("ABORTED")
            raise
        except Exception as fault:  # noqa: BLE001 - the edge is where faults end
            error = fault if isinstance(fault, RapportError) else unforeseen(fault, method)
            forget_frames(fault)
            # Before the status is sent: that may take as long as the caller likes.
            ended(code_of(error.reason).name, error.reason.value)
            return error
        ended("OK")
        return answer


class RpcServer:
    """A server that is NOT_SERVING until told, and says so again before it stops.

    Add servicers to `edge` before `start`. `services` are full names, for health and reflection.
    """

    def __init__(
        self,
        services: Sequence[str],
        identifier: CallerIdentifier,
        observer: CallObserver | None = None,
    ) -> None:
        self._services = tuple(services)
        self._server: Final = grpc.aio.server(options=OPTIONS)
        # Of a server it has what generated code asks for.
        self.edge: Final = cast("grpc.aio.Server", Edge(self._server, identifier, observer))
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (*services, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)

    async def start(self, listen: str) -> int:
        """Listen on `host:port` and return the port (the kernel's choice for 0); NOT_SERVING yet.

        Raises RuntimeError when the address cannot be had.
        """
        await self.set_ready(False)
        port = self._server.add_insecure_port(listen)
        await self._server.start()
        return port

    async def set_ready(self, ready: bool) -> None:
        """Whether the server as a whole and its services answer."""
        for name in ("", *self._services):
            await self.set_health(name, ready)

    async def set_health(self, name: str, serving: bool) -> None:
        """The state of one health name, such as `rapport.relay`."""
        status = health_pb2.HealthCheckResponse
        with suppress(TimeoutError):
            async with asyncio.timeout(_HEALTH_TIMEOUT_S):
                await self._health.set(name, status.SERVING if serving else status.NOT_SERVING)

    async def stop(self, *, notice_s: float, grace_s: float) -> None:
        """NOT_SERVING, wait `notice_s` for callers to notice, then refuse new calls.

        Calls under way get `grace_s` to end; then they are cut off.
        """
        await self.set_ready(False)
        await asyncio.sleep(notice_s)
        await self._server.stop(grace_s)


async def write(context: Context, message: Any, *, timeout_s: float) -> None:
    """Write to a stream; READER_TOO_SLOW when its reader takes nothing for `timeout_s`."""
    try:
        async with asyncio.timeout(timeout_s):
            await context.write(message)
    except grpc.aio.InternalError:
        raise CallerGone from None
    except TimeoutError:
        raise RapportError(
            Reason.READER_TOO_SLOW,
            f"nothing was read for {timeout_s:g} s; resume from the last position received",
        ) from None


async def _write_all(messages: AsyncIterator[Any], context: Context) -> None:
    try:
        async for message in messages:
            try:
                await context.write(message)
            except grpc.aio.InternalError:
                raise CallerGone from None
    finally:
        close = getattr(messages, "aclose", None)
        if close is not None:
            await close()


def _decoder(decode: Any) -> Any:
    def decoded(data: bytes) -> Any:
        try:
            return decode(data)
        except DecodeError:
            return _Malformed()

    return decoded


def _decoded(request: Any) -> Any:
    if hasattr(request, "__aiter__"):
        return _decoded_stream(request)
    if isinstance(request, _Malformed):
        raise RapportError(Reason.REQUEST_MALFORMED, "the request could not be decoded")
    return request


async def _decoded_stream(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _decoded(request)
