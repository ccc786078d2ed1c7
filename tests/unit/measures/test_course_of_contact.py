"""Velocity, little things, rhythm and stage, worked by hand."""

from fractions import Fraction

import pytest

from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.little_things import little_things
from services.projector.domain.measures.rhythm import Overdue, rhythm, tier_of
from services.projector.domain.measures.stage import Missing, Stage, stage
from services.projector.domain.measures.velocity import lost_by_waiting_mp, velocity
from services.projector.domain.measures.view import Side
from services.runtime.clock import US_PER_DAY
from services.runtime.policy import Audience, Initiative
from tests.unit.domain.people import touch, uuid
from tests.unit.measures.views import BOBS, OURS, POLICY, ann_and_bob, day


def calls(*days: str) -> list[Touchpoint]:
    return [touch(n, "call", f"{at}T09:00:00") for n, at in enumerate(days, start=1)]


def call_on(number: int, on: int) -> Touchpoint:
    return Touchpoint(
        event_id=uuid(number),
        instant_us=on * US_PER_DAY,
        initiator="ann",
        counterpart="bob",
        kind="call",
    )


def calls_every(gap: int, count: int, start: str = "2025-01-01") -> list[Touchpoint]:
    return [call_on(n, day(start) + n * gap) for n in range(count)]


def test_velocity_is_the_buffer_28_days_ago_today_and_28_days_ahead() -> None:
    # A call on 2026-05-03 makes the buffer 4000 + 250 per mille of 4000 = 5000. Half-life 90:
    # after 28 days 5000 x 2^(-28/90) = 5000 x 0.80602 = 4030.1, after 56 days
    # 5000 x 2^(-56/90) = 5000 x 0.64967 = 3248.3.
    told = velocity(ann_and_bob(calls("2026-05-03"), "2026-05-31"))

    assert (told.days, told.before_mp, told.buffer_mp, told.ahead_mp) == (28, 5000, 4030, 3248)
    assert (told.gained_mp, told.projected_mp) == (-970, -782)


def test_what_was_not_there_28_days_ago_is_all_gained() -> None:
    told = velocity(ann_and_bob(calls("2026-05-04"), "2026-05-31"))

    assert told.before_mp == 0
    assert told.gained_mp == told.buffer_mp > 0


def test_an_old_wound_heals_by_itself() -> None:
    no_show = touch(1, "no_show", "2026-05-31T09:00:00")
    view = ann_and_bob([no_show], "2026-05-31")

    # CARE -4000 is -2000 after its half-life of 90 days; KNOW below 0 adds nothing.
    assert lost_by_waiting_mp(view, 90) == -4000 - -2000
    assert velocity(view).projected_mp > 0


def test_little_things_count_weeks_the_running_one_included() -> None:
    # Sunday 2026-05-31 ends ISO week 22; the twelve weeks begin on Monday 2026-03-09, of week 11.
    touchpoints = [
        touch(1, "social.like", "2026-03-08T23:59:59"),
        touch(2, "social.like", "2026-03-09T00:00:00"),
        touch(3, "message.personal", "2026-03-15T09:00:00", **BOBS),
        touch(4, "thanks.given", "2026-04-29T09:00:00", mutual=True),
        # No little things: a machine's, one to everybody, a call.
        touch(5, "greeting.written", "2026-05-06T09:00:00", initiative=Initiative.AUTOMATED),
        touch(6, "greeting.written", "2026-05-13T09:00:00", audience=Audience.MANY),
        touch(7, "call", "2026-05-20T09:00:00"),
    ]

    told = little_things(ann_and_bob(touchpoints, "2026-05-31"))

    # Week 11 (both of it), week 18.
    assert (told.weeks, told.of_weeks) == (2, 12)
    assert told.by_person == {"ann": 2, "bob": 2}
    assert (told.last_day, told.weeks_since) == (day("2026-04-29"), 22 - 18)
    # On the Monday after, week 11 has left the window.
    told = little_things(ann_and_bob(touchpoints, "2026-06-01"))
    assert told.weeks == 1


def test_a_little_thing_this_week_was_0_weeks_ago_and_never_is_none() -> None:
    like = touch(1, "social.like", "2026-05-25T00:00:00")

    assert little_things(ann_and_bob([like], "2026-05-31")).weeks_since == 0
    told = little_things(ann_and_bob([], "2026-05-31"))
    assert (told.weeks, told.last_day, told.weeks_since) == (0, None, None)


