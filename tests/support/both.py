"""Both services in this process, with real ports, a real Postgres and a real NATS."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rapport import Rapport

from services.projector.app import running as projector_running
from services.projector.config import ProjectorConfig
from services.runtime.vault import MasterKeys
from tests.support.databases import Database
from tests.support.ledger import ledger_on


@dataclass(frozen=True, slots=True)
class Both:
    """Where both services listen."""

    ledger: str
    projector: str

    def client(self, tenant: str | None, principal: str = "people/tester") -> Rapport:
        """A client of both, to use with `async with`."""
        return Rapport(self.ledger, self.projector, tenant=tenant, principal=principal)

    async def create_tenant(self, tenant: str) -> None:
        """A tenant in the journal `main`."""
        async with self.client(None, "services/tests") as client:
            await client.create_tenant(tenant)


@asynccontextmanager
async def both_on(database: Database, nats_url: str) -> AsyncIterator[Both]:
    """A ledger with its relay, and a projector that follows it, on one database."""
    keys = MasterKeys.from_text(MasterKeys.generate_line())
    async with ledger_on(database, keys=keys, nats_url=nats_url) as ledger:
        target = f"127.0.0.1:{ledger.process.port}"
        config = ProjectorConfig(
            views_dsn=database.views_dsn,
            vault_dsn=database.vault_reader_dsn,
            master_keys=keys,
            ledger_target=target,
            nats_url=nats_url,
            drain_notice_s=0,
            drain_grace_s=0.2,
        )
        async with projector_running(config) as projector:
            assert projector is not None
            yield Both(target, f"127.0.0.1:{projector.port}")
