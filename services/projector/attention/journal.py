"""One journal's attention: whoever leads turns its days and publishes its log.

The lock keeps replicas from doing the same work; what keeps the log right is the tenant's day,
and what keeps the stream right the expected last sequence.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import asyncpg

from services.projector.attention.publishing import AttentionSource, attention_stream
from services.projector.attention.turning import AttentionTurning, CaughtUp
from services.projector.intake.ledger import LedgerJournals
from services.projector.intake.link import NatsLink
from services.projector.metrics import ProjectorMetrics
from services.runtime.clock import Clock
from services.runtime.jetstream import check_server_version
from services.runtime.leadership import Leadership, leadership
from services.runtime.publishing import Publisher, PublisherState

HEALTH_NAME: Final = "rapport.attention"
_WAIT_NATS_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class AttentionParts:
    """What the attention of any journal stands on.

    `dsn` is where the lock is taken: a login of the views. `on_health` is told whether the streams
    of all journals led here can be written. `stream_replicas` is how many copies a stream is made
    with.
    """

    pool: asyncpg.Pool
    dsn: str
    ledger: LedgerJournals
    metrics: ProjectorMetrics
    clock: Clock
    on_health: Callable[[bool], None]
    states: dict[str, PublisherState]
    stream_replicas: int = 1

    def tell(self, journal: str, state: PublisherState, position: int, head: int) -> None:
        """How the publisher of a journal is."""
        self.states[journal] = state
        self.metrics.attention_published(journal, state.value, position, head)
        self._tell_health()

    def forget(self, journal: str) -> None:
        """Another replica leads it now, or nobody: how it is, is not ours to say."""
        self.states.pop(journal, None)
        self.metrics.attention_left(journal)
        self._tell_health()

    def _tell_health(self) -> None:
        unwell = {PublisherState.DIVERGED, PublisherState.DISCONNECTED}
        self.on_health(not unwell & set(self.states.values()))


async def lead(parts: AttentionParts, link: NatsLink, journal: str) -> None:
    """Wait for the lock, then turn and publish until it is lost."""
    name = f"rapport-attention-{journal}"
    async with leadership(parts.dsn, f"rapport.attention/{journal}", name=name) as held:
        source = AttentionSource(parts.pool, journal)
        turning = AttentionTurning(
            journal,
            pool=parts.pool,
            settled=CaughtUp(parts.ledger),
            clock=parts.clock,
            metrics=parts.metrics,
            on_written=source.written,
        )
        work = [
            asyncio.create_task(turning.run(), name=f"attention turn {journal}"),
            asyncio.create_task(
                _publish(parts, link, journal, source, held), name=f"attention stream {journal}"
            ),
            asyncio.create_task(held.lost.wait(), name=f"attention lock {journal}"),
        ]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            parts.forget(journal)
        for task in done:
            task.result()


async def _publish(
    parts: AttentionParts,
    link: NatsLink,
    journal: str,
    source: AttentionSource,
    held: Leadership,
) -> None:
    def report(state: PublisherState, position: int, head: int) -> None:
        parts.tell(journal, state, position, head)

    while not held.lost.is_set():
        client = await link.wait_connected(_WAIT_NATS_S)
        if client is None:
            # Without NATS the log grows, and is published when it comes.
            with suppress(TimeoutError):
                async with asyncio.timeout(_WAIT_NATS_S):
                    await held.lost.wait()
            continue
        check_server_version(client)
        stream = attention_stream(client, journal, replicas=parts.stream_replicas)
        await Publisher(source, stream, report).run(held)
