"""Building all read models anew against following the journal live."""

import time

from bench import rows
from bench.loading import load_process
from bench.report import Figure
from bench.settings import Settings
from bench.stack import BenchStack
from bench.tenant import BATCH_EVENTS, begun
from services.operator.config import Installation
from services.operator.rebuilding import rebuild_views


async def measure(settings: Settings) -> list[Figure]:
    """Live, rebuild, live, rebuild …; the journal grows, every rebuild is of all of it."""
    live: list[float] = []
    rebuilt: list[float] = []
    async with BenchStack() as stack, load_process() as load:
        ledger = await stack.start_ledger(relay=True)
        await stack.start_projector()
        total = settings.rebuild_events * (settings.repeats + 1)
        await begun(load, ledger, seed=8, events=total)
        for repeat in range(settings.repeats + 1):
            await load.do("prepare", count=settings.rebuild_events, batch=BATCH_EVENTS)
            started = time.perf_counter()
            await load.do("ingest", target=ledger)
            head = await stack.head()
            await stack.projected(head)
            followed = settings.rebuild_events / (time.perf_counter() - started)
            anew = await _rebuilt(stack, head)
            settings.say(f"rebuild: {anew:,.0f} events/s, live {followed:,.0f}")
            if repeat:
                live.append(followed)
                rebuilt.append(anew)
    return [Figure(rows.REBUILD, rebuilt, live)]


async def _rebuilt(stack: BenchStack, head: int) -> float:
    """Events a second from the command until the views are at the head again."""
    started = time.perf_counter()
    await rebuild_views(Installation.from_mapping(dict(stack.env)))
    await stack.projected(head)
    return head / (time.perf_counter() - started)
