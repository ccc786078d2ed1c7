"""The relay against a raw publisher of the same messages."""

import asyncio
import time
from statistics import median
from typing import Final

import nats
from nats.js.errors import NotFoundError

from bench import rows
from bench.consumption import postgres_pid
from bench.loading import load_process
from bench.report import Figure
from bench.settings import Settings
from bench.spending import LIMIT_CPU, Spending, one, server
from bench.stack import JOURNAL, BenchError, BenchStack
from bench.tenant import BATCH_EVENTS, begun
from services.ledger.relay.rebuild import rebuild_stream
from services.runtime import streams

_POLL_S: Final = 0.01
_TIMEOUT_S: Final = 300.0


async def measure(settings: Settings) -> list[Figure]:
    """Raw publish, relay, raw publish, relay …, each into an empty stream; one round to warm up.

    Both clocks start with the first message in the empty stream: how fast is asked. How soon the
    relay notices that its stream was emptied is another question, and told beside.
    """
    ours: list[float] = []
    raw: list[float] = []
    cleaned: list[float] = []
    read: list[float] = []
    noticed_s: list[float] = []
    async with BenchStack() as stack, load_process() as load:
        ledger = await stack.start_ledger(relay=True)
        count = settings.relay_messages
        await begun(load, ledger, seed=4, events=count)
        await load.do("prepare", count=count, batch=BATCH_EVENTS)
        await load.do("ingest", target=ledger)
        head = await stack.head()
        await published(stack.nats_admin_url, head)
        spent = Spending(
            {
                "ledger": one(stack.pid("ledger")),
                "postgres": server(await postgres_pid(stack)),
                "nats": one(stack.state.processes["nats"].pid),
            }
        )
        raw_spent = Spending({})
        for repeat in range(settings.repeats + 1):
            limit = await load.do(
                "publish",
                admin_url=stack.nats_admin_url,
                source_dsn=stack.dsn,
                first=head - count + 1,
                last=head,
            )
            raw_spent.add({}, count, publisher=limit["cpu_s"])
            await rebuild_stream(stack.nats_admin_url, JOURNAL)
            before = spent.now()
            own, first_s = await published(stack.nats_admin_url, head)
            spent.add(before, head)
            settings.say(f"relay: {own:,.0f} of {limit['per_s']:,.0f} messages/s")
            if repeat:
                ours.append(own)
                raw.append(limit["per_s"])
                cleaned.append(limit["clean_per_s"])
                read.append(limit["read_per_s"])
                noticed_s.append(first_s)
    notes = {
        "raw_clean_messages_per_s": median(cleaned),
        "raw_read_messages_per_s": median(read),
        "first_seen_s": median(noticed_s),
        **spent.notes(),
        **raw_spent.notes(LIMIT_CPU),
    }
    return [Figure(rows.RELAY, ours, raw, notes=notes)]


async def published(admin_url: str, head: int) -> tuple[float, float]:
    """Messages a second from the first ones seen to the head; seconds until those were seen."""
    started_s, first_s, first = time.perf_counter(), 0.0, 0
    client = await nats.connect(admin_url)
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            while True:
                try:
                    info = await client.jetstream().stream_info(streams.stream_name(JOURNAL))
                except NotFoundError:
                    await asyncio.sleep(_POLL_S)
                    continue
                took_s, last = time.perf_counter() - started_s, info.state.last_seq
                if last and not first:
                    first_s, first = took_s, last
                if last >= head:
                    return (head - first) / max(took_s - first_s, _POLL_S), first_s
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise BenchError(f"the relay does not reach {head}") from None
    finally:
        await client.close()
