"""Stored sums and folds answer the same, through the queries and the projections that feed them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import combinations
from random import Random
from typing import Final

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rapport.events.v1 import touchpoint_pb2
from rapport.v1 import capital_service_pb2 as capital

from services.projector.api.answers import date_message
from services.projector.domain.balance import Balance
from services.projector.domain.contact import contact_days
from services.projector.domain.effective import effective
from services.projector.domain.facts import Correction, Fact, Touchpoint, Void
from services.projector.domain.identity import Identities, Link, Unlink, identities
from services.projector.domain.questions import balance_on
from services.projector.facts import initiative_number
from services.runtime.clock import iso_from_instant, timestamp_from_instant
from services.runtime.policy import default_policy
from tests.property.strategies import history, recorded_at
from tests.support.databases import Database
from tests.support.effort import seeds
from tests.support.views import JOURNAL, Running, caller, link, running_projector, unlink

PEOPLE: Final = ("people/a", "people/b", "people/c")


class AnyTenant:
    """Every tenant exists."""

    async def journal_of(self, tenant: str) -> str:
        """The one journal."""
        return JOURNAL


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    # In the middle of what the histories hold, so that some of it is still to come.
    async with running_projector(
        database, now="2000-03-20T12:00:00Z", tenants=AnyTenant()
    ) as running:
        yield running


def touchpoint_message(fact: Touchpoint) -> touchpoint_pb2.Touchpoint:
    """A touchpoint as the ledger stores it."""
    message = touchpoint_pb2.Touchpoint(
        initiator=fact.initiator,
        counterpart=fact.counterpart,
        kind=fact.kind,
        mutual=fact.mutual,
        channel=fact.channel,
        initiative=initiative_number(fact.initiative),  # type: ignore[arg-type]
        sentiment=fact.sentiment,
        severity=fact.severity or 0,
        category=fact.category,
        resolves=fact.resolves,
    )
    if fact.audience is not None:
        message.audience = touchpoint_pb2.Audience.Value(f"AUDIENCE_{fact.audience}")
    if fact.attribution is not None:
        message.attribution = touchpoint_pb2.Attribution.Value(f"ATTRIBUTION_{fact.attribution}")
    if fact.recovery_step is not None:
        step = f"RECOVERY_STEP_{fact.recovery_step}"
        message.recovery_step = touchpoint_pb2.RecoveryStep.Value(step)
    if fact.prep_minutes is not None:
        message.minutes.prep = fact.prep_minutes
    if fact.live_minutes is not None:
        message.minutes.live = fact.live_minutes
    return message


def message_of(fact: Fact) -> Message:
    """A fact as the ledger stores it."""
    if isinstance(fact, Void):
        return touchpoint_pb2.Voided(target=fact.target)
    if isinstance(fact, Touchpoint):
        return touchpoint_message(fact)
    message = touchpoint_pb2.Corrected(
        replaces=fact.replaces, touchpoint=touchpoint_message(fact.replacement)
    )
    if not fact.keeps_instant:
        seconds, nanos = timestamp_from_instant(fact.replacement.instant_us)
        message.occurred_at.CopyFrom(Timestamp(seconds=seconds, nanos=nanos))
    return message


def of_people(fact: Fact) -> Fact:
    """The same with full names."""
    if isinstance(fact, Void):
        return fact
    if isinstance(fact, Correction):
        return replace(fact, replacement=_named(fact.replacement))
    return _named(fact)


def _named(touchpoint: Touchpoint) -> Touchpoint:
    return touchpoint._replace(
        initiator=f"people/{touchpoint.initiator}",
        counterpart=f"people/{touchpoint.counterpart}",
    )


class Told:
    """One tenant's history as it is told to the projector, and kept to be folded."""

    def __init__(self, projector: Running, seed: int) -> None:
        self.projector = projector
        self.random = Random(seed)
        self.tenant = f"t-{seed}"
        self.facts: list[Fact] = []
        self.links: list[Link | Unlink | Void] = []

    async def tell(self, fact: Fact) -> None:
        """Append a fact."""
        fact = of_people(fact)
        at = iso_from_instant(fact.instant_us if isinstance(fact, Touchpoint) else 0)
        await self.projector.add(message_of(fact), at, event_id=fact.event_id, tenant=self.tenant)
        self.facts.append(recorded_at(fact, self.projector.head))

    async def link(self) -> None:
        """Link two people, or end or void a link of before."""
        known = [each for each in self.links if isinstance(each, Link)]
        choice = self.random.random()
        if not known or choice < 0.5:
            a, b = self.random.sample("abc", 2)
            event_id = await self.projector.add(link(a, b), tenant=self.tenant)
            a, b = sorted((f"people/{a}", f"people/{b}"))
            made = Link(event_id=event_id, position=self.projector.head, a=a, b=b, strong=True)
            self.links.append(made)
            return
        target = self.random.choice(known)
        a, b = (name.removeprefix("people/") for name in (target.a, target.b))
        if choice < 0.75:
            event_id = await self.projector.add(unlink(target.event_id, b, a), tenant=self.tenant)
            end = Unlink(event_id=event_id, position=self.projector.head, ends=target.event_id)
            self.links.append(end)
            return
        targets = [each.event_id for each in self.links if not isinstance(each, Void)]
        void = Void(event_id="", position=0, target=self.random.choice(targets))
        event_id = await self.projector.add(message_of(void), tenant=self.tenant)
        self.links.append(replace(void, event_id=event_id, position=self.projector.head))

    def expected(self, a: str, b: str, on: int, known_at: int) -> tuple[str, int, int, int, int]:
        """Name, KNOW, CARE, buffer and contact-days, folded."""
        people: Identities = identities(self.links, known_at)
        policy = default_policy()
        pair = people.canonical_pair((a, b))
        standing = effective(self.facts, known_at).touchpoints
        raw = set(people.raw_pairs(a, b))
        mine = [each for each in standing if each.pair in raw]
        total = Balance()
        for each in sorted(raw):
            total += balance_on([t for t in mine if t.pair == each], policy, on)
        first, second = (name.removeprefix("people/") for name in pair or (a, b))
        return (
            f"relationships/{first}~{second}",
            total.know_mp,
            total.care_mp,
            total.buffer_mp(policy),
            len(contact_days(mine, policy, on)),
        )


