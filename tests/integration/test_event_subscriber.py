"""The client's subscriber on a real NATS: order, resume, rebuilt streams, foreign messages."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from rapport import IncarnationChanged, RapportError, RetryPolicy
from rapport.events import DeliveredEvent, EventSubscriber
from rapport.events.connecting import connect
from rapport.events.v1.touchpoint_pb2 import Touchpoint

from deploy.local.nats import NatsServer
from tests.support.servers import NatsEndpoint

QUICK = RetryPolicy(first_delay_s=0.01, delay_max_s=0.05)
_NAMES = (f"client-events-{number}" for number in count())


class Stream:
    """A journal's stream, written as the relay writes it."""

    def __init__(self, url: str, admin_url: str, journal: str) -> None:
        self.url, self.admin_url, self.journal = url, admin_url, journal
        self.name = f"rapport-events-{journal}"
        self.client: Any = None

    async def begin(self, first_seq: int | None = None) -> None:
        if self.client is None:
            self.client = await connect(self.admin_url)
        subjects = [f"rapport.v1.events.{self.journal}.>"]
        config = StreamConfig(name=self.name, subjects=subjects, first_seq=first_seq)
        await self.client.jetstream().add_stream(config)

    async def publish(
        self, position: int, tenant: str = "default", incarnation: str = "one"
    ) -> None:
        headers = {
            "ce-id": f"event-{position}",
            "ce-type": "rapport.events.v1.Touchpoint",
            "ce-time": "2026-01-12T10:00:00.000001Z",
            "ce-subject": "relationships/ann~bob",
            "ce-tenant": tenant,
            "ce-position": str(position),
            "ce-revision": str(position),
            "ce-recordedat": "2026-01-12T10:00:01Z",
            "ce-recordedby": "people/ann",
            "ce-schemaversion": "1",
            "ce-incarnation": incarnation,
        }
        subject = f"rapport.v1.events.{self.journal}.{tenant}.touchpoint.call"
        body = Touchpoint(initiator="people/ann", counterpart="people/bob", kind="call")
        await self.client.jetstream().publish(subject, body.SerializeToString(), headers=headers)

    async def end(self) -> None:
        await self.client.jetstream().delete_stream(self.name)


@pytest.fixture
async def stream(nats_server: NatsEndpoint, test_run: Any) -> AsyncIterator[Stream]:
    made = Stream(nats_server.url, nats_server.admin_url, f"{next(_NAMES)}-{test_run.name}")
    await made.begin()
    yield made
    await made.end()
    await made.client.close()


async def take(events: EventSubscriber, number: int) -> list[DeliveredEvent]:
    taken: list[DeliveredEvent] = []
    async with asyncio.timeout(60):
        async for event in events:
            taken.append(event)
            if len(taken) == number:
                break
    return taken


def subscriber(stream: Stream, **options: Any) -> EventSubscriber:
    return EventSubscriber(stream.url, stream.journal, retry=QUICK, **options)


async def test_events_come_typed_and_in_order_and_a_later_one_resumes_by_position(
    stream: Stream,
) -> None:
    for position in range(1, 8):
        await stream.publish(position)
    async with subscriber(stream) as events:
        first = await take(events, 3)
        assert (events.position, events.incarnation) == (3, "one")
    assert [event.position for event in first] == [1, 2, 3]
    assert isinstance(first[0].message, Touchpoint)
    assert first[0].message.kind == "call"
    assert first[0].occurred_at.isoformat() == "2026-01-12T10:00:00.000001+00:00"
    async with subscriber(stream, from_position=4, incarnation="one") as events:
        assert [event.position for event in await take(events, 4)] == [4, 5, 6, 7]


async def test_a_tenant_gets_its_own_events_alone(stream: Stream) -> None:
    for position in range(1, 7):
        await stream.publish(position, tenant="other" if position % 2 else "default")
    async with subscriber(stream, tenant="default") as events:
        assert [event.position for event in await take(events, 3)] == [2, 4, 6]


async def test_a_request_that_the_server_ends_early_does_not_end_the_subscriber(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = JetStreamContext.PullSubscription.fetch
    ended: list[Any] = []

    async def ended_early(subscription: Any, *of: Any, **more: Any) -> Any:
        if len(ended) < 2:
            ended.append(subscription)
            return []
        return await fetch(subscription, *of, **more)

    monkeypatch.setattr(JetStreamContext.PullSubscription, "fetch", ended_early)
    for position in range(1, 4):
        await stream.publish(position)
    async with subscriber(stream) as events:
        assert [event.position for event in await take(events, 3)] == [1, 2, 3]
    assert len(ended) == 2


async def test_a_rebuilt_stream_is_followed_from_the_same_position(stream: Stream) -> None:
    for position in range(1, 4):
        await stream.publish(position)
    async with subscriber(stream) as events:
        taken: list[int] = []
        async with asyncio.timeout(60):
            async for event in events:
                taken.append(event.position)
                if event.position == 3:
                    await stream.end()
                    await stream.begin()
                    for position in range(1, 6):
                        await stream.publish(position)
                if event.position == 5:
                    break
    assert taken == [1, 2, 3, 4, 5]


async def test_a_restored_journal_ends_the_subscription(stream: Stream) -> None:
    await stream.publish(1)
    await stream.publish(2, incarnation="two")
    async with subscriber(stream) as events:
        with pytest.raises(IncarnationChanged):
            await take(events, 2)
    async with subscriber(stream, from_position=2, incarnation="one") as events:
        with pytest.raises(IncarnationChanged):
            await take(events, 1)


async def test_a_message_at_another_sequence_than_its_position_is_divergence(
    stream: Stream,
) -> None:
    await stream.publish(1)
    await stream.publish(7)
    async with subscriber(stream) as events:
        with pytest.raises(RapportError) as caught:
            await take(events, 2)
    assert caught.value.reason == "STREAM_DIVERGED"


async def test_a_foreign_message_is_divergence(stream: Stream) -> None:
    subject = f"rapport.v1.events.{stream.journal}.default.touchpoint.call"
    await stream.client.jetstream().publish(subject, b"hello")
    async with subscriber(stream) as events:
        with pytest.raises(RapportError) as caught:
            await take(events, 1)
    assert caught.value.reason == "STREAM_DIVERGED"


async def test_history_the_stream_no_longer_holds_is_said_to_be_gone(stream: Stream) -> None:
    await stream.end()
    await stream.begin(first_seq=5)
    await stream.publish(5)
    async with subscriber(stream, from_position=2) as events:
        with pytest.raises(RapportError) as caught:
            await take(events, 1)
    assert caught.value.reason == "HISTORY_GONE"
    assert caught.value.metadata["first_position"] == "5"


async def test_a_restarted_server_is_waited_for(private_nats: NatsServer) -> None:
    stream = Stream(private_nats.url, private_nats.admin_url, "restarted")
    await stream.begin()
    await stream.publish(1)
    async with subscriber(stream) as events:
        async with asyncio.timeout(60):
            async for event in events:
                if event.position == 1:
                    await asyncio.to_thread(private_nats.stop)
                    await asyncio.to_thread(private_nats.start)
                    await stream.client.close()
                    stream.client = await connect(private_nats.admin_url)
                    await stream.publish(2)
                if event.position == 2:
                    break
        assert events.position == 2
    await stream.client.close()
