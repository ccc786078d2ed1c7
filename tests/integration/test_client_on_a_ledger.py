"""The client against a real ledger that goes away and comes back."""

import asyncio
from contextlib import AsyncExitStack

from rapport import Rapport, RetryPolicy, touchpoint

from services.runtime.vault import MasterKeys
from tests.support.databases import Database
from tests.support.ledger import ledger_on

QUICK = RetryPolicy(timeout_s=30.0, first_delay_s=0.01, delay_max_s=0.2)
EVENTS = 3_000


async def test_a_load_and_a_subscription_ride_over_a_restarted_ledger(database: Database) -> None:
    keys = MasterKeys.from_text(MasterKeys.generate_line())
    positions: list[int] = []

    async def follow(client: Rapport) -> None:
        async for event in client.subscribe():
            positions.append(event.position)
            if len(positions) == EVENTS:
                return

    async with AsyncExitStack() as after:
        async with AsyncExitStack() as first:
            ledger = await first.enter_async_context(ledger_on(database, keys=keys))
            await ledger.create_tenant("default")
            port = ledger.process.port
            client = await after.enter_async_context(
                Rapport(f"127.0.0.1:{port}", tenant="default", principal="people/a", retry=QUICK)
            )
            follower = asyncio.create_task(follow(client))
            events = (touchpoint("ann", f"b{number % 7}", "call") for number in range(EVENTS))
            verdicts = client.ingest(events, batch_events=50)
            settled = [await anext(verdicts) for _ in range(5)]
        await after.enter_async_context(ledger_on(database, keys=keys, listen=("127.0.0.1", port)))
        settled += [verdict async for verdict in verdicts]
        await asyncio.wait_for(follower, 60)

    assert [verdict.batch for verdict in settled] == list(range(1, EVENTS // 50 + 1))
    recorded = [
        event for verdict in settled if verdict.appended for event in verdict.appended.events
    ]
    assert sorted(event.position for event in recorded) == list(range(1, EVENTS + 1))
    assert positions == list(range(1, EVENTS + 1))


async def test_a_repeated_append_answers_with_the_first_result(database: Database) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant("default")
        target = f"127.0.0.1:{ledger.process.port}"
        async with Rapport(target, tenant="default", principal="people/ann") as client:
            event = touchpoint("ann", "bob", "call", note="hello", expected_revision=0)
            first, again = await client.append(event), await client.append(event)
            assert (first.last_position, again.last_position) == (1, 1)
            assert (first.events[0].replayed, again.events[0].replayed) == (False, True)
            assert (await client.event(event.event_id)).touchpoint.note.text == "hello"
            assert [found.event_id for found in await client.history("bob", "ann")] == [
                event.event_id
            ]
