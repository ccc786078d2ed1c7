"""What a journal that has grown costs: latencies beside an empty one, and resident memory."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench import rows
from bench.loading import LoadProcess, load_process
from bench.report import Figure
from bench.settings import Settings
from bench.stack import BenchError, BenchStack
from bench.tenant import BATCH_EVENTS, DAYS

EVENTS_PER_RELATIONSHIP: Final = 50
_CHUNK_EVENTS: Final = 50_000
_MEMORY_SAMPLE_S: Final = 1.0
_MS: Final = 1000
_KIB_PER_MIB: Final = 1024
_ROWS: Final = {
    "append": rows.GROWN_APPEND,
    "timeline": rows.GROWN_TIMELINE,
    "balance": rows.GROWN_BALANCE,
}


async def measure(settings: Settings) -> list[Figure]:
    """Grow a journal through ledger, relay and projector; then ask it and an empty one in turn.

    The empty one holds only the relationships that are asked about, each as long as in the grown
    one. Memory is read from the kernel once the views are at the head.
    """
    async with BenchStack() as grown, load_process() as load:
        await _started(grown)
        relationships = max(1, settings.growth_events // EVENTS_PER_RELATIONSHIP)
        extra = settings.questions * (settings.repeats + 1) * len(_ROWS)
        total = settings.growth_events + extra
        await load.do("source", seed=6, relationships=relationships, events=total, days=DAYS)
        await _grow(grown, load, settings.memory_events, settings)
        before = await _memory(grown, settings.repeats)
        await _grow(grown, load, settings.growth_events, settings)
        after = await _memory(grown, settings.repeats)
        figures = await _compared(grown, load, settings)
    events = {"events": float(settings.growth_events)}
    over = rows.after_events(settings.memory_events)
    return [
        *figures,
        Figure(
            replace(rows.GROWN_LEDGER, over=over), after["ledger"], before["ledger"], notes=events
        ),
        Figure(
            replace(rows.GROWN_PROJECTOR, over=over),
            after["projector"],
            before["projector"],
            notes=events,
        ),
    ]


async def _started(stack: BenchStack) -> None:
    await stack.start_ledger(relay=True)
    await stack.start_projector()


async def _grow(stack: BenchStack, load: LoadProcess, events: int, settings: Settings) -> None:
    """Ingest until the journal holds so many events and the views are at its head."""
    while (head := await stack.head()) < events:
        await load.do("prepare", count=min(_CHUNK_EVENTS, events - head), batch=BATCH_EVENTS)
        await load.do("ingest", target=stack.target("ledger"))
        # No further ahead of the views than a chunk: what is measured is size, not backlog.
        await stack.projected(max(0, await stack.head() - _CHUNK_EVENTS))
        settings.say(f"growth: {await stack.head():,} of {events:,} events")
    await stack.projected(await stack.head())


async def _memory(stack: BenchStack, samples: int) -> dict[str, list[float]]:
    """Resident memory of both services in MiB, some times over."""
    found: dict[str, list[float]] = {"ledger": [], "projector": []}
    for _ in range(samples):
        await asyncio.sleep(_MEMORY_SAMPLE_S)
        for name, values in found.items():
            values.append(resident_mib(stack.pid(name)))
    return found


def resident_mib(pid: int) -> float:
    """What the kernel says a process holds in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / _KIB_PER_MIB
    raise BenchError(f"process {pid} has no resident memory")


async def _compared(grown: BenchStack, load: LoadProcess, settings: Settings) -> list[Figure]:
    taken: dict[tuple[str, str], list[float]] = {}
    async with BenchStack() as empty, load_process() as other:
        await _started(empty)
        relationships = settings.questions
        events = relationships * EVENTS_PER_RELATIONSHIP
        extra = settings.questions * (settings.repeats + 1) * len(_ROWS)
        await other.do(
            "source", seed=7, relationships=relationships, events=events + extra, days=DAYS
        )
        await _grow(empty, other, events, settings)
        for repeat in range(settings.repeats + 1):
            for what in _ROWS:
                for name, stack, source in (("empty", empty, other), ("grown", grown, load)):
                    p50_ms = await _asked(stack, source, what, settings.questions)
                    if repeat:
                        taken.setdefault((what, name), []).append(p50_ms)
    notes = {"events": float(settings.growth_events)}
    return [
        Figure(row, taken[what, "grown"], taken[what, "empty"], notes=notes)
        for what, row in _ROWS.items()
    ]


async def _asked(stack: BenchStack, load: LoadProcess, what: str, count: int) -> float:
    """The p50 of one kind of call in milliseconds."""
    await load.do("prepare", count=count, batch=1)
    target = stack.target("ledger" if what == "append" else "projector")
    return (await load.do("ask", target=target, what=what, count=count))["p50_s"] * _MS
