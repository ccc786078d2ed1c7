"""Incidents, their SLA and recovery curves, worked by hand."""

from typing import Any

import pytest

from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.incidents import (
    CurvePoint,
    IncidentState,
    Sla,
    incidents,
)
from services.runtime.clock import instant_from_iso
from services.runtime.policy import Attribution, RecoveryStep
from tests.unit.domain.people import touch, uuid
from tests.unit.measures.views import BOBS, ann_and_bob, day

MEAL = touch(1, "meal_or_social", "2026-05-03T19:00:00", mutual=True)


def incident(number: int, at: str, **fields: Any) -> Touchpoint:
    told = {"severity": 1, "attribution": Attribution.OURS, "channel": "x"} | BOBS | fields
    return touch(number, "incident", at, **told)


def step(number: int, word: RecoveryStep, at: str, resolves: int) -> Touchpoint:
    return touch(number, "recovery", at, resolves=uuid(resolves), recovery_step=word)


DOWN = incident(10, "2026-05-03T08:00:00")


def test_without_incidents_there_is_nothing_to_list() -> None:
    assert incidents(ann_and_bob([MEAL], "2026-05-31")) == ()


def test_a_recovery_refills_what_the_incident_drew_down() -> None:
    # On x the SLA is 3 hours: 11:00 is within, bounds included.
    apology = step(11, RecoveryStep.APOLOGY, "2026-05-03T11:00:00", 10)
    fix = step(12, RecoveryStep.FIX, "2026-05-04T09:00:00", 10)
    again = step(13, RecoveryStep.FIX, "2026-05-05T09:00:00", 10)

    (told,) = incidents(ann_and_bob([DOWN, apology, fix, again, MEAL], "2026-05-31"))

    # Severity 1, ours: KNOW -2000, CARE -3000. Refunds: APOLOGY 150, FIX 500 per mille; the
    # second fix counts for nothing.
    assert (told.know_mp, told.care_mp) == (-2000, -3000)
    assert [(s.step, s.know_mp, s.care_mp) for s in told.steps] == [
        (RecoveryStep.APOLOGY, 300, 450),
        (RecoveryStep.FIX, 1000, 1500),
    ]
    assert (told.state, told.sla, told.sla_hours) == (IncidentState.RESOLVED, Sla.WITHIN, 3)
    assert told.answered_us == told.due_us == instant_from_iso("2026-05-03T11:00:00Z")
    found = told.step(RecoveryStep.FIX)
    assert found is not None
    assert found.touchpoint == fix
    assert told.step(RecoveryStep.FOLLOW_UP) is None


def test_the_curve_has_the_day_before_the_day_and_each_step() -> None:
    meal = touch(1, "meal_or_social", "2026-05-02T19:00:00")
    fix = step(12, RecoveryStep.FIX, "2026-05-04T09:00:00", 10)
    follow_up = step(13, RecoveryStep.FOLLOW_UP, "2026-05-04T18:00:00", 10)

    (told,) = incidents(ann_and_bob([meal, DOWN, fix, follow_up], "2026-05-31"))

    # Half-life of all: 180 days, so a day leaves r = 2^(-1/180) = 0.9961566.
    # 05-02: CARE 12000 + 250 per mille of KNOW 2000 = 12500.
    # 05-03: CARE 12000 r - 3000 = 8953.88, KNOW 2000 r - 2000 < 0: 8954.
    # 05-04: 25 hours after the incident on x (3 h): later than twice, 500 per mille.
    #        FIX 500 x 500: CARE 750, KNOW 500; FOLLOW_UP 150 x 500: 225 and 150, decaying from
    #        the incident's day. CARE 12000 r^2 - (3000 - 975) r = 11907.94 - 2017.22 = 9890.72;
    #        KNOW 2000 r^2 - (2000 - 650) r = 1984.66 - 1344.81 = 639.85, a quarter 159.96:
    #        10050.68.
    assert told.curve == (
        CurvePoint(day("2026-05-02"), 12500, ()),
        CurvePoint(day("2026-05-03"), 8954, (uuid(10),)),
        CurvePoint(day("2026-05-04"), 10051, (uuid(12), uuid(13))),
    )
    assert told.sla is Sla.LATER


def test_a_step_on_the_day_of_the_incident_shares_its_point() -> None:
    apology = step(11, RecoveryStep.APOLOGY, "2026-05-03T09:00:00", 10)

    (told,) = incidents(ann_and_bob([DOWN, apology], "2026-05-31"))

    assert told.curve == (
        CurvePoint(day("2026-05-02"), 0, ()),
        # CARE -3000 + 450; KNOW below 0.
        CurvePoint(day("2026-05-03"), -2550, (uuid(10), uuid(11))),
    )
    assert told.state is IncidentState.ANSWERED


@pytest.mark.parametrize(
    ("answered", "sla"),
    [
        ("2026-05-03T11:00:00", Sla.WITHIN),
        ("2026-05-03T11:00:01", Sla.WITHIN_TWICE),
        ("2026-05-03T14:00:00", Sla.WITHIN_TWICE),
        ("2026-05-03T14:00:01", Sla.LATER),
    ],
)
def test_an_answer_is_told_exactly(answered: str, sla: Sla) -> None:
    apology = step(11, RecoveryStep.APOLOGY, answered, 10)

    (told,) = incidents(ann_and_bob([DOWN, apology], "2026-05-31"))

    assert told.sla is sla


@pytest.mark.parametrize(
    ("on", "sla"),
    [("2026-05-03", Sla.WAITING), ("2026-05-04", Sla.DUE), ("2026-05-05", Sla.PASSED)],
)
def test_what_is_unanswered_is_told_by_the_day(on: str, sla: Sla) -> None:
    # By mail there are 24 hours: until 2026-05-04T08:00.
    mailed = incident(10, "2026-05-03T08:00:00", channel="email")

    (told,) = incidents(ann_and_bob([mailed], on))

    assert (told.sla, told.state) == (sla, IncidentState.OPEN)
    assert told.due_us == instant_from_iso("2026-05-04T08:00:00Z")
    assert (told.answered_us, told.steps) == (None, ())


def test_an_answer_of_tomorrow_does_not_change_today() -> None:
    apology = step(11, RecoveryStep.APOLOGY, "2026-05-04T07:00:00", 10)

    (today,) = incidents(ann_and_bob([DOWN, apology], "2026-05-03"))

    assert (today.state, today.sla) == (IncidentState.OPEN, Sla.DUE)
    assert len(today.curve) == 2


def test_steps_that_do_not_count_answer_nothing() -> None:
    early = step(11, RecoveryStep.APOLOGY, "2026-05-03T07:59:59", 10)
    astray = step(12, RecoveryStep.FIX, "2026-05-03T09:00:00", 99)

    (told,) = incidents(ann_and_bob([DOWN, early, astray], "2026-05-31"))

    assert (told.state, told.sla) == (IncidentState.OPEN, Sla.PASSED)


def test_several_incidents_stand_in_order_each_with_its_own_steps() -> None:
    second = incident(20, "2026-05-20T08:00:00", channel="")
    fix = step(21, RecoveryStep.FIX, "2026-05-20T09:00:00", 20)

    told = incidents(ann_and_bob([fix, second, DOWN], "2026-05-31"))

    assert [(i.event_id, i.state) for i in told] == [
        (uuid(10), IncidentState.OPEN),
        (uuid(20), IncidentState.RESOLVED),
    ]
    # Without a channel there are 24 hours; the same happened before, so half is refunded:
    # 3000 x 500 x 500.
    assert (told[1].sla_hours, told[1].steps[0].care_mp) == (24, 750)
