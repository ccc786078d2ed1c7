"""The composition root of the ledger: the only place that knows all its parts."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg
from prometheus_client import CollectorRegistry
from rapport.v1 import ledger_service_pb2_grpc as pb_grpc

from services.ledger.api.erasing import reconcile
from services.ledger.api.parts import HEARTBEAT_S, READER_TIMEOUT_S, Parts
from services.ledger.api.service import SERVICE_NAME, LedgerService
from services.ledger.config import LedgerConfig
from services.ledger.journal.disk import DiskFloor
from services.ledger.journal.store import MIGRATIONS as JOURNAL_MIGRATIONS
from services.ledger.journal.store import Journal
from services.ledger.metrics import LedgerMetrics
from services.ledger.relay.relay import HEALTH_NAME as RELAY_HEALTH
from services.ledger.relay.relay import Relay
from services.runtime import migrations, vault
from services.runtime.caller import CallerIdentifier, MetadataIdentifier
from services.runtime.clock import Clock, SystemClock
from services.runtime.lifecycle import StopSteps, Supervisor, write_ready_file
from services.runtime.logs import get_logger
from services.runtime.metrics import start_metrics
from services.runtime.pg import POSTGRES_ERRORS, create_pool, once_postgres_answers
from services.runtime.server import RpcServer
from services.runtime.vault import Vault

_log = get_logger(__name__)

_VAULT_POOL_MAX: Final = 4
_VAULT_STATEMENT_TIMEOUT_MS: Final = 10_000
_VAULT_LOCK_TIMEOUT_MS: Final = 5_000
_READINESS_S: Final = 1.0
# What a stop may take beyond the grace of calls.
_STEP_TIMEOUT_S: Final = 10.0
_FLUSH_TIMEOUT_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Running:
    """A ledger that listens: its ports, and its parts for whoever looks inside."""

    port: int
    metrics_port: int
    parts: Parts
    relay: Relay | None


async def serve(config: LedgerConfig, stop: asyncio.Event) -> int:
    """Run a ledger until `stop` is set, then drain it; the exit code."""
    async with running(config, stop=stop) as ledger:
        if ledger is not None:
            _log.info("ledger listens", port=ledger.port, pid=os.getpid())
            await stop.wait()
            _log.info("ledger drains")
    _log.info("ledger stopped")
    return 0


@asynccontextmanager
async def running(
    config: LedgerConfig,
    *,
    stop: asyncio.Event | None = None,
    clock: Clock | None = None,
    identifier: CallerIdentifier | None = None,
    heartbeat_s: float = HEARTBEAT_S,
    reader_timeout_s: float = READER_TIMEOUT_S,
) -> AsyncIterator[Running | None]:
    """A ledger that listens, drained at the end of the block.

    Waits for Postgres as long as it takes; None when `stop` is set meanwhile.
    """
    clock = clock or SystemClock()
    registry = CollectorRegistry()
    metrics = LedgerMetrics(registry)
    async with StopSteps() as steps:
        journal = await once_postgres_answers(lambda: _open_journal(config, clock, metrics), stop)
        if journal is None:
            yield None
            return
        steps.add("journal", journal.close, _STEP_TIMEOUT_S)
        keys = await once_postgres_answers(lambda: _open_vault_pool(config), stop)
        if keys is None:
            yield None
            return
        steps.add("vault", keys.close, _STEP_TIMEOUT_S)
        parts = Parts(
            journal,
            Vault(keys, config.master_keys),
            clock,
            metrics,
            heartbeat_s=heartbeat_s,
            reader_timeout_s=reader_timeout_s,
        )
        rpc = RpcServer([SERVICE_NAME], identifier or MetadataIdentifier(), metrics)
        relay = _start_relay(config, journal, rpc, registry, metrics, steps)
        await rpc.set_health(RELAY_HEALTH, False)
        pb_grpc.add_LedgerServiceServicer_to_server(LedgerService(parts), rpc.edge)
        host, port = config.listen
        bound = await rpc.start(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        steps.add(
            "grpc",
            lambda: _drain(config, rpc, parts),
            config.drain_notice_s + config.drain_grace_s + _STEP_TIMEOUT_S,
        )
        exporter = start_metrics(*config.metrics_listen, registry)
        steps.add("metrics", lambda: asyncio.to_thread(exporter.close), _STEP_TIMEOUT_S)
        if config.ready_file is not None:
            write_ready_file(config.ready_file, grpc=bound, metrics=exporter.port)
        supervisor = Supervisor()
        supervisor.start("readiness", Readiness(parts, journal, keys, rpc).watch)
        steps.add("readiness", supervisor.stop, _STEP_TIMEOUT_S)
        yield Running(bound, exporter.port, parts, relay)


class Readiness:
    """SERVING while both schemas are at least at the version this program was written for."""

    def __init__(self, parts: Parts, journal: Journal, keys: asyncpg.Pool, rpc: RpcServer) -> None:
        self._parts, self._journal, self._keys, self._rpc = parts, journal, keys, rpc
        self._journal_version = migrations.expected_version(JOURNAL_MIGRATIONS)
        self._vault_version = migrations.expected_version(vault.MIGRATIONS)
        self._prepared = False
        self._ready: bool | None = None

    async def watch(self) -> None:
        """Look every second, for ever."""
        while True:
            ready = await self._look()
            if ready != self._ready:
                self._ready = ready
                _log.info("readiness changed", state="ready" if ready else "not-ready")
            await self._rpc.set_ready(ready)
            await asyncio.sleep(_READINESS_S)

    async def _look(self) -> bool:
        try:
            async with self._keys.acquire() as connection:
                vault_version = await migrations.schema_version(connection, vault.SCHEMA)
            if await self._journal.schema_version() < self._journal_version:
                return False
            if vault_version < self._vault_version:
                return False
            if not self._prepared:
                await self._journal.start()
                await reconcile(self._parts)
                for row in await self._journal.list_journals():
                    self._parts.metrics.head(row.journal, row.head)
                self._prepared = True
        except POSTGRES_ERRORS as error:
            if self._ready is not False:
                _log.warning("postgres does not answer", exc_info=error)
            return False
        return True


async def _open_journal(config: LedgerConfig, clock: Clock, metrics: LedgerMetrics) -> Journal:
    disk = None if config.postgres_data is None else DiskFloor(config.postgres_data, clock)
    return await Journal.connect(
        config.journal_dsn,
        disk=disk,
        clock=clock,
        on_append=metrics.head,
        on_group=metrics.group,
    )


async def _open_vault_pool(config: LedgerConfig) -> asyncpg.Pool:
    return await create_pool(
        config.vault_dsn,
        application_name="rapport-ledger-vault",
        size_min=1,
        size_max=_VAULT_POOL_MAX,
        statement_timeout_ms=_VAULT_STATEMENT_TIMEOUT_MS,
        lock_timeout_ms=_VAULT_LOCK_TIMEOUT_MS,
        idle_in_transaction_timeout_ms=_VAULT_LOCK_TIMEOUT_MS,
    )


def _start_relay(
    config: LedgerConfig,
    journal: Journal,
    rpc: RpcServer,
    registry: CollectorRegistry,
    metrics: LedgerMetrics,
    steps: StopSteps,
) -> Relay | None:
    """The relay beside the server: its health has a name of its own and stops no append."""
    if config.nats_url is None:
        _log.warning("no nats is configured: nothing is published")
        return None
    changes: set[asyncio.Task[None]] = set()

    def on_health(serving: bool) -> None:
        task = asyncio.ensure_future(rpc.set_health(RELAY_HEALTH, serving))
        changes.add(task)
        task.add_done_callback(changes.discard)

    relay = Relay(
        journal,
        nats_url=config.nats_url,
        dsn=config.journal_dsn,
        registry=registry,
        on_health=on_health,
        replicas=config.stream_replicas,
        retention=config.stream_retention,
    )

    def on_append(name: str, head: int) -> None:
        metrics.head(name, head)
        relay.hint(name)

    async def stop() -> None:
        try:
            async with asyncio.timeout(_FLUSH_TIMEOUT_S):
                await relay.flushed()
        except TimeoutError:
            _log.info("relay stops before its streams are at their heads")
        await relay.stop()

    journal.on_append = on_append
    relay.start()
    steps.add("relay", stop, _STEP_TIMEOUT_S + _FLUSH_TIMEOUT_S)
    return relay


async def _drain(config: LedgerConfig, rpc: RpcServer, parts: Parts) -> None:
    """NOT_SERVING, time to notice, then streams end by themselves and the rest gets its grace."""
    await rpc.set_ready(False)
    await asyncio.sleep(config.drain_notice_s)
    parts.draining.set()
    await rpc.stop(notice_s=0, grace_s=config.drain_grace_s)
