"""Reading journals and homes: order, filters, limits, chunks, waiting."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.ledger.domain.events import SUBJECT_ERASED, Chunk
from services.ledger.journal.outcomes import JournalUnknown
from services.ledger.journal.reading import Reader
from services.ledger.journal.store import Journal
from tests.support.batches import (
    HOME,
    JOURNAL,
    TENANT,
    TOUCHPOINT,
    VOIDED,
    batch,
    event_id,
    open_journal,
    record,
)
from tests.support.databases import Database

COUNT = 25


@pytest_asyncio.fixture
async def journal(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Journal]:
    """25 events: every 5th another tenant's, every 3rd of the rest a void, the last big."""
    async with open_journal(database.journal_dsn, tenants=(TENANT, "other")) as opened:
        opened._reader = Reader(opened._reads, chunk_events_max=4, chunk_bytes_max=1_000)
        for number in range(1, COUNT + 1):
            if number % 5 == 0:
                await opened.append(batch(record(number), tenant="other"))
            elif number % 3 == 0:
                await opened.append(batch(record(number, type=VOIDED, kind=None)))
            else:
                size = 900 if number > 20 else 10
                await opened.append(
                    batch(record(number, kind=f"kind{number % 2}", payload=b"x" * size))
                )
        yield opened


async def chunks_of(reading: AsyncIterator[Chunk]) -> list[Chunk]:
    return [chunk async for chunk in reading]


def positions(chunks: list[Chunk]) -> list[int]:
    return [event.position for chunk in chunks for event in chunk.events]


async def test_a_journal_is_read_in_order_in_bounded_chunks_that_say_how_far_they_reach(
    journal: Journal,
) -> None:
    chunks = await chunks_of(journal.read_journal(JOURNAL))
    assert positions(chunks) == list(range(1, COUNT + 1))
    assert [chunk.read_through for chunk in chunks] == [c.events[-1].position for c in chunks]
    assert max(len(chunk.events) for chunk in chunks) == 4
    for chunk in chunks:  # the event that reaches the limit is the last one
        assert sum(len(e.payload) for e in chunk.events[:-1]) < 1_000


async def test_a_journal_is_read_backwards_from_its_head(journal: Journal) -> None:
    chunks = await chunks_of(journal.read_journal(JOURNAL, backwards=True))
    assert positions(chunks) == list(range(COUNT, 0, -1))
    assert chunks[-1].read_through == 1
    part = await chunks_of(journal.read_journal(JOURNAL, from_position=7, backwards=True, limit=3))
    assert (positions(part), part[-1].read_through) == ([7, 6, 5], 5)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"tenant": "other"}, [5, 10, 15, 20, 25]),
        ({"types": [VOIDED]}, [3, 6, 9, 12, 18, 21, 24]),
        ({"types": [VOIDED, TOUCHPOINT], "kinds": ["kind0"]}, [2, 4, 8, 14, 16, 22]),
        ({"tenant": TENANT, "kinds": ["kind1"], "from_position": 8}, [11, 13, 17, 19, 23]),
        ({"tenant": "nobody"}, []),
        ({"from_position": 24}, [24, 25]),
        ({"from_position": 26}, []),
        ({"from_position": -3, "through": 2}, [1, 2]),
        ({"limit": 0}, []),
        ({"limit": 6}, [1, 2, 3, 4, 5, 6]),
    ],
)
async def test_filters_let_through_only_what_was_asked_for(
    journal: Journal, filters: dict[str, Any], expected: list[int]
) -> None:
    chunks = await chunks_of(journal.read_journal(JOURNAL, **filters))
    assert positions(chunks) == expected


async def test_a_read_says_how_far_it_came_even_where_nothing_was_let_through(
    journal: Journal,
) -> None:
    chunks = await chunks_of(journal.read_journal(JOURNAL, tenant="nobody"))
    assert [chunk.read_through for chunk in chunks] == [4, 8, 12, 16, 20, 24, 25]
    limited = await chunks_of(journal.read_journal(JOURNAL, tenant="other", limit=2))
    assert limited[-1].read_through == 10


async def test_a_journal_nobody_created_cannot_be_read(journal: Journal) -> None:
    with pytest.raises(JournalUnknown):
        await chunks_of(journal.read_journal("nowhere"))
    with pytest.raises(JournalUnknown):
        await journal.head("nowhere")


async def test_a_home_is_read_by_revision_both_ways(journal: Journal) -> None:
    mine = [n for n in range(1, COUNT + 1) if n % 5]
    chunks = await chunks_of(journal.read_home(TENANT, HOME))
    assert positions(chunks) == mine
    assert [e.revision for c in chunks for e in c.events] == list(range(1, len(mine) + 1))
    assert chunks[-1].read_through == len(mine)
    back = await chunks_of(journal.read_home(TENANT, HOME, backwards=True))
    assert positions(back) == mine[::-1]
    part = await chunks_of(
        journal.read_home(TENANT, HOME, from_revision=3, limit=2, types=[TOUCHPOINT])
    )
    assert (positions(part), part[-1].read_through) == ([4, 7], 6)
    assert await chunks_of(journal.read_home(TENANT, "people/nobody")) == []
    assert await chunks_of(journal.read_home("nobody", HOME)) == []
    beyond = await chunks_of(journal.read_home(TENANT, HOME, from_revision=99, backwards=True))
    assert positions(beyond) == mine[::-1]


async def test_events_are_found_by_id_within_their_tenant(journal: Journal) -> None:
    found = await journal.get_many(TENANT, [event_id(n) for n in (1, 2, 5, 99)])
    assert {key: e.position for key, e in found.items()} == {event_id(1): 1, event_id(2): 2}
    assert await journal.get(TENANT, event_id(5)) is None
    assert await journal.get("nobody", event_id(1)) is None
    assert await journal.get_many(TENANT, []) == {}
    assert await journal.row_at(JOURNAL, COUNT + 1) is None


async def test_erasures_are_found_without_reading_the_journal(journal: Journal) -> None:
    erased = [record(100 + n, type=SUBJECT_ERASED, home=f"people/p{n}") for n in range(9)]
    await journal.append(batch(*erased))
    found = [event.event_id async for event in journal.erasures(JOURNAL)]
    assert found == [r.event_id for r in erased]


async def test_who_waits_hears_of_an_append_of_this_replica_and_of_another(
    journal: Journal, database: Database
) -> None:
    assert await journal.wait_beyond(JOURNAL, COUNT - 1, 5) == COUNT
    waiting = asyncio.create_task(journal.wait_beyond(JOURNAL, COUNT, 5))
    await asyncio.sleep(0)
    await journal.append(batch(record(200)))
    assert await waiting == COUNT + 1
    async with open_journal(database.journal_dsn) as replica:
        waiting = asyncio.create_task(journal.wait_beyond(JOURNAL, COUNT + 1, 5))
        await replica.append(batch(record(201)))
        journal.nudge(JOURNAL)
        assert await waiting == COUNT + 2


async def test_who_waits_in_vain_gets_the_head_when_the_time_is_over(journal: Journal) -> None:
    assert await journal.wait_beyond(JOURNAL, COUNT + 10, 0.05) == COUNT


async def test_every_growth_is_announced_once(journal: Journal) -> None:
    heard: list[tuple[str, int]] = []
    journal.on_append = lambda name, head: heard.append((name, head))
    await journal.append(batch(record(300), record(301)))
    await journal.append(batch(record(300)))
    assert heard == [(JOURNAL, COUNT + 2)]
