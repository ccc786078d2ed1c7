"""Incidents and promises: what is owed."""

from services.projector.domain.attention.items import Reason, Rule
from services.projector.domain.facts import Touchpoint
from services.runtime.policy import Attribution, Initiative, RecoveryStep
from tests.unit.attention.days import BOBS, OURS, cleared, day, found, instant, the_day
from tests.unit.domain.people import touch, uuid

INCIDENT = touch(
    1,
    "incident",
    "2026-01-05T10:00:00",
    severity=2,
    attribution=Attribution.OURS,
    channel="x",
    **BOBS,
)


def step(number: int, word: RecoveryStep, at: str, **fields: object) -> Touchpoint:
    return touch(number, "recovery", at, resolves=uuid(1), recovery_step=word, **fields)


def at(text: str) -> dict[str, int]:
    return {"at_us": instant(text)}


def test_an_incident_is_unanswered_a_microsecond_after_its_sla_and_not_at_its_end() -> None:
    # On X three hours are allowed.
    rule, on = Rule.INCIDENT_UNANSWERED, "2026-01-05"

    assert found(rule, [INCIDENT], on, **at("2026-01-05T13:00:00")) == []
    (item,) = found(rule, [INCIDENT], on, **at("2026-01-05T13:00:00.000001"))
    assert (item.event_ids, item.number("sla_hours")) == ((uuid(1),), 3)
    # Without an instant the whole day counts.
    assert len(found(rule, [INCIDENT], on)) == 1


def test_any_step_of_a_human_answers_and_other_contact_or_a_machine_does_not() -> None:
    before = the_day([INCIDENT], "2026-01-06")
    when = "2026-01-07T10:00:00"

    def after(more: Touchpoint) -> Reason | None:
        return cleared(Rule.INCIDENT_UNANSWERED, before, the_day([INCIDENT, more], "2026-01-07"))

    assert after(step(2, RecoveryStep.APOLOGY, when)) is Reason.ANSWERED
    assert after(step(2, RecoveryStep.APOLOGY, when, initiative=Initiative.AUTOMATED)) is None
    assert after(touch(2, "call", when)) is None
    assert after(step(2, RecoveryStep.APOLOGY, "2026-01-05T09:00:00")) is None


def test_a_human_apology_answers_even_where_a_machine_was_first() -> None:
    machine = step(2, RecoveryStep.APOLOGY, "2026-01-05T10:01:00", initiative=Initiative.AUTOMATED)
    human = step(3, RecoveryStep.APOLOGY, "2026-01-05T12:00:00")

    assert len(found(Rule.INCIDENT_UNANSWERED, [INCIDENT, machine], "2026-01-06")) == 1
    assert found(Rule.INCIDENT_UNANSWERED, [INCIDENT, machine, human], "2026-01-06") == []


def test_between_two_of_ours_the_one_who_did_not_raise_it_is_asked() -> None:
    (item,) = found(Rule.INCIDENT_UNANSWERED, [INCIDENT], "2026-01-06", sides=OURS)

    assert item.person == "ann"


def test_a_taken_back_incident_asks_for_no_answer() -> None:
    before = the_day([INCIDENT], "2026-01-06")

    assert cleared(Rule.INCIDENT_UNANSWERED, before, the_day([], "2026-01-07")) is (
        Reason.WITHDRAWN
    )


FIX = step(2, RecoveryStep.FIX, "2026-01-06T10:00:00")


def test_a_fix_wants_a_follow_up_after_seven_days_and_not_after_six() -> None:
    assert found(Rule.NO_FOLLOW_UP, [INCIDENT, FIX], "2026-01-12") == []
    (item,) = found(Rule.NO_FOLLOW_UP, [INCIDENT, FIX], "2026-01-13")

    assert (item.event_ids, item.number("days_since_fix")) == ((uuid(1), uuid(2)), 7)
    assert found(Rule.NO_FOLLOW_UP, [INCIDENT], "2026-01-13") == []


