"""What an event takes: CPU of every part, and bytes on disk; docs/capacity.md is computed from it.

CPU is what the kernel counted, so that other work on the machine hardly shows in it; an event that
comes in a stream and one that comes alone are told apart, everybody keeping up in both.
"""

from typing import Final

import asyncpg
import nats

from bench.cpu import family, parent, usage
from bench.loading import LoadProcess, load_process
from bench.report import Figure, Row
from bench.settings import Settings
from bench.stack import JOURNAL, BenchStack
from bench.tenant import BATCH_EVENTS, begun
from services.runtime.streams import stream_name

_US: Final = 1e6
_IN_FLIGHT: Final = 64
PARTS: Final = ("ledger", "projector", "postgres", "nats")
STORES: Final = ("journal", "views", "stream")
# A part of the journal that stays when its events go to files.
KEYS: Final = "keys"
_SIZES: Final = """
SELECT n.nspname, sum(pg_total_relation_size(c.oid))::bigint
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('journal', 'views') AND c.relkind = 'r'
 GROUP BY 1
 UNION ALL
SELECT 'keys', pg_total_relation_size('journal.event_keys')::bigint
"""
_PAYLOAD: Final = "SELECT sum(length(payload))::float8 FROM journal.events WHERE position > $1"


def cpu_row(part: str, way: str) -> Row:
    """CPU of a part for an event that came in a stream or alone, of what all parts take."""
    told = "streamed in batches of 500" if way == "streamed" else "appended alone, 64 in flight"
    return Row(f"cpu_{part}_{way}", f"CPU of {part}, events {told}", "all parts", "µs/event", None)


def bytes_row(store: str) -> Row:
    """Bytes of a store for an event, indexes included, over those of its payload."""
    told = "event_keys, a part of the journal" if store == KEYS else store
    return Row(f"bytes_{store}", f"bytes in {told}", "payload", "bytes/event", None)


async def measure(settings: Settings) -> list[Figure]:
    """Streamed, alone, streamed …, relay and projector at the head each time; sizes at the end."""
    spent: dict[str, list[dict[str, float]]] = {"streamed": [], "alone": []}
    calls, events = settings.unary_calls // 2, settings.ingest_events // 2
    async with BenchStack() as stack, load_process() as load:
        ledger = await stack.start_ledger(relay=True)
        await stack.start_projector()
        total = (settings.repeats + 1) * (calls + events)
        await begun(load, ledger, seed=6, events=total)
        await stack.projected(await stack.head())
        before, since = await _sizes(stack), await stack.head()
        postgres = await postgres_pid(stack)
        for repeat in range(settings.repeats + 1):
            await load.do("prepare", count=events, batch=BATCH_EVENTS)
            streamed = await _spent(stack, load, postgres, events, "ingest", target=ledger)
            await load.do("prepare", count=calls, batch=1)
            alone = await _spent(
                stack, load, postgres, calls, "unary", target=ledger, in_flight=_IN_FLIGHT
            )
            settings.say(f"consumption: {sum(streamed.values()):,.0f} µs an event in a stream")
            if repeat:
                spent["streamed"].append(streamed)
                spent["alone"].append(alone)
        after, count = await _sizes(stack), await stack.head() - since
        payload = await _payload(stack, since) / count
    figures = [
        Figure(
            cpu_row(part, way),
            [each[part] for each in runs],
            [sum(each.values()) for each in runs],
        )
        for way, runs in spent.items()
        for part in PARTS
    ]
    return figures + [
        Figure(bytes_row(store), [(after[store] - before[store]) / count], [payload])
        for store in (*STORES, KEYS)
    ]


async def _spent(
    stack: BenchStack,
    load: LoadProcess,
    postgres: int,
    events: int,
    command: str,
    **arguments: object,
) -> dict[str, float]:
    """Microseconds of CPU an event of every part, until it is in the read models."""
    before = _cpu_s(stack, postgres)
    await load.do(command, **arguments)
    await stack.projected(await stack.head())
    after = _cpu_s(stack, postgres)
    return {part: (after[part] - before[part]) / events * _US for part in PARTS}


async def postgres_pid(stack: BenchStack) -> int:
    """The first process of the server."""
    conn = await asyncpg.connect(stack.dsn)
    try:
        return parent(await conn.fetchval("SELECT pg_backend_pid()"))
    finally:
        await conn.close()


def _cpu_s(stack: BenchStack, postgres: int) -> dict[str, float]:
    """Seconds of CPU every part has taken so far."""
    nats_pid = stack.state.processes["nats"].pid
    pids = ([stack.pid("ledger")], [stack.pid("projector")], family(postgres), [nats_pid])
    return {part: usage(each).all_s for part, each in zip(PARTS, pids, strict=True)}


async def _sizes(stack: BenchStack) -> dict[str, float]:
    conn = await asyncpg.connect(stack.dsn)
    try:
        sizes = {name: float(size) for name, size in await conn.fetch(_SIZES)}
    finally:
        await conn.close()
    client = await nats.connect(stack.nats_admin_url)
    try:
        info = await client.jetstream().stream_info(stream_name(JOURNAL))
    finally:
        await client.close()
    return {**sizes, "stream": float(info.state.bytes)}


async def _payload(stack: BenchStack, since: int) -> float:
    conn = await asyncpg.connect(stack.dsn)
    try:
        return float(await conn.fetchval(_PAYLOAD, since))
    finally:
        await conn.close()
