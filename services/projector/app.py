"""The composition root of the projector: the only place that knows all its parts."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import asyncpg
import grpc
from prometheus_client import CollectorRegistry
from rapport.v1.ledger_service_pb2_grpc import LedgerServiceStub

from services.projector.api.services import SERVICE_NAMES, Dependencies, add_services
from services.projector.api.tenants import LedgerTenants
from services.projector.attention.journal import HEALTH_NAME as ATTENTION_HEALTH
from services.projector.attention.journal import AttentionParts, lead
from services.projector.bundle.signing import signing_key_of
from services.projector.config import ProjectorConfig
from services.projector.intake.intake import DISCOVER_S, HEALTH_NAME, Intake
from services.projector.intake.ledger import LedgerJournals
from services.projector.intake.stream import SILENCE_S
from services.projector.metrics import ProjectorMetrics
from services.projector.queries.snapshot import Views, plan_by_index
from services.projector.queries.waiting import Positions
from services.runtime import migrations, vault
from services.runtime.caller import CallerIdentifier, MetadataIdentifier
from services.runtime.clock import Clock, SystemClock
from services.runtime.lifecycle import StopSteps, Supervisor, write_ready_file
from services.runtime.limits import MESSAGE_BYTES_MAX
from services.runtime.logs import get_logger
from services.runtime.metrics import start_metrics
from services.runtime.pg import POSTGRES_ERRORS, create_pool, once_postgres_answers
from services.runtime.server import RpcServer
from services.runtime.vault import Vault

_log = get_logger(__name__)

SCHEMA: Final = "views"
MIGRATIONS: Final = Path(__file__).parent / "migrations"

# Queries: a whole page of folds is done within seconds.
_QUERY_POOL_MAX: Final = 16
_QUERY_TIMEOUT_MS: Final = 30_000
# Intake: one connection for each journal and one for its turn of the day.
_INTAKE_POOL_MAX: Final = 16
_INTAKE_TIMEOUT_MS: Final = 120_000
# A frozen replica lets go of the checkpoint after this; folding what a batch needs takes far less.
_INTAKE_IDLE_MS: Final = 15_000
# As long as another replica, or the rebuild of the views, may hold a checkpoint.
_INTAKE_LOCK_MS: Final = 60_000
_VAULT_POOL_MAX: Final = 4
_VAULT_TIMEOUT_MS: Final = 10_000
_LOCK_MS: Final = 5_000
_READINESS_S: Final = 1.0
_STEP_TIMEOUT_S: Final = 10.0

_CHANNEL_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    # A ledger that vanished without a word is noticed within half a minute.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # A ledger that comes back is found soon: read-your-writes waits for it.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


@dataclass(frozen=True, slots=True)
class Running:
    """A projector that listens: its ports, and its parts for whoever looks inside."""

    port: int
    metrics_port: int
    intake: Intake
    positions: Positions


async def serve(config: ProjectorConfig, stop: asyncio.Event) -> int:
    """Run a projector until `stop` is set, then drain it; the exit code."""
    async with running(config, stop=stop) as projector:
        if projector is not None:
            _log.info("projector listens", port=projector.port, pid=os.getpid())
            await stop.wait()
            _log.info("projector drains")
    _log.info("projector stopped")
    return 0


@asynccontextmanager
async def running(
    config: ProjectorConfig,
    *,
    stop: asyncio.Event | None = None,
    clock: Clock | None = None,
    identifier: CallerIdentifier | None = None,
    discover_s: float = DISCOVER_S,
    silence_s: float = SILENCE_S,
) -> AsyncIterator[Running | None]:
    """A projector that listens, drained at the end of the block.

    Waits for Postgres as long as it takes; None when `stop` is set meanwhile.
    """
    clock = clock or SystemClock()
    registry = CollectorRegistry()
    metrics = ProjectorMetrics(registry)
    async with StopSteps() as steps:
        pools = await once_postgres_answers(lambda: _open_pools(config, steps), stop)
        if pools is None:
            yield None
            return
        channel = grpc.aio.insecure_channel(config.ledger_target, options=_CHANNEL_OPTIONS)
        steps.add("ledger-channel", channel.close, _STEP_TIMEOUT_S)
        stub = LedgerServiceStub(channel)
        views = Views(pools.queries)
        positions = Positions(views.position)
        rpc = RpcServer(list(SERVICE_NAMES), identifier or MetadataIdentifier(), metrics)
        dependencies = Dependencies(
            views=views,
            positions=positions,
            tenants=LedgerTenants(stub),
            keys=Vault(pools.keys, config.master_keys),
            clock=clock,
            signing_key=signing_key_of(config.master_keys),
        )
        add_services(rpc.edge, dependencies)
        health = NamedHealth(rpc, HEALTH_NAME)
        journals = LedgerJournals(stub)
        attention = AttentionParts(
            pool=pools.intake,
            dsn=config.views_dsn,
            ledger=journals,
            metrics=metrics,
            clock=clock,
            on_health=NamedHealth(rpc, ATTENTION_HEALTH).changed,
            states={},
            stream_replicas=config.stream_replicas,
        )
        intake = Intake(
            pool=pools.intake,
            dsn=config.views_dsn,
            ledger=journals,
            nats_url=config.nats_url,
            metrics=metrics,
            clock=clock,
            on_moved=positions.reached,
            on_health=health.changed,
            lead_attention=partial(lead, attention),
            discover_s=discover_s,
            silence_s=silence_s,
        )
        await rpc.set_health(HEALTH_NAME, False)
        # Who stands by while another leads has nothing to be unwell with.
        await rpc.set_health(ATTENTION_HEALTH, True)
        host, port = config.listen
        bound = await rpc.start(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        exporter = start_metrics(*config.metrics_listen, registry)
        steps.add("metrics", lambda: asyncio.to_thread(exporter.close), _STEP_TIMEOUT_S)
        supervisor = Supervisor()
        readiness = Readiness(pools, rpc, intake)
        supervisor.start("readiness", readiness.watch)
        # Stopped last to first: no new calls, those under way end reading what the intake, which
        # goes on meanwhile, brings them; then the intake.
        steps.add("intake", readiness.stop_intake, _STEP_TIMEOUT_S)
        steps.add(
            "grpc",
            lambda: rpc.stop(notice_s=config.drain_notice_s, grace_s=config.drain_grace_s),
            config.drain_notice_s + config.drain_grace_s + _STEP_TIMEOUT_S,
        )
        steps.add("readiness", supervisor.stop, _STEP_TIMEOUT_S)
        steps.add("watchers", dependencies.drain, _STEP_TIMEOUT_S)
        if config.ready_file is not None:
            write_ready_file(config.ready_file, grpc=bound, metrics=exporter.port)
        yield Running(bound, exporter.port, intake, positions)


@dataclass(frozen=True, slots=True)
class Pools:
    """The connections of a projector, apart by what may wait for what."""

    queries: asyncpg.Pool
    intake: asyncpg.Pool
    keys: asyncpg.Pool


class NamedHealth:
    """Carries the health of a part to its name on the server."""

    def __init__(self, rpc: RpcServer, name: str) -> None:
        self._rpc, self._name = rpc, name
        self._serving: bool | None = None
        self._changes: set[asyncio.Task[None]] = set()

    def changed(self, serving: bool) -> None:
        """The part does its work, or waits for an operator or for what it needs."""
        if serving == self._serving:
            return
        self._serving = serving
        task = asyncio.ensure_future(self._rpc.set_health(self._name, serving))
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)


class Readiness:
    """SERVING while both schemas are at least at the version this program was written for.

    The intake starts when they are for the first time.
    """

    def __init__(self, pools: Pools, rpc: RpcServer, intake: Intake) -> None:
        self._pools, self._rpc, self._intake = pools, rpc, intake
        self._views_version = migrations.expected_version(MIGRATIONS)
        self._vault_version = migrations.expected_version(vault.MIGRATIONS)
        self._ready: bool | None = None
        self._started = False

    async def watch(self) -> None:
        """Look every second, for ever."""
        while True:
            ready = await self._look()
            if ready and not self._started:
                self._started = True
                self._intake.start()
            if ready != self._ready:
                self._ready = ready
                _log.info("readiness changed", state="ready" if ready else "not-ready")
            await self._rpc.set_ready(ready)
            await asyncio.sleep(_READINESS_S)

    async def stop_intake(self) -> None:
        """Stop the intake if it was started."""
        await self._intake.stop()

    async def _look(self) -> bool:
        try:
            async with self._pools.queries.acquire() as conn:
                views_version = await migrations.schema_version(conn, SCHEMA)
            async with self._pools.keys.acquire() as conn:
                vault_version = await migrations.schema_version(conn, vault.SCHEMA)
        except POSTGRES_ERRORS as error:
            if self._ready is not False:
                _log.warning("postgres does not answer", exc_info=error)
            return False
        return views_version >= self._views_version and vault_version >= self._vault_version


async def _open_pools(config: ProjectorConfig, steps: StopSteps) -> Pools:
    """The pools; those opened before one that fails are closed again."""
    try:
        return await _connect(config, steps)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        await steps.stop()
        raise


async def _connect(config: ProjectorConfig, steps: StopSteps) -> Pools:
    queries = await create_pool(
        config.views_dsn,
        application_name="rapport-projector-queries",
        size_min=1,
        size_max=_QUERY_POOL_MAX,
        statement_timeout_ms=_QUERY_TIMEOUT_MS,
        lock_timeout_ms=_LOCK_MS,
        idle_in_transaction_timeout_ms=_QUERY_TIMEOUT_MS,
        init=plan_by_index,
    )
    steps.add("query-pool", queries.close, _STEP_TIMEOUT_S)
    intake = await create_pool(
        config.views_dsn,
        application_name="rapport-projector-intake",
        size_min=1,
        size_max=_INTAKE_POOL_MAX,
        statement_timeout_ms=_INTAKE_TIMEOUT_MS,
        lock_timeout_ms=_INTAKE_LOCK_MS,
        idle_in_transaction_timeout_ms=_INTAKE_IDLE_MS,
    )
    steps.add("intake-pool", intake.close, _STEP_TIMEOUT_S)
    keys = await create_pool(
        config.vault_dsn,
        application_name="rapport-projector-vault",
        size_min=1,
        size_max=_VAULT_POOL_MAX,
        statement_timeout_ms=_VAULT_TIMEOUT_MS,
        lock_timeout_ms=_LOCK_MS,
        idle_in_transaction_timeout_ms=_LOCK_MS,
    )
    steps.add("vault-pool", keys.close, _STEP_TIMEOUT_S)
    return Pools(queries, intake, keys)
