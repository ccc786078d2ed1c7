"""Dates, facts, signals and momentum: what people would like to be remembered for."""

from typing import Any

from services.projector.domain.attention.items import Reason, Rule
from services.projector.domain.people.affiliations import Started, affiliations
from services.projector.domain.people.dates import NotedDate
from services.projector.domain.people.learned import LearnedFact
from services.projector.domain.people.signals import Signal
from services.runtime.policy import Initiative
from tests.unit.attention.days import BOBS, cleared, day, found, instant, the_day
from tests.unit.domain.people import touch, uuid

CALL = touch(1, "call", "2026-01-01T10:00:00")
START = instant("2026-01-01T00:00:00")
BIRTHDAY = NotedDate(
    event_id=uuid(90), position=90, instant_us=START, person="bob", month=3, day=26
)
DATES: dict[str, Any] = {"dates": [BIRTHDAY]}


def test_a_date_comes_from_seven_days_before_through_the_day_itself() -> None:
    assert found(Rule.DATE_COMING, [CALL], "2026-03-18", **DATES) == []
    (item,) = found(Rule.DATE_COMING, [CALL], "2026-03-19", **DATES)
    (same,) = found(Rule.DATE_COMING, [CALL], "2026-03-26", **DATES)

    assert (item.item, item.number("days_until")) == (same.item, 7)
    assert (item.person, item.event_ids) == ("ann", (uuid(90),))
    assert found(Rule.DATE_COMING, [CALL], "2026-03-27", **DATES) == []
    assert found(Rule.DATE_COMING, [CALL], "2027-03-20", **DATES)[0].item != item.item


def test_contact_on_the_day_clears_a_date_contact_before_it_only_by_using_it() -> None:
    before = the_day([CALL], "2026-03-20", **DATES)
    early = touch(2, "call", "2026-03-22T10:00:00")
    used: dict[str, Any] = {**DATES, "facts_used": {uuid(2): (uuid(90),)}}

    talked = the_day([CALL, early], "2026-03-22", **DATES)
    assert cleared(Rule.DATE_COMING, before, talked) is None
    assert cleared(Rule.DATE_COMING, before, the_day([CALL, early], "2026-03-22", **used)) is (
        Reason.CONTACT
    )
    on_the_day = touch(2, "greeting.written", "2026-03-26T10:00:00")
    congratulated = the_day([CALL, on_the_day], "2026-03-26", **DATES)
    assert cleared(Rule.DATE_COMING, before, congratulated) is Reason.CONTACT


def test_a_machines_greeting_clears_no_date_which_passes_then() -> None:
    before = the_day([CALL], "2026-03-20", **DATES)
    canned = touch(2, "greeting.written", "2026-03-26T10:00:00", initiative=Initiative.AUTOMATED)

    greeted = the_day([CALL, canned], "2026-03-26", **DATES)
    assert cleared(Rule.DATE_COMING, before, greeted) is None
    passed = the_day([CALL, canned], "2026-03-27", **DATES)
    assert cleared(Rule.DATE_COMING, before, passed) is Reason.PASSED
    assert cleared(Rule.DATE_COMING, before, the_day([CALL], "2026-03-21")) is Reason.WITHDRAWN


def test_nobody_is_reminded_of_people_nobody_is_in_touch_with() -> None:
    assert found(Rule.DATE_COMING, [], "2026-03-26", **DATES) == []


GRADUATION = LearnedFact(
    event_id=uuid(91),
    position=91,
    instant_us=START,
    person="bob",
    expect_on=day("2026-06-01"),
)
FACTS: dict[str, Any] = {"facts": [GRADUATION]}


def test_a_fact_is_due_on_the_day_expected_and_not_the_day_before() -> None:
    assert found(Rule.FACT_DUE, [CALL], "2026-05-31", **FACTS) == []
    (item,) = found(Rule.FACT_DUE, [CALL], "2026-06-01", **FACTS)

    assert (item.person, item.event_ids, item.number("due_days")) == ("ann", (uuid(91),), 0)
    assert len(found(Rule.FACT_DUE, [CALL], "2030-06-01", **FACTS)) == 1


def test_using_the_fact_clears_it_a_call_about_other_things_does_not() -> None:
    before = the_day([CALL], "2026-06-01", **FACTS)
    call = touch(2, "fact.used", "2026-06-02T10:00:00")
    used: dict[str, Any] = {"facts_used": {uuid(2): (uuid(91),), uuid(1): (uuid(91),)}}

    other = the_day([CALL, call], "2026-06-02", **FACTS)
    assert cleared(Rule.FACT_DUE, before, other) is None
    asked = the_day([CALL, call], "2026-06-02", **FACTS, **used)
    assert cleared(Rule.FACT_DUE, before, asked) is Reason.FACT_USED
    # Used before its day, as when it was learned, it is still due.
    assert len(found(Rule.FACT_DUE, [CALL], "2026-06-01", **FACTS, **used)) == 1
    canned = touch(2, "fact.used", "2026-06-02T10:00:00", initiative=Initiative.AUTOMATED)
    machine = the_day([CALL, canned], "2026-06-02", **FACTS, **used)
    assert cleared(Rule.FACT_DUE, before, machine) is None