def test_the_rhythm_is_the_median_of_the_last_eight_gaps() -> None:
    # Nine gaps of 1, 10, 20, 30, 40, 50, 60, 70, 80 days; the first is forgotten.
    days, at = [day("2025-01-01")], day("2025-01-01")
    for gap in (1, 10, 20, 30, 40, 50, 60, 70, 80):
        at += gap
        days.append(at)
    touchpoints = [call_on(n, at) for n, at in enumerate(days)]

    told = rhythm(ann_and_bob(touchpoints, "2026-05-31"))

    assert told.gaps_days == (10, 20, 30, 40, 50, 60, 70, 80)
    # (40 + 50) / 2
    assert told.median_days == 45


@pytest.mark.parametrize(
    ("silent", "overdue"),
    [(30, Overdue.NO), (31, Overdue.AMBER), (45, Overdue.AMBER), (46, Overdue.RED)],
)
def test_overdue_by_the_tier_where_the_own_rhythm_is_faster(silent: int, overdue: Overdue) -> None:
    # Median 10: 15 days; tier close: ideal 30, at most 45.
    touchpoints = calls_every(10, 6)
    last = touchpoints[-1].day
    view = ann_and_bob(touchpoints, "2025-02-20", tiers={"bob": "close"}).as_of(last + silent)

    told = rhythm(view)

    assert told.overdue is overdue
    assert (told.amber_above_days, told.red_above_days) == (Fraction(30), 45)
    assert (told.amber_on, told.red_on) == (last + 31, last + 46)
    assert told.silent_days == silent


@pytest.mark.parametrize(
    ("silent", "overdue"),
    [(37, Overdue.NO), (38, Overdue.AMBER), (45, Overdue.AMBER), (46, Overdue.RED)],
)
def test_overdue_by_the_own_rhythm_where_it_is_slower(silent: int, overdue: Overdue) -> None:
    # Median 25: 37.5 days.
    touchpoints = calls_every(25, 6)
    last = touchpoints[-1].day
    view = ann_and_bob(touchpoints, "2025-06-01", tiers={"bob": "close"}).as_of(last + silent)

    told = rhythm(view)

    assert told.amber_above_days == Fraction(75, 2)
    assert told.overdue is overdue


def test_any_counted_contact_clears_it_and_a_machine_does_not() -> None:
    touchpoints = calls_every(10, 6)
    later = touchpoints[-1].day + 60
    complaint = touch(90, "incident", "2025-04-21T09:00:00", severity=1, **BOBS)
    assert complaint.day == later
    newsletter = touch(91, "email.bulk", "2025-04-21T09:00:00")
    tiers = {"bob": "close"}

    told = rhythm(ann_and_bob([*touchpoints, newsletter], "2025-04-21", tiers=tiers))
    assert told.overdue is Overdue.RED
    told = rhythm(ann_and_bob([*touchpoints, complaint], "2025-04-21", tiers=tiers))
    assert (told.overdue, told.silent_days) == (Overdue.NO, 0)


def test_without_a_tier_the_own_rhythm_says_amber_given_evidence() -> None:
    five = calls_every(10, 5)
    last = five[-1].day
    # Above 15 days amber, never red.
    view = ann_and_bob(five, "2025-03-01").as_of(last + 15)
    assert rhythm(view).overdue is Overdue.NO
    assert rhythm(view.as_of(last + 16)).overdue is Overdue.AMBER
    assert rhythm(view.as_of(last + 5000)).overdue is Overdue.AMBER

    four = rhythm(ann_and_bob(five[:4], "2027-01-01"))
    assert (four.overdue, four.amber_above_days, four.median_days) == (
        Overdue.NO,
        None,
        Fraction(10),
    )


def test_one_contact_has_no_rhythm_but_a_tier() -> None:
    one = calls("2026-05-01")

    told = rhythm(ann_and_bob(one, "2026-06-01", tiers={"bob": "close"}))

    assert (told.median_days, told.gaps_days) == (None, ())
    assert told.overdue is Overdue.AMBER
    none = rhythm(ann_and_bob([], "2026-06-01", tiers={"bob": "inner"}))
    assert (none.overdue, none.last_day, none.amber_on) == (Overdue.NO, None, None)


