"""Appending to the journal in a real Postgres: verdicts, replays, revisions."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest
import pytest_asyncio

from services.ledger.domain.events import NewRecord
from services.ledger.journal.outcomes import (
    DeadlinePassed,
    EventIdTaken,
    JournalUnknown,
    RevisionConflict,
    TargetAppeared,
)
from services.ledger.journal.store import Journal
from tests.support.batches import (
    HOME,
    JOURNAL,
    TENANT,
    VOIDED,
    all_events,
    batch,
    event_id,
    open_journal,
    record,
)
from tests.support.databases import Database
from tests.support.garbage import nothing_left_behind


@pytest_asyncio.fixture
async def journal(database: Database) -> AsyncIterator[Journal]:
    async with open_journal(database.journal_dsn, tenants=(TENANT, "other")) as opened:
        yield opened


async def test_what_was_appended_is_read_back_unchanged(journal: Journal) -> None:
    sent = record(
        1, correlation_id="order 7", causation_id=event_id(99), occurred_at_us=-5, kind=None
    )
    (recorded,) = await journal.append(batch(sent, recorded_by="people/ann", verified=True))
    stored = await journal.get(TENANT, sent.event_id)
    assert stored is not None
    assert stored == await journal.row_at(JOURNAL, 1)
    assert (stored.payload, stored.payload_sha256) == (sent.payload, sent.payload_sha256)
    assert (stored.correlation_id, stored.causation_id) == ("order 7", event_id(99))
    assert (stored.recorded_by, stored.verified) == ("people/ann", True)
    assert (stored.type, stored.home, stored.kind) == (sent.type, HOME, None)
    assert (stored.occurred_at_us, stored.schema_version) == (-5, 1)
    assert (stored.position, stored.revision) == (recorded.position, recorded.revision) == (1, 1)
    assert stored.recorded_at_us == recorded.recorded_at_us
    assert (await journal.head(JOURNAL)).last_recorded_at_us == stored.recorded_at_us


async def test_without_a_time_of_its_own_an_event_occurred_when_recorded(journal: Journal) -> None:
    (recorded,) = await journal.append(batch(record(1, occurred_at_us=None)))
    assert recorded.occurred_at_us == recorded.recorded_at_us
    (again,) = await journal.append(batch(record(1, occurred_at_us=None)))
    assert again == recorded._replace(replayed=True)


async def test_a_replay_answers_the_first_result_and_may_mix_with_new_events(
    journal: Journal,
) -> None:
    first = await journal.append(batch(record(1), record(2)))
    mixed = await journal.append(batch(record(3), record(2), record(4), record(1)))
    assert [r.replayed for r in mixed] == [False, True, False, True]
    assert (mixed[1], mixed[3]) == (
        first[1]._replace(replayed=True),
        first[0]._replace(replayed=True),
    )
    assert [(r.position, r.revision) for r in (mixed[0], mixed[2])] == [(3, 3), (4, 4)]
    assert [e.event_id for e in await all_events(journal)] == [event_id(n) for n in (1, 2, 3, 4)]


async def test_an_absent_time_matches_whatever_was_stored(journal: Journal) -> None:
    await journal.append(batch(record(1)))
    (again,) = await journal.append(batch(record(1, occurred_at_us=None)))
    assert (again.replayed, again.occurred_at_us) == (True, 1_000_000)


@pytest.mark.parametrize(
    "other",
    [
        record(1, payload=b"another payload"),
        record(1, type=VOIDED),
        record(1, schema_version=2),
        record(1, occurred_at_us=7),
    ],
    ids=["hash", "type", "schema_version", "occurred_at"],
)
async def test_an_id_that_stands_for_another_event_refuses_the_whole_batch(
    journal: Journal, other: NewRecord
) -> None:
    await journal.append(batch(record(1)))
    with pytest.raises(EventIdTaken) as refused:
        await journal.append(batch(record(2), other))
    ((index, stored),) = refused.value.taken
    assert (index, stored.event_id, stored.payload) == (1, event_id(1), b"payload 1")
    assert len(await all_events(journal)) == 1


async def test_an_event_the_caller_found_equal_counts_as_a_replay(journal: Journal) -> None:
    await journal.append(batch(record(1)))
    other = record(1, payload=b"serialised otherwise")
    recorded = await journal.append(batch(other, record(2), known_replays=frozenset({event_id(1)})))
    assert [(r.position, r.replayed) for r in recorded] == [(1, True), (2, False)]
    stored = await journal.get(TENANT, event_id(1))
    assert stored is not None
    assert stored.payload == b"payload 1"


async def test_event_ids_are_unique_within_a_tenant_only(journal: Journal) -> None:
    await journal.append(batch(record(1)))
    (theirs,) = await journal.append(batch(record(1, payload=b"theirs"), tenant="other"))
    assert (theirs.position, theirs.revision, theirs.replayed) == (2, 1, False)
    mine = await journal.get(TENANT, event_id(1))
    assert mine is not None
    assert mine.payload == b"payload 1"


async def test_an_expected_revision_counts_earlier_new_events_of_the_batch(
    journal: Journal,
) -> None:
    recorded = await journal.append(
        batch(
            record(1, expected_revision=0),
            record(2, home="people/ann"),
            record(3, expected_revision=1),
            record(4, home="people/ann", expected_revision=1),
        )
    )
    assert [r.revision for r in recorded] == [1, 1, 2, 2]
    with pytest.raises(RevisionConflict) as refused:
        await journal.append(batch(record(5), record(6, expected_revision=2)))
    error = refused.value
    assert (error.index, error.home, error.expected, error.current) == (1, HOME, 2, 3)
    assert error.event_id == event_id(6)
    assert (await journal.head(JOURNAL)).head == 4


async def test_an_expected_revision_is_ignored_on_a_replay(journal: Journal) -> None:
    await journal.append(batch(record(1, expected_revision=0)))
    await journal.append(batch(record(2)))
    recorded = await journal.append(
        batch(record(1, expected_revision=0), record(3, expected_revision=2))
    )
    assert [(r.revision, r.replayed) for r in recorded] == [(1, True), (3, False)]


async def test_a_target_recorded_since_it_was_looked_up_refuses_the_batch(
    journal: Journal,
) -> None:
    void = record(2, type=VOIDED)
    resting_on_absence = batch(void, unknown_targets=frozenset({event_id(1), event_id(77)}))
    await journal.append(batch(record(1), tenant="other"))  # somebody else's event of that id
    await journal.append(batch(record(1)))
    with pytest.raises(TargetAppeared) as refused:
        await journal.append(resting_on_absence)
    assert refused.value.event_ids == {event_id(1)}
    (recorded,) = await journal.append(replace(resting_on_absence, unknown_targets=frozenset()))
    assert recorded.position == 3


async def test_a_refused_caller_of_a_group_fails_no_other(journal: Journal) -> None:
    await journal.append(batch(record(1)))
    good = [journal.append(batch(record(100 + n, home=f"people/p{n}"))) for n in range(20)]
    bad = [
        journal.append(batch(record(1, payload=b"clash"))),
        journal.append(batch(record(300, expected_revision=9))),
        journal.append(batch(record(301), unknown_targets=frozenset({event_id(1)}))),
        journal.append(batch(record(302, correlation_id="no \0 in text"))),
        journal.append(batch(record(303, causation_id="not a uuid"))),
    ]
    answers = await asyncio.gather(*good[:10], *bad, *good[10:], return_exceptions=True)
    kinds = [type(answer) for answer in answers]
    assert kinds[:10] == kinds[15:] == [tuple] * 10
    assert kinds[10:13] == [EventIdTaken, RevisionConflict, TargetAppeared]
    assert issubclass(kinds[13], asyncpg.CharacterNotInRepertoireError)
    assert issubclass(kinds[14], asyncpg.DataError)
    assert [e.position for e in await all_events(journal)] == list(range(1, 22))


async def test_callers_of_one_home_in_one_group_get_revisions_in_their_order(
    journal: Journal,
) -> None:
    answers = await asyncio.gather(*(journal.append(batch(record(n))) for n in range(50)))
    assert [(r.position, r.revision) for (r,) in answers] == [(n, n) for n in range(1, 51)]


async def test_the_same_batch_sent_twice_at_once_is_recorded_once(journal: Journal) -> None:
    both = await asyncio.gather(*(journal.append(batch(record(1), record(2))) for _ in range(2)))
    assert [[r.replayed for r in answer] for answer in both] == [[False] * 2, [True] * 2]


async def test_of_callers_expecting_the_same_revision_one_wins(journal: Journal) -> None:
    answers = await asyncio.gather(
        *(journal.append(batch(record(n, expected_revision=0))) for n in range(10)),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [tuple] + [RevisionConflict] * 9


async def test_recorded_at_never_decreases_even_if_the_clock_does(
    journal: Journal, database: Database
) -> None:
    ahead_us = 10**17
    connection = await asyncpg.connect(database.admin_dsn)
    await connection.execute("UPDATE journal.journals SET last_recorded_at_us = $1", ahead_us)
    await connection.close()
    (recorded,) = await journal.append(batch(record(1)))
    assert recorded.recorded_at_us == ahead_us


async def test_a_journal_nobody_created_takes_nothing(journal: Journal) -> None:
    with pytest.raises(JournalUnknown):
        await journal.append(batch(record(1), journal="nowhere"))
    with pytest.raises(JournalUnknown):
        await journal.create_tenant("t", "nowhere")


async def test_a_caller_whose_deadline_has_passed_has_nothing_recorded(journal: Journal) -> None:
    with pytest.raises(DeadlinePassed):
        await journal.append(batch(record(1)), deadline_s=-1)
    caller = asyncio.create_task(journal.append(batch(record(2))))
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    await journal.append(batch(record(3)))
    assert [e.event_id for e in await all_events(journal)] == [event_id(3)]


async def test_nothing_is_left_of_a_batch_that_was_refused(journal: Journal) -> None:
    with nothing_left_behind():
        await journal.append(batch(record(2)))
        with pytest.raises(RevisionConflict):
            await journal.append(batch(record(1, expected_revision=9)))
        with pytest.raises(TargetAppeared):
            await journal.append(batch(record(3), unknown_targets=frozenset({event_id(2)})))


async def test_journals_count_apart_and_a_tenant_stays_where_it_was_created(
    journal: Journal,
) -> None:
    created, is_new = await journal.create_journal("second")
    assert (created.head, is_new) == (0, True)
    assert await journal.create_journal("second") == (created, False)
    assert (await journal.create_tenant("new", "second"))[1]
    row, is_new = await journal.create_tenant("new", JOURNAL)
    assert (row.journal, is_new) == ("second", False)
    await journal.append(batch(record(1)))
    (recorded,) = await journal.append(batch(record(1), journal="second", tenant="new"))
    assert recorded.position == 1
    assert await journal.journal_names() == [JOURNAL, "second"]
    assert [t.tenant for t in await journal.list_tenants("acme", 10)] == ["new", "other"]
    assert await journal.tenant("nobody") is None
