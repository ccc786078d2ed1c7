"""Building all read models anew against following the journal live."""

import asyncio
import sys
import time

from bench import rows
from bench.loading import load_process
from bench.report import Figure
from bench.settings import Settings
from bench.stack import BenchError, BenchStack
from bench.tenant import BATCH_EVENTS, begun


async def measure(settings: Settings) -> list[Figure]:
    """Live, rebuild, live, rebuild …; the journal grows, every rebuild is of all of it."""
    live: list[float] = []
    rebuilt: list[float] = []
    async with BenchStack() as stack, load_process() as load:
        ledger = await stack.start_ledger(relay=True)
        await stack.start_projector()
        total = settings.rebuild_events * (settings.repeats + 1)
        await begun(load, ledger, seed=8, events=total)
        await stack.projected(await stack.head())
        for repeat in range(settings.repeats + 1):
            await load.do("prepare", count=settings.rebuild_events, batch=BATCH_EVENTS)
            started = time.perf_counter()
            await load.do("ingest", target=ledger)
            head = await stack.head()
            await stack.projected(head)
            followed = settings.rebuild_events / (time.perf_counter() - started)
            anew = head / await _built(stack)
            settings.say(f"rebuild: {anew:,.0f} events/s, live {followed:,.0f}")
            if repeat:
                live.append(followed)
                rebuilt.append(anew)
    return [Figure(rows.REBUILD, rebuilt, live)]


async def _built(stack: BenchStack) -> float:
    """Seconds `rapport views build` takes for all of the journal, start of the command included."""
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", "rapport.cli", "views", "build", "--fresh", "--dir", str(stack.directory)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise BenchError(f"views build ended with {process.returncode}: {said.decode()}")
    return time.perf_counter() - started
