"""PortfolioService over real gRPC and real Postgres: programme, builders and parity, by hand."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from rapport.events.v1 import people_pb2, touchpoint_pb2
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import portfolio_service_pb2 as wire
from rapport.v1.portfolio_service_pb2_grpc import PortfolioServiceStub

from services.runtime.policy import default_policy
from tests.support.databases import Database
from tests.support.errors import refused
from tests.support.views import (
    Running,
    adopt,
    caller,
    date_of,
    described,
    link,
    running_projector,
    touch,
)

INTERNAL = people_pb2.SIDE_INTERNAL
EXTERNAL = people_pb2.SIDE_EXTERNAL
TODAY = "2026-06-01T09:00:00Z"
EARLY = "2024-01-01T09:00:00Z"
OURS = touchpoint_pb2.ATTRIBUTION_OURS


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        yield running


def stub(projector: Running) -> Any:
    return PortfolioServiceStub(projector.channel)


async def programme(projector: Running, parent: str, **as_of: Any) -> wire.GetProgrammeResponse:
    request = wire.GetProgrammeRequest(parent=parent, as_of=capital.AsOf(**as_of))
    answer: wire.GetProgrammeResponse = await stub(projector).GetProgramme(
        request, metadata=caller()
    )
    return answer


async def builders(projector: Running, team: str = "", **as_of: Any) -> wire.ListBuildersResponse:
    request = wire.ListBuildersRequest(team=team, as_of=capital.AsOf(**as_of))
    answer: wire.ListBuildersResponse = await stub(projector).ListBuilders(
        request, metadata=caller()
    )
    return answer


async def parity(projector: Running) -> wire.GetParityResponse:
    answer: wire.GetParityResponse = await stub(projector).GetParity(
        wire.GetParityRequest(), metadata=caller()
    )
    return answer


async def ours(projector: Running, *people: str, team: str = "red") -> None:
    for person in people:
        await projector.add(described(f"people/{person}", side=INTERNAL, team=team), EARLY)


async def theirs(projector: Running, *people: str) -> None:
    for person in people:
        await projector.add(described(f"people/{person}", side=EXTERNAL), EARLY)


def builders_enabled(version: int = 1) -> str:
    document = json.loads(default_policy().canonical_json)
    document |= {"policy": "ours", "version": version, "effective_from": "2020-01-01"}
    document["measures"]["builders"]["enabled"] = True
    return json.dumps(document)


async def _eve_is_close(projector: Running) -> None:
    """In touch on Mar 1 and May 20; at most 45 days apart, says her tier, close, until Apr 30."""
    await ours(projector, "me")
    early = "2026-01-01T09:00:00Z"
    await projector.add(described("people/eve", side=EXTERNAL, tier="close"), early)
    await projector.add(touch("me", "eve", "call"), "2026-03-01T09:00:00Z")
    await projector.add(touch("eve", "me", "call"), "2026-05-20T09:00:00Z")


async def test_weeks_are_kept_while_the_last_contact_is_within_the_tiers_maximum(
    projector: Running,
) -> None:
    await _eve_is_close(projector)
    await projector.settle()
    told = await programme(projector, "people/me")
    # 45 days from Mar 1 are over on Apr 15: the Sundays from Apr 19 to May 17 are missed.
    assert (told.kept.numerator, told.kept.denominator, told.kept.per_mille) == (7, 12, 583)
    assert [week.kept for week in told.weeks] == [True] * 4 + [False] * 5 + [True] * 3
    assert (told.weeks[0].monday, told.weeks[-1].monday) == (
        date_of("2026-03-16"),
        date_of("2026-06-01"),
    )
    assert list(told.weeks[4].missed) == ["relationships/eve~me"]
    assert (await programme(projector, "teams/red")).weeks == told.weeks


async def test_a_week_counts_with_the_tier_of_its_last_day(projector: Running) -> None:
    await _eve_is_close(projector)
    await projector.add(described("people/eve", side=EXTERNAL), "2026-05-01T09:00:00Z")
    await projector.settle()
    told = await programme(projector, "people/me")
    # From the week that ends on May 3 on there is nothing to keep.
    assert (told.kept.numerator, told.kept.denominator, told.kept.per_mille) == (4, 6, 667)
    assert [week.relationships for week in told.weeks] == [1] * 6 + [0] * 6


async def test_a_tier_under_another_id_of_a_human_is_his(projector: Running) -> None:
    await _eve_is_close(projector)
    await projector.add(link("eve", "ada"))
    await projector.settle()
    told = await programme(projector, "people/me")
    assert (told.kept.numerator, told.kept.denominator) == (7, 12)
    assert list(told.weeks[4].missed) == ["relationships/ada~me"]


async def test_who_has_no_tiered_counterpart_has_kept_nothing_and_missed_nothing(
    projector: Running,
) -> None:
    await projector.settle()
    told = await programme(projector, "people/nobody")
    assert (told.kept.denominator, told.kept.HasField("per_mille")) == (0, False)
    assert len(told.weeks) == 12


async def _incident(projector: Running, by: str, with_: str, on: str) -> None:
    incident = touch(by, with_, "incident", severity=2, attribution=OURS)
    await projector.add(incident, f"{on}T09:00:00Z")


async def _calls(projector: Running, by: str, with_: str, *on: str) -> None:
    for day in on:
        await projector.add(touch(by, with_, "call"), f"{day}T09:00:00Z")


async def _two_builders(projector: Running) -> None:
    await ours(projector, "i1", "i2", "i3", "i4", "i5")
    await theirs(projector, "eve", "bob")
    # i1 with eve: one incident survived, one two days old.
    await _calls(projector, "i1", "eve", "2025-10-01", "2025-10-02", "2025-10-03")
    await _incident(projector, "eve", "i1", "2025-11-01")
    await _calls(projector, "eve", "i1", "2025-11-15")
    await _incident(projector, "eve", "i1", "2026-05-30")
    # i2 with bob: two of three survived.
    for day in ("2024-10-01", "2025-02-01", "2025-06-01"):
        await _incident(projector, "bob", "i2", day)
    await _calls(projector, "bob", "i2", "2024-10-10", "2025-02-10")


async def test_builders_are_ranked_by_what_survived_and_the_unproven_come_last(
    projector: Running,
) -> None:
    await _two_builders(projector)
    await projector.add(adopt(builders_enabled()))
    await projector.settle()
    told = await builders(projector)
    assert (told.withheld_because, told.group) == ("", 5)
    assert "Not for decisions about employment" in told.purpose
    second, first = told.builders[1], told.builders[0]
    # Wilson: (1250*6 + 2401*3 - 49*sqrt(3*(2500*2 + 2401*3))) / (6 * (1875 + 2401)) = 0.2077
    assert (first.person, first.survival.numerator, first.survival.denominator) == (
        "people/i2",
        2,
        3,
    )
    assert (first.survival.per_mille, first.wilson_lower_per_mille) == (667, 208)
    assert (first.unproven, first.open_incidents, first.relationships) == (False, 0, 1)
    # Wilson: (1250 + 2401 - 49 * 49) / (2 * (625 + 2401)) = 0.2065
    assert (second.person, second.survival.numerator, second.survival.denominator) == (
        "people/i1",
        1,
        1,
    )
    assert (second.wilson_lower_per_mille, second.unproven, second.open_incidents) == (207, True, 1)
    assert (await builders(projector, "red")).builders == told.builders


async def test_builders_are_withheld_unless_the_policy_enables_them(projector: Running) -> None:
    await _two_builders(projector)
    await projector.settle()
    told = await builders(projector)
    assert (len(told.builders), told.withheld_because) == (0, "not_enabled")
    assert told.purpose


async def test_builders_of_a_small_group_are_withheld(projector: Running) -> None:
    await _two_builders(projector)
    await ours(projector, "i5", team="blue")
    await projector.add(adopt(builders_enabled()))
    await projector.settle()
    told = await builders(projector, "red")
    assert (len(told.builders), told.withheld_because, told.group) == (0, "group_too_small", 4)
    assert (await builders(projector, "nowhere")).withheld_because == "group_too_small"


async def test_a_team_that_is_no_name_is_refused(projector: Running) -> None:
    error = await refused(builders(projector, "x" * 65))
    assert (error.reason, error.violations[0].field) == ("FIELD_MALFORMED", "team")


async def _both_sides(projector: Running) -> None:
    """Three relationships of five colleagues, five with customers."""
    await ours(projector, "i1", "i2", "i3", "i4", "i5")
    await theirs(projector, "e1", "e2", "e3", "e4", "e5")
    quarter = touchpoint_pb2.Minutes(live=15)
    for other in ("e1", "e2", "e3", "e4", "e5", "i2"):
        await projector.add(touch("i1", other, "call", minutes=quarter), TODAY)
    await projector.add(touch("i3", "i4", "call"), TODAY)
    await projector.add(touch("i4", "i5", "meeting.in_person"), TODAY)
    await projector.add(touch("e1", "i1", "incident", severity=1, attribution=OURS), TODAY)
    await projector.add(touch("e2", "i1", "need.stated"), TODAY)


async def test_parity_compares_colleagues_with_customers(projector: Running) -> None:
    await _both_sides(projector)
    await projector.settle()
    told = await parity(projector)
    assert (told.internal_relationships, told.external_relationships) == (3, 5)
    assert (told.internal_people, told.external_people, told.withheld_because) == (5, 5, "")
    found = {
        each.name: (each.internal, each.external, each.ratio_per_mille, each.flagged)
        for each in told.measures
    }
    assert found == {
        # 5000, 5000, 10000 against four of 5000 and the one with the incident
        "median_buffer_mp": (5000, 5000, 1000, False),
        # 15 minutes in three relationships, 15 in each of five
        "minutes_per_relationship": (5, 15, 333, True),
        "incidents_per_mille": (0, 200, 0, True),
        "open_needs_per_mille": (0, 200, 0, True),
    }
    assert "Correlation, not cause" in told.reading


async def test_parity_of_fewer_than_five_people_on_a_side_is_withheld(projector: Running) -> None:
    await _both_sides(projector)
    await projector.add(described("people/e5"), TODAY)
    await projector.settle()
    told = await parity(projector)
    assert (len(told.measures), told.withheld_because) == (0, "group_too_small")
    assert (told.internal_people, told.external_people) == (5, 4)
