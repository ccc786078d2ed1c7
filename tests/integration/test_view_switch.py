"""Switching versions of the read models while clients write and read: no answer is ever wrong."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
from rapport.v1 import capital_service_pb2 as capital_pb
from rapport.v1 import ledger_service_pb2 as pb
from rapport.v1 import timeline_service_pb2 as timeline_pb
from rapport.v1.capital_service_pb2_grpc import CapitalServiceStub
from rapport.v1.ledger_service_pb2_grpc import LedgerServiceStub
from rapport.v1.timeline_service_pb2_grpc import TimelineServiceStub

from deploy.local.nats import NatsServer
from services.operator.config import Installation
from services.operator.versions import workshop
from services.projector.domain.facts import Fact, Touchpoint, Void
from services.projector.domain.questions import balance_of_facts
from services.projector.facts import touchpoint_from, void_from
from services.projector.versions.comparing import compare
from services.projector.versions.switching import switch, versions
from services.runtime.clock import day_from_date
from services.runtime.policy import default_policy
from tests.support.both import both_on
from tests.support.databases import Database
from tests.support.ledger import TENANT, touch, who

PEOPLE = [f"people/p{number}" for number in range(6)]
PAIRS = [(a, b) for a in PEOPLE for b in PEOPLE if a < b]
SWITCHES = 3


def name_of(pair: tuple[str, str]) -> str:
    a, b = (person.removeprefix("people/") for person in pair)
    return f"relationships/{a}~{b}"


@dataclass
class Seen:
    """What clients were answered: the position of each answer and what it said."""

    balances: list[tuple[str, int, Any, Any]] = field(default_factory=list)
    timelines: list[tuple[str, int, list[str]]] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)


async def write(stub: Any, random: Random, seen: Seen) -> None:
    """Touchpoints and voids of them, until told to stop."""
    written: list[str] = []
    while not seen.stop.is_set():
        events = []
        for _ in range(random.randint(1, 8)):
            if written and random.random() < 0.1:
                event = pb.NewEvent(event_id=str(uuid4()))
                event.voided.target = written.pop(random.randrange(len(written)))
            else:
                a, b = random.sample(PEOPLE, 2)
                event = touch(a, b, kind=random.choice(["call", "email.one_to_one", "social.like"]))
                written.append(event.event_id)
            events.append(event)
        request = pb.AppendEventsRequest(events=events)
        await stub.AppendEvents(request, metadata=who(TENANT), timeout=60)
        await asyncio.sleep(0)


async def read(channel: Any, ledger: Any, random: Random, seen: Seen) -> None:
    """Ask for what was just written and for what others wrote, until told to stop."""
    capital, timeline = CapitalServiceStub(channel), TimelineServiceStub(channel)
    before, own = 0, 0
    while not seen.stop.is_set():
        pair = random.choice(PAIRS)
        name = name_of(pair)
        if random.random() < 0.3:
            request = pb.AppendEventsRequest(events=[touch(*pair)])
            answer = await ledger.AppendEvents(request, metadata=who(TENANT), timeout=60)
            own = answer.events[0].position
        more: Any = {"metadata": who(TENANT), "timeout": 60}
        as_of = capital_pb.AsOf(min_position=own)
        dice = random.random()
        if dice < 0.4:
            asked = capital_pb.GetBalanceRequest(relationship=name, as_of=as_of)
            found = await capital.GetBalance(asked, **more)
            position = found.computed.position
            seen.balances.append((name, position, found.computed.on, found.balance))
        elif dice < 0.7:
            listed = await capital.ListBalances(
                capital_pb.ListBalancesRequest(as_of=as_of, page_size=100), **more
            )
            position = listed.computed.position
            for balance in listed.balances:
                seen.balances.append((balance.relationship, position, listed.computed.on, balance))
        else:
            lines = await timeline.ListTimeline(
                timeline_pb.ListTimelineRequest(parent=name, min_position=own, page_size=1000),
                **more,
            )
            position = lines.position
            seen.timelines.append((name, position, [line.event_id for line in lines.lines]))
        assert position >= own, "a client reads its own writes"
        assert position >= before, "positions never go back"
        before = position


async def check(database: Database, seen: Seen) -> None:
    """Every answer is the fold of what the journal has up to the answer's position."""
    conn = await asyncpg.connect(database.admin_dsn)
    rows = await conn.fetch(
        "SELECT position, event_id::text AS event_id, type, occurred_at_us, payload"
        " FROM journal.events ORDER BY position"
    )
    await conn.close()
    pair_of: dict[str, str] = {}
    facts: dict[str, list[Fact]] = defaultdict(list)
    for row in rows:
        own: dict[str, Any] = {"event_id": row["event_id"], "position": row["position"]}
        if row["type"].endswith(".Voided"):
            void = void_from(row["payload"], **own)
            facts[pair_of[void.target]].append(void)
        else:
            made = touchpoint_from(row["payload"], occurred_at_us=row["occurred_at_us"], **own)
            pair_of[made.event_id] = name_of(made.pair)
            facts[name_of(made.pair)].append(made)
    policy, folded = default_policy(), {}
    for name, position, on, balance in seen.balances:
        known = [fact for fact in facts[name] if fact.position <= position]
        day = day_from_date_of(on)
        key = (name, len(known), day)
        if key not in folded:
            folded[key] = balance_of_facts(known, policy, day)
        wanted = folded[key]
        assert (balance.know_mp, balance.care_mp) == (wanted.know_mp, wanted.care_mp), name
    for name, position, event_ids in seen.timelines:
        known = [fact for fact in facts[name] if fact.position <= position]
        gone = {fact.target for fact in known if isinstance(fact, Void)}
        made_ids = {fact.event_id for fact in known if isinstance(fact, Touchpoint)}
        assert set(event_ids) == made_ids - gone, name
        assert len(event_ids) == len(set(event_ids))


