"""Every process drained and replaced in turn, under load: nobody's call fails, nothing is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from rapport import Rapport, RetryPolicy, new_event_id, touchpoint

from tests.faults.cluster import Cluster, until
from tests.faults.scene import Scene

# Of one call, retries included: far beyond what one replica needs to go and come back.
CALL_S = 60.0


@dataclass(slots=True)
class Callers:
    """What they did; `failed` is every call that failed after its retries."""

    scene: Scene
    recorded: dict[str, int] = field(default_factory=dict)
    asked: int = 0
    followed: list[int] = field(default_factory=list)
    failed: list[BaseException] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def append(self, client: Rapport) -> None:
        """One batch after the other, with ids of their own."""
        ids = [new_event_id() for _ in range(5)]
        answer = await client.append([touchpoint("p1", "p2", "call", event_id=key) for key in ids])
        self.recorded |= {event.event_id: event.position for event in answer.events}

    async def ask(self, client: Rapport) -> None:
        """A balance that has in it what was last recorded."""
        least = max(self.recorded.values(), default=0)
        answer = await client.balance("p1", "p2", min_position=least)
        assert answer.computed.position >= least
        self.asked += 1

    async def follow(self, client: Rapport) -> None:
        """Every event once, in order."""
        async for event in client.subscribe():
            self.followed.append(event.position)

    async def again_and_again(
        self, call: Callable[[Rapport], Awaitable[None]], client: Rapport
    ) -> None:
        """Until told to stop; the call under way is brought to its end."""
        try:
            while not self.stop.is_set():
                await call(client)
                await asyncio.sleep(0.05)
        except Exception as failure:  # noqa: BLE001 - counted, not swallowed
            self.failed.append(failure)

    @property
    def done(self) -> int:
        """Calls answered."""
        return len(self.recorded) + self.asked

    async def go_on(self) -> None:
        """Returns when appends, queries and the subscription have all moved, or one has failed."""
        before = len(self.recorded), self.asked, len(self.followed)

        async def moved() -> bool:
            now = len(self.recorded), self.asked, len(self.followed)
            return bool(self.failed) or all(a > b + 10 for a, b in zip(now, before, strict=True))

        await until(moved, "appends, queries and subscriptions go on")


@pytest.mark.timeout(900)
async def test_a_rolling_restart_fails_no_call_and_loses_nothing(
    cluster: Cluster, scene: Scene
) -> None:
    callers = Callers(scene)
    policy = RetryPolicy(timeout_s=CALL_S)
    clients = [scene.patient(retry=policy) for _ in range(6)]
    work = (callers.append, callers.append, callers.ask, callers.ask)
    async with asyncio.TaskGroup() as tasks:
        for call, client in zip(work, clients, strict=False):
            tasks.create_task(callers.again_and_again(call, client))
        followers = [tasks.create_task(callers.follow(client)) for client in clients[4:5]]
        try:
            await callers.go_on()
            for replica in (*cluster.ledgers, *cluster.projectors):
                await replica.drain()
                await callers.go_on()
                await replica.start()
                await replica.until_serving()
                await callers.go_on()
        finally:
            callers.stop.set()
        head = await scene.head()
        await until(lambda: _has(callers.followed, head), f"position {head} at the subscriber")
        for follower in followers:
            follower.cancel()
    for client in clients:
        await client.close()
    print(f"{callers.done} calls and {len(callers.followed)} events followed")
    assert not callers.failed, callers.failed
    assert callers.followed == list(range(1, len(callers.followed) + 1))
    await scene.assert_whole(callers.recorded)


async def _has(followed: list[int], position: int) -> bool:
    return bool(followed) and followed[-1] >= position
