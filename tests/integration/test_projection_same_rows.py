"""Whatever the batches, the views hold the same rows, and these are what the domain folds."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date
from random import Random
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.projector.facts import Delivered
from services.projector.projections.apply import apply
from services.projector.projections.content import Content, content, stored_facts
from services.projector.projections.rebuild import clear
from services.projector.projections.turn import turn_chunk
from services.projector.stored import buckets_from_text
from services.runtime.clock import day_from_date
from tests.golden.vectors import Case, cases, relationship_of
from tests.support import views_oracle as oracle
from tests.support.databases import Database, DatabaseFactory
from tests.support.deliveries import JOURNAL, TODAY, deliver_facts, mixed_events

EXAMPLES = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def shared_database(databases: DatabaseFactory) -> Iterator[Database]:
    made = databases.create()
    yield made
    databases.drop(made)


async def turn_all(conn: asyncpg.Connection, today: int, limit: int = 500) -> None:
    while await turn_chunk(conn, JOURNAL, today=today, limit=limit) is not None:
        pass


async def applied(
    conn: asyncpg.Connection,
    batches: Sequence[Sequence[Delivered]],
    *,
    incremental: bool = True,
    today: int = TODAY,
) -> Content:
    await clear(conn, JOURNAL)
    for batch in batches:
        result = await apply(conn, batch, today=today, incremental=incremental)
        assert result.parked == ()
    await turn_all(conn, today)
    return await content(conn, JOURNAL)


def cut(events: Sequence[Delivered], random: Random) -> list[Sequence[Delivered]]:
    """The events in batches, some of which overlap what was delivered before."""
    batches, start = [], 0
    while start < len(events):
        end = min(len(events), start + random.randint(1, 12))
        batches.append(events[max(0, start - random.choice((0, 0, 3))) : end])
        start = end
    return batches


def run(database: Database, work: Any) -> Any:
    async def connected() -> Any:
        conn = await asyncpg.connect(database.views_dsn)
        try:
            return await work(conn)
        finally:
            await conn.close()

    return asyncio.run(connected())


@EXAMPLES
@given(seed=SEEDS, count=st.integers(1, 25))
@example(seed=1, count=25)
# An id leaves a human whose canonical id is another one: what is left has its own standing.
@example(seed=3445200, count=14)
def test_any_batches_and_deliveries_twice_give_the_same_rows(
    shared_database: Database, seed: int, count: int
) -> None:
    events = mixed_events(seed, count)

    async def compare(conn: asyncpg.Connection) -> None:
        one_by_one = await applied(conn, [[event] for event in events])
        assert one_by_one == await applied(conn, [events])
        assert one_by_one == await applied(conn, cut(events, Random(seed)))

    run(shared_database, compare)


@EXAMPLES
@given(seed=SEEDS, count=st.integers(1, 25))
def test_folding_every_pair_again_gives_the_rows_that_advancing_gives(
    shared_database: Database, seed: int, count: int
) -> None:
    events = mixed_events(seed, count)
    batches = cut(events, Random(seed))

    async def compare(conn: asyncpg.Connection) -> None:
        advanced = await applied(conn, batches)
        assert advanced == await applied(conn, batches, incremental=False)

    run(shared_database, compare)


@EXAMPLES
@given(seed=SEEDS, count=st.integers(1, 25), days=st.integers(1, 400))
def test_the_turn_of_the_day_ends_where_a_later_start_would_have(
    shared_database: Database, seed: int, count: int, days: int
) -> None:
    events = mixed_events(seed, count)

    async def compare(conn: asyncpg.Connection) -> None:
        await applied(conn, [events])
        await turn_all(conn, TODAY + days, limit=2)
        turned = await content(conn, JOURNAL)
        assert turned == await applied(conn, [events], today=TODAY + days)

    run(shared_database, compare)


@EXAMPLES
@given(seed=SEEDS, count=st.integers(1, 40))
@example(seed=1, count=40)
def test_the_rows_are_what_the_domain_makes_of_all_events_at_once(
    shared_database: Database, seed: int, count: int
) -> None:
    events = mixed_events(seed, count)

    async def compare(conn: asyncpg.Connection) -> None:
        await applied(conn, cut(events, Random(seed)))
        rows = await conn.fetch("SELECT * FROM views.standings")
        assert {
            (row["a"], row["b"]): (
                row["know_mp"],
                row["care_mp"],
                row["buffer_mp"],
                row["contact_days"],
                row["last_contact_day"],
            )
            for row in rows
        } == oracle.standings(events, TODAY)
        rows = await conn.fetch("SELECT a, b FROM views.balances")
        assert {(row["a"], row["b"]) for row in rows} == oracle.raw_pairs(events).keys()
        rows = await conn.fetch("SELECT * FROM views.touchpoints")
        assert {
            str(row["event_id"]): (
                row["state"],
                None if row["corrected_by"] is None else str(row["corrected_by"]),
            )
            for row in rows
        } == oracle.states(events)
        rows = await conn.fetch("SELECT * FROM views.parties")
        described = oracle.descriptions(events, TODAY)
        for row in rows:
            said = (row["side"], row["team"], row["tier"])
            assert said == described.get(row["party"], (0, "", ""))
            assert row["erased"] == (row["party"] in oracle.erased(events))
        assert described.keys() <= {row["party"] for row in rows}
        stored = stored_facts(conn, JOURNAL, through=len(events))
        assert [(fact.position, fact.event_id) async for fact in stored] == [
            (event.position, event.event_id) for event in events
        ]

    run(shared_database, compare)


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: str(case.name))
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_golden_vectors_give_the_expected_rows(
    shared_database: Database, case: Case, size: int
) -> None:
    events = deliver_facts(case.facts())
    whole = len(events)
    expected = [
        wanted
        for wanted in case.expected
        if "know_mp" in wanted and wanted.get("asked_after", whole) == whole
    ]

    async def compare(conn: asyncpg.Connection) -> None:
        await applied(conn, [events[i : i + size] for i in range(0, whole, size)])
        for wanted in expected:
            a, b = relationship_of(wanted["relationship"])
            row = await conn.fetchrow(
                "SELECT buckets, through_day FROM views.balances WHERE (a, b) = ($1, $2)",
                f"people/{a}",
                f"people/{b}",
            )
            on = day_from_date(date.fromisoformat(wanted["on"]))
            if row is None or on < row["through_day"]:
                continue
            balance = buckets_from_text(*row).balance(on)
            assert (balance.know_mp, balance.care_mp) == (wanted["know_mp"], wanted["care_mp"])

    run(shared_database, compare)


WAITING = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def test_views_that_are_cleared_while_a_projector_begins_keep_no_row_without_checkpoint(
    database: Database,
) -> None:
    events = mixed_events(1, 20)
    connections = [await asyncpg.connect(database.admin_dsn) for _ in range(3)]
    holder, clearing, applying = connections
    # The clearing is held up half-way: after the touchpoints, before the checkpoint.
    async with holder.transaction():
        await holder.execute("LOCK TABLE views.parked IN SHARE MODE")
        cleared = asyncio.create_task(clear(clearing, JOURNAL))
        await until_waiting(holder, 1)
        begun = asyncio.create_task(apply(applying, events, today=TODAY))
        await until_waiting(holder, 2, begun)
    await cleared
    result = await begun
    assert result.parked == ()
    kept = await holder.fetchval("SELECT count(*) FROM views.touchpoints")
    position = await holder.fetchval("SELECT position FROM views.checkpoints")
    assert kept > 0
    assert position == events[-1].position
    for connection in connections:
        await connection.close()


async def until_waiting(
    conn: asyncpg.Connection, number: int, or_done: "asyncio.Task[Any] | None" = None
) -> None:
    """Returns when so many sessions wait for a lock, or the task is done."""
    async with asyncio.timeout(60):
        while await conn.fetchval(WAITING) < number and not (or_done and or_done.done()):
            pass
