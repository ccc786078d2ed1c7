"""The as-of promise of the services beside RelationshipService: asked for then is as asked then.

Of CapitalService, PortfolioService, PeopleService, PolicyService and AttentionService every method
that takes an AsOf. Attention is compared at the turn's own position: what was touched since the
turn is brought up to now at once, what was learned otherwise joins at the next one
(docs/attention.md).
"""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final

import grpc
import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rapport.errors import error_of
from rapport.events.v1 import people_pb2, practice_pb2, touchpoint_pb2
from rapport.v1 import attention_service_pb2 as attention
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import people_service_pb2 as people
from rapport.v1 import policy_service_pb2 as policies
from rapport.v1 import portfolio_service_pb2 as portfolio
from rapport.v1.attention_service_pb2_grpc import AttentionServiceStub
from rapport.v1.people_service_pb2_grpc import PeopleServiceStub
from rapport.v1.policy_service_pb2_grpc import PolicyServiceStub
from rapport.v1.portfolio_service_pb2_grpc import PortfolioServiceStub

from services.projector.api.answers import date_message
from services.projector.attention.turning import AttentionTurning
from services.projector.projections.checkpoint import Checkpoint
from services.runtime.clock import US_PER_DAY, iso_from_instant, timestamp_from_instant
from services.runtime.policy import default_policy
from tests.property.histories import PEOPLE, AnyTenant, History
from tests.support.databases import Database
from tests.support.views import (
    JOURNAL,
    Running,
    adopt,
    caller,
    correct,
    described,
    relationship,
    running_projector,
    void,
)

PARTS: Final = 4
EVENTS: Final = 30
PARTIES: Final = (*(f"people/{name}" for name in PEOPLE), "organizations/acme")
TEAMS: Final = ("sales", "ops")
ME: Final = "people/me"
IMPORTER: Final = "services/importer"

type Asked = tuple[Any, Message, str]


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(
        database, now="2026-01-01T12:00:00Z", tenants=AnyTenant()
    ) as running:
        yield running


async def _settled(_journal: str, _day: int, _found: Checkpoint) -> bool:
    return True


