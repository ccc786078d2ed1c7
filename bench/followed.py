"""Streamed ingest with relay and projector beside it, as fast as they keep up."""

import time
from typing import Final

from bench import rows
from bench.consumption import postgres_pid
from bench.loading import LoadProcess, load_process
from bench.report import Figure
from bench.settings import Settings
from bench.spending import Spending, one, server
from bench.stack import BenchStack
from bench.tenant import BATCH_EVENTS, begun

LAG_S_MAX: Final = 1.0
# How far the load may run ahead of the views at first, in seconds of what they take.
_AHEAD_S: Final = 0.5
# Below this the load would only ever wait for the way, which is no longer than usual.
_AHEAD_EVENTS_MIN: Final = 4 * BATCH_EVENTS
_ATTEMPTS_MAX: Final = 20
NOT_KEPT_UP: Final = "at no rate were the views less than 1 s behind"


async def measure(settings: Settings) -> list[Figure]:
    """COPY, ledger, COPY, ledger …; a repeat that leaves the views 1 s behind does not count.

    The load waits whenever the views are further behind than what they take in half a second; a
    repeat that does not count halves that. The first two rounds warm up.
    """
    ours: list[float] = []
    copied: list[float] = []
    lags_s: list[float] = []
    async with BenchStack() as stack, load_process() as load:
        ledger = await stack.start_ledger(relay=True)
        await stack.start_projector()
        limit = await stack.fresh_database("raw")
        spent = Spending(
            {
                "ledger": one(stack.pid("ledger")),
                "projector": one(stack.pid("projector")),
                "postgres": server(await postgres_pid(stack)),
                "nats": one(stack.state.processes["nats"].pid),
            }
        )
        total = settings.ingest_events * (_ATTEMPTS_MAX + 2)
        await begun(load, ledger, seed=3, events=total)
        for _ in range(2):
            rate = await _chain_rate(stack, load, ledger, settings)
        ahead_max = max(int(rate * _AHEAD_S), _AHEAD_EVENTS_MIN)
        for _ in range(_ATTEMPTS_MAX):
            if len(ours) == settings.repeats:
                break
            first = await stack.head() + 1
            await load.do("prepare", count=settings.ingest_events, batch=BATCH_EVENTS)
            before = spent.now()
            own = await load.do("ingest", target=ledger, views_dsn=stack.dsn, ahead_max=ahead_max)
            acknowledged_s = time.perf_counter()
            last = await stack.head()
            await stack.projected(last)
            lag_s = time.perf_counter() - acknowledged_s
            spent.add(before, settings.ingest_events, client=own["cpu_s"])
            same = {"source_dsn": stack.dsn, "first": first, "last": last}
            raw = (await load.do("copy", dsn=limit, **same))["per_s"]
            settings.say(
                f"followed: {own['per_s']:,.0f} of {raw:,.0f} events/s, {lag_s:.2f} s behind"
            )
            if lag_s >= LAG_S_MAX:
                ahead_max //= 2
                continue
            ours.append(own["per_s"])
            copied.append(raw)
            lags_s.append(lag_s)
    if len(ours) < settings.repeats:
        return [Figure(rows.INGEST_FOLLOWED, skipped=NOT_KEPT_UP)]
    notes = {"lag_s_max": max(lags_s), **spent.notes()}
    return [Figure(rows.INGEST_FOLLOWED, ours, copied, notes=notes)]


async def _chain_rate(
    stack: BenchStack, load: LoadProcess, ledger: str, settings: Settings
) -> float:
    """Events a second from the first one sent to the last one in the views."""
    await load.do("prepare", count=settings.ingest_events, batch=BATCH_EVENTS)
    started = time.perf_counter()
    await load.do("ingest", target=ledger)
    await stack.projected(await stack.head())
    return settings.ingest_events / (time.perf_counter() - started)
