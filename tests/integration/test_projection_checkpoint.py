"""The checkpoint: effects exactly once, poison put aside, the turn of the day after any pause."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from rapport.events.v1 import people_pb2, practice_pb2, touchpoint_pb2

from services.projector.facts import TOUCHPOINT, Delivered
from services.projector.projections import apply as applying
from services.projector.projections import parked, together, turn
from services.projector.projections.apply import apply, retry
from services.projector.projections.arrivals import Arrivals, sort_events
from services.projector.projections.content import content
from services.projector.projections.outcomes import (
    CheckpointElsewhere,
    IncarnationChanged,
    is_poison,
)
from services.projector.projections.parked import PARKED_MAX
from services.projector.projections.rebuild import clear
from services.projector.projections.turn import turn_chunk
from tests.support.databases import Database
from tests.support.deliveries import (
    INCARNATION,
    JOURNAL,
    TENANT,
    TODAY,
    deliver,
    mixed_events,
    policy_json,
)

UNREADABLE = b"\xff\xff\xff"


@pytest.fixture
async def conn(database: Database) -> AsyncIterator[asyncpg.Connection]:
    made = await asyncpg.connect(database.views_dsn)
    yield made
    await made.close()


def touch(position: int, a: str = "a", b: str = "b", **fields: Any) -> Delivered:
    payload = touchpoint_pb2.Touchpoint(
        initiator=f"people/{a}", counterpart=f"people/{b}", kind=fields.pop("kind", "call")
    )
    return deliver(payload, position, **fields)


def bad(position: int) -> Delivered:
    return deliver(UNREADABLE, position, type_name=TOUCHPOINT)


async def turn_all(conn: asyncpg.Connection, limit: int = 500) -> None:
    while await turn_chunk(conn, JOURNAL, today=TODAY, limit=limit) is not None:
        pass


async def position_of(conn: asyncpg.Connection) -> int:
    found: int = await conn.fetchval("SELECT position FROM views.checkpoints")
    return found


async def test_a_batch_beyond_the_next_event_is_refused_and_says_where_to_go_on(
    conn: asyncpg.Connection,
) -> None:
    await apply(conn, [touch(1)], today=TODAY)

    with pytest.raises(CheckpointElsewhere) as refused:
        await apply(conn, [touch(3)], today=TODAY)

    assert refused.value.position == 1


async def test_a_batch_behind_the_checkpoint_does_nothing(conn: asyncpg.Connection) -> None:
    events = [touch(1), touch(2)]
    await apply(conn, events, today=TODAY)
    before = await content(conn, JOURNAL)

    again = await apply(conn, events, today=TODAY)

    assert (again.position, again.events) == (2, 0)
    assert await content(conn, JOURNAL) == before


async def test_another_incarnation_is_never_projected(conn: asyncpg.Connection) -> None:
    await apply(conn, [touch(1)], today=TODAY)
    restored = Delivered(
        **{
            **{name: getattr(touch(2), name) for name in Delivered.__slots__},
            "incarnation": INCARNATION.replace("6", "7"),
        }
    )

    with pytest.raises(IncarnationChanged, match="views rebuild"):
        await apply(conn, [restored], today=TODAY)

    assert await position_of(conn) == 1


async def test_replicas_at_work_on_the_same_events_apply_each_once(database: Database) -> None:
    events = mixed_events(6, 60)
    one = await asyncpg.connect(database.views_dsn)
    await apply(one, events, today=TODAY)
    await turn_all(one)
    alone = await content(one, JOURNAL)
    await clear(one, JOURNAL)

    async def replica(size: int) -> int:
        conn = await asyncpg.connect(database.views_dsn)
        done, applied = 0, 0
        while done < len(events):
            result = await apply(conn, events[done : done + size], today=TODAY)
            done, applied = result.position, applied + result.events
        await conn.close()
        return applied

    counts = await asyncio.gather(replica(1), replica(3), replica(7))

    assert sum(counts) == len(events)
    await turn_all(one)
    assert await content(one, JOURNAL) == alone
    await one.close()


async def test_a_checkpoint_that_another_replica_makes_in_between_is_locked_all_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, fast, third = [await asyncpg.connect(database.views_dsn) for _ in range(3)]
    events = [touch(position) for position in range(1, 31)]
    locked = together.locked

    @asynccontextmanager
    async def overtaken(
        conn: asyncpg.Connection, journal: str, *, plan_once: bool
    ) -> AsyncIterator[bool]:
        async with locked(conn, journal, plan_once=plan_once) as is_locked:
            monkeypatch.setattr(applying, "locked", locked)
            await apply(fast, events[:10], today=TODAY)
            yield is_locked

    async def write(conn: asyncpg.Connection, left: Sequence[Delivered]) -> None:
        assert [event.position for event in left] == list(range(11, 31))
        with pytest.raises(asyncpg.LockNotAvailableError):
            await third.execute("SELECT FROM views.checkpoints FOR UPDATE NOWAIT")
        await applying.project(conn, left, today=TODAY)

    monkeypatch.setattr(applying, "locked", overtaken)
    applied = await applying.apply_with(slow, events, write)

    assert (applied.position, applied.events) == (30, 20)
    for each in (slow, fast, third):
        await each.close()


async def test_an_unreadable_event_is_parked_and_the_others_are_applied(
    conn: asyncpg.Connection,
) -> None:
    events = [touch(1), bad(2), touch(3, "c"), bad(4), touch(5)]

    applied = await apply(conn, events, today=TODAY)

    assert applied.position == 5
    assert [event.position for event in applied.parked] == [2, 4]
    assert {event.reason for event in applied.parked} == {"the payload cannot be decoded"}
    assert await conn.fetchval("SELECT count(*) FROM views.touchpoints") == 3
    assert [row.position for row in await parked.listed(conn)] == [2, 4]


async def test_what_postgres_refuses_for_its_data_is_parked_without_quoting_it(
    conn: asyncpg.Connection,
) -> None:
    applied = await apply(conn, [touch(1), touch(2, kind="se\0cret"), touch(3)], today=TODAY)

    (put_aside,) = applied.parked
    assert put_aside.position == 2
    assert "cret" not in put_aside.reason
    assert "22021" in put_aside.reason


async def test_a_newer_schema_version_is_parked(conn: asyncpg.Connection) -> None:
    applied = await apply(conn, [touch(1, schema_version=2)], today=TODAY)

    assert [event.reason for event in applied.parked] == [
        "schema version 2 is newer than this reader"
    ]


async def test_an_unknown_type_is_carried(conn: asyncpg.Connection) -> None:
    event = deliver(b"\x0a\x01x", 1, type_name="rapport.events.v1.Unheard", schema_version=9)

    applied = await apply(conn, [event], today=TODAY)

    assert applied.parked == ()
    assert await conn.fetchval("SELECT type FROM views.other_facts") == event.type


async def test_too_many_parked_events_stop_the_journal_where_they_became_too_many(
    conn: asyncpg.Connection,
) -> None:
    events = [bad(position) for position in range(1, 200)]

    applied = await apply(conn, events, today=TODAY)

    assert applied.stopped
    assert applied.position == applied.parked_total == PARKED_MAX + 1
    again = await apply(conn, events[applied.position :], today=TODAY)
    assert (again.stopped, again.events, again.position) == (True, 0, PARKED_MAX + 1)


def test_what_the_database_or_the_network_is_to_blame_for_is_no_poison() -> None:
    assert not is_poison(asyncpg.QueryCanceledError())
    assert not is_poison(asyncpg.DeadlockDetectedError())
    assert not is_poison(asyncpg.UndefinedColumnError())
    assert not is_poison(ConnectionResetError())
    assert not is_poison(TimeoutError())
    assert is_poison(asyncpg.UniqueViolationError())
    assert is_poison(asyncpg.DataError())
    assert is_poison(KeyError())


async def test_a_retry_ends_where_the_event_would_have_led_in_its_turn(
    conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = mixed_events(11, 40)
    await apply(conn, events, today=TODAY)
    await turn_all(conn)
    wanted = await content(conn, JOURNAL)
    await clear(conn, JOURNAL)
    faulty = {event.position for event in events[3::7]}

    def with_a_fault(batch: Any) -> Arrivals:
        if any(event.position in faulty for event in batch):
            raise RuntimeError
        return sort_events(batch)

    monkeypatch.setattr(applying, "sort_events", with_a_fault)
    for start in range(0, len(events), 9):
        await apply(conn, events[start : start + 9], today=TODAY)
    rows = await parked.listed(conn)
    assert {row.position for row in rows} == faulty
    assert await retry(conn, JOURNAL, min(faulty), today=TODAY) is not None
    monkeypatch.undo()

    for position in sorted(faulty, reverse=True):
        assert await retry(conn, JOURNAL, position, today=TODAY) is None
    await turn_all(conn)

    assert await content(conn, JOURNAL) == wanted
    with pytest.raises(LookupError):
        await retry(conn, JOURNAL, min(faulty), today=TODAY)


async def test_a_turn_killed_after_any_chunk_goes_on_from_what_is_stale(
    database: Database, conn: asyncpg.Connection
) -> None:
    events = [touch(n, f"x{n}", f"y{n % 7}") for n in range(1, 31)]
    adopted = practice_pb2.PolicyAdopted(policy_json=policy_json(2, "2026-01-01"))
    await apply(conn, events, today=TODAY)
    await apply(conn, [deliver(adopted, 31)], today=TODAY)

    (waiting,) = await turn.progress(conn, JOURNAL)
    assert (waiting.tenant, waiting.done, waiting.total) == (TENANT, 0, 30)
    for done in range(1, 6):
        other = await asyncpg.connect(database.views_dsn)
        await turn_chunk(other, JOURNAL, today=TODAY, limit=4)
        # A second one dies in the middle of its chunk.
        transaction = other.transaction()
        await transaction.start()
        await turn_chunk(other, JOURNAL, today=TODAY, limit=4)
        other.terminate()
        (waiting,) = await turn.progress(conn, JOURNAL)
        assert waiting.done == 4 * done
    await turn_all(conn, limit=4)

    assert await turn.progress(conn, JOURNAL) == []
    assert await conn.fetchval("SELECT count(DISTINCT policy_hash) FROM views.standings") == 1
    assert await conn.fetchval("SELECT count(DISTINCT policy_hash) FROM views.balances") == 1


async def test_an_event_after_days_of_pause_brings_the_tenant_to_its_day(
    conn: asyncpg.Connection,
) -> None:
    await apply(conn, [touch(1, "a"), touch(2, "c")], today=TODAY)

    await apply(conn, [touch(3, "a")], today=TODAY + 9)

    rows = await conn.fetch("SELECT a, b, day FROM views.standings ORDER BY a, b")
    assert [row["day"] for row in rows] == [TODAY + 9, TODAY]
    assert await conn.fetchval("SELECT built FROM views.tenants") is False
    turned = await turn_chunk(conn, JOURNAL, today=TODAY + 9)
    assert turned is not None
    assert turned.rows == 1


async def test_a_clock_behind_another_replicas_turns_no_day_back(conn: asyncpg.Connection) -> None:
    await apply(conn, [touch(1)], today=TODAY + 1)

    await apply(conn, [touch(2)], today=TODAY)

    assert await conn.fetchval("SELECT day FROM views.tenants") == TODAY + 1
    assert await turn_chunk(conn, JOURNAL, today=TODAY) is None


async def test_tenants_of_one_journal_do_not_meet(conn: asyncpg.Connection) -> None:
    link = people_pb2.IdentityLinked(
        a="people/a", b="people/c", strength=people_pb2.LINK_STRENGTH_STRONG
    )
    same_id = "6f1c3f6e-3f0b-4f5c-9c39-2f4c8f7d1a99"
    void = touchpoint_pb2.Voided(target=same_id)
    events = [
        touch(1, tenant="one", event_id=same_id),
        touch(2, tenant="two", event_id=same_id),
        deliver(link, 3, tenant="one"),
        deliver(void, 4, tenant="two"),
        touch(5, "c", tenant="two"),
    ]

    await apply(conn, events, today=TODAY)

    rows = await conn.fetch("SELECT tenant, a, b, know_mp FROM views.standings ORDER BY 1, 2, 3")
    assert [tuple(row) for row in rows] == [
        ("one", "people/a", "people/b", 4000),
        ("two", "people/a", "people/b", 0),
        ("two", "people/b", "people/c", 4000),
    ]
