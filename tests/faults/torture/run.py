"""One run: callers at work, faults by the seed, everything mended, and the verdict."""

import asyncio
import itertools
import os
import platform
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from rapport import Rapport, __version__

from services.runtime.clock import SystemClock, day_of
from tests.faults.torture import final_reads, records
from tests.faults.torture.checker import check
from tests.faults.torture.clients import Appender, Desk, Ingester, Querier, once
from tests.faults.torture.history import HistoryWriter, read
from tests.faults.torture.operating import Watch, doctor
from tests.faults.torture.schedule import Schedule
from tests.faults.torture.settling import SETTLE_S, Following, mend, unsettled
from tests.faults.torture.stage import Stage, staged
from tests.faults.torture.subscribers import Subscriber
from tests.support.databases import Background
from tests.support.servers import TestRun

HISTORY: Final = "history.jsonl"
_ATTEMPT_S: Final = 6.0
_INGEST_S: Final = 10.0
# A load to disturb, not a benchmark: with all of it a run takes about one core.
_APPEND_PAUSE_S: Final = 0.4
_INGEST_PAUSE_S: Final = 4.0
_QUERY_PAUSE_S: Final = 0.5


@dataclass(slots=True)
class Outcome:
    """What a run came to; `violations` is empty when every promise was kept."""

    seed: int
    minutes: float
    nats: str
    started_at: str
    machine: str
    events: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    faults_failed: dict[str, int] = field(default_factory=dict)
    undrawn: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def document(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


@dataclass(slots=True)
class _Load:
    """Everybody at work."""

    stage: Stage
    counts: Counter[str]
    on_day: int
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    writers: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    readers: list[asyncio.Task[None]] = field(default_factory=list)
    subscribers: list[Following] = field(default_factory=list)

    def start(self, stack: AsyncExitStack) -> None:
        calls = itertools.count(1)
        for journal, tenants in self.stage.journals.items():
            for number, tenant in enumerate(tenants):
                desk = Desk(self.stage.history, calls, self.counts, journal, tenant, self.on_day)
                self._tenant(stack, desk, is_first=number == 0)
            self._follow_nats(journal)

    def _tenant(self, stack: AsyncExitStack, desk: Desk, *, is_first: bool) -> None:
        for n in range(2 if is_first else 1):
            name = f"appender {desk.tenant} {n}"
            dice = self.stage.dice(name)
            client = self._client(stack, desk.tenant, n, once(_ATTEMPT_S), alone=is_first)
            self._write(name, Appender(name, desk, client, dice), _APPEND_PAUSE_S)
            name = f"querier {desk.tenant} {n}"
            target = f"projector-{n + 1}"
            client = self._client(stack, desk.tenant, n, once(_ATTEMPT_S), alone=True)
            querier = Querier(name, desk, client, target, self.stage.dice(name))
            self.readers.append(asyncio.create_task(querier.run(self.stop, _QUERY_PAUSE_S)))
        if is_first:
            name = f"ingester {desk.tenant}"
            client = self._client(stack, desk.tenant, 1, once(_INGEST_S), alone=False)
            loading = self._client(stack, desk.tenant, 1, None, alone=False)
            ingester = Ingester(name, desk, client, self.stage.dice(name), loading)
            self._write(name, ingester, _INGEST_PAUSE_S)
            follower = Subscriber(
                f"ledger {desk.tenant}", self.stage.history, desk.journal, self.counts
            )
            self.subscribers.append((follower, desk.journal, desk.tenant))
            ledger = partial(self._made, desk.tenant, 0)
            self.readers.append(asyncio.create_task(follower.over_grpc(desk.tenant, ledger)))

    def _follow_nats(self, journal: str) -> None:
        follower = Subscriber(f"nats {journal}", self.stage.history, journal, self.counts)
        self.subscribers.append((follower, journal, None))
        url = self.stage.subscribers_nats
        self.readers.append(asyncio.create_task(follower.over_nats(url)))

    def _write(self, name: str, writer: Appender, pause_s: float) -> None:
        self.writers[name] = asyncio.create_task(writer.run(self.stop, pause_s))

    def _client(
        self, stack: AsyncExitStack, tenant: str, first: int, retry: Any, *, alone: bool
    ) -> Rapport:
        client = self._made(tenant, first, retry, alone=alone)
        stack.push_async_callback(client.close)
        return client

    def _made(self, tenant: str, first: int, retry: Any = None, *, alone: bool = False) -> Rapport:
        return self.stage.cluster.client(
            tenant,
            ledger=self.stage.target("ledger", first, alone=alone),
            projector=self.stage.target("projector", first, alone=True),
            retry=retry,
        )

    async def written(self) -> list[str]:
        """Stop writing; who never came to the end of a request, or failed."""
        self.stop.set()
        await asyncio.wait(self.writers.values(), timeout=SETTLE_S)
        problems = []
        for name, task in self.writers.items():
            if not task.done():
                problems.append(f"{name} never learned what became of its last request")
            elif task.exception() is not None:
                problems.append(f"{name} failed: {task.exception()!r}")
        return problems

    async def leave(self) -> list[str]:
        """End everybody; readers that failed of their own accord."""
        tasks = [*self.writers.values(), *self.readers]
        failed = [task.exception() for task in self.readers if task.done() and not task.cancelled()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return [f"a reader failed: {error!r}" for error in failed if error is not None]


async def torture(
    seed: int,
    minutes: float,
    *,
    run: TestRun,
    background: Background,
    directory: Path,
    faults: Sequence[str] = (),
    nats_mode: str | None = None,
) -> Outcome:
    """Run and judge; the history stays in `directory`."""
    began_s = time.monotonic()
    mode = nats_mode or ("r3" if seed % 2 else "single")
    started_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    outcome = Outcome(seed, minutes, mode, started_at, _machine())
    path = directory / HISTORY
    began_ns = time.monotonic_ns()
    with HistoryWriter(path, lambda: (time.monotonic_ns() - began_ns) // 1_000) as history:
        async with staged(seed, run, background, history, mode) as stage:
            history.write(
                records.Run(
                    seed=seed,
                    minutes=minutes,
                    started_at=started_at,
                    nats=stage.nats_mode,
                    journals=tuple(stage.journals),
                    replicas=tuple(replica.name for replica in stage.cluster.projectors),
                    keeps_everything=True,
                    versions={"rapport": __version__, "python": platform.python_version()},
                )
            )
            problems = await _play(stage, minutes, faults, outcome)
            logs = stage.cluster.directory / "logs"
            await asyncio.to_thread(shutil.copytree, logs, directory / "logs", dirs_exist_ok=True)
            history.write(records.End(settled=not problems))
    found = await asyncio.to_thread(lambda: check(read(path)))
    outcome.violations = [*problems, *map(str, found)]
    outcome.seconds = round(time.monotonic() - began_s, 1)
    return outcome


async def _play(stage: Stage, minutes: float, faults: Sequence[str], outcome: Outcome) -> list[str]:
    counts: Counter[str] = Counter()
    on_day = day_of(SystemClock().now_us())
    schedule = Schedule(stage, faults)
    outcome.skipped = schedule.skipped
    load = _Load(stage, counts, on_day)
    watch = asyncio.create_task(Watch(stage).run())
    async with AsyncExitStack() as stack:
        load.start(stack)
        try:
            await schedule.run(time.monotonic() + minutes * 60)
            await mend(stage)
            problems = await load.written()
            problems += await unsettled(stage, load.subscribers)
        finally:
            failed = await load.leave()
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
    problems += failed
    if internal := counts["reason INTERNAL"]:
        problems.append(f"{internal} calls met a fault nobody expected: INTERNAL, see the logs")
    poison = schedule.done["poison-event"] + schedule.failed["poison-event"]
    if not problems:
        problems += await doctor(stage, poisoned=bool(poison))
    outcome.events = await final_reads.dump(stage, on_day)
    outcome.calls = dict(sorted(counts.items()))
    outcome.faults = dict(sorted(schedule.done.items()))
    outcome.faults_failed = dict(sorted(schedule.failed.items()))
    outcome.undrawn = schedule.undrawn
    return problems


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
