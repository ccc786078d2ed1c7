"""IngestEvents, ReadEvents and SubscribeEvents, through a real server and a real Postgres."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, suppress
from typing import Any

import asyncpg
import grpc
import pytest
from rapport.events.v1 import practice_pb2, touchpoint_pb2
from rapport.v1 import errors_pb2
from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.domain.events import Batch
from services.ledger.journal.outcomes import Busy, TargetAppeared
from services.runtime.limits import INGEST_BATCHES_MAX, READERS_AT_WORK_MAX
from services.runtime.policy import default_policy
from tests.support.databases import Database
from tests.support.ledger import SERVICE, LedgerUnderTest, ledger_on, new, told, touch, who

ANN, BOB = "people/ann", "people/bob"


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[LedgerUnderTest]:
    async with ledger_on(database) as started:
        await started.create_tenant()
        yield started


def batch(number: int, *events: pb.NewEvent) -> pb.IngestEventsRequest:
    return pb.IngestEventsRequest(batch=number, events=events)


async def ingest(
    ledger: LedgerUnderTest, requests: Iterable[pb.IngestEventsRequest]
) -> list[pb.IngestEventsResponse]:
    call = ledger.stub.IngestEvents(iter(requests), metadata=who())
    return [answer async for answer in call]


async def read(
    ledger: LedgerUnderTest, metadata: Any = None, **request: Any
) -> list[pb.ReadEventsResponse]:
    call = ledger.stub.ReadEvents(pb.ReadEventsRequest(**request), metadata=metadata or who())
    return [answer async for answer in call]


def positions(answers: list[pb.ReadEventsResponse]) -> list[int]:
    return [event.position for answer in answers for event in answer.events]


async def test_ingest_answers_every_batch_in_order_after_the_window(
    ledger: LedgerUnderTest,
) -> None:
    requests = [batch(i, touch(), touch()) for i in range(1, 101)]
    answers = await ingest(ledger, requests)
    assert answers[0].window.batches_max == INGEST_BATCHES_MAX
    assert [a.batch for a in answers] == list(range(101))
    assert [a.appended.last_position for a in answers[1:]] == list(range(2, 201, 2))


async def test_a_refused_batch_ends_neither_the_stream_nor_its_order(
    ledger: LedgerUnderTest,
) -> None:
    conflict = touch()
    conflict.expected_revision = 9
    requests = [
        batch(1, touch()),
        batch(2, touch(kind="nope")),
        batch(3, conflict, touch()),
        batch(0, touch()),
        batch(5),
        batch(6, touch()),
    ]
    answers = (await ingest(ledger, requests))[1:]
    assert [a.WhichOneof("result") for a in answers] == [
        "appended",
        "refused",
        "refused",
        "refused",
        "refused",
        "appended",
    ]
    assert [a.refused.reason for a in answers[1:5]] == [
        errors_pb2.ERROR_REASON_KIND_UNKNOWN,
        errors_pb2.ERROR_REASON_REVISION_CONFLICT,
        errors_pb2.ERROR_REASON_OUT_OF_RANGE,
        errors_pb2.ERROR_REASON_FIELD_REQUIRED,
    ]
    assert answers[5].appended.last_position == 2


async def test_a_batch_may_rest_on_batches_that_are_still_under_way(
    ledger: LedgerUnderTest,
) -> None:
    adopted = default_policy().canonical_json.replace('"ask":', '"our.own_kind":')
    adoption = new(policy_adopted=practice_pb2.PolicyAdopted(policy_json=adopted))
    requests, number = [], 0
    for _ in range(20):
        target = touch(note="n")
        void = new(voided=touchpoint_pb2.Voided(target=target.event_id))
        for event in (target, void):
            number += 1
            requests.append(batch(number, event))
    requests += [batch(number + 1, adoption), batch(number + 2, touch(kind="our.own_kind"))]
    answers = (await ingest(ledger, requests))[1:]
    assert all(a.HasField("appended") for a in answers)
    homes = {a.appended.events[0].home for a in answers[:40]}
    assert homes == {"relationships/ann~bob"}
    assert [a.appended.last_position for a in answers] == list(range(1, 43))


async def test_a_batch_that_names_stored_events_is_taken_in_while_others_commit(
    ledger: LedgerUnderTest, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = touch()
    await ingest(ledger, [batch(1, stored)])
    requests = [
        batch(1, touch()),
        batch(2, new(voided=touchpoint_pb2.Voided(target=stored.event_id))),
        batch(3, touch()),
    ]
    journal = ledger.process.parts.journal
    append, taken_in = journal.append, asyncio.Semaphore(0)

    async def counted(given: Batch, *, deadline_s: float | None = None) -> Any:
        taken_in.release()
        return await append(given, deadline_s=deadline_s)

    monkeypatch.setattr(journal, "append", counted)
    other = await asyncpg.connect(database.admin_dsn)
    try:
        async with other.transaction():
            await other.execute("SELECT FROM journal.journals FOR UPDATE")  # nothing commits
            ingesting = asyncio.create_task(ingest(ledger, requests))
            async with asyncio.timeout(30):
                for _ in requests:
                    await taken_in.acquire()
        answers = (await ingesting)[1:]
    finally:
        await other.close()
    assert [a.appended.last_position for a in answers] == [2, 3, 4]


async def test_of_two_batches_that_name_the_same_event_the_later_one_is_recorded_later(
    ledger: LedgerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = touch()
    await ingest(ledger, [batch(1, stored)])
    journal = ledger.process.parts.journal
    append, overtaken, calls = journal.append, asyncio.Event(), 0

    async def first_takes_another_round(given: Batch, *, deadline_s: float | None = None) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.3):  # as long as the second one has to overtake it
                    await overtaken.wait()
            raise TargetAppeared(frozenset())
        if calls == 2:
            overtaken.set()
        return await append(given, deadline_s=deadline_s)

    monkeypatch.setattr(journal, "append", first_takes_another_round)
    voids = [new(voided=touchpoint_pb2.Voided(target=stored.event_id)) for _ in range(2)]
    answers = (await ingest(ledger, [batch(i, each) for i, each in enumerate(voids, 1)]))[1:]
    assert [a.appended.last_position for a in answers] == [2, 3]


async def test_a_batch_that_finds_no_room_waits_and_keeps_its_place(
    ledger: LedgerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = ledger.process.parts.journal
    append, refusals = journal.append, iter([False, True, True, False])

    async def busy_at_times(given: Batch, *, deadline_s: float | None = None) -> Any:
        if next(refusals, False):
            raise Busy("too much is in flight", retry_after_ms=10)
        return await append(given, deadline_s=deadline_s)

    monkeypatch.setattr(journal, "append", busy_at_times)
    answers = await ingest(ledger, [batch(i, touch()) for i in range(1, 6)])
    assert [a.appended.last_position for a in answers[1:]] == [1, 2, 3, 4, 5]


async def test_an_ingest_sent_again_is_all_replays(ledger: LedgerUnderTest) -> None:
    requests = [batch(i, touch(note="n"), touch()) for i in range(1, 11)]
    first = await ingest(ledger, requests)
    second = await ingest(ledger, requests)
    assert all(e.replayed for a in second[1:] for e in a.appended.events)
    assert [a.appended.last_position for a in first] == [a.appended.last_position for a in second]


async def test_a_malformed_message_ends_its_own_stream_after_what_came_before(
    ledger: LedgerUnderTest,
) -> None:
    raw: Any = ledger.channel.stream_stream("/rapport.v1.LedgerService/IngestEvents")
    other = asyncio.create_task(ingest(ledger, [batch(i, touch()) for i in range(1, 30)]))
    messages = [batch(1, touch()).SerializeToString(), b"\xff\xff\xff", b"\x08\x01"]
    call = raw(iter(messages), metadata=who())
    answers = [pb.IngestEventsResponse.FromString(await call.read()) for _ in range(2)]
    assert (await told(call)).reason == "REQUEST_MALFORMED"
    assert [a.WhichOneof("result") for a in answers] == ["window", "appended"]
    assert all(a.HasField("appended") for a in (await other)[1:])


async def test_a_client_that_never_reads_is_held_to_the_window_and_harms_nobody(
    ledger: LedgerUnderTest,
) -> None:
    async def endless() -> AsyncIterator[pb.IngestEventsRequest]:
        number = 0
        while True:
            number += 1
            yield batch(number, *[touch(f"people/x{i}") for i in range(500)])

    call = ledger.stub.IngestEvents(endless(), metadata=who())
    reading = ledger.stub.SubscribeEvents(pb.SubscribeEventsRequest(), metadata=who())
    for _ in range(10):
        answer = await ledger.append(touch(), timeout=20)
        assert answer.last_position
    call.cancel()
    reading.cancel()


async def test_a_client_that_vanishes_mid_stream_leaves_whole_batches(
    ledger: LedgerUnderTest,
) -> None:
    async def endless() -> AsyncIterator[pb.IngestEventsRequest]:
        number = 0
        while True:
            number += 1
            yield batch(number, *[touch() for _ in range(10)])

    call = ledger.stub.IngestEvents(endless(), metadata=who())
    async for answer in call:
        if answer.batch == 20:
            break
    call.cancel()
    head = (await ledger.append(touch())).last_position
    found = positions(await read(ledger))
    assert found == list(range(1, len(found) + 1))
    assert head in found
    assert (len(found) - 1) % 10 == 0


async def test_a_journal_is_read_from_a_position_in_both_directions(
    ledger: LedgerUnderTest,
) -> None:
    await ledger.append(*[touch() for _ in range(10)])
    from_4 = pb.JournalSource(from_position=4)
    assert positions(await read(ledger)) == list(range(1, 11))
    assert positions(await read(ledger, journal=from_4, limit=3)) == [4, 5, 6]
    backwards: Any = pb.DIRECTION_BACKWARDS
    assert positions(await read(ledger, direction=backwards, limit=2)) == [10, 9]
    assert positions(await read(ledger, direction=backwards, journal=from_4)) == [4, 3, 2, 1]
    beyond = await read(ledger, journal=pb.JournalSource(from_position=99))
    assert (positions(beyond), beyond[-1].read_through_position) == ([], 10)


async def test_a_home_is_read_from_a_revision_and_in_either_order_of_its_ids(
    ledger: LedgerUnderTest,
) -> None:
    await ledger.append(touch(), touch(ANN, "people/cat"), touch(BOB, ANN), touch())
    home = pb.HomeSource(home="relationships/bob~ann", from_revision=2)
    assert positions(await read(ledger, home=home)) == [3, 4]
    backwards: Any = pb.DIRECTION_BACKWARDS
    assert positions(await read(ledger, home=home, direction=backwards)) == [3, 1]


async def test_a_read_is_filtered_by_type_and_kind_and_says_how_far_it_came(
    ledger: LedgerUnderTest,
) -> None:
    target = touch(kind="ask")
    await ledger.append(
        target, touch(), new(voided=touchpoint_pb2.Voided(target=target.event_id)), touch()
    )
    assert positions(await read(ledger, types=["Voided"])) == [3]
    assert positions(await read(ledger, types=["rapport.events.v1.Touchpoint"])) == [1, 2, 4]
    assert positions(await read(ledger, kinds=["ask"])) == [1]
    nothing = await read(ledger, kinds=["proposal"])
    assert (positions(nothing), nothing[-1].read_through_position) == ([], 4)
    assert nothing[-1].head_position == 4


async def test_readers_wait_for_their_turn_and_appends_do_not(ledger: LedgerUnderTest) -> None:
    await ledger.append(touch())
    subscription = ledger.stub.SubscribeEvents(pb.SubscribeEventsRequest(), metadata=who())
    turns = ledger.process.parts.reader_turns
    async with AsyncExitStack() as taken:
        for _ in range(READERS_AT_WORK_MAX):
            await taken.enter_async_context(turns)
        answers = [asyncio.ensure_future(read(ledger)), asyncio.ensure_future(subscription.read())]
        async with asyncio.timeout(60):
            await ledger.append(touch())
            await ledger.append(touch())
        assert not any(answer.done() for answer in answers)
    async with asyncio.timeout(60):
        await asyncio.gather(*answers)
    subscription.cancel()


async def test_readers_that_take_nothing_keep_nobody_from_a_turn(database: Database) -> None:
    async with ledger_on(database, reader_timeout_s=600) as ledger:
        await ledger.create_tenant()
        for _ in range(4):
            await ledger.append(*[touch(note="x" * 60_000) for _ in range(100)])
        request = pb.ReadEventsRequest()
        unread = [
            ledger.stub.ReadEvents(request, metadata=who()) for _ in range(READERS_AT_WORK_MAX)
        ]
        for call in unread:
            await call.read()
        async with asyncio.timeout(60):
            assert positions(await read(ledger)) == list(range(1, 401))
        for call in unread:
            call.cancel()


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        ({"limit": -1}, ["limit"]),
        ({"limit": 1_000_000_001}, ["limit"]),
        ({"journal": pb.JournalSource(from_position=-1)}, ["journal.from_position"]),
        ({"journal": pb.JournalSource(journal="J")}, ["journal.journal"]),
        ({"journal": pb.JournalSource(journal="other")}, ["journal.journal"]),
        ({"home": pb.HomeSource(home="x")}, ["home.home"]),
        ({"home": pb.HomeSource(home=ANN, from_revision=-1)}, ["home.from_revision"]),
        ({"types": ["Nope"], "kinds": ["A"]}, ["types[0]", "kinds[0]"]),
        ({"direction": 9, "view": 9}, ["direction", "view"]),
    ],
)
async def test_a_wrong_read_names_its_fields(
    ledger: LedgerUnderTest, request_: dict[str, Any], fields: list[str]
) -> None:
    call = ledger.stub.ReadEvents(pb.ReadEventsRequest(**request_), metadata=who())
    refusal = await told(call)
    assert (refusal.code, refusal.fields) == (grpc.StatusCode.INVALID_ARGUMENT, fields)


async def test_whole_journals_and_stored_bytes_are_for_services(ledger: LedgerUnderTest) -> None:
    await ledger.create_tenant("other")
    await ledger.append(touch(note="a"))
    await ledger.append(touch(note="b"), tenant="other")
    assert positions(await read(ledger)) == [1]
    service, stored = who(None, SERVICE), pb.EVENT_VIEW_STORED
    main = pb.JournalSource(journal="main")
    answers = await read(ledger, service, journal=main, view=stored)
    events = [e for a in answers for e in a.events]
    assert [e.tenant for e in events] == ["acme", "other"]
    assert all(e.stored_payload and not e.WhichOneof("payload") for e in events)
    opened = await read(ledger, service, journal=main)
    assert [e.touchpoint.note.text for a in opened for e in a.events] == ["a", "b"]

    def call(metadata: Any, **request: Any) -> Any:
        return ledger.stub.ReadEvents(pb.ReadEventsRequest(**request), metadata=metadata)

    assert (await told(call(who(None, ANN), journal=main))).reason == "CREDENTIALS_MISSING"
    assert (await told(call(who(), view=stored))).reason == "SERVICE_PRINCIPAL_REQUIRED"
    assert (await told(call(service))).fields == ["journal.journal"]
    unknown = await told(call(service, journal=pb.JournalSource(journal="nowhere")))
    assert (unknown.reason, unknown.metadata) == ("JOURNAL_UNKNOWN", {"journal": "nowhere"})
    assert unknown.fields == ["journal.journal"]
    home = pb.HomeSource(home="relationships/ann~bob")
    assert (await told(call(service, home=home))).reason == "CREDENTIALS_MISSING"


async def next_of(call: Any) -> pb.SubscribeEventsResponse:
    async with asyncio.timeout(60):
        answer = await call.read()
    assert isinstance(answer, pb.SubscribeEventsResponse)
    return answer


async def next_content(call: Any, content: str) -> pb.SubscribeEventsResponse:
    while (answer := await next_of(call)).WhichOneof("content") != content:
        pass
    return answer


async def test_a_subscription_catches_up_says_so_and_goes_on_live(
    ledger: LedgerUnderTest, database: Database
) -> None:
    await ledger.append(touch(), touch(), touch())
    request = pb.SubscribeEventsRequest(from_position=2)
    call = ledger.stub.SubscribeEvents(request, metadata=who())
    first = await next_of(call)
    assert [e.position for e in first.events.events] == [2, 3]
    caught_up = await next_of(call)
    assert caught_up.HasField("caught_up")
    assert (caught_up.read_through_position, caught_up.head_position) == (3, 3)
    assert len(caught_up.incarnation) == 36
    await ledger.append(touch())
    live = await next_content(call, "events")
    assert [e.position for e in live.events.events] == [4]
    assert (await next_of(call)).HasField("caught_up")
    # Another replica appends.
    async with ledger_on(database) as replica:
        await replica.append(touch())
        live = await next_content(call, "events")
        assert [e.position for e in live.events.events] == [5]
    call.cancel()


async def test_silence_is_broken_by_heartbeats_that_carry_the_head(database: Database) -> None:
    async with ledger_on(database, heartbeat_s=0.4) as ledger:
        await ledger.create_tenant()
        await ledger.create_tenant("other")
        call = ledger.stub.SubscribeEvents(pb.SubscribeEventsRequest(), metadata=who())
        assert (await next_of(call)).HasField("caught_up")
        heartbeat = await next_of(call)
        assert (heartbeat.HasField("heartbeat"), heartbeat.head_position) == (True, 0)
        await ledger.append(touch(), tenant="other")
        # Foreign events move how far it has read, and are not answered.
        while (heartbeat := await next_of(call)).head_position == 0:
            assert heartbeat.HasField("heartbeat")
        assert (heartbeat.WhichOneof("content"), heartbeat.read_through_position) == (
            "heartbeat",
            1,
        )
        call.cancel()


async def test_a_subscription_from_beyond_the_head_does_not_claim_to_have_read_it(
    ledger: LedgerUnderTest,
) -> None:
    await ledger.append(touch())
    call = ledger.stub.SubscribeEvents(
        pb.SubscribeEventsRequest(from_position=1_000), metadata=who()
    )
    caught_up = await next_of(call)
    assert (caught_up.read_through_position, caught_up.head_position) == (1, 1)
    call.cancel()


async def test_a_subscription_is_filtered(ledger: LedgerUnderTest) -> None:
    await ledger.append(touch(), touch(kind="ask"))
    request = pb.SubscribeEventsRequest(kinds=["ask"], types=["Touchpoint"])
    call = ledger.stub.SubscribeEvents(request, metadata=who())
    assert [e.position for e in (await next_of(call)).events.events] == [2]
    call.cancel()
    wrong = pb.SubscribeEventsRequest(from_position=-1, kinds=["A"], journal="J")
    refusal = await told(ledger.stub.SubscribeEvents(wrong, metadata=who()))
    assert refusal.fields == ["journal", "from_position", "kinds[0]"]


async def test_streams_end_when_the_ledger_drains(database: Database) -> None:
    async with ledger_on(database, drain_grace_s=5) as ledger:
        await ledger.create_tenant()
        subscription = ledger.stub.SubscribeEvents(pb.SubscribeEventsRequest(), metadata=who())
        await next_of(subscription)
        never = asyncio.Event()

        async def waiting() -> AsyncIterator[pb.IngestEventsRequest]:
            yield batch(1, touch())
            await never.wait()

        ingesting = ledger.stub.IngestEvents(waiting(), metadata=who())
        assert (await ingesting.read()).HasField("window")
        assert (await ingesting.read()).HasField("appended")
        ledger.process.parts.draining.set()
        assert (await told(subscription)).reason == "UNAVAILABLE"
        refusal = await told(ingesting)
        assert (refusal.reason, refusal.retry_ms is not None) == ("UNAVAILABLE", True)
        never.set()


async def test_a_batch_too_large_for_the_wire_harms_nobody(ledger: LedgerUnderTest) -> None:
    events = [touch(note="x" * 60_000) for _ in range(160)]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ledger.append(*events)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    refusal = await told(ledger.append(*events[:145]))
    assert (refusal.reason, refusal.fields) == ("TOO_LARGE", ["events"])
    await ledger.append(*events[:130])
    assert len(positions(await read(ledger))) == 130
