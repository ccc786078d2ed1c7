"""Forecasts, alone and as a list, over real gRPC and real Postgres; worked by hand.

`proposal` posts KNOW 6000, `event.attended_together` KNOW 3000 and CARE 6000; both halve in 90
days. An incident of severity 1 takes 3000 mp when it is ours, 1800 when shared.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from rapport.events.v1 import touchpoint_pb2
from rapport.v1 import relationship_service_pb2 as wire

from tests.contract.relationships import as_of, ask
from tests.support.databases import Database
from tests.support.errors import refused
from tests.support.views import Running, date_of, link, running_projector, touch

BM = "relationships/bob~me"


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        yield running


def planned(on: str, *args: str, **more: Any) -> wire.PlannedTouchpoint:
    """A touchpoint of me and bob that might happen."""
    return wire.PlannedTouchpoint(
        on=date_of(on),
        touchpoint=touch(*(args or ("me", "bob", "event.attended_together")), **more),
    )


async def forecast(projector: Running, **request: Any) -> wire.ForecastRelationshipResponse:
    """Severity 1 unless told."""
    answer: wire.ForecastRelationshipResponse = await ask(
        projector,
        "ForecastRelationship",
        wire.ForecastRelationshipRequest(**{"relationship": BM, "severity": 1, **request}),
    )
    return answer


async def test_a_forecast_tells_the_last_day_that_survives(projector: Running) -> None:
    await projector.add(
        touch("me", "bob", "event.attended_together", mutual=True), "2026-06-01T09:00:00Z"
    )
    await projector.settle()
    # 6000 + 3000 / 4 = 6750, which is 3375 after 90 days; 3000 is 6750 * 2^(-d/90) at d = 105.29.
    answer = await forecast(projector)
    assert answer.forecast == wire.Forecast(
        relationship=BM,
        impact_mp=3000,
        buffer_mp=6750,
        survives_through=date_of("2026-09-14"),
    )
    assert not answer.HasField("without_plan")
    shared = await forecast(projector, attribution=touchpoint_pb2.ATTRIBUTION_SHARED)
    assert shared.forecast.impact_mp == 1800
    worse = await forecast(projector, severity=2)
    assert worse.forecast.short_by_mp == 3250
    assert not worse.forecast.HasField("survives_through")
    # Asked for a day before, nobody knew.
    before = await forecast(projector, as_of=as_of("2026-05-31"))
    assert before.forecast.short_by_mp == 3000


async def test_a_plan_is_told_beside_what_would_be_without_it(projector: Running) -> None:
    await projector.add(
        touch("me", "bob", "event.attended_together", mutual=True), "2026-06-01T09:00:00Z"
    )
    await projector.settle()
    # On its last day the first is worth 3007; with another 6750 it lasts beyond that by far.
    answer = await forecast(projector, plan=[planned("2026-09-14")])
    assert answer.without_plan.survives_through == date_of("2026-09-14")
    assert answer.forecast.buffer_mp == 6750
    # 9757 * 2^(-d/90) = 3000 at d = 153.1.
    assert answer.forecast.survives_through == date_of("2027-02-14")
    # On the first day that would fail the plan comes just in time: 9733 lasts 152 days.
    late = await forecast(projector, plan=[planned("2026-09-15")])
    assert late.forecast.survives_through == date_of("2027-02-14")
    too_late = await forecast(projector, plan=[planned("2026-09-16")])
    assert too_late.forecast.survives_through == date_of("2026-09-14")


async def test_a_plan_for_today_counts_today(projector: Running) -> None:
    answer = await forecast(projector, plan=[planned("2026-06-01")])
    assert answer.without_plan.short_by_mp == 3000
    assert answer.forecast.buffer_mp == 6750


async def test_a_planned_step_makes_a_real_incident_good(projector: Running) -> None:
    incident = await projector.add(
        touch("bob", "me", "incident", severity=1, attribution=1), "2026-06-01T18:00:00Z"
    )
    await projector.settle()
    fix = planned(
        "2026-06-01", "me", "bob", "recovery", resolves=incident, recovery_step="RECOVERY_STEP_FIX"
    )
    answer = await forecast(projector, plan=[fix])
    # The fix gives back half of 3000 CARE; of KNOW, below 0 before and after, nothing counts.
    assert answer.without_plan.buffer_mp == -3000
    assert answer.forecast.buffer_mp == -1500


async def test_a_capital_without_end_is_beyond_the_horizon(projector: Running) -> None:
    answer = await forecast(
        projector, attribution=touchpoint_pb2.ATTRIBUTION_EXTERNAL, relationship=BM
    )
    assert answer.forecast.short_by_mp == 900
    for number in range(100):
        await projector.add(
            touch("me", "bob", "support.hard_time"), f"2026-06-01T09:{number % 60:02}:00Z"
        )
    await projector.settle()
    far = await forecast(projector, attribution=touchpoint_pb2.ATTRIBUTION_EXTERNAL)
    # 1,200,000 mp halve every 365 days: after ten halves 1171 are left.
    assert far.forecast.survives_through == date_of("2036-05-29")
    assert far.forecast.beyond_horizon


@pytest.mark.parametrize(
    ("request_", "reason", "fields"),
    [
        ({"severity": 0}, "FIELD_REQUIRED", ["severity"]),
        ({"severity": 5}, "OUT_OF_RANGE", ["severity"]),
        ({"attribution": 9}, "ENUM_VALUE_UNKNOWN", ["attribution"]),
        (
            {"plan": [wire.PlannedTouchpoint()]},
            "FIELD_REQUIRED",
            ["plan[0].on", "plan[0].touchpoint"],
        ),
        (
            {"plan": [planned("2026-06-01"), planned("2026-06-01", "me", "bob", "dance")]},
            "KIND_UNKNOWN",
            ["plan[1].touchpoint.kind"],
        ),
        ({"plan": [planned("2026-05-31")]}, "OUT_OF_RANGE", ["plan[0].on"]),
        ({"plan": [planned("2036-05-30")]}, "OUT_OF_RANGE", ["plan[0].on"]),
        (
            {"plan": [planned("2026-06-01", "me", "me", "call")]},
            "SAME_PERSON",
            ["plan[0].touchpoint.counterpart"],
        ),
        (
            {"plan": [planned("2026-06-01", "me", "eve", "call")]},
            "FIELD_NOT_ALLOWED",
            ["plan[0].touchpoint"],
        ),
        (
            {"plan": [planned("2026-06-01", "me", "bob", "call", severity=2, note="psst")]},
            "FIELD_NOT_ALLOWED",
            ["plan[0].touchpoint.severity", "plan[0].touchpoint.note"],
        ),
        (
            {"plan": [planned("2026-06-01", "bob", "me", "incident")]},
            "FIELD_REQUIRED",
            ["plan[0].touchpoint.severity"],
        ),
        ({"plan": [planned("2026-06-01")] * 101}, "TOO_MANY", ["plan"]),
        ({"as_of": as_of("9999-01-01")}, "OUT_OF_RANGE", ["as_of.on"]),
    ],
)
async def test_a_wrong_forecast_is_refused_by_its_fields(
    projector: Running, request_: dict[str, Any], reason: str, fields: list[str]
) -> None:
    error = await refused(forecast(projector, **request_))
    assert error.reason == reason
    assert [each.field for each in error.violations] == fields


async def test_the_last_day_of_the_look_ahead_may_be_planned(projector: Running) -> None:
    await forecast(projector, plan=[planned("2036-05-29")])


async def forecasts(projector: Running, **request: Any) -> wire.ListForecastsResponse:
    """Severity 1 of me, unless told."""
    answer: wire.ListForecastsResponse = await ask(
        projector,
        "ListForecasts",
        wire.ListForecastsRequest(**{"person": "people/me", "severity": 1, **request}),
    )
    return answer


@pytest.fixture
async def four(projector: Running) -> Running:
    """Buffers of 6750, 1500, 0 (voided to nothing) and, under two ids, 13500."""
    at = "2026-06-01T09:00:00Z"
    await projector.add(touch("me", "ann", "event.attended_together"), at)
    await projector.add(touch("bob", "me", "proposal"), at)
    await projector.add(touch("me", "eve", "event.attended_together"), at)
    await projector.add(touch("me", "eve2", "event.attended_together"), at)
    await projector.add(link("eve", "eve2"))
    await projector.add(touch("ann", "bob", "proposal"), at)
    await projector.settle()
    return projector


def told(answer: wire.ListForecastsResponse) -> list[tuple[str, int, int]]:
    """Whom, the buffer and what is missing."""
    return [
        (each.relationship.removeprefix("relationships/"), each.buffer_mp, each.short_by_mp)
        for each in answer.forecasts
    ]


async def test_a_list_tells_who_would_not_survive_on_a_day(four: Running) -> None:
    assert told(await forecasts(four)) == [("bob~me", 1500, 1500)]
    everybody = await forecasts(four, include_surviving=True)
    assert told(everybody) == [("bob~me", 1500, 1500), ("ann~me", 6750, 0), ("eve~me", 13500, 0)]
    assert everybody.forecasts[1].survives_through == date_of("2026-06-01")
    # Half a year ahead a quarter is left.
    later = await forecasts(four, incident_on=date_of("2026-11-28"))
    assert told(later) == [("bob~me", 375, 2625), ("ann~me", 1688, 1313)]


async def test_pages_of_a_list_go_on_at_the_position_of_the_first(four: Running) -> None:
    first = await forecasts(four, include_surviving=True, page_size=2)
    assert [row[0] for row in told(first)] == ["bob~me", "ann~me"]
    await four.add(touch("me", "eve", "event.attended_together"), "2026-06-01T10:00:00Z")
    await four.settle()
    second = await forecasts(
        four, include_surviving=True, page_size=2, page_token=first.next_page_token
    )
    assert told(second) == [("eve~me", 13500, 0)]
    assert second.computed.position == first.computed.position
    assert not second.next_page_token


@pytest.mark.parametrize("on", ["2026-05-31", "2036-05-30"])
async def test_an_incident_outside_the_look_ahead_is_refused(four: Running, on: str) -> None:
    error = await refused(forecasts(four, incident_on=date_of(on)))
    assert error.reason == "OUT_OF_RANGE"
    assert [each.field for each in error.violations] == ["incident_on"]


async def test_stored_sums_and_folds_give_the_same_list(four: Running) -> None:
    stored = await forecasts(four, include_surviving=True, incident_on=date_of("2026-11-28"))
    folded = await forecasts(
        four,
        include_surviving=True,
        incident_on=date_of("2026-11-28"),
        as_of=as_of(policy="default@1"),
    )
    await four.pool.execute("UPDATE views.balances SET policy_hash = 'another'")
    again = await forecasts(four, include_surviving=True, incident_on=date_of("2026-11-28"))
    assert stored.forecasts == folded.forecasts == again.forecasts
