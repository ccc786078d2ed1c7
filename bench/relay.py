"""The relay against a raw publisher of the same messages."""

import asyncio
import time
from typing import Final

import nats
from nats.js.errors import NotFoundError

from bench import rows
from bench.loading import load_process
from bench.report import Figure
from bench.settings import Settings
from bench.stack import JOURNAL, BenchError, BenchStack
from bench.tenant import BATCH_EVENTS, begun
from services.ledger.relay.rebuild import rebuild_stream
from services.runtime import streams

_POLL_S: Final = 0.01
_TIMEOUT_S: Final = 300.0


async def measure(settings: Settings) -> list[Figure]:
    """Raw publish, relay, raw publish, relay …, each into an empty stream; one round to warm up."""
    ours: list[float] = []
    raw: list[float] = []
    read: list[float] = []
    async with BenchStack() as stack, load_process() as load:
        ledger = await stack.start_ledger(relay=True)
        count = settings.relay_messages
        await begun(load, ledger, seed=4, events=count)
        await load.do("prepare", count=count, batch=BATCH_EVENTS)
        await load.do("ingest", target=ledger)
        head = await stack.head()
        await _published(stack.nats_admin_url, head)
        for repeat in range(settings.repeats + 1):
            limit = await load.do(
                "publish",
                admin_url=stack.nats_admin_url,
                source_dsn=stack.dsn,
                first=head - count + 1,
                last=head,
            )
            await rebuild_stream(stack.nats_admin_url, JOURNAL)
            own = await _published(stack.nats_admin_url, head)
            settings.say(f"relay: {own:,.0f} of {limit['per_s']:,.0f} messages/s")
            if repeat:
                ours.append(own)
                raw.append(limit["per_s"])
                read.append(limit["read_per_s"])
    notes = {"raw_read_messages_per_s": sorted(read)[len(read) // 2]}
    return [Figure(rows.RELAY, ours, raw, notes=notes)]


async def _published(admin_url: str, head: int) -> float:
    """Messages a second from the first one seen in the stream to the head of the journal."""
    client = await nats.connect(admin_url)
    first_s, first = 0.0, 0
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            while True:
                try:
                    info = await client.jetstream().stream_info(streams.stream_name(JOURNAL))
                except NotFoundError:
                    await asyncio.sleep(_POLL_S)
                    continue
                now_s, last = time.perf_counter(), info.state.last_seq
                if last and not first_s:
                    first_s, first = now_s, last
                if last >= head:
                    return (head - first) / (now_s - first_s) if now_s > first_s else 0.0
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise BenchError(f"the relay does not reach {head}") from None
    finally:
        await client.close()
