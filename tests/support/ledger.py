"""A real ledger in this process, on a port of its own, for tests."""

import io
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import grpc
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from rapport.v1 import ledger_service_pb2 as pb
from rapport.v1 import ledger_service_pb2_grpc as pb_grpc

from services.ledger.app import Running, running
from services.ledger.config import LedgerConfig
from services.runtime import logs
from services.runtime.clock import Clock
from services.runtime.vault import MasterKeys
from tests.support.databases import Database

SERVICE = "services/tests"
TENANT = "acme"


@dataclass(frozen=True, slots=True)
class Told:
    """What an RPC was refused with."""

    code: grpc.StatusCode
    reason: str
    metadata: Mapping[str, str]
    fields: list[str]
    retry_ms: int | None
    message: str


@dataclass(frozen=True, slots=True)
class LedgerUnderTest:
    """The process, a channel to it, and the stub."""

    process: Running
    channel: grpc.aio.Channel
    stub: Any

    async def append(
        self,
        *events: pb.NewEvent,
        tenant: str | None = TENANT,
        principal: str = "people/ann",
        timeout: float | None = None,
    ) -> pb.AppendEventsResponse:
        """AppendEvents."""
        request = pb.AppendEventsRequest(events=events)
        answer: pb.AppendEventsResponse = await self.stub.AppendEvents(
            request, metadata=who(tenant, principal), timeout=timeout
        )
        return answer

    async def get(
        self,
        event_id: str,
        *,
        tenant: str | None = TENANT,
        principal: str = "people/ann",
        view: Any = pb.EVENT_VIEW_UNSPECIFIED,
    ) -> pb.Event:
        """GetEvent."""
        request = pb.GetEventRequest(event_id=event_id, view=view)
        answer = await self.stub.GetEvent(request, metadata=who(tenant, principal))
        event: pb.Event = answer.event
        return event

    async def create_tenant(self, tenant: str = TENANT, journal: str = "") -> None:
        """CreateTenant."""
        request = pb.CreateTenantRequest(tenant=tenant, journal=journal)
        await self.stub.CreateTenant(request, metadata=who(None, SERVICE))


def who(tenant: str | None = TENANT, principal: str | None = "people/ann") -> tuple[Any, ...]:
    """The metadata of a caller."""
    pairs = (("x-rapport-tenant", tenant), ("x-rapport-principal", principal))
    return tuple((key, value) for key, value in pairs if value is not None)


def config_of(database: Database, keys: MasterKeys, **changes: Any) -> LedgerConfig:
    """Settings of a ledger on a database, quick to stop."""
    settings: dict[str, Any] = {
        "journal_dsn": database.journal_dsn,
        "vault_dsn": database.vault_dsn,
        "master_keys": keys,
        "drain_notice_s": 0,
        "drain_grace_s": 0.2,
    }
    return LedgerConfig(**{**settings, **changes})


@asynccontextmanager
async def ledger_on(
    database: Database,
    *,
    keys: MasterKeys | None = None,
    clock: Clock | None = None,
    heartbeat_s: float = 5.0,
    reader_timeout_s: float = 60.0,
    **changes: Any,
) -> AsyncIterator[LedgerUnderTest]:
    """A ledger that is SERVING."""
    keys = keys or MasterKeys.from_text(MasterKeys.generate_line())
    config = config_of(database, keys, **changes)
    logs.configure("ledger", stream=io.StringIO())
    async with running(
        config, clock=clock, heartbeat_s=heartbeat_s, reader_timeout_s=reader_timeout_s
    ) as process:
        assert process is not None
        async with grpc.aio.insecure_channel(f"127.0.0.1:{process.port}") as channel:
            await until_serving(channel)
            yield LedgerUnderTest(process, channel, pb_grpc.LedgerServiceStub(channel))


async def until_serving(channel: grpc.aio.Channel, service: str = "") -> None:
    """Returns when the health of a service is SERVING."""
    stub = health_pb2_grpc.HealthStub(channel)
    watch = stub.Watch(health_pb2.HealthCheckRequest(service=service), timeout=60)
    async for answer in watch:
        if answer.status == health_pb2.HealthCheckResponse.SERVING:
            watch.cancel()
            return


async def told(call: Any) -> Told:
    """What a call is refused with; fails if it is not."""
    try:
        if hasattr(call, "read"):
            while await call.read() is not grpc.aio.EOF:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return told_of(error)
    raise AssertionError("the call was not refused")


def told_of(error: grpc.aio.AioRpcError) -> Told:
    """The details of a refusal."""
    status = rpc_status.from_call(error)
    assert status is not None, f"no details: {error.code()} {error.details()}"
    info = error_details_pb2.ErrorInfo()
    bad_request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    has_retry = False
    for detail in status.details:
        for message in (info, bad_request):
            if detail.Is(message.DESCRIPTOR):
                detail.Unpack(message)
        if detail.Is(retry.DESCRIPTOR):
            detail.Unpack(retry)
            has_retry = True
    assert info.domain == "rapport"
    return Told(
        code=error.code(),
        reason=info.reason,
        metadata=dict(info.metadata),
        fields=[violation.field for violation in bad_request.field_violations],
        retry_ms=retry.retry_delay.ToMilliseconds() if has_retry else None,
        message=error.details() or "",
    )


def touch(
    a: str = "people/ann", b: str = "people/bob", *, event_id: str | None = None, **fields: Any
) -> pb.NewEvent:
    """A touchpoint of two people; `fields` are those of the payload."""
    event = pb.NewEvent(event_id=event_id or str(uuid4()))
    event.touchpoint.initiator, event.touchpoint.counterpart = a, b
    event.touchpoint.kind = fields.pop("kind", "call")
    note = fields.pop("note", None)
    if note is not None:
        event.touchpoint.note.text = note
    for name, value in fields.items():
        setattr(event.touchpoint, name, value)
    return event


def new(**payload: Any) -> pb.NewEvent:
    """An event with the payload given by its field's name, such as `voided=Voided(...)`."""
    event_id = payload.pop("event_id", None) or str(uuid4())
    return pb.NewEvent(event_id=event_id, **payload)


def metrics_of(ledger: LedgerUnderTest) -> list[str]:
    """The samples the process exports, as lines."""
    url = f"http://127.0.0.1:{ledger.process.metrics_port}/metrics"
    with urllib.request.urlopen(url, timeout=30) as answer:
        text: str = answer.read().decode()
    return [line for line in text.splitlines() if not line.startswith("#")]
