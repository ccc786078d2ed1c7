"""How long after an append a balance answers with it in, at a fifth of the peak."""

from statistics import median
from typing import Final

from bench import rows
from bench.append import IN_FLIGHT
from bench.loading import load_process
from bench.report import Figure
from bench.settings import Settings
from bench.stack import BenchStack
from bench.tenant import begun

SHARE_OF_PEAK: Final = 0.2
_MS: Final = 1000


async def measure(settings: Settings) -> list[Figure]:
    """Single commits, appends, commits, appends …; the first round warms up.

    The peak is what the ledger takes with 64 appends in flight, relay and projector beside it,
    measured in every round. Latencies count from the intended start. Notes tell one caller's, one
    call after the other.
    """
    p50: list[float] = []
    p99: list[float] = []
    commits: list[float] = []
    rates: list[float] = []
    alone: dict[str, list[float]] = {"append_p50_s": [], "p50_s": []}
    async with BenchStack() as stack, load_process() as load:
        ledger = await stack.start_ledger(relay=True)
        projector = await stack.start_projector()
        limit = await stack.fresh_database("raw")
        lone = settings.visible_calls // 10
        calls = settings.visible_calls + settings.unary_calls + lone
        total = calls * (settings.repeats + 1)
        await begun(load, ledger, seed=5, events=total)
        for repeat in range(settings.repeats + 1):
            await load.do("prepare", count=settings.unary_calls, batch=1)
            peak = (await load.do("unary", target=ledger, in_flight=IN_FLIGHT))["per_s"]
            head = await stack.head()
            await stack.projected(head)
            first = head - settings.commits + 1
            commit = await load.do(
                "commits", dsn=limit, source_dsn=stack.dsn, first=first, last=head
            )
            await load.do("prepare", count=lone, batch=1)
            one = await load.do("visible_alone", ledger=ledger, projector=projector)
            await load.do("prepare", count=settings.visible_calls, batch=1)
            rate = SHARE_OF_PEAK * peak
            own = await load.do("visible", ledger=ledger, projector=projector, per_s=rate)
            settings.say(
                f"visible: p50 {own['p50_s'] * _MS:.1f} ms, p99 {own['p99_s'] * _MS:.1f} ms at "
                f"{rate:,.0f}/s; a commit {commit['p50_s'] * _MS:.2f} ms"
            )
            if repeat:
                p50.append(own["p50_s"] * _MS)
                p99.append(own["p99_s"] * _MS)
                commits.append(commit["p50_s"] * _MS)
                rates.append(rate)
                for name, values in alone.items():
                    values.append(one[name] * _MS)
    notes = {
        "appends_per_s": median(rates),
        "lone_append_p50_ms": median(alone["append_p50_s"]),
        "lone_visible_p50_ms": median(alone["p50_s"]),
    }
    return [
        Figure(rows.VISIBLE_P50, p50, commits, notes=notes),
        Figure(rows.VISIBLE_P99, p99, commits),
    ]
