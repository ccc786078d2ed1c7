"""Today's portfolio of a tenant, added up in SQL, against adding up every relationship."""

from collections.abc import AsyncIterator
from datetime import datetime
from random import Random

import pytest
from rapport.events.v1 import people_pb2
from rapport.v1.ledger_service_pb2 import NewEvent

from bench.made import Cast, made_events
from services.projector.domain.collective.portfolio import portfolio
from services.projector.queries.many import read_held
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot, Views
from services.projector.queries.tenant_portfolios import read_tenant_portfolio
from services.runtime.policy import default_policy
from tests.support.databases import Database
from tests.support.views import JOURNAL, TENANT, Running, described, running_projector, touch, void

UNTIL = datetime.fromisoformat("2026-06-01T08:00:00Z")
RELATIONSHIPS = 40


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        yield running


async def _tell(projector: Running, event: NewEvent) -> None:
    message = getattr(event, event.WhichOneof("payload") or "")
    await projector.add(message, event.occurred_at.ToJsonString(), event_id=event.event_id)


async def _odd_ones(projector: Running, random: Random) -> None:
    """Who has no side, what stands at nothing, what is void, what is to come, who has many ids."""
    cast = Cast(RELATIONSHIPS)
    await projector.add(touch("x0000001", "nobody", "call"))
    await projector.add(touch("x0000001", "quiet", "transaction"))
    await projector.add(touch("nobody", "later", "call"), "2026-06-03T09:00:00Z")
    await projector.add(touch("i0000000", "later", "transaction"), "2026-06-03T09:00:00Z")
    gone = await projector.add(touch("i0000000", "gone", "meeting.in_person"))
    await projector.add(void(gone))
    await projector.add(described("people/later", side=people_pb2.SIDE_INTERNAL))
    for _ in range(3):
        a, b = (cast.theirs(random.randrange(30)) for _ in range(2))
        if a != b:
            linked = people_pb2.IdentityLinked(a=a, b=b, strength=people_pb2.LINK_STRENGTH_STRONG)
            await projector.add(linked)
    a, b = sorted(("people/nobody", cast.theirs(random.randrange(30))))
    await projector.add(
        people_pb2.IdentityLinked(a=a, b=b, strength=people_pb2.LINK_STRENGTH_STRONG)
    )


@pytest.mark.parametrize("seed", range(4))
async def test_the_tenants_sums_in_sql_are_those_of_adding_up_each_relationship(
    projector: Running, seed: int
) -> None:
    events = Cast(RELATIONSHIPS).introductions + 200
    for batch in made_events(seed, RELATIONSHIPS, events, until=UNTIL):
        for event in batch:
            await _tell(projector, event)
    await _odd_ones(projector, Random(seed))
    head = await projector.settle()

    async def compare(snapshot: Snapshot) -> None:
        question = Question(projector.today, head, True, default_policy())
        found = await read_tenant_portfolio(snapshot, question)
        assert found is not None
        # Not the newest knowledge: nothing stored answers, so every relationship is folded.
        folded = Question(question.on, head, False, question.policy)
        held = await read_held(snapshot, folded, None)
        expected = portfolio(held.stakes, question.policy)
        assert found[0] == expected
        assert expected.without_side, "somebody has no side"
        for pair, balance in found[1].items():
            assert held.balances[pair] == balance

    await Views(projector.pool).read(JOURNAL, TENANT, compare)


async def test_a_tenant_without_relationships_has_a_portfolio_of_nothing(
    projector: Running,
) -> None:
    await projector.add(described("people/me", side=people_pb2.SIDE_INTERNAL))
    head = await projector.settle()

    async def compare(snapshot: Snapshot) -> None:
        question = Question(projector.today, head, True, default_policy())
        found = await read_tenant_portfolio(snapshot, question)
        assert found is not None
        assert found == (portfolio((), question.policy), {})

    await Views(projector.pool).read(JOURNAL, TENANT, compare)
