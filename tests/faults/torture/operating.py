"""The operator of a run: looks at health, and does what docs/operations.md prescribes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import asyncpg
import grpc
import nats.errors

from services.operator.doctor.examination import examine
from services.operator.doctor.report import Verdict
from services.operator.outcomes import CommandError
from services.operator.rebuilding import rebuild_streams
from tests.faults.cluster import Replica
from tests.faults.torture.records import Operator
from tests.faults.torture.stage import Stage

_LOOK_S: Final = 2.0
# How the doctor calls what poison leads to.
_PARKED: Final = "parked events"
_AWAY: Final = (OSError, TimeoutError, grpc.aio.AioRpcError, CommandError, nats.errors.Error)


class Watch:
    """Rebuilds streams that the relay calls diverged, for as long as it runs."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._seen: dict[tuple[int, str], float] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            for ledger in self._stage.cluster.ledgers:
                try:
                    async with asyncio.timeout(_LOOK_S * 2):
                        diverged = [journal async for journal in self._diverged(ledger)]
                except _AWAY:
                    continue
                for journal in diverged:
                    await self._rebuild(journal)
            await asyncio.sleep(_LOOK_S)

    async def _diverged(self, ledger: Replica) -> AsyncIterator[str]:
        if await ledger.is_serving("rapport.relay"):
            return
        metrics = await ledger.metrics()
        for journal in self._stage.journals:
            entered = metrics.get(("rapport_relay_state_changes_total", journal, "diverged"), 0.0)
            left = metrics.get(("rapport_relay_state_changes_total", journal, "following"), 0.0)
            key = (id(ledger), f"{journal} {entered} {left}")
            if entered and key not in self._seen:
                self._seen[key] = entered
                yield journal

    async def _rebuild(self, journal: str) -> None:
        outcome = "done"
        try:
            async with asyncio.timeout(30):
                await rebuild_streams(self._stage.cluster.installation, journal)
        except _AWAY as error:
            outcome = repr(error)
            self._seen.clear()
        self._stage.history.write(
            Operator(command=f"rapport stream rebuild --journal {journal}", outcome=outcome)
        )


async def doctor(stage: Stage, poisoned: bool) -> list[str]:
    """What `rapport doctor` finds wrong with the run's journals, but for parked poison."""
    found: list[str] = []
    for journal in stage.journals:
        try:
            report = await examine(stage.cluster.installation, journal=journal)
        except (CommandError, asyncpg.PostgresError) as error:
            found.append(f"doctor of {journal}: {error!r}")
            continue
        wrong = [
            f"doctor of {journal}: {check.name}: {check.difference or '; '.join(check.notes)}"
            for each in report.journals
            for check in each.checks
            if check.verdict in (Verdict.DIFFERENT, Verdict.UNAVAILABLE)
            and not (poisoned and check.name == _PARKED)
        ]
        outcome = "; ".join(wrong) or "clean"
        stage.history.write(
            Operator(command=f"rapport doctor --journal {journal}", outcome=outcome)
        )
        found += wrong
    return found
