"""The end of a run: everything mended, and waited for until it has come to rest."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

import nats.errors
import nats.js.errors

from services.runtime import streams
from tests.faults.cluster import until
from tests.faults.torture.proxy import FAIR
from tests.faults.torture.skewed import set_skew
from tests.faults.torture.skewed_postgres import set_now
from tests.faults.torture.stage import Stage, skew_file
from tests.faults.torture.subscribers import Subscriber

# Beyond what a machine with much else to do needs to catch up: what is stuck stays stuck.
SETTLE_S: Final = 600.0

type Following = tuple[Subscriber, str, str | None]
"""A subscriber, its journal, and its tenant where it sees that one's events alone."""


async def mend(stage: Stage) -> None:
    """Whatever a fault that failed has left behind."""
    for proxy in stage.proxies.values():
        await proxy.become(FAIR)
    for disk in stage.disks.values():
        await asyncio.to_thread(disk.empty)
    for replica in stage.replicas:
        await asyncio.to_thread(set_skew, skew_file(stage, replica.name), 0)
    await asyncio.to_thread(stage.nodes.start)
    await asyncio.to_thread(stage.cluster.postgres.start)
    await set_now(stage, 0)
    for replica in stage.replicas:
        await asyncio.to_thread(replica.ensure)


async def unsettled(stage: Stage, subscribers: Sequence[Following]) -> list[str]:
    """Wait until everything has come to rest; what never does."""
    waiting: dict[str, Awaitable[None]] = {}
    for journal in stage.journals:
        waiting[f"the stream of {journal} at the head"] = until(
            partial(_is_streamed, stage, journal), "it", SETTLE_S
        )
        waiting[f"the read models of {journal} at the head"] = until(
            partial(_is_projected, stage, journal), "it", SETTLE_S
        )
    for subscriber, journal, tenant in subscribers:
        waiting[f"subscriber {subscriber.name} at the end"] = until(
            partial(_is_read, stage, subscriber, journal, tenant), "it", SETTLE_S
        )
    for ledger in stage.cluster.ledgers:
        for name in ("", "rapport.relay"):
            what = f"{ledger.name} {name} SERVING"
            waiting[what] = until(partial(_is_serving, ledger.is_serving, name), "it", SETTLE_S)
    for projector in stage.cluster.projectors:
        for name in ("", "rapport.projector", "rapport.attention"):
            what = f"{projector.name} {name} SERVING"
            waiting[what] = until(partial(_is_serving, projector.is_serving, name), "it", SETTLE_S)
    found = await asyncio.gather(*map(_in_time, waiting.values()), return_exceptions=True)
    return [
        f"never came: {what}"
        for what, error in zip(waiting, found, strict=True)
        if error is not None
    ]


async def _in_time(wait: Awaitable[None]) -> None:
    """Even when looking itself never comes to an end."""
    async with asyncio.timeout(SETTLE_S + 30):
        await wait


async def _head(stage: Stage, journal: str) -> int:
    rows = await stage.owner("SELECT head FROM journal.journals WHERE journal = $1", journal)
    return int(rows[0]["head"])


async def _is_streamed(stage: Stage, journal: str) -> bool:
    head = await _head(stage, journal)
    with suppress(OSError, TimeoutError, nats.errors.Error, nats.js.errors.Error):
        async with stage.nats(admin=False) as client:
            info = await client.jetstream(timeout=2).stream_info(streams.stream_name(journal))
            return int(info.state.last_seq) == head
    return False


async def _is_projected(stage: Stage, journal: str) -> bool:
    found = "SELECT position FROM views.checkpoints WHERE journal = $1"
    rows = await stage.owner(found, journal)
    return bool(rows) and int(rows[0]["position"]) == await _head(stage, journal)


async def _is_read(stage: Stage, subscriber: Subscriber, journal: str, tenant: str | None) -> bool:
    found = "SELECT max(position) AS last FROM journal.events WHERE journal = $1"
    if tenant is not None:
        found += f" AND tenant = '{tenant}'"
    last = (await stage.owner(found, journal))[0]["last"]
    return subscriber.position >= (last or 0)


async def _is_serving(look: Any, name: str) -> bool:
    with suppress(Exception):
        return bool(await look(name))
    return False
