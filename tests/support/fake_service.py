"""A stand-in for a service: listens, says so, serves health and CreateTenant, ends on SIGTERM.

It keeps the contract of `python -m services.ledger` with its starter, and nothing else; tests of
the stack run it so that they tell about the stack alone.
"""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from rapport.v1 import ledger_service_pb2


def ledger_handler(tenants: Path) -> grpc.GenericRpcHandler:
    """CreateTenant alone: appends `principal tenant` to a file."""

    async def create_tenant(
        request: ledger_service_pb2.CreateTenantRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> ledger_service_pb2.CreateTenantResponse:
        principal = dict(context.invocation_metadata() or ())["x-rapport-principal"]
        with tenants.open("a") as file:
            file.write(f"{principal!s} {request.tenant}\n")
        return ledger_service_pb2.CreateTenantResponse(created=True)

    method = grpc.unary_unary_rpc_method_handler(
        create_tenant,
        request_deserializer=ledger_service_pb2.CreateTenantRequest.FromString,
        response_serializer=ledger_service_pb2.CreateTenantResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(
        "rapport.v1.LedgerService", {"CreateTenant": method}
    )


async def main(name: str) -> None:
    """Runs until SIGTERM."""
    ready_file = Path(os.environ["RAPPORT_READY_FILE"])
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    port = server.add_insecure_port(os.environ[f"RAPPORT_{name.upper()}_LISTEN"])
    health = health_aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    await health.set("", health_pb2.HealthCheckResponse.SERVING)
    server.add_generic_rpc_handlers([ledger_handler(ready_file.with_name("tenants"))])
    await server.start()
    given = sorted(key for key in os.environ if key.startswith("RAPPORT_"))
    ready_file.with_name(f"{name}.given").write_text(json.dumps(given))
    staged = ready_file.with_suffix(".new")
    staged.write_text(json.dumps({"grpc": port, "metrics": port, "pid": os.getpid()}))
    staged.replace(ready_file)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.stop(1.0)
