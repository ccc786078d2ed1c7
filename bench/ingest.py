"""Streamed ingest against raw COPY of the same rows, and against a peer's batches."""

from bench import rows
from bench.consumption import postgres_pid
from bench.loading import LoadProcess, load_process
from bench.peers import NOT_INSTALLED, is_installed
from bench.report import Figure
from bench.settings import Settings
from bench.spending import LIMIT_CPU, Spending, one, server
from bench.stack import BenchStack
from bench.tenant import BATCH_EVENTS, begun


async def measure(settings: Settings) -> list[Figure]:
    """Ledger, COPY, peer, ledger, COPY, peer …: the first round warms them up."""
    ours: list[float] = []
    copied: list[float] = []
    theirs: list[float] = []
    async with BenchStack() as stack, load_process() as load:
        ledger = await stack.start_ledger(relay=False)
        limit = await stack.fresh_database("raw")
        spent = Spending(
            {"ledger": one(stack.pid("ledger")), "postgres": server(await postgres_pid(stack))}
        )
        copy_spent = Spending({})
        total = settings.ingest_events * (settings.repeats + 1)
        await begun(load, ledger, seed=2, events=total)
        if is_installed():
            dsn = await stack.fresh_database("peer")
            await load.do("peer", dsn=dsn, threads=1)
        for repeat in range(settings.repeats + 1):
            first = await stack.head() + 1
            await load.do("prepare", count=settings.ingest_events, batch=BATCH_EVENTS)
            before = spent.now()
            answer = await load.do("ingest", target=ledger)
            spent.add(before, settings.ingest_events, client=answer["cpu_s"])
            own, last = answer["per_s"], await stack.head()
            same = {"source_dsn": stack.dsn, "first": first, "last": last}
            answer = await load.do("copy", dsn=limit, **same)
            copy_spent.add({}, last - first + 1, client=answer["cpu_s"])
            raw = answer["per_s"]
            peer = await _peer(load, first, last, stack.dsn) if is_installed() else 0.0
            settings.say(f"ingest: {own:,.0f} of {raw:,.0f} events/s, peer {peer:,.0f}")
            if repeat:
                ours.append(own)
                copied.append(raw)
                theirs.append(peer)
    notes = {**spent.notes(), **copy_spent.notes(LIMIT_CPU)}
    figures = [Figure(rows.INGEST, ours, copied, notes=notes)]
    if is_installed():
        return [*figures, Figure(rows.PEER_INGEST, ours, theirs)]
    return [*figures, Figure(rows.PEER_INGEST, skipped=NOT_INSTALLED)]


async def _peer(load: LoadProcess, first: int, last: int, dsn: str) -> float:
    answer = await load.do(
        "peer_append", source_dsn=dsn, first=first, last=last, batch=BATCH_EVENTS, threads=1
    )
    return answer["per_s"]
