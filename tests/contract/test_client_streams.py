"""Ingest and subscribe over streams that break, refuse and fall silent."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import grpc
import pytest
from rapport import IncarnationChanged, Rapport, RapportError, RetryPolicy, Verdict, touchpoint
from rapport.v1 import ledger_service_pb2 as ledger

from tests.contract.client_server import FakeLedger, refusal, serve

QUICK = RetryPolicy(first_delay_s=0.001, delay_max_s=0.002)


@dataclass
class Side:
    ledger: FakeLedger
    client: Rapport


@pytest.fixture
async def side() -> AsyncIterator[Side]:
    fake = FakeLedger()  # type: ignore[abstract]  # the calls these tests make
    server, target = await serve(fake)
    async with Rapport(target, principal="people/ann", tenant="default", retry=QUICK) as client:
        yield Side(fake, client)
    await server.stop(0)


def calls(count: int) -> Iterator[ledger.NewEvent]:
    return (touchpoint("ann", "bob", "call") for _ in range(count))


async def all_of(verdicts: AsyncIterator[Verdict]) -> list[Verdict]:
    return [verdict async for verdict in verdicts]


async def test_events_are_gathered_into_batches_and_answered_in_order(side: Side) -> None:
    verdicts = await all_of(side.client.ingest(calls(45), batch_events=10))
    assert [verdict.batch for verdict in verdicts] == [1, 2, 3, 4, 5]
    assert [len(verdict.events) for verdict in verdicts] == [10, 10, 10, 10, 5]
    assert list(side.ledger.positions.values()) == list(range(1, 46))
    assert side.ledger.streams == 1


async def test_an_empty_source_gives_no_verdict(side: Side) -> None:
    assert await all_of(side.client.ingest([])) == []


async def test_unanswered_batches_are_sent_again_over_a_new_stream(side: Side) -> None:
    side.ledger.breaks_after = [3, 0, 1]
    verdicts = await all_of(side.client.ingest(calls(200), batch_events=10))
    assert [verdict.batch for verdict in verdicts] == list(range(1, 21))
    assert all(verdict.appended is not None for verdict in verdicts)
    assert len(side.ledger.positions) == 200
    assert side.ledger.streams == 4
    assert sum(verdict.replayed for verdict in verdicts) >= 10, "recorded, and the answer was lost"


async def test_a_refused_batch_does_not_end_the_stream(side: Side) -> None:
    side.ledger.judge = lambda request: (
        refusal(grpc.StatusCode.INVALID_ARGUMENT, "KIND_UNKNOWN") if request.batch == 2 else None
    )
    verdicts = await all_of(side.client.ingest(calls(30), batch_events=10))
    refused = [verdict.refused.reason if verdict.refused else "" for verdict in verdicts]
    assert refused == ["", "KIND_UNKNOWN", ""]
    assert side.ledger.streams == 1


async def test_a_batch_refused_for_a_passing_reason_is_sent_again_on_the_stream(side: Side) -> None:
    seen: set[str] = set()

    def busy_once(request: ledger.IngestEventsRequest) -> ledger.BatchRefusal | None:
        first = request.events[0].event_id
        if first in seen or request.batch % 2:
            return None
        seen.add(first)
        return refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_BUSY", 1)

    side.ledger.judge = busy_once
    verdicts = await all_of(side.client.ingest(calls(60), batch_events=10))
    assert [verdict.batch for verdict in verdicts] == [1, 2, 3, 4, 5, 6]
    assert all(verdict.appended for verdict in verdicts)
    assert len(side.ledger.positions) == 60
    assert seen


async def test_the_source_is_read_no_further_than_the_window_and_the_reader_allow(
    side: Side,
) -> None:
    side.ledger.window = ledger.IngestWindow(batches_max=2, bytes_max=1 << 20)
    read = 0

    async def source() -> AsyncIterator[list[ledger.NewEvent]]:
        nonlocal read
        for _ in range(50):
            read += 1
            yield [touchpoint("ann", "bob", "call")]

    async for verdict in side.client.ingest(source()):
        # Two on their way, two settled behind this one at most, two read ahead, one in hand.
        assert read <= verdict.batch + 7
    assert read == 50


async def test_a_repeated_event_id_opens_a_new_batch_instead_of_spoiling_one(side: Side) -> None:
    event = touchpoint("ann", "bob", "call")
    verdicts = await all_of(side.client.ingest([event, event, *calls(1)]))
    assert [len(verdict.events) for verdict in verdicts] == [1, 2]
    assert [verdict.replayed for verdict in verdicts] == [0, 1]


async def test_what_the_source_raises_comes_after_what_it_gave_is_settled(side: Side) -> None:
    def source() -> Iterator[ledger.NewEvent]:
        yield from calls(3)
        raise KeyError("line 4")

    settled: list[int] = []

    async def load() -> None:
        async for verdict in side.client.ingest(source(), batch_events=1):
            settled.append(verdict.batch)

    with pytest.raises(KeyError, match="line 4"):
        await load()
    assert settled == [1, 2, 3]


async def test_a_load_that_is_left_early_ends_its_stream(side: Side) -> None:
    verdicts = side.client.ingest(calls(1_000), batch_events=1)
    first = await anext(verdicts)
    await verdicts.aclose()  # type: ignore[attr-defined]
    assert first.batch == 1
    assert len(side.ledger.positions) < 1_000


async def test_a_stream_that_is_never_taken_gives_up_with_an_unknown_outcome(side: Side) -> None:
    side.ledger.breaks_after = [0] * 10_000
    with pytest.raises(RapportError) as caught:
        await all_of(side.client.ingest(calls(5), stalled_s_max=0.1))
    assert not caught.value.is_definite


def said(
    *positions: int, through: int, head: int = 9, incarnation: str = "one"
) -> ledger.SubscribeEventsResponse:
    message = ledger.SubscribeEventsResponse(
        read_through_position=through, head_position=head, incarnation=incarnation
    )
    for position in positions:
        message.events.events.add(position=position)
    return message


async def test_a_subscription_resumes_after_the_last_position_it_has_read_through(
    side: Side,
) -> None:
    side.ledger.subscriptions = [
        [said(2, 3, through=3), said(through=5)],
        [],
        [said(6, 7, through=7)],
    ]
    subscription = side.client.subscribe(from_position=2)
    positions: list[int] = []
    async for event in subscription:
        positions.append(event.position)
        assert subscription.position == event.position
        if event.position == 7:
            break
    assert positions == [2, 3, 6, 7]
    assert side.ledger.subscribed_from == [2, 6, 6]


async def test_a_restored_journal_ends_a_subscription(side: Side) -> None:
    side.ledger.subscriptions = [
        [said(1, through=1)],
        [said(2, through=2, incarnation="two")],
    ]
    positions: list[int] = []

    async def follow() -> None:
        async for event in side.client.subscribe():
            positions.append(event.position)

    with pytest.raises(IncarnationChanged) as caught:
        await follow()
    assert positions == [1]
    assert (caught.value.metadata["known"], caught.value.metadata["found"]) == ("one", "two")


async def test_an_incarnation_kept_from_before_is_compared_at_once(side: Side) -> None:
    side.ledger.subscriptions = [[said(5, through=5, incarnation="two")]]
    with pytest.raises(IncarnationChanged):
        async for _ in side.client.subscribe(from_position=5, incarnation="one"):
            pass
