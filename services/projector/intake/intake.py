"""The intake: finds the journals, follows this replica's share of them, says how they are."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import asyncpg
import grpc

from services.projector.intake.journal import JournalIntake
from services.projector.intake.leases import Leases
from services.projector.intake.ledger import JournalInfo, LedgerJournals
from services.projector.intake.link import NatsLink
from services.projector.intake.statistics import YoungTables
from services.projector.intake.stream import SILENCE_S
from services.projector.intake.turning import Turning
from services.projector.metrics import ProjectorMetrics
from services.projector.projections.statements import SQL
from services.runtime.clock import Clock
from services.runtime.lifecycle import Supervisor
from services.runtime.logs import get_logger
from services.runtime.pg import POSTGRES_ERRORS

_log = get_logger(__name__)

HEALTH_NAME: Final = "rapport.projector"
# How often journals created meanwhile, and heads, are looked for.
DISCOVER_S: Final = 2.0


class Intake:
    """Applies the events of the journals it holds leases on, for as long as it runs.

    `journals` are those. `on_health` is told whenever it changes whether all of them are followed:
    False while one waits for an operator. `lead_attention(link, journal)` is kept running for each.
    `dsn` is where leases are held: a login of the views.
    """

    def __init__(
        self,
        *,
        pool: asyncpg.Pool,
        dsn: str,
        ledger: LedgerJournals,
        nats_url: str | None,
        metrics: ProjectorMetrics,
        clock: Clock,
        on_moved: Callable[[str, int], None],
        on_health: Callable[[bool], None],
        lead_attention: Callable[[NatsLink, str], Awaitable[None]] | None = None,
        discover_s: float = DISCOVER_S,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._lead_attention = lead_attention
        self._pool, self._ledger, self._metrics, self._clock = pool, ledger, metrics, clock
        self._on_moved, self._on_health = on_moved, on_health
        self._discover_s, self._silence_s = discover_s, silence_s
        self._link = NatsLink(nats_url)
        self._young_tables = YoungTables()
        self._supervisor = Supervisor()
        self._healthy: bool | None = None
        # All there are, as last listed; None until the ledger has answered.
        self._known: dict[str, JournalInfo | None] = {}
        self.journals: dict[str, JournalIntake] = {}
        self._leases = Leases(
            dsn, metrics, known=lambda: self._known, take=self._follow, give_up=self._leave
        )

    def start(self) -> None:
        """Begin in the background; waits for Postgres, NATS and the ledger as long as it takes."""
        self._supervisor.start("nats", self._link.run)
        self._supervisor.start("intake", self._run)
        self._supervisor.start("leases", self._leases.run)

    async def stop(self) -> None:
        """End every task; a transaction under way is rolled back and is done again next time."""
        # First, so that another replica takes what this one has left, and only then.
        await self._supervisor.stop("leases")
        await self._supervisor.stop()
        await self._link.close()

    async def _run(self) -> None:
        while True:
            await self._discover()
            self._tell_health()
            await asyncio.sleep(self._discover_s)

    async def _discover(self) -> None:
        try:
            infos = await self._ledger.journals()
        except grpc.aio.AioRpcError as error:
            # Without the ledger, what was followed before can be followed on NATS.
            if not self._known:
                _log.warning("the ledger does not answer", exc_info=error)
                self._known = dict.fromkeys(await self._journals_with_views())
            return
        self._known = {info.journal: info for info in infos}
        for journal, intake in self.journals.items():
            found = self._known.get(journal)
            if found is not None:
                intake.saw(found)

    async def _journals_with_views(self) -> list[str]:
        try:
            async with self._pool.acquire() as conn:
                return [row["journal"] for row in await conn.fetch(SQL["list_checkpoints"])]
        except POSTGRES_ERRORS:
            return []

    def _follow(self, journal: str) -> None:
        intake = self.journals[journal] = JournalIntake(
            journal,
            pool=self._pool,
            ledger=self._ledger,
            link=self._link,
            metrics=self._metrics,
            clock=self._clock,
            on_moved=self._on_moved,
            young_tables=self._young_tables,
            silence_s=self._silence_s,
        )
        turning = Turning(journal, self._pool, self._metrics, self._clock)
        self._supervisor.start(f"intake/{journal}", intake.run)
        self._supervisor.start(f"turn/{journal}", turning.run)
        if self._lead_attention is not None:
            lead = partial(self._lead_attention, self._link, journal)
            self._supervisor.start(f"attention/{journal}", lead)

    async def _leave(self, journal: str) -> None:
        del self.journals[journal]
        for part in ("attention", "turn", "intake"):
            await self._supervisor.stop(f"{part}/{journal}")

    def _tell_health(self) -> None:
        healthy = not any(intake.state.stopped for intake in self.journals.values())
        if healthy != self._healthy:
            self._healthy = healthy
            self._on_health(healthy)
