"""Would it survive, until when, and what would change that."""

from fractions import Fraction

from services.projector.domain.facts import Touchpoint
from services.projector.domain.forecast import forecast, forecast_pairs, impact_of
from services.runtime.policy import Attribution, RecoveryStep, default_policy
from tests.unit.domain.people import touch, uuid

POLICY = default_policy()


def thanks(number: int, at: str) -> Touchpoint:
    return touch(number, "thanks.given", at)


TWO = [thanks(1, "2026-01-01T10:00:00"), thanks(2, "2026-01-01T11:00:00")]
TODAY = TWO[0].day


def test_an_exact_equal_survives_and_the_day_after_does_not() -> None:
    today = forecast(TWO, POLICY, TODAY, 2)
    tomorrow = forecast(TWO, POLICY, TODAY + 1, 2)

    assert today.buffer == today.impact == 10_000
    assert (today.survives_through, today.short_by_mp) == (TODAY, None)
    assert (tomorrow.survives_through, tomorrow.short_by_mp) == (None, 39)


def test_a_shortfall_is_rounded_up_to_a_whole_mp() -> None:
    # After 180 days 5000 are left: 5000 short of 10000, and a day later a little more.
    assert forecast(TWO, POLICY, TODAY + 180, 2).short_by_mp == 5000
    assert forecast(TWO, POLICY, TODAY + 181, 2).short_by_mp == 5020


def test_who_is_to_blame_changes_the_impact() -> None:
    assert impact_of(POLICY, 4, Attribution.EXTERNAL) == 24_000
    assert impact_of(POLICY, 1, Attribution.UNKNOWN) == Fraction(2400)


def test_touchpoints_after_today_do_not_count() -> None:
    later = thanks(3, "2026-01-02T10:00:00")

    assert forecast([*TWO, later], POLICY, TODAY, 2).survives_through == TODAY


def test_a_plan_carries_over_the_day_it_comes_in_time_for_only() -> None:
    in_time = touch(9, "thanks.given", "2026-01-02T10:00:00")
    too_late = touch(9, "thanks.given", "2026-01-03T10:00:00")

    assert forecast(TWO, POLICY, TODAY, 2, plan=[too_late]).survives_through == TODAY
    # 15000 at the second day: 10000 x 2^(-d/180) + 5000 x 2^(-(d-1)/180) >= 10000 to day 105.
    through = forecast(TWO, POLICY, TODAY, 2, plan=[in_time]).survives_through
    assert through is not None
    assert through - TODAY == 105


def test_a_planned_fix_refunds_a_real_incident_from_its_day_on() -> None:
    raised = touch(3, "incident", "2026-01-01T12:00:00", severity=1, attribution=Attribution.OURS)
    fix = touch(
        9, "recovery", "2026-01-01T13:00:00", resolves=uuid(3), recovery_step=RecoveryStep.FIX
    )

    without = forecast([*TWO, raised], POLICY, TODAY, 2)
    fixed = forecast([*TWO, raised], POLICY, TODAY, 2, plan=[fix])

    assert without.short_by_mp == 3000
    assert fixed.short_by_mp == 1500


def test_a_planned_like_shares_its_week_with_real_ones_and_comes_after_them() -> None:
    real = touch(8, "social.like", "2026-01-01T12:00:00")
    # Its id would sort before the real one's; a planned touchpoint never does.
    same_instant = touch(1, "social.like", "2026-01-01T12:00:00")

    told = forecast([*TWO, real], POLICY, TODAY, 1, plan=[same_instant])

    assert told.buffer == 11_600


def test_the_whole_look_ahead_survived_is_beyond_the_horizon() -> None:
    many = [touch(n, "referral", "2026-01-01T10:00:00") for n in range(1, 400)]

    told = forecast(many, POLICY, TODAY, 1, Attribution.EXTERNAL)

    assert told.beyond_horizon
    assert told.survives_through == TODAY + 3650


def test_nothing_survives_nothing_but_an_incident_that_costs_nothing() -> None:
    told = forecast([], POLICY, TODAY, 1)

    assert (told.survives_through, told.short_by_mp, told.buffer_mp) == (None, 3000, 0)


def test_raw_pairs_of_one_relationship_are_folded_apart_and_count_together() -> None:
    other = [touch(5, "thanks.given", "2026-01-01T10:00:00", initiator="ann2")]

    told = forecast_pairs([TWO, other], POLICY, TODAY, 2, Attribution.OURS)

    assert told.buffer == 15_000
