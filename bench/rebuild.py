"""Building all read models anew against projecting the same events as they come through NATS."""

import asyncio
import sys
import time
from typing import Final

import asyncpg

from bench import rows
from bench.loading import load_process
from bench.relay import published
from bench.report import Figure
from bench.settings import Settings
from bench.stack import BenchError, BenchStack
from bench.tenant import BATCH_EVENTS, begun
from services.projector.projections.tables import READ_MODELS

_EMPTY: Final = f"TRUNCATE {', '.join(f'views.{table}' for table in READ_MODELS)}"


async def measure(settings: Settings) -> list[Figure]:
    """Live, rebuild, live, rebuild …, each of all events of the journal; one round to warm up.

    Live: a projector that starts with empty read models, all events in the journal and in the
    stream. Neither shares the machine with anybody who appends, and the start of the process counts
    in both.
    """
    live: list[float] = []
    rebuilt: list[float] = []
    async with BenchStack() as stack, load_process() as load:
        ledger = await stack.start_ledger(relay=True)
        await begun(load, ledger, seed=8, events=settings.rebuild_events)
        await load.do("prepare", count=settings.rebuild_events, batch=BATCH_EVENTS)
        await load.do("ingest", target=ledger)
        head = await stack.head()
        await published(stack.nats_admin_url, head)
        for repeat in range(settings.repeats + 1):
            followed = head / await _projected(stack, head)
            anew = head / await _built(stack)
            settings.say(f"rebuild: {anew:,.0f} events/s, live {followed:,.0f}")
            if repeat:
                live.append(followed)
                rebuilt.append(anew)
    return [Figure(rows.REBUILD, rebuilt, live, notes={"events_rebuilt": float(head)})]


async def _projected(stack: BenchStack, head: int) -> float:
    """Seconds a projector takes from its start, with nothing, until all events are in its views."""
    conn = await asyncpg.connect(stack.dsn)
    try:
        await conn.execute(_EMPTY)
    finally:
        await conn.close()
    started = time.perf_counter()
    await stack.start_projector()
    await stack.projected(head)
    took_s = time.perf_counter() - started
    await stack.stop("projector")
    return took_s


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
