"""Forecasts of the golden vectors."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from services.projector.domain.effective import effective
from services.projector.domain.forecast import Forecast, forecast
from services.runtime.clock import date_from_day, day_from_date
from services.runtime.policy import Attribution, default_policy
from tests.golden.vectors import Case, expectations, relationship_of

FORECASTS = [
    pytest.param(case, expected, id=f"{name}-severity-{expected['severity']}")
    for name, case, expected in expectations()
    if "severity" in expected
]


def check(told: Forecast, expected: Mapping[str, Any]) -> None:
    through = told.survives_through
    assert (None if through is None else date_from_day(through).isoformat()) == expected.get(
        "survives_through"
    )
    assert told.short_by_mp == expected.get("short_by_mp")
    assert told.beyond_horizon == expected.get("beyond_horizon", False)


@pytest.mark.parametrize(("case", "expected"), FORECASTS)
def test_a_forecast_tells_the_expected_day(case: Case, expected: Mapping[str, Any]) -> None:
    pair = relationship_of(expected["relationship"])
    known = effective(case.facts(expected.get("asked_after"))).touchpoints
    touchpoints = [touchpoint for touchpoint in known if touchpoint.pair == pair]
    on = day_from_date(date.fromisoformat(expected["on"]))
    severity, attribution = expected["severity"], Attribution(expected["attribution"])
    policy = default_policy()

    check(forecast(touchpoints, policy, on, severity, attribution), expected)