def seen(balance: capital.Balance) -> tuple[str, int, int, int, int]:
    """What is compared of an answer."""
    return (
        balance.relationship,
        balance.know_mp,
        balance.care_mp,
        balance.buffer_mp,
        balance.contact_days,
    )


async def test_sums_folds_lists_and_receipts_agree_with_the_facts(projector: Running) -> None:
    stories = [Told(projector, seed) for seed in seeds(12)]
    # All tenants share the journal and its batches.
    for step in range(3):
        for story in stories:
            for fact in history(story.random.getrandbits(32), 12):
                await story.tell(fact)
            if step or story.random.random() < 0.5:
                await story.link()
            if story.random.random() < 0.3:
                await projector.settle(turn=False)
        await projector.settle()
        for story in stories:
            await compare(story)


async def compare(story: Told) -> None:
    """Ask one tenant's questions every way there is."""
    projector = story.projector
    head, today = projector.head, projector.today
    metadata = caller(tenant=story.tenant)
    for a, b in combinations(PEOPLE, 2):
        name = f"relationships/{b.removeprefix('people/')}~{a.removeprefix('people/')}"
        for on in {today, today + 200, today - story.random.randrange(120)}:
            for known_at in (None, story.random.randrange(1, head + 1)):
                as_of = capital.AsOf(on=date_message(on))
                if known_at is not None:
                    as_of.known_at_position = known_at
                wanted = story.expected(a, b, on, known_at or head)
                got = await projector.capital.GetBalance(
                    capital.GetBalanceRequest(relationship=name, as_of=as_of), metadata=metadata
                )
                assert seen(got.balance) == wanted, (story.tenant, name, on, known_at)
                receipt = await projector.capital.ExplainBalance(
                    capital.ExplainBalanceRequest(relationship=name, as_of=as_of),
                    metadata=metadata,
                )
                assert receipt.balance == got.balance
                assert sum(line.know_left_mp for line in receipt.lines) == wanted[1]
                assert sum(line.care_left_mp for line in receipt.lines) == wanted[2]
    for person in PEOPLE:
        read = await projector.capital.ListBalances(
            capital.ListBalancesRequest(person=person), metadata=metadata
        )
        folded = await projector.capital.ListBalances(
            capital.ListBalancesRequest(person=person, as_of=capital.AsOf(known_at_position=head)),
            metadata=metadata,
        )
        by_name = {each.relationship: each for each in read.balances}
        # What begins in the future stands in today's table already, and in no folded list.
        for each in folded.balances:
            assert by_name.pop(each.relationship) == each
        assert all(seen(each)[1:] == (0, 0, 0, 0) for each in by_name.values())
