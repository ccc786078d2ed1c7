"""The demo data in both services: every view shows the story that was put there for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from rapport import Rapport
from rapport.v1 import portfolio_service_pb2, relationship_service_pb2
from rapport.v1.timeline_service_pb2 import ListTimelineRequest

from deploy.local.demo import PRINCIPAL, TENANT, demo_events
from deploy.local.nats import NatsServer
from tests.support.both import both_on
from tests.support.databases import Database

RULES = {
    "mara": {"fact_due", "signal_unanswered", "overdue", "buffer_falls", "single_threaded"},
    "tom": {"promise_due", "know_only", "one_sided", "silent_after_sale", "overdue"},
    "ines": {"incident_unanswered", "no_follow_up", "problem_only", "reaction_mode"},
    "nora": {"date_coming", "momentum", "no_little_thing", "capital_at_risk"},
}


@asynccontextmanager
async def demo(database: Database, nats: NatsServer) -> AsyncIterator[tuple[Rapport, int]]:
    """A client of the loaded demo tenant, and the position of its last event."""
    async with both_on(database, nats.url) as services:
        await services.create_tenant(TENANT)
        async with services.client(TENANT, PRINCIPAL) as client:
            loaded = await client.append(demo_events(datetime.now(UTC)))
            yield client, loaded.last_position


async def test_one_relationship_at_a_time_shows_its_story(
    database: Database, private_nats: NatsServer
) -> None:
    async with demo(database, private_nats) as (client, position):
        dana = (await client.relationship("mara", "dana", min_position=position)).relationship
        assert dana.stage == relationship_service_pb2.STAGE_ENGAGED
        assert dana.quadrant == relationship_service_pb2.QUADRANT_BOTH
        assert (dana.survives_severity, dana.rung.rung) == (3, 2)
        victor = (await client.relationship("ines", "victor")).relationship
        assert victor.balance.buffer_mp < 0
        assert len(victor.open_incidents) == 1
        priya = (await client.relationship("tom", "priya")).relationship
        assert [owed.state for owed in priya.open_obligations] == ["overdue"]
        ruth = (await client.relationship("mara", "ruth")).relationship
        assert [owed.kind for owed in ruth.open_obligations] == ["need.stated"]
        assert (await client.relationship("tom", "bo")).relationship.know_only

        recovered = [found async for found in client.incidents("dana", "mara")]
        assert [found.open for found in recovered] == [False, False]
        curve = (await client.incident(recovered[0].event_id)).curve
        assert curve[0].buffer_mp > curve[-1].buffer_mp > curve[1].buffer_mp
        waiting = [found async for found in client.incidents("ines", open_only=True)]
        assert [found.relationship for found in waiting] == ["relationships/ines~victor"]


async def test_what_lies_ahead_shows_whom_bad_news_would_lose(
    database: Database, private_nats: NatsServer
) -> None:
    async with demo(database, private_nats) as (client, position):
        strong = await client.forecast("mara", "dana", 3, min_position=position)
        assert (strong.forecast.short_by_mp, strong.forecast.beyond_horizon) == (0, False)
        lost = [found.relationship async for found in client.forecasts("mara")]
        assert "relationships/hugo~mara" in lost
        assert "relationships/dana~mara" not in lost
        (hugo,) = [found async for found in client.reconnects("mara")]
        assert hugo.balance.relationship == "relationships/hugo~mara"
        assert len(hugo.facts) == 1
        known = [found.person async for found in client.who_knows("organizations/harbor-foods")]
        assert known == ["people/mara"]
        brief = await client.brief("mara", "dana", about="dana")
        assert brief.affiliations[0].organization == "organizations/harbor-foods"
        assert [fact.times_used for fact in brief.facts] == [1]
        assert brief.suggestions[0].rule == "fact_due"


async def test_the_builder_the_pleaser_and_who_is_unproven_are_told_apart(
    database: Database, private_nats: NatsServer
) -> None:
    async with demo(database, private_nats) as (client, position):
        told = await client.builders(min_position=position)
        assert (told.withheld_because, told.computed.policy.split("#")[0]) == ("", "demo@1")
        found = {builder.person: builder for builder in told.builders}
        mara, tom, nora = (found[f"people/{name}"] for name in ("mara", "tom", "nora"))
        assert told.builders[0].person == "people/mara"
        assert (mara.survival.numerator, mara.survival.denominator, mara.pleaser) == (3, 3, False)
        assert (tom.survival.numerator, tom.survival.denominator, tom.pleaser) == (0, 3, True)
        assert (nora.survival.numerator, nora.survival.denominator, nora.unproven) == (1, 1, True)


async def test_what_relationships_are_together_shows_where_it_hangs_on_one(
    database: Database, private_nats: NatsServer
) -> None:
    async with demo(database, private_nats) as (client, position):
        harbor = await client.account("organizations/harbor-foods", min_position=position)
        assert (harbor.single_threaded, harbor.single_thread) == (True, "people/mara")
        assert not (await client.account("organizations/quayside")).single_threaded
        support = await client.portfolio("teams/support")
        assert {holding.party for holding in support.capital_at_risk} == {
            "people/ines",
            "people/paul",
        }
        parity = await client.parity()
        assert parity.withheld_because == ""
        assert _flagged(parity) == {"incidents_per_mille", "open_needs_per_mille"}
        kept = (await client.programme("people/mara")).kept
        assert 0 < kept.numerator < kept.denominator == 12


def _flagged(parity: portfolio_service_pb2.GetParityResponse) -> set[str]:
    return {measure.name for measure in parity.measures if measure.flagged}


async def test_people_who_move_and_people_who_may_be_one_are_shown(
    database: Database, private_nats: NatsServer
) -> None:
    async with demo(database, private_nats) as (client, position):
        proposals = [found async for found in client.link_proposals(min_position=position)]
        assert [(found.a, found.b) for found in proposals] == [("people/e.brandt", "people/elin")]
        leo = await client.affiliations("people/leo", include_ended=True)
        assert [(a.organization, a.HasField("until")) for a in leo] == [
            ("organizations/lantern", True),
            ("organizations/tidewater", False),
        ]
        watched = await client.watch_list("launch")
        assert {balance.relationship for balance in watched.balances} >= {
            "relationships/dana~mara",
            "relationships/mara~ruth",
            "relationships/mara~priya",
        }
        page = await client.timeline_page(
            ListTimelineRequest(parent="organizations/harbor-foods", fold_occasions=True)
        )
        assert max(len(line.folded_relationships) for line in page.lines) == 2


async def test_every_rule_of_attention_has_an_item(
    database: Database, private_nats: NatsServer
) -> None:
    async with demo(database, private_nats) as (client, position):
        for person, rules in RULES.items():
            # As known now, on purpose: the turn of the day saw what was recorded before it.
            told = await client.attention(
                person, everything=True, known_at=position, min_position=position
            )
            assert rules <= {item.rule for item in told.items}
        shown = await client.attention("mara")
        assert (len(shown.items), shown.left_out > 0) == (5, True)


async def test_it_tells_the_same_on_any_day_it_is_loaded() -> None:
    """Ages and windows count from the day of loading; only weeks begin where they begin."""
    first = demo_events(datetime(2026, 2, 24, 12, tzinfo=UTC))
    later = demo_events(datetime(2026, 2, 24, 12, tzinfo=UTC) + timedelta(days=3))
    ages = [
        later_event.occurred_at.ToDatetime() - event.occurred_at.ToDatetime()
        for event, later_event in zip(first, later, strict=True)
    ]
    assert set(ages) == {timedelta(days=3)}
