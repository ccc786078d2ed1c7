"""Turns, what is shown of a day, and what a brief suggests."""

import json
from dataclasses import replace

from services.projector.domain.attention.items import Item, Reason, Rule, Trace, item_id
from services.projector.domain.attention.ration import Answer, ration
from services.projector.domain.attention.suggestions import suggestions
from services.projector.domain.attention.turn import ChangeKind, catch_up, turn
from services.projector.domain.calendar import US_PER_DAY
from services.projector.domain.people.learned import LearnedFact
from services.runtime.policy import Policy
from tests.unit.attention.days import POLICY, cleared, day, instant, the_day
from tests.unit.domain.people import touch, uuid

CALL = touch(1, "call", "2026-01-01T10:00:00")
CLOSE = {"bob": "close"}
TODAY = 10_000


def item(name: str, at_stake_mp: int, person: str = "ann") -> Item:
    return Item(
        item=name,
        rule=Rule.OVERDUE,
        person=person,
        about="relationships/ann~bob",
        pair=("ann", "bob"),
        why="",
        numbers=(),
        event_ids=(),
        at_stake_mp=at_stake_mp,
        trace=Trace(0, None, ""),
    )


def test_a_turn_clears_first_then_raises_most_at_stake_first() -> None:
    def reason(gone: Item) -> Reason:
        return Reason.CONTACT if gone.item == "b" else Reason.CHANGED

    first = turn({}, [item("b", 1), item("a", 1), item("c", 5)], 7, reason)
    second = turn(first.open_items, [item("c", 4), item("d", 1), item("e", 9)], 8, reason)

    assert [(c.kind, c.item.item, c.reason) for c in first.changes] == [
        (ChangeKind.RAISED, name, None) for name in "cab"
    ]
    assert [(c.kind, c.item.item, c.raised_on, c.reason) for c in second.changes] == [
        (ChangeKind.CLEARED, "a", 7, Reason.CHANGED),
        (ChangeKind.CLEARED, "b", 7, Reason.CONTACT),
        (ChangeKind.RAISED, "e", 8, None),
        (ChangeKind.RAISED, "d", 8, None),
    ]
    assert {name: kept.raised_on for name, kept in second.open_items.items()} == {
        "c": 7,
        "d": 8,
        "e": 8,
    }


def test_days_missed_are_turned_one_by_one_and_none_twice() -> None:
    days = range(day("2026-01-30"), day("2026-02-02") + 1)
    turns = list(catch_up({}, days[0] - 1, days[-1], lambda on: the_day([CALL], on, tiers=CLOSE)))

    assert [done.on for done in turns] == list(days)
    raised = [
        (done.on, change.item.rule)
        for done in turns
        for change in done.changes
        if change.item.rule is Rule.OVERDUE
    ]
    assert raised == [(day("2026-02-01"), Rule.OVERDUE)]
    assert list(catch_up({}, days[-1], days[-1], lambda on: the_day([CALL], on))) == []


def test_another_policy_clears_what_it_does_not_ask_for() -> None:
    document = json.loads(POLICY.canonical_json)
    document["tiers"]["close"] = {"ideal_days": 60, "max_days": 90}
    patient = Policy.parse(json.dumps(document))
    before = the_day([CALL], "2026-02-09", tiers=CLOSE)
    after = the_day([CALL], "2026-02-10", tiers=CLOSE, policy=patient)

    assert cleared(Rule.OVERDUE, before, after) is Reason.POLICY


def test_at_most_five_are_shown_most_at_stake_first_then_by_id() -> None:
    items = [item(name, 10) for name in "gfedcb"] + [item("a", 1), item("z", 99)]

    shown = ration([*items, item("other", 1, "amy")], [], POLICY, TODAY)

    assert [i.item for i in shown["ann"].items] == ["z", "b", "c", "d", "e"]
    assert [i.item for i in shown["ann"].left_out] == ["f", "g", "a"]
    assert [i.item for i in shown["amy"].items] == ["other"]


def answer(on: int, until: int | None, position: int = 1) -> Answer:
    return Answer(
        event_id=uuid(position),
        position=position,
        instant_us=on * US_PER_DAY,
        item="a",
        until=until,
    )


