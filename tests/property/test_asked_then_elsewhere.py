"""The as-of promise of the services beside RelationshipService: asked for then is as asked then.

Every query of theirs, of capital, timelines, people, policies, portfolios and attention. Attention
is compared at the turn's own position: what was touched since the turn is brought up to now at
once, what was learned otherwise joins at the next one (docs/attention.md).
"""

from collections.abc import AsyncIterator
from typing import Final

import pytest
from rapport.v1 import capital_service_pb2 as capital

from services.projector.api.answers import date_message
from services.runtime.clock import US_PER_DAY
from tests.property.companies import Asked, Company
from tests.property.histories import AnyTenant
from tests.property.questions import attention_questions, questions
from tests.support.databases import Database
from tests.support.views import Running, running_projector

PARTS: Final = 4
EVENTS: Final = 30


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(
        database, now="2026-01-01T12:00:00Z", tenants=AnyTenant()
    ) as running:
        yield running


@pytest.mark.parametrize(("seed", "ahead"), [(0, 0.0), (1, 0.0), (2, 0.15)])
async def test_every_service_answers_about_the_past_as_it_did_then(
    projector: Running, seed: int, ahead: float
) -> None:
    told = Company(projector, seed, ahead=ahead)
    await told.begin()
    then: list[tuple[list[Asked], capital.AsOf, list[list[str]]]] = []
    for _ in range(PARTS):
        for _ in range(EVENTS):
            await told.tell()
        await projector.settle()
        asked = questions(told)
        then.append((asked, told.as_of(), await told.answers(asked, capital.AsOf())))
        known = told.as_of()
        projector.clock.advance_us(told.random.choice((1, 9, 30)) * US_PER_DAY)
        known.on.CopyFrom(date_message(projector.today))
        await projector.settle()
        await told.turn()
        asked = attention_questions(told)
        then.append((asked, known, await told.answers(asked, capital.AsOf())))
    for asked, as_of, answers in then:
        for now, before in zip(await told.answers(asked, as_of), answers, strict=True):
            assert now == before
