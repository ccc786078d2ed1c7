"""Unary appends, 64 in flight, against a gRPC echo and against single appends of a peer."""

from typing import Final

from bench import rows
from bench.consumption import postgres_pid
from bench.loading import LoadProcess, echo_process, load_process
from bench.peers import NOT_INSTALLED, is_installed
from bench.report import Figure
from bench.settings import Settings
from bench.spending import LIMIT_CPU, Spending, one, server
from bench.stack import BenchStack
from bench.tenant import begun

IN_FLIGHT: Final = 64
PEER_THREADS: Final = 8


async def measure(settings: Settings) -> list[Figure]:
    """Echo, ledger, peer, echo, ledger, peer …: the first round warms them up."""
    ours: list[float] = []
    echoed: list[float] = []
    theirs: list[float] = []
    async with BenchStack() as stack, load_process() as load, echo_process() as (echo, pid):
        ledger = await stack.start_ledger(relay=False)
        spent = Spending(
            {"ledger": one(stack.pid("ledger")), "postgres": server(await postgres_pid(stack))}
        )
        echo_spent = Spending({"echo": one(pid)})
        total = settings.unary_calls * (settings.repeats + 1)
        await begun(load, ledger, seed=1, events=total)
        if is_installed():
            dsn = await stack.fresh_database("peer")
            await load.do("peer", dsn=dsn, threads=PEER_THREADS)
        for repeat in range(settings.repeats + 1):
            await load.do("prepare", count=settings.unary_calls, batch=1)
            rate = await _rate(load, echo, echo_spent, settings.unary_calls)
            own = await _rate(load, ledger, spent, settings.unary_calls)
            peer = await _peer(stack, load, settings.unary_calls // 4) if is_installed() else 0.0
            settings.say(f"unary: {own:,.0f} of {rate:,.0f} calls/s, peer {peer:,.0f}")
            if repeat:
                echoed.append(rate)
                ours.append(own)
                theirs.append(peer)
    notes = {**spent.notes(), **echo_spent.notes(LIMIT_CPU)}
    figures = [Figure(rows.UNARY, ours, echoed, notes=notes)]
    if is_installed():
        return [*figures, Figure(rows.PEER_UNARY, ours, theirs)]
    return [*figures, Figure(rows.PEER_UNARY, skipped=NOT_INSTALLED)]


async def _rate(load: LoadProcess, target: str, spent: Spending, calls: int) -> float:
    """Calls a second; what the parts take is added to `spent`."""
    before = spent.now()
    answer = await load.do("unary", target=target, in_flight=IN_FLIGHT)
    spent.add(before, calls, client=answer["cpu_s"])
    return answer["per_s"]


async def _peer(stack: BenchStack, load: LoadProcess, count: int) -> float:
    """The peer's rate with the events the ledger took last."""
    head = await stack.head()
    answer = await load.do(
        "peer_append",
        source_dsn=stack.dsn,
        first=head - count + 1,
        last=head,
        batch=1,
        threads=PEER_THREADS,
    )
    return answer["per_s"]