NEWS = Signal(
    event_id=uuid(92), position=92, instant_us=instant("2026-01-10T10:00:00"), about="bob"
)
SIGNALS: dict[str, Any] = {"signals": [NEWS]}


def test_news_is_unanswered_after_three_days_and_not_after_two() -> None:
    assert found(Rule.SIGNAL_UNANSWERED, [CALL], "2026-01-12", **SIGNALS) == []
    (item,) = found(Rule.SIGNAL_UNANSWERED, [CALL], "2026-01-13", **SIGNALS)

    assert (item.person, item.event_ids, item.number("days")) == ("ann", (uuid(92),), 3)


def test_our_word_after_the_news_answers_it_theirs_or_a_machines_does_not() -> None:
    before = the_day([CALL], "2026-01-13", **SIGNALS)

    def after(**fields: object) -> Reason | None:
        more = touch(2, "message.personal", "2026-01-14T10:00:00", **fields)
        return cleared(
            Rule.SIGNAL_UNANSWERED, before, the_day([CALL, more], "2026-01-14", **SIGNALS)
        )

    assert after() is Reason.ANSWERED
    assert after(mutual=True, **BOBS) is Reason.ANSWERED
    assert after(**BOBS) is None
    assert after(initiative=Initiative.AUTOMATED) is None


def test_more_news_joins_the_item_of_the_oldest() -> None:
    more = Signal(
        event_id=uuid(93), position=93, instant_us=instant("2026-01-12T10:00:00"), about="bob"
    )
    (one,) = found(Rule.SIGNAL_UNANSWERED, [CALL], "2026-01-13", **SIGNALS)
    (both,) = found(Rule.SIGNAL_UNANSWERED, [CALL], "2026-01-13", signals=[more, NEWS])

    assert one.item == both.item
    assert both.event_ids == (uuid(92), uuid(93))


def test_news_of_an_organisation_is_for_who_knows_its_people() -> None:
    acme = "organizations/acme"
    start = Started(
        event_id=uuid(94), position=94, instant_us=START, person="bob", organization=acme
    )
    news = Signal(
        event_id=uuid(92), position=92, instant_us=instant("2026-01-10T10:00:00"), about=acme
    )
    around: dict[str, Any] = {"signals": [news], "affiliations": affiliations([start])}

    assert found(Rule.SIGNAL_UNANSWERED, [CALL], "2026-01-12", **around) == []
    (item,) = found(Rule.SIGNAL_UNANSWERED, [CALL], "2026-01-13", **around)
    assert (item.person, item.about, item.pair) == ("ann", acme, None)
    assert found(Rule.SIGNAL_UNANSWERED, [CALL], "2026-01-13", signals=[news]) == []
    said = touch(2, "call", "2026-01-14T10:00:00")
    before, after = (
        the_day([CALL], "2026-01-13", **around),
        the_day([CALL, said], "2026-01-14", **around),
    )
    assert cleared(Rule.SIGNAL_UNANSWERED, before, after) is Reason.ANSWERED


MEETING = touch(1, "meeting.in_person", "2026-01-05T10:00:00", channel="in_person")
CONNECTED = touch(2, "channel.accepted", "2026-01-07T10:00:00", channel="linkedin")


def test_a_good_meeting_has_momentum_for_seven_days_its_own_included() -> None:
    (item,) = found(Rule.MOMENTUM, [MEETING], "2026-01-05")

    assert (item.event_ids, item.number("next_rung")) == ((uuid(1),), 2)
    assert len(found(Rule.MOMENTUM, [MEETING], "2026-01-11")) == 1
    assert found(Rule.MOMENTUM, [MEETING], "2026-01-12") == []


def test_a_bad_meeting_a_letter_or_a_machine_has_none() -> None:
    at = "2026-01-05T10:00:00"

    assert (
        found(Rule.MOMENTUM, [touch(1, "meeting.in_person", at, sentiment=-2)], "2026-01-06") == []
    )
    assert found(Rule.MOMENTUM, [touch(1, "email.one_to_one", at)], "2026-01-06") == []
    machine = touch(1, "call", at, initiative=Initiative.AUTOMATED)
    assert found(Rule.MOMENTUM, [machine], "2026-01-06") == []


def test_coming_a_rung_closer_uses_the_momentum_of_the_meeting() -> None:
    before = the_day([MEETING], "2026-01-06")

    connected = the_day([MEETING, CONNECTED], "2026-01-07")
    assert cleared(Rule.MOMENTUM, before, connected) is Reason.NEXT_RUNG
    # Not at once the next one again; another meeting may go one further.
    assert found(Rule.MOMENTUM, [MEETING, CONNECTED], "2026-01-08") == []
    again = touch(3, "meeting.in_person", "2026-01-09T10:00:00")
    (item,) = found(Rule.MOMENTUM, [MEETING, CONNECTED, again], "2026-01-09")
    assert item.number("next_rung") == 3


def test_a_call_does_not_use_momentum_which_passes() -> None:
    before = the_day([MEETING], "2026-01-06")
    mail = touch(3, "email.one_to_one", "2026-01-08T10:00:00", channel="email")

    assert cleared(Rule.MOMENTUM, before, the_day([MEETING, mail], "2026-01-08")) is None
    assert cleared(Rule.MOMENTUM, before, the_day([MEETING, mail], "2026-01-12")) is Reason.PASSED
