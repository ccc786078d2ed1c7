"""What `up` asks of the services over gRPC: that they serve, and that a first tenant is there."""

import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rapport.v1 import ledger_service_pb2, ledger_service_pb2_grpc

from deploy.local.errors import StackError

PRINCIPAL = "services/stack"
SERVING_TIMEOUT_S = 60.0
CALL_TIMEOUT_S = 15.0


async def wait_serving(name: str, target: str) -> None:
    """Returns when the service's overall health is SERVING. Raises StackError after a minute."""
    last = "it does not answer"
    deadline = time.monotonic() + SERVING_TIMEOUT_S
    async with grpc.aio.insecure_channel(target) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        while (left_s := deadline - time.monotonic()) > 0:
            changes = health.Watch(
                health_pb2.HealthCheckRequest(), timeout=left_s, wait_for_ready=True
            )
            try:
                async for change in changes:
                    if change.status == health_pb2.HealthCheckResponse.SERVING:
                        changes.cancel()
                        return
                    last = health_pb2.HealthCheckResponse.ServingStatus.Name(change.status)
            except grpc.aio.AioRpcError as error:
                last = error.details() or error.code().name
    raise StackError(f"the {name} at {target} is not serving: {last}")


async def ensure_tenant(target: str, tenant: str) -> None:
    """Creates the tenant in the default journal; one that exists, in whichever, is left alone."""
    async with grpc.aio.insecure_channel(target) as channel:
        ledger = ledger_service_pb2_grpc.LedgerServiceStub(channel)
        try:
            await ledger.CreateTenant(
                ledger_service_pb2.CreateTenantRequest(tenant=tenant),
                metadata=(("x-rapport-principal", PRINCIPAL),),
                timeout=CALL_TIMEOUT_S,
                wait_for_ready=True,
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
                raise StackError(f"cannot create tenant {tenant}: {error.details()}") from error
