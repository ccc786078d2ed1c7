"""The as-of promise: what is answered for a past day and past knowledge is what was answered then.

Random histories are told to a projector in parts, its clock moving on between them; after each
part every question of RelationshipService is asked about today. At the end all are asked again for
those days and positions.
"""

from collections.abc import AsyncIterator
from itertools import combinations
from typing import Any, Final

import grpc
import pytest
from google.protobuf.message import Message
from rapport.errors import error_of
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import relationship_service_pb2 as wire

from services.projector.api.answers import date_message
from services.runtime.clock import US_PER_DAY, iso_from_instant
from tests.property.histories import PEOPLE, AnyTenant, History
from tests.support.databases import Database
from tests.support.effort import seeds
from tests.support.views import Running, caller, relationship, running_projector, touch

PAIRS: Final = tuple(combinations(PEOPLE, 2))
PARTS: Final = 4


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(
        database, now="2026-01-01T12:00:00Z", tenants=AnyTenant()
    ) as running:
        yield running


class Asked(History):
    """A history, and every question about its relationships."""

    ahead = 0.0

    async def add(self, message: Message) -> str:
        """Append something; `ahead` of it is dated for days to come."""
        if self.random.random() >= self.ahead:
            return await super().add(message)
        at = self.projector.clock.now_us() + self.random.randrange(15 * US_PER_DAY)
        return await self.projector.add(message, iso_from_instant(at), tenant=self.tenant)

    async def answers(self, as_of: capital.AsOf, today: int) -> list[tuple[str, object]]:
        """The answers to every question, as of a day."""
        return [
            await self._answer(method, request, as_of) for method, request in self.questions(today)
        ]

    def questions(self, today: int) -> list[tuple[str, Any]]:
        """Every question: the method and the request."""
        asked: list[tuple[str, Any]] = []
        for a, b in PAIRS:
            name = relationship(a, b)
            plan = wire.PlannedTouchpoint(
                on=date_message(today + 3), touchpoint=touch(a, b, "call")
            )
            asked += [
                ("GetRelationship", wire.GetRelationshipRequest(relationship=name)),
                (
                    "ForecastRelationship",
                    wire.ForecastRelationshipRequest(relationship=name, severity=1, plan=[plan]),
                ),
                (
                    "CompareBalances",
                    wire.CompareBalancesRequest(
                        relationship=name, first_on=date_message(today - 30)
                    ),
                ),
                ("ListIncidents", wire.ListIncidentsRequest(parent=name)),
                ("GetBrief", wire.GetBriefRequest(relationship=name)),
            ]
        for name in PEOPLE:
            person = f"people/{name}"
            asked += [
                ("ListRelationships", wire.ListRelationshipsRequest(person=person, order_by=order))
                for order in wire.RelationshipOrder.values()
            ]
            later = date_message(today + 40)
            asked += [
                (
                    "ListForecasts",
                    wire.ListForecastsRequest(
                        person=person, severity=1, incident_on=later, include_surviving=True
                    ),
                ),
                ("ListIncidents", wire.ListIncidentsRequest(parent=person, open_only=True)),
                ("ListReconnects", wire.ListReconnectsRequest(person=person)),
                ("ListAcquaintances", wire.ListAcquaintancesRequest(party=person, severity=1)),
            ]
        party = "organizations/acme"
        asked.append(("ListAcquaintances", wire.ListAcquaintancesRequest(party=party, severity=1)))
        asked += [
            ("GetIncident", wire.GetIncidentRequest(event_id=each)) for each in self.incidents
        ]
        return asked

    async def _answer(self, method: str, request: Any, as_of: capital.AsOf) -> tuple[str, object]:
        request.as_of.CopyFrom(as_of)
        call = getattr(self.projector.relationships, method)
        try:
            # Who recorded a text may always read it. What others may follows who they are today.
            return method, await call(request, metadata=caller("services/importer", self.tenant))
        except grpc.aio.AioRpcError as error:
            return method, error_of(error).reason


@pytest.mark.parametrize(
    ("seed", "ahead"),
    [*((seed, 0.0) for seed in seeds(4)), *((6 + seed, 0.4) for seed in seeds(1))],
)
async def test_a_question_about_the_past_is_answered_as_it_was_then(
    projector: Running, seed: int, ahead: float
) -> None:
    told = Asked(projector, seed)
    told.ahead = ahead
    then: list[tuple[int, int, list[tuple[str, object]]]] = []
    for _ in range(PARTS):
        for _ in range(25):
            await told.tell()
        position = await projector.settle()
        then.append(
            (position, projector.today, await told.answers(capital.AsOf(), projector.today))
        )
        projector.clock.advance_us(told.random.choice((1, 9, 30)) * US_PER_DAY)
    await projector.settle()
    for position, day, answers in then:
        as_of = capital.AsOf(on=date_message(day), known_at_position=position)
        # Incidents are asked for last, in the order they came in: those that came later add some.
        again = await told.answers(as_of, day)
        for now, before in zip(again, answers, strict=False):
            assert str(now[1]).splitlines() == str(before[1]).splitlines(), now[0]