def test_a_follow_up_after_the_fix_clears_it_one_before_or_by_a_machine_does_not() -> None:
    before = the_day([INCIDENT, FIX], "2026-01-13")

    def after(more: Touchpoint) -> Reason | None:
        return cleared(Rule.NO_FOLLOW_UP, before, the_day([INCIDENT, FIX, more], "2026-01-14"))

    word, when = RecoveryStep.FOLLOW_UP, "2026-01-14T10:00:00"
    assert after(step(3, word, when)) is Reason.FOLLOWED_UP
    assert after(step(3, word, when, initiative=Initiative.AUTOMATED)) is None
    assert after(step(3, word, "2026-01-05T11:00:00")) is None
    assert after(step(3, RecoveryStep.COMPENSATION, when)) is None
    assert after(touch(3, "checkin.proactive", when)) is None


PROMISE = touch(1, "promise.made", "2026-01-05T10:00:00", due_on=day("2026-01-20"))


def test_a_promise_is_due_on_its_day_and_not_the_day_before() -> None:
    assert found(Rule.PROMISE_DUE, [PROMISE], "2026-01-19") == []
    (item,) = found(Rule.PROMISE_DUE, [PROMISE], "2026-01-20")
    (later,) = found(Rule.PROMISE_DUE, [PROMISE], "2026-01-22")

    assert (item.item, item.why) == (later.item, "a promise of ours is due today")
    assert later.why == "a promise of ours was due 2 days ago"
    (next_day,) = found(Rule.PROMISE_DUE, [PROMISE], "2026-01-21")
    assert next_day.why == "a promise of ours was due 1 day ago"


def test_a_promise_without_a_day_is_never_due() -> None:
    assert found(Rule.PROMISE_DUE, [touch(1, "promise.made", "2026-01-05T10:00:00")], 99999) == []


def test_keeping_or_breaking_it_clears_a_promise_and_contact_does_not() -> None:
    before = the_day([PROMISE], "2026-01-20")

    def after(kind: str, **fields: object) -> Reason | None:
        more = touch(2, kind, "2026-01-21T10:00:00", **fields)
        return cleared(Rule.PROMISE_DUE, before, the_day([PROMISE, more], "2026-01-21"))

    assert after("promise.kept", fulfils=uuid(1)) is Reason.KEPT
    assert after("promise.broken", fulfils=uuid(1)) is Reason.BROKEN
    assert after("promise.kept") is None
    assert after("call") is None


def test_a_later_due_day_changes_what_is_owed() -> None:
    before = the_day([PROMISE], "2026-01-20")
    put_off = touch(1, "promise.made", "2026-01-05T10:00:00", due_on=day("2026-02-20"))

    assert cleared(Rule.PROMISE_DUE, before, the_day([put_off], "2026-01-21")) is Reason.CHANGED


def test_who_owes_is_asked_and_what_they_owe_us_is_for_who_waits() -> None:
    theirs = touch(1, "promise.made", "2026-01-05T10:00:00", due_on=PROMISE.due_on, **BOBS)
    need = touch(1, "need.stated", "2026-01-05T10:00:00", due_on=PROMISE.due_on, **BOBS)
    on = "2026-01-20"

    (awaited,) = found(Rule.PROMISE_DUE, [theirs], on)
    assert (awaited.person, awaited.number("owed_by_us")) == ("ann", 0)
    (owed,) = found(Rule.PROMISE_DUE, [need], on)
    assert (owed.person, owed.number("owed_by_us"), owed.number("need")) == ("ann", 1, 1)
    (mine,) = found(Rule.PROMISE_DUE, [theirs], on, sides=OURS)
    assert mine.person == "bob"
    met = touch(2, "need.met", "2026-01-21T10:00:00", fulfils=uuid(1))
    assert (
        cleared(Rule.PROMISE_DUE, the_day([need], on), the_day([need, met], "2026-01-21"))
        is Reason.MET
    )
