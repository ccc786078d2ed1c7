"""Reaction mode, problem-only, and no little thing."""

from services.projector.domain.attention.items import Reason, Rule
from services.projector.domain.facts import Touchpoint
from services.runtime.policy import Attribution, Initiative, RecoveryStep
from tests.unit.attention.days import BOBS, cleared, found, the_day
from tests.unit.domain.people import touch, uuid


def reactive(number: int, date: str) -> Touchpoint:
    return touch(number, "email.one_to_one", f"{date}T10:00:00", initiative=Initiative.REACTIVE)


def proactive(number: int, date: str) -> Touchpoint:
    return touch(number, "call", f"{date}T10:00:00")


THREE = [reactive(n, f"2026-01-0{n}") for n in (1, 2, 3)]
AUTOMATED = touch(50, "call", "2026-01-20T10:00:00", initiative=Initiative.AUTOMATED)


def test_the_third_reactive_day_makes_reaction_mode() -> None:
    # (2 + 1) / (2 + 3) = 600, but on 2 days only; (3 + 1) / (3 + 3) = 667.
    assert found(Rule.REACTION_MODE, THREE, "2026-01-02") == []
    (item,) = found(Rule.REACTION_MODE, THREE, "2026-01-03")

    assert item.number("reactive_per_mille") == 667
    assert item.event_ids == (uuid(1), uuid(2), uuid(3))


def test_half_of_it_is_not_reaction_mode_and_more_than_half_is() -> None:
    # (3 + 1) / (3 + 2 + 3) = 500; (4 + 1) / (4 + 2 + 3) = 556.
    others = [proactive(11, "2026-01-04"), proactive(12, "2026-01-05")]

    assert found(Rule.REACTION_MODE, [*THREE, *others], "2026-01-06") == []
    more = [*THREE, reactive(4, "2026-01-06"), *others]
    assert len(found(Rule.REACTION_MODE, more, "2026-01-06")) == 1


def test_reaction_mode_outlasts_its_window_when_nobody_does_anything() -> None:
    before = the_day(THREE, "2026-01-03")

    assert cleared(Rule.REACTION_MODE, before, the_day(THREE, "2026-09-01")) is None
    machine = the_day([*THREE, AUTOMATED], "2026-09-01")
    assert cleared(Rule.REACTION_MODE, before, machine) is None


def test_contact_on_our_own_account_clears_reaction_mode_once_it_is_enough() -> None:
    before = the_day(THREE, "2026-01-03")
    one = [*THREE, proactive(11, "2026-01-04")]

    # (3 + 1) / (4 + 3) = 571 still; with two of them 500.
    assert cleared(Rule.REACTION_MODE, before, the_day(one, "2026-01-04")) is None
    two = [*one, proactive(12, "2026-01-05")]
    assert cleared(Rule.REACTION_MODE, before, the_day(two, "2026-01-05")) is Reason.CONTACT
    assert cleared(Rule.REACTION_MODE, before, the_day(THREE[:2], "2026-01-04")) is (
        Reason.WITHDRAWN
    )


INCIDENT = touch(
    21,
    "incident",
    "2026-01-01T10:00:00",
    severity=1,
    attribution=Attribution.OURS,
    **BOBS,
)
FIX = touch(
    22, "recovery", "2026-01-03T10:00:00", resolves=uuid(21), recovery_step=RecoveryStep.FIX
)


def test_two_contact_days_about_an_incident_are_problem_only() -> None:
    same_day = touch(23, "call", "2026-01-01T12:00:00", in_reply_to=uuid(21))

    assert found(Rule.PROBLEM_ONLY, [INCIDENT, same_day], "2026-01-02") == []
    (item,) = found(Rule.PROBLEM_ONLY, [INCIDENT, same_day, FIX], "2026-01-03")

    assert item.event_ids == (uuid(21), uuid(23), uuid(22))
    assert item.number("contact_days") == 2


def test_one_contact_about_anything_else_is_not_problem_only() -> None:
    other = touch(23, "call", "2025-12-24T12:00:00")

    assert found(Rule.PROBLEM_ONLY, [other, INCIDENT, FIX], "2026-01-03") == []
    # 2025-12-24 is the first of 180 days that end on 2026-06-21, and gone the day after.
    assert found(Rule.PROBLEM_ONLY, [other, INCIDENT, FIX], "2026-06-21") == []
    assert len(found(Rule.PROBLEM_ONLY, [other, INCIDENT, FIX], "2026-06-22")) == 1


def test_replies_to_replies_belong_to_the_incident() -> None:
    answer = touch(23, "email.one_to_one", "2026-01-04T12:00:00", in_reply_to=uuid(22))
    again = touch(24, "email.one_to_one", "2026-01-05T12:00:00", in_reply_to=uuid(23), **BOBS)

    assert len(found(Rule.PROBLEM_ONLY, [INCIDENT, FIX, answer, again], "2026-01-05")) == 1


def test_problem_only_is_cleared_by_other_contact_not_by_time_or_machines() -> None:
    before = the_day([INCIDENT, FIX], "2026-01-03")
    call = touch(23, "call", "2026-01-20T12:00:00")

    assert cleared(Rule.PROBLEM_ONLY, before, the_day([INCIDENT, FIX], "2028-01-01")) is None
    machine = the_day([INCIDENT, FIX, AUTOMATED], "2026-01-20")
    assert cleared(Rule.PROBLEM_ONLY, before, machine) is None
    talked = the_day([INCIDENT, FIX, call], "2026-01-20")
    assert cleared(Rule.PROBLEM_ONLY, before, talked) is Reason.CONTACT


# 2026-01-01 is a Thursday: the week of Monday 2025-12-29.
THANKS = touch(31, "thanks.given", "2026-01-01T10:00:00")


def test_no_little_thing_in_three_weeks_counts_the_running_one() -> None:
    # The weeks of January 5, 12 and 19: on Sunday the 18th only two of them have begun.
    assert found(Rule.NO_LITTLE_THING, [THANKS], "2026-01-18") == []
    (item,) = found(Rule.NO_LITTLE_THING, [THANKS], "2026-01-19")

    assert (item.number("weeks"), item.event_ids) == (3, (uuid(31),))


def test_without_any_little_thing_weeks_count_from_the_first_contact() -> None:
    call = touch(32, "call", "2026-01-01T10:00:00")

    assert found(Rule.NO_LITTLE_THING, [call], "2026-01-18") == []
    assert len(found(Rule.NO_LITTLE_THING, [call], "2026-01-19")) == 1
    assert found(Rule.NO_LITTLE_THING, [], "2026-01-19") == []


def test_a_little_thing_clears_it_a_meeting_or_a_machines_like_does_not() -> None:
    before = the_day([THANKS], "2026-01-19")

    def after(number: int, kind: str, **fields: object) -> Reason | None:
        more = touch(number, kind, "2026-01-20T10:00:00", **fields)
        return cleared(Rule.NO_LITTLE_THING, before, the_day([THANKS, more], "2026-01-20"))

    assert after(33, "meeting.in_person") is None
    assert after(33, "social.like", initiative=Initiative.AUTOMATED) is None
    assert after(33, "social.like") is Reason.LITTLE_THING
