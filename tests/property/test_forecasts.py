"""A forecast is what asking every single day would tell."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.projector.domain.facts import Touchpoint
from services.projector.domain.forecast import forecast, planned, survives
from services.projector.domain.questions import balance_on
from services.runtime.policy import Attribution, Policy, default_policy
from tests.property.strategies import DAYS, one_pair

HORIZON_DAYS = 60


def short_sighted() -> Policy:
    """default@1 with a horizon that can be walked day by day."""
    text = default_policy().canonical_json
    return Policy.parse(
        text.replace('"forecast_horizon_days":3650', f'"forecast_horizon_days":{HORIZON_DAYS}')
    )


POLICY = short_sighted()


@settings(max_examples=40, deadline=None)
@given(one_pair(12), one_pair(3), DAYS, st.integers(1, 3), st.sampled_from(Attribution))
def test_a_forecast_is_what_asking_every_day_tells(
    touchpoints: list[Touchpoint],
    plan: list[Touchpoint],
    on: int,
    severity: int,
    attribution: Attribution,
) -> None:
    known = [touch for touch in touchpoints if touch.day <= on] + planned(plan)

    told = forecast(touchpoints, POLICY, on, severity, attribution, plan)

    alive = 0
    while alive <= HORIZON_DAYS and survives(
        balance_on(known, POLICY, on + alive), POLICY, severity, attribution
    ):
        alive += 1
    assert told.survives_through == (on + alive - 1 if alive else None)
    assert told.beyond_horizon == (alive == HORIZON_DAYS + 1)
    assert (told.short_by_mp is None) == (alive > 0)
    if told.short_by_mp is not None:
        short = told.impact - told.buffer
        assert told.short_by_mp - 1 < short <= told.short_by_mp