def names(answers: list[Answer], on: int) -> list[str]:
    shown = ration([item("a", 9), item("b", 1)], answers, POLICY, on)
    return [i.item for i in shown["ann"].items]


def test_a_snoozed_item_sleeps_until_its_day_and_is_shown_on_it() -> None:
    snoozed = [answer(TODAY, TODAY + 3)]

    assert names(snoozed, TODAY - 1) == ["a", "b"]
    assert names(snoozed, TODAY) == names(snoozed, TODAY + 2) == ["b"]
    assert names(snoozed, TODAY + 3) == ["a", "b"]
    asleep = ration([item("a", 9)], snoozed, POLICY, TODAY)["ann"].asleep
    assert [(i.item, until) for i, until in asleep] == [("a", TODAY + 3)]


def test_what_is_not_relevant_is_never_shown_and_the_latest_answer_holds() -> None:
    dismissed = [answer(TODAY, None)]

    assert names(dismissed, TODAY + 1000) == ["b"]
    reconsidered = [answer(TODAY + 1, TODAY + 2, 2), *dismissed]
    assert names(reconsidered, TODAY + 2) == ["a", "b"]
    same_instant = [answer(TODAY, None, 2), answer(TODAY, TODAY, 1)]
    assert names(same_instant, TODAY) == ["b"]


def test_an_id_is_short_safe_and_of_one_cause() -> None:
    person = "people/" + "x" * 128
    long = item_id(Rule.INCIDENT_UNANSWERED, person, f"relationships/{'a' * 128}~{'b' * 128}")

    assert len(long) <= 256
    assert "x" * 8 not in long
    assert item_id(Rule.OVERDUE, "a", "b", ["c"]) == item_id(Rule.OVERDUE, "a", "b", ("c",))
    assert item_id(Rule.OVERDUE, "a", "b", ["c"]) != item_id(Rule.OVERDUE, "a", "b", ["d"])


def test_a_brief_says_what_is_owed_first_then_a_fact_the_rung_and_the_rhythm() -> None:
    promise = touch(2, "promise.made", "2026-01-02T10:00:00", due_on=day("2026-01-10"))
    facts = [
        LearnedFact(
            event_id=uuid(n), position=n, instant_us=instant("2026-01-01T00:00:00"), person="bob"
        )
        for n in (80, 81)
    ]
    around = the_day(
        [CALL, promise], "2026-01-20", tiers=CLOSE, facts=facts, facts_used={uuid(1): (uuid(80),)}
    )
    case = around.cases["ann", "bob"]

    told = suggestions(case, around.items, "bob")

    assert [each.rule for each in told] == [
        "promise_due",
        "no_little_thing",
        "use_a_fact",
        "next_rung",
        "keep_the_rhythm",
    ]
    assert told[2].event_ids == (uuid(81),)
    # Close: 30 days from the promise on January 2.
    assert told[4].why == "to be in touch again within 13 days"


def test_a_slow_pair_of_a_strict_tier_is_told_the_day_it_would_be_red() -> None:
    # Gaps of 12 days: amber above 1.5 x 12 = 18 days, but inner is red above 14.
    days = ("01-01", "01-13", "01-25", "02-06", "02-18")
    calls = [touch(n, "call", f"2026-{at}T10:00:00") for n, at in enumerate(days, start=1)]
    around = the_day(calls, "2026-02-20", tiers={"bob": "inner"})

    told = suggestions(around.cases["ann", "bob"], around.items, "bob")

    # Red from February 18 + 15 days = March 5, which is 13 days away.
    assert [each.why for each in told if each.rule == "keep_the_rhythm"] == [
        "to be in touch again within 13 days"
    ]


def test_a_brief_says_the_same_thing_once() -> None:
    around = the_day([CALL], "2026-03-20", tiers=CLOSE)
    (overdue,) = [item for item in around.items if item.rule is Rule.OVERDUE]
    twice = [overdue, replace(overdue, person="amy", item="another")]

    told = suggestions(around.cases["ann", "bob"], twice, "bob")

    assert [each.rule for each in told] == ["overdue", "next_rung"]
