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
from services.runtime import streams
from tests.faults.cluster import Replica
from tests.faults.torture.checker_index import REBUILD
from tests.faults.torture.checker_operator import DONE
from tests.faults.torture.records import Operator
from tests.faults.torture.stage import Stage

_LOOK_S: Final = 2.0
# How the doctor calls what poison leads to.
_PARKED: Final = "parked events"
_AWAY: Final = (
    OSError,
    TimeoutError,
    grpc.aio.AioRpcError,
    CommandError,
    nats.errors.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
)
_EVENT_AT: Final = """
SELECT event_id::text FROM journal.events WHERE journal = $1 AND position = $2
"""


type _Divergence = tuple[int, str, float]
"""A process by its pid, a journal, and how often it has found its stream diverged."""


class Watch:
    """Rebuilds streams that are diverged, once each time a relay says so, as long as it runs.

    It asks before it acts whether the stream still is: a relay that was frozen, or lost the lead,
    is NOT_SERVING for what another one has overcome. What recovers by itself must be left alone, or
    nobody would see that it does.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._acted: set[_Divergence] = set()

    async def run(self) -> None:
        """For ever."""
        while True:
            for ledger in self._stage.cluster.ledgers:
                try:
                    async with asyncio.timeout(_LOOK_S * 2):
                        diverged = [each async for each in self._diverged(ledger)]
                except _AWAY:
                    continue
                for each in diverged:
                    await self._rebuild(each)
            await asyncio.sleep(_LOOK_S)

    async def _diverged(self, ledger: Replica) -> AsyncIterator[_Divergence]:
        if await ledger.is_serving("rapport.relay"):
            return
        metrics = await ledger.metrics()
        for journal in self._stage.journals:
            entered = metrics.get(("rapport_relay_state_changes_total", journal, "diverged"), 0.0)
            divergence = ledger.pid, journal, entered
            if entered and divergence not in self._acted and await self._is_wrong(journal):
                yield divergence

    async def _is_wrong(self, journal: str) -> bool:
        """Whether the stream ends with what the journal does not have there."""
        name = streams.stream_name(journal)
        async with self._stage.nats(admin=False) as client:
            jetstream = client.jetstream(timeout=2)
            state = (await jetstream.stream_info(name)).state
            if state.messages == 0:
                return False
            last = await jetstream.get_msg(name, seq=state.last_seq)
        rows = await self._stage.owner(_EVENT_AT, journal, state.last_seq)
        said = (last.headers or {}).get(streams.EVENT_ID)
        return said not in [row["event_id"] for row in rows]

    async def _rebuild(self, divergence: _Divergence) -> None:
        _, journal, _ = divergence
        self._acted.add(divergence)
        command = f"{REBUILD} --journal {journal}"
        self._stage.history.write(Operator(command=command, journal=journal))
        outcome = DONE
        try:
            async with asyncio.timeout(30):
                await rebuild_streams(self._stage.cluster.installation, journal)
        except _AWAY as error:
            outcome = repr(error)
            self._acted.discard(divergence)
        self._stage.history.write(Operator(command=command, journal=journal, outcome=outcome))


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
            Operator(
                command=f"rapport doctor --journal {journal}", journal=journal, outcome=outcome
            )
        )
        found += wrong
    return found
