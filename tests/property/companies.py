"""A company's random history, recorded by the clock, and how questions are put to it."""

import json
from dataclasses import replace
from typing import Any, Final

import grpc
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rapport.errors import error_of
from rapport.events.v1 import people_pb2, practice_pb2, touchpoint_pb2
from rapport.v1 import attention_service_pb2 as attention
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1.attention_service_pb2_grpc import AttentionServiceStub
from rapport.v1.people_service_pb2_grpc import PeopleServiceStub
from rapport.v1.policy_service_pb2_grpc import PolicyServiceStub
from rapport.v1.portfolio_service_pb2_grpc import PortfolioServiceStub

from services.projector.api.answers import date_message
from services.projector.attention.turning import AttentionTurning
from services.projector.projections.checkpoint import Checkpoint
from services.runtime.clock import US_PER_DAY, iso_from_instant, timestamp_from_instant
from services.runtime.policy import default_policy
from tests.property.histories import PEOPLE, History
from tests.support.views import (
    JOURNAL,
    Running,
    adopt,
    caller,
    correct,
    described,
    void,
)

PARTIES: Final = (*(f"people/{name}" for name in PEOPLE), "organizations/acme")
TEAMS: Final = ("sales", "ops")
ME: Final = "people/me"
IMPORTER: Final = "services/importer"
OCCASIONS: Final = tuple(f"00000000-0000-4000-9000-{n:012x}" for n in range(3))

# The method, the request and who asks.
type Asked = tuple[Any, Message, str]


async def _settled(_journal: str, _day: int, _found: Checkpoint) -> bool:
    return True


class Company(History):
    """A history recorded by the clock, in which people change sides, teams and tiers too."""

    def __init__(self, projector: Running, seed: int, *, ahead: float = 0.0) -> None:
        """`ahead`: how much of it is dated for days to come, further than the ledger would take."""
        super().__init__(projector, seed)
        self.ahead = ahead
        self.items: list[str] = []
        channel = projector.channel
        self.timeline: Any = projector.timeline
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
        """Append something of the past year, now and then of the days to come, recorded now."""
        ago = self.random.choice((0, 1, 2, 5, 20, 60, 200, 365)) * US_PER_DAY
        at = self.projector.clock.now_us() - ago - self.random.randrange(US_PER_DAY)
        if self.random.random() < self.ahead:
            at = self.projector.clock.now_us() + self.random.randrange(15 * US_PER_DAY)
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
        if choice < 0.1:
            await self.practise()
        elif choice < 0.12:
            await self.suppose()
        elif choice < 0.2:
            await self.describe()
        else:
            await super().tell()

    def touchpoint(self, kind: str, pair: tuple[str, str] | None = None, **more: Any) -> Any:
        """A touchpoint between two of them, now and then at a meeting of several."""
        occasion = self.random.choice(("", "", *OCCASIONS))
        return super().touchpoint(kind, pair, occasion_id=occasion, **more)

    async def suppose(self) -> None:
        """Weak evidence that two ids are one human."""
        a, b = self.random.sample(PARTIES[:-1], 2)
        weak = people_pb2.IdentityLinked(a=a, b=b, strength=people_pb2.LINK_STRENGTH_WEAK)
        self.others.append(await self.add(weak))

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
        name = self.random.choice(("some", "more"))
        for by in (ME, IMPORTER):
            saved = practice_pb2.WatchListSaved(list=name, parties=watched)
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
            side=self.random.choices([*sides, people_pb2.SIDE_UNSPECIFIED], (6, 3, 1))[0],
            team=self.random.choice(("", *TEAMS)),
            tier=self.random.choice(("", "inner", "close", "wide")),
            name=f"{name} {self.projector.head}",
        )
        self.others.append(await self.add(told))

    async def legislate(self) -> None:
        """A policy under which small groups may be looked at."""
        document = small_groups()
        document["version"] = self.random.randint(2, 9)
        document["effective_from"] = self.random.choice(("2000-01-01", "2026-01-10", "2026-02-20"))
        document["kinds"]["call"]["care"] = self.random.randrange(1000, 9000)
        self.others.append(await self.add(adopt(json.dumps(document))))

    async def answers(self, questions: list[Asked], as_of: capital.AsOf) -> list[list[str]]:
        """The answers as of a day, as lines of text, each with its question; all pages of it."""
        return [
            f"{type(request).__name__} {request}\n{answer}".splitlines()
            for (_, request, _), answer in zip(
                questions, await self.messages(questions, as_of), strict=True
            )
        ]

    async def messages(self, questions: list[Asked], as_of: capital.AsOf) -> list[Message | str]:
        """The answers as of a day, all pages of each together; the reason of a refusal."""
        found: list[Message | str] = []
        for call, bare, by in questions:
            request: Any = type(bare)()
            request.CopyFrom(bare)
            if "as_of" in request.DESCRIPTOR.fields_by_name:
                request.as_of.CopyFrom(as_of)
            try:
                answer = whole = await call(request, metadata=caller(by, self.tenant))
                while getattr(answer, "next_page_token", ""):
                    request.page_token = answer.next_page_token
                    answer = await call(request, metadata=caller(by, self.tenant))
                    whole.ClearField("next_page_token")
                    whole.MergeFrom(answer)
                found.append(whole)
            except grpc.aio.AioRpcError as error:
                found.append(error_of(error).reason)
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


def small_groups() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(default_policy().canonical_json)
    document["measures"]["builders"] |= {
        "enabled": True,
        "min_group": 1,
        "min_contact_days": 2,
        "min_incidents": 1,
    }
    document["measures"]["parity"]["min_group"] = 1
    return document