def day_from_date_of(on: Any) -> int:
    return day_from_date(date(on.year, on.month, on.day))


async def test_clients_that_write_and_read_throughout_see_no_wrong_answer(
    database: Database, private_nats: NatsServer
) -> None:
    seen = Seen()
    async with both_on(database, private_nats.url) as both:
        await both.create_tenant(TENANT)
        installation = Installation.from_mapping(database.env())
        async with (
            grpc.aio.insecure_channel(both.ledger) as to_ledger,
            grpc.aio.insecure_channel(both.projector) as to_projector,
        ):
            ledger = LedgerServiceStub(to_ledger)
            first = [touch(*pair) for pair in PAIRS]
            await ledger.AppendEvents(
                pb.AppendEventsRequest(events=first), metadata=who(TENANT), timeout=60
            )
            clients = [asyncio.create_task(write(ledger, Random(1), seen))]
            clients += [
                asyncio.create_task(read(to_projector, ledger, Random(seed), seen))
                for seed in (2, 3, 4)
            ]
            switched = []
            try:
                for _ in range(SWITCHES):
                    asked = len(seen.balances)
                    async with workshop(installation, both.ledger) as shop:
                        await shop.builder.build()
                        found = await compare(shop.live, shop.holder, shop.builder)
                        assert [each for each in found.tables if not each.equal] == []
                        switched.append(await switch(shop.live, shop.builder, by="tests"))
                        assert len(seen.balances) > asked, "clients were answered meanwhile"
                asked = len(seen.balances)
                async with asyncio.timeout(120):
                    while len(seen.balances) < asked + 100:  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
            finally:
                seen.stop.set()
                await asyncio.gather(*clients)
            async with workshop(installation, both.ledger) as shop:
                assert len(await versions(shop.live)) == 1 + SWITCHES
    assert len(switched) == SWITCHES
    assert len(seen.timelines) > 30
    await check(database, seen)
