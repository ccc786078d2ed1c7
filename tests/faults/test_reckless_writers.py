"""Writers that abort, time out and lose their backends at random: no gap, and nothing skipped."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

from rapport import Rapport, RapportError, derived_event_id, touchpoint
from rapport.v1.ledger_service_pb2 import AppendEventsResponse, NewEvent

from tests.faults.cluster import Cluster, until
from tests.faults.scene import Scene

WRITERS = 8
BATCHES = 25
KILL = """
SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
 WHERE application_name = 'rapport-ledger-append' AND datname = current_database()
   AND ($1 OR state <> 'idle')
"""


class Outcome(Enum):
    """What a writer knows of a batch."""

    ACKNOWLEDGED = "acknowledged"
    NOT_WRITTEN = "not written"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Sent:
    """Every batch sent once, what was said of it, and the positions that were acknowledged."""

    batches: list[tuple[list[NewEvent], Outcome]] = field(default_factory=list)
    acknowledged: dict[str, int] = field(default_factory=dict)
    ended: asyncio.Queue[None] = field(default_factory=asyncio.Queue)

    def of(self, outcome: Outcome) -> list[list[NewEvent]]:
        """The batches of one outcome."""
        return [batch for batch, found in self.batches if found is outcome]


async def test_writers_that_abort_time_out_and_lose_their_backends_leave_no_gap(
    cluster: Cluster, scene: Scene
) -> None:
    sent = Sent()
    async with reading(scene) as read:
        clients = [scene.impatient(ledger=ledger.target) for ledger in cluster.ledgers]
        writers = [
            asyncio.create_task(write(clients[number % 2], scene, number, sent))
            for number in range(WRITERS)
        ]
        killer = asyncio.create_task(kill_backends(scene, sent))
        await asyncio.gather(*writers)
        killer.cancel()
        await asyncio.gather(killer, return_exceptions=True)
        await assert_as_told(scene, sent)
        # The same ids once more settle what is unknown; what is there already is a replay.
        for batch in sent.of(Outcome.UNKNOWN):
            at = {event.event_id: event.position for event in await scene.events()}
            answer = await scene.client.append(batch)
            for recorded in answer.events:
                assert recorded.replayed is (recorded.event_id in at)
                sent.acknowledged[recorded.event_id] = recorded.position
        for client in clients:
            await client.close()
        head = await scene.head()
        await until(lambda: has_come_to(read, head), "the subscriber at the head")
    assert read == list(range(1, head + 1))
    assert {outcome for _, outcome in sent.batches} == set(Outcome)
    await scene.assert_whole(sent.acknowledged)


async def write(client: Rapport, scene: Scene, number: int, sent: Sent) -> None:
    """Send batches, each once and some to be given up at once."""
    dice = random.Random(f"{scene.seed} {number}")
    for count in range(BATCHES):
        batch = [
            touchpoint(
                f"r{dice.randint(0, 3)}",
                f"s{dice.randint(0, 3)}",
                "call",
                event_id=derived_event_id(f"writer {number}", f"{count} {place}"),
            )
            for place in range(dice.randint(1, 8))
        ]
        deadline_s = dice.choice((5.0, 5.0, dice.uniform(0.001, 0.03)))
        sending = asyncio.create_task(client.append(batch, timeout_s=deadline_s))
        if dice.random() < 0.25:
            await asyncio.wait({sending}, timeout=dice.uniform(0, 0.02))
            sending.cancel()
        sent.batches.append((batch, await outcome_of(sending, sent)))
        sent.ended.put_nowait(None)


async def outcome_of(sending: "asyncio.Task[AppendEventsResponse]", sent: Sent) -> Outcome:
    """What the writer knows of a batch afterwards."""
    try:
        answer = await sending
    except asyncio.CancelledError:
        return Outcome.UNKNOWN
    except RapportError as error:
        if not error.is_passing:
            raise
        return Outcome.NOT_WRITTEN if error.is_definite else Outcome.UNKNOWN
    for recorded in answer.events:
        assert not recorded.replayed
        sent.acknowledged[recorded.event_id] = recorded.position
    return Outcome.ACKNOWLEDGED


async def kill_backends(scene: Scene, sent: Sent) -> None:
    """End the sessions that append, whenever some more batches have come to an end."""
    while True:
        for _ in range(scene.dice.randint(2, 12)):
            await sent.ended.get()
        await scene.owner(KILL, scene.dice.random() < 0.5)


async def assert_as_told(scene: Scene, sent: Sent) -> None:
    """Batches are there whole, in their order and side by side, or not at all; as was said."""
    at = {event.event_id: event.position for event in await scene.events()}
    for batch, outcome in sent.batches:
        found = [at[event.event_id] for event in batch if event.event_id in at]
        whole = bool(found) and found == list(range(found[0], found[0] + len(batch)))
        match outcome:
            case Outcome.ACKNOWLEDGED:
                assert whole
                assert found[0] == sent.acknowledged[batch[0].event_id]
            case Outcome.NOT_WRITTEN:
                assert not found
            case Outcome.UNKNOWN:
                assert whole or not found


@asynccontextmanager
async def reading(scene: Scene) -> AsyncIterator[list[int]]:
    """The positions that a subscriber of the ledger is given while the writers write."""
    found: list[int] = []

    async def follow() -> None:
        async with scene.patient() as client:
            async for event in client.subscribe():
                found.append(event.position)

    task = asyncio.create_task(follow())
    try:
        yield found
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def has_come_to(read: Sequence[int], head: int) -> bool:
    return bool(read) and read[-1] >= head
