"""`python -m bench.echo`: a gRPC server that takes appends and does nothing with them.

The limit of unary appends: the same library, options, messages and size of answer as the ledger's.
It says where it listens in one line of JSON and serves until SIGTERM.
"""

import asyncio
import json
import signal
from typing import Any, Final

import grpc
import uvloop
from rapport.v1 import ledger_service_pb2 as pb
from rapport.v1 import ledger_service_pb2_grpc as pb_grpc

from services.runtime.server import OPTIONS

_ANSWER: Final = pb.AppendEventsResponse(journal="main", last_position=1_000_000)
_answered = _ANSWER.events.add()
_answered.event_id = "0190a0b0-c0d0-7000-8000-000000000000"
_answered.position, _answered.revision = 1_000_000, 100
_answered.home = "relationships/i0000001~x0000001"
_answered.recorded_at.seconds, _answered.recorded_at.nanos = 1_767_225_600, 123_456_000


class Echo(pb_grpc.LedgerServiceServicer):
    """Answers at once, as many bytes as the ledger."""

    async def AppendEvents(  # noqa: N802 - the name of the method on the wire
        self, request: pb.AppendEventsRequest, context: Any
    ) -> pb.AppendEventsResponse:
        """Nothing is kept."""
        return _ANSWER


async def main() -> None:
    """Serve until SIGTERM."""
    server = grpc.aio.server(options=OPTIONS)
    pb_grpc.add_LedgerServiceServicer_to_server(Echo(), server)  # type: ignore[abstract]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(json.dumps({"port": port}), flush=True)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    await server.stop(0)


if __name__ == "__main__":
    uvloop.run(main())