def test_the_tier_is_that_of_the_one_who_is_not_ours_else_the_stricter() -> None:
    tiers = {"ann": "inner", "bob": "wide"}
    on = "2026-05-31"

    assert tier_of(ann_and_bob([], on, tiers=tiers)) == "wide"
    assert tier_of(ann_and_bob([], on, tiers=tiers, sides=OURS)) == "inner"
    assert tier_of(ann_and_bob([], on, tiers=tiers, sides={})) == "inner"
    # Of one of ours with somebody nobody described: our own tier is not theirs.
    ours = {"ann": Side.INTERNAL}
    assert tier_of(ann_and_bob([], on, tiers={"ann": "inner"}, sides=ours)) is None
    assert tier_of(ann_and_bob([], on, tiers=tiers, sides=ours)) == "wide"
    assert tier_of(ann_and_bob([], on, tiers={"bob": "platinum"})) is None
    assert tier_of(ann_and_bob([], on, tiers={"ann": "inner"})) is None


def test_one_contact_is_a_contact_and_two_more_in_time_an_acquaintance() -> None:
    assert stage(ann_and_bob([], "2026-05-31")).stage is None
    three = calls("2026-01-01", "2026-01-02", "2026-01-31")

    assert stage(ann_and_bob(three[:1], "2026-05-31")).stage is Stage.CONTACT
    told = stage(ann_and_bob(three[:2], "2026-05-31"))
    assert told.missing == Missing(Stage.ACQUAINTANCE, 1, 29, 0, 0)
    told = stage(ann_and_bob(three, "2026-05-31"))
    assert (told.stage, told.contact_days, told.over_days) == (Stage.ACQUAINTANCE, 3, 30)


def test_a_burst_is_not_a_stage() -> None:
    month = [touch(n, "call", f"2026-05-{n:02}T09:00:00", depth=3) for n in range(1, 30)]

    told = stage(ann_and_bob(month, "2026-05-31"))

    # 29 contact-days, 28 days apart.
    assert told.stage is Stage.CONTACT
    assert told.missing == Missing(Stage.ACQUAINTANCE, 0, 2, 0, 0)


def test_engaged_takes_eight_days_over_90_depth_and_buffer() -> None:
    eight = calls_every(13, 8, "2026-01-01")
    # 7 x 13 = 91 days; the last call is on 2026-04-02.
    on = "2026-04-02"
    shallow = stage(ann_and_bob(eight, on))
    assert shallow.stage is Stage.ACQUAINTANCE
    assert shallow.missing == Missing(Stage.ENGAGED, 0, 0, 1, 0)
    assert shallow.buffer_mp > 10000

    friendly = touch(50, "call", "2026-03-01T09:00:00", depth=1)
    # 90 days later half is left of nine calls, 45000 at most.
    told = stage(ann_and_bob([*eight, friendly], "2026-07-01"))
    assert (told.stage, told.depth) == (Stage.ENGAGED, 1)
    assert 10000 <= told.buffer_mp < 22500
    # Partner: 20 days of which 9 are there, over 365 of which 91; depth 2; 30000.
    assert told.missing is not None
    assert (told.missing.contact_days, told.missing.over_days) == (11, 274)
    assert (told.missing.depth, told.missing.buffer_mp) == (2, 30000 - told.buffer_mp)

    # Neglected, the buffer falls below 10000 and the stage with it.
    assert stage(ann_and_bob([*eight, friendly], "2027-04-02")).stage is Stage.ACQUAINTANCE


def test_partner_takes_twenty_days_over_a_year_confidence_and_a_buffer_of_30000() -> None:
    twenty = calls_every(20, 20)
    dinner = touch(50, "meal_or_social", "2026-01-16T19:00:00", depth=2, live_minutes=180)
    view = ann_and_bob([*twenty, dinner], "2026-01-16")

    # 19 x 20 = 380 days. The dinner: CARE 12000 x 1750 per mille = 21000.
    told = stage(view)
    assert told.buffer_mp >= 30000
    assert (told.stage, told.missing) == (Stage.PARTNER, None)
    assert POLICY.measures.stages.partner.over_days == 365