class Company(History):
    """A history recorded by the clock, in which people change sides, teams and tiers too."""

    def __init__(self, projector: Running, seed: int) -> None:
        super().__init__(projector, seed)
        self.items: list[str] = []
        channel = projector.channel
        self.portfolio: Any = PortfolioServiceStub(channel)
        self.people: Any = PeopleServiceStub(channel)
        self.policies: Any = PolicyServiceStub(channel)
        self.attention: Any = AttentionServiceStub(channel)
        self.turning = AttentionTurning(
            JOURNAL, pool=projector.pool, settled=_settled, clock=projector.clock, pause_s=0.0
        )

    async def begin(self) -> None:
        """Say who is ours, and adopt a policy."""
        for party in PARTIES[:-1]:
            internal = party in (ME, "people/peer")
            side = people_pb2.SIDE_INTERNAL if internal else people_pb2.SIDE_EXTERNAL
            self.others.append(await self.add(described(party, side=side, team=TEAMS[0])))
        await self.legislate()

    async def add(self, message: Message, by: str = IMPORTER) -> str:
        """Append something of the past year, recorded now."""
        ago = self.random.choice((0, 1, 2, 5, 20, 60, 200, 365)) * US_PER_DAY
        at = self.projector.clock.now_us() - ago - self.random.randrange(US_PER_DAY)
        event_id = await self.projector.add(
            message, iso_from_instant(at), tenant=self.tenant, by=by
        )
        recorded = replace(self.projector.pending[-1], recorded_at_us=self.recorded_at_us())
        self.projector.pending[-1] = recorded
        return event_id

    def recorded_at_us(self) -> int:
        """When the last event was recorded."""
        return self.projector.clock.now_us() + self.projector.head

    async def tell(self) -> None:
        """One random event, of practice too."""
        choice = self.random.random()
        if choice < 0.08:
            await self.practise()
        elif choice < 0.18:
            await self.describe()
        else:
            await super().tell()

    async def practise(self) -> None:
        """Save a list, or answer an item."""
        if self.items and self.random.random() < 0.6:
            answer = practice_pb2.AttentionAnswered(item=self.random.choice(self.items))
            answer.response = practice_pb2.ATTENTION_RESPONSE_NOT_RELEVANT
            if self.random.random() < 0.5:
                answer.response = practice_pb2.ATTENTION_RESPONSE_SNOOZED
                until = self.projector.today + self.random.randrange(40)
                answer.until.CopyFrom(date_message(until))
            self.others.append(await self.add(answer, by=ME))
            return
        watched = self.random.sample(PARTIES, 2)
        for by in (ME, IMPORTER):
            saved = practice_pb2.WatchListSaved(list="some", parties=watched)
            self.others.append(await self.add(saved, by=by))

    async def amend(self) -> None:
        """Take anything back, or say that something happened otherwise and at another time."""
        if not self.touches or self.random.random() < 0.5:
            await super().amend()
        elif self.random.random() < 0.5:
            links, places = [each[0] for each in self.links], [each[0] for each in self.places]
            pool = [*links, *places, *self.others]
            await self.add(void(self.random.choice(pool or [self.touches[0][0]])))
        else:
            event_id, message = self.random.choice(self.touches)
            changed = touchpoint_pb2.Touchpoint()
            changed.CopyFrom(message)
            ago = self.random.randrange(300) * US_PER_DAY
            at = iso_from_instant(self.projector.clock.now_us() - ago)
            self.others.append(await self.add(correct(event_id, changed, at)))

    async def describe(self) -> None:
        """Somebody is usually on the side he always was."""
        name = self.random.choice(PEOPLE)
        sides = [people_pb2.SIDE_INTERNAL, people_pb2.SIDE_EXTERNAL]
        if name not in ("me", "peer"):
            sides.reverse()
        told = described(
            f"people/{name}",
            side=self.random.choices([*sides, people_pb2.SIDE_UNSPECIFIED], (8, 1, 1))[0],
            team=self.random.choice(("", *TEAMS)),
            tier=self.random.choice(("", "inner", "close", "wide")),
        )
        self.others.append(await self.add(told))

    async def legislate(self) -> None:
        """A policy under which small groups may be looked at."""
        document = _small_groups()
        document["version"] = self.random.randint(2, 9)
        document["effective_from"] = self.random.choice(("2000-01-01", "2026-01-10", "2026-02-20"))
        document["kinds"]["call"]["care"] = self.random.randrange(1000, 9000)
        self.others.append(await self.add(adopt(json.dumps(document))))

    def questions(self) -> list[Asked]:
        """Every question but those of attention: the method, the request and who asks."""
        service, whole = self.projector.capital, f"tenants/{self.tenant}"
        names = [relationship(a, b) for a in PEOPLE for b in PEOPLE if a < b]
        asked: list[Asked] = []
        for name in names:
            got, explained = service.GetBalance, service.ExplainBalance
            asked.append((got, capital.GetBalanceRequest(relationship=name), ME))
            asked.append((explained, capital.ExplainBalanceRequest(relationship=name), ME))
        many = capital.BatchGetBalancesRequest(relationships=names)
        asked.append((service.BatchGetBalances, many, ME))
        for person in PARTIES[:-1]:
            for order in capital.BalanceOrder.values():
                listed = capital.ListBalancesRequest(person=person, order_by=order)
                asked.append((service.ListBalances, listed, ME))
            diffed = policies.DiffPolicyRequest(person=person, policy="default@1")
            asked.append((self.policies.DiffPolicy, diffed, ME))
        other = json.dumps(_small_groups() | {"version": 10})
        diffed = policies.DiffPolicyRequest(policy_json=other)
        asked.append((self.policies.DiffPolicy, diffed, ME))
        for parent in (*PARTIES[:-1], *(f"teams/{team}" for team in TEAMS), whole):
            sums = portfolio.GetPortfolioRequest(parent=parent)
            asked.append((self.portfolio.GetPortfolio, sums, ME))
            if parent != whole:
                weeks = portfolio.GetProgrammeRequest(parent=parent)
                asked.append((self.portfolio.GetProgramme, weeks, ME))
        for team in ("", *TEAMS):
            building = portfolio.ListBuildersRequest(team=team)
            asked.append((self.portfolio.ListBuilders, building, ME))
        asked.append((self.portfolio.GetParity, portfolio.GetParityRequest(), ME))
        account = portfolio.GetAccountRequest(organization=PARTIES[-1])
        asked.append((self.portfolio.GetAccount, account, ME))
        for party in PARTIES:
            for ended in (False, True):
                there = people.ListAffiliationsRequest(party=party, include_ended=ended)
                asked.append((self.people.ListAffiliations, there, ME))
        # Who recorded a text may always read it. What others may follows who they are today.
        watched = people.GetWatchListRequest(list="some")
        asked.append((self.people.GetWatchList, watched, IMPORTER))
        asked.append(
            (self.people.GetWatchList, people.GetWatchListRequest(list="some", lines=0), ME)
        )
        return asked

    def attention_questions(self) -> list[Asked]:
        """What everybody should look after."""
        asked: list[Asked] = []
        for person in PARTIES[:-1]:
            for everything in (False, True):
                day = attention.ListAttentionRequest(person=person, all=everything)
                asked.append((self.attention.ListAttention, day, ME))
        watched = attention.ListAttentionRequest(person=ME, watch_list="some")
        asked.append((self.attention.ListAttention, watched, ME))
        return asked

    async def answers(self, questions: list[Asked], as_of: capital.AsOf) -> list[str]:
        """The answers as of a day, as text, each with its question."""
        found = []
        for call, request, by in questions:
            request.as_of.CopyFrom(as_of)  # type: ignore[attr-defined]
            try:
                answer: object = await call(request, metadata=caller(by, self.tenant))
            except grpc.aio.AioRpcError as error:
                answer = error_of(error).reason
            request.ClearField("as_of")
            found.append(f"{type(request).__name__} {request}\n{answer}")
        return found

    async def turn(self) -> None:
        """Turn the days of attention through today."""
        while await self.turning.turn_next():
            pass
        request = attention.ListAttentionRequest(person=ME, all=True)
        answer = await self.attention.ListAttention(request, metadata=caller(ME, self.tenant))
        self.items = [item.item for item in answer.items]

    def as_of(self) -> capital.AsOf:
        """Today, as known now, by position or by time."""
        as_of = capital.AsOf(on=date_message(self.projector.today))
        if self.random.random() < 0.5:
            as_of.known_at_position = self.projector.head
        else:
            seconds, nanos = timestamp_from_instant(self.recorded_at_us())
            as_of.known_at_time.CopyFrom(Timestamp(seconds=seconds, nanos=nanos))
        return as_of


def _small_groups() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(default_policy().canonical_json)
    document["measures"]["builders"] |= {
        "enabled": True,
        "min_group": 1,
        "min_contact_days": 2,
        "min_incidents": 1,
    }
    document["measures"]["parity"]["min_group"] = 1
    return document


@pytest.mark.parametrize("seed", range(2))
async def test_every_service_answers_about_the_past_as_it_did_then(
    projector: Running, seed: int
) -> None:
    told = Company(projector, seed)
    await told.begin()
    then: list[tuple[list[Asked], capital.AsOf, list[str]]] = []
    for _ in range(PARTS):
        for _ in range(EVENTS):
            await told.tell()
        await projector.settle()
        questions = told.questions()
        then.append((questions, told.as_of(), await told.answers(questions, capital.AsOf())))
        known = told.as_of()
        projector.clock.advance_us(told.random.choice((1, 9, 30)) * US_PER_DAY)
        known.on.CopyFrom(date_message(projector.today))
        await projector.settle()
        await told.turn()
        questions = told.attention_questions()
        then.append((questions, known, await told.answers(questions, capital.AsOf())))
    for questions, as_of, answers in then:
        for now, before in zip(await told.answers(questions, as_of), answers, strict=True):
            assert now.splitlines() == before.splitlines()
