"""Callers that append at random, and know exactly what they were told."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.message import Message
from rapport import Rapport, RapportError, corrected, derived_event_id, touchpoint, voided
from rapport.v1.ledger_service_pb2 import NewEvent

from tests.faults.cluster import until
from tests.faults.scene import Scene

_KINDS: Final = ("call", "meal_or_social", "email.one_to_one", "social.like", "thanks.given")
_SINCE: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
_PEOPLE: Final = 8
_BATCH_MAX: Final = 12
# Between two batches of a writer at most: a load to disturb, not a benchmark.
_BREATH_S: Final = 0.1


@dataclass(slots=True)
class Told:
    """What callers were told: positions by event id, and refusals by reason."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0


class Writer:
    """One caller: batch after batch, each until it is acknowledged, always with the same ids.

    It holds the ledger to its word: after a definite error nothing of the batch was written, so
    that, unless an earlier attempt was of unknown outcome, nothing of it may answer as a replay.
    """

    def __init__(self, name: str, client: Rapport, seed: int, told: Told) -> None:
        self.name, self._client, self._told = name, client, told
        self._dice = random.Random(f"{seed} {name}")
        self._made = 0
        self._touchpoints: dict[str, NewEvent] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Append until told to stop; the last batch is brought to its end."""
        while not stop.is_set():
            await self.append(self.batch())
            await asyncio.sleep(self._dice.random() * _BREATH_S)

    async def append(self, batch: list[NewEvent]) -> None:
        """Returns when the batch is acknowledged."""
        maybe_written = False
        while True:
            began_s = time.monotonic()
            try:
                answer = await self._client.append(batch)
            except RapportError as error:
                if not error.is_passing:
                    raise
                self._told.refused[error.reason] += 1
                maybe_written = maybe_written or not error.is_definite
                await asyncio.sleep(_BREATH_S)
                continue
            self._told.slowest_s = max(self._told.slowest_s, time.monotonic() - began_s)
            for recorded in answer.events:
                assert maybe_written or not recorded.replayed, recorded
                assert recorded.event_id not in self._told.acknowledged
                self._told.acknowledged[recorded.event_id] = recorded.position
            return

    def batch(self) -> list[NewEvent]:
        """The next events: touchpoints, and voids and corrections, some of what never comes."""
        return [self._event() for _ in range(self._dice.randint(1, _BATCH_MAX))]

    def _event(self) -> NewEvent:
        dice = self._dice
        self._made += 1
        event_id = derived_event_id(self.name, str(self._made))
        chance = dice.random()
        if chance < 0.06:  # of a later event, or of none: both are rightly taken
            target = derived_event_id(self.name, str(self._made + dice.randint(1, 30)))
            return voided(target, event_id=event_id)
        if chance < 0.2 and self._touchpoints:
            target = dice.choice(sorted(self._touchpoints))
            if chance < 0.12:
                return voided(target, event_id=event_id)
            changed = self._touchpoints[target].touchpoint.__class__()
            changed.CopyFrom(self._touchpoints[target].touchpoint)
            _clear_note(changed)
            changed.kind = dice.choice(_KINDS)
            return corrected(target, changed, event_id=event_id)
        a, b = dice.sample(range(_PEOPLE), 2)
        made = touchpoint(
            f"p{a}",
            f"p{b}",
            dice.choice(_KINDS),
            event_id=event_id,
            occurred_at=_SINCE + timedelta(hours=dice.randint(0, 24 * 90)),
            note="met by chance" if dice.random() < 0.1 else None,
        )
        self._touchpoints[event_id] = made
        return made


@dataclass(slots=True)
class Load:
    """Writers at work."""

    told: Told
    _tasks: list[asyncio.Task[None]]

    async def grown_by(self, events: int) -> None:
        """Returns when so many more events are acknowledged; fails as soon as a writer does."""
        wanted = len(self.told.acknowledged) + events

        async def look() -> bool:
            for task in self._tasks:
                if task.done():
                    task.result()
            return len(self.told.acknowledged) >= wanted

        await until(look, f"{events} more events acknowledged")

    async def refused_more_than(self, number: int) -> None:
        """Returns when callers have met more refusals than that."""

        async def look() -> bool:
            return self.told.refused.total() > number

        await until(look, "refusals")


@asynccontextmanager
async def load(
    scene: Scene, clients: Callable[[int], Rapport], writers: int = 2
) -> AsyncIterator[Load]:
    """Writers, the n-th on `clients(n)`; at the end each brings its batch to an end.

    Begins when the stream and the read models have begun.
    """
    told, stop = Told(), asyncio.Event()
    opened = [clients(number) for number in range(writers)]
    tasks = [
        asyncio.create_task(Writer(f"writer {number}", client, scene.seed, told).run(stop))
        for number, client in enumerate(opened)
    ]
    try:
        loaded = Load(told, tasks)
        await loaded.grown_by(1)
        # Relays and projectors look for new journals every other second.
        await scene.until_streamed(1)
        await scene.until_projected(1)
        yield loaded
        stop.set()
        async with asyncio.timeout(60):
            await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in opened:
            await client.close()


def _clear_note(message: Message) -> None:
    message.ClearField("note")
