"""The balance is a function of a set: nothing else about the facts can change a bit of it."""

import copy
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from services.projector.domain import changes
from services.projector.domain.buckets import Buckets
from services.projector.domain.calendar import week_of
from services.projector.domain.compare import Change, compare
from services.projector.domain.contact import contact_days
from services.projector.domain.course import balances
from services.projector.domain.effective import effective
from services.projector.domain.entries import fold
from services.projector.domain.facts import Fact, Touchpoint
from services.projector.domain.identity import Link, Unlink, identities
from services.projector.domain.questions import balance_of_facts, balance_on
from services.projector.domain.receipt import receipt
from services.projector.domain.weights import independent
from services.projector.stored import buckets_from_text, text_from_buckets, through_day_of
from services.runtime.clock import US_PER_DAY
from services.runtime.policy import INCIDENT, RECOVERY, default_policy
from tests.property import reference
from tests.property.strategies import DAYS, PAIRS, event_id, histories, one_pair

POLICY = default_policy()
RECOVERIES = (INCIDENT, RECOVERY)
quick = settings(max_examples=150, deadline=None)


def of_pair(touchpoints: Sequence[Touchpoint], pair: tuple[str, str]) -> list[Touchpoint]:
    return [touchpoint for touchpoint in touchpoints if touchpoint.pair == pair]


@quick
@given(histories(), DAYS)
def test_a_balance_is_what_the_rules_written_down_slowly_say(facts: list[Fact], on: int) -> None:
    known = effective(facts).touchpoints

    for pair in PAIRS:
        balance = balance_on(of_pair(known, pair), POLICY, on)

        expected = reference.balance(reference.in_effect(facts), pair, on)
        assert (balance.know, balance.care) == expected


@quick
@given(histories(), DAYS, st.data())
def test_order_and_duplicates_of_facts_change_nothing(
    facts: list[Fact], on: int, data: st.DataObject
) -> None:
    again = data.draw(st.permutations(facts + facts[::2]))

    assert effective(again) == effective(facts)
    assert fold(effective(again).touchpoints, POLICY, on) == fold(
        effective(facts).touchpoints, POLICY, on
    )


@quick
@given(one_pair(), DAYS, st.data())
def test_a_fold_does_not_depend_on_the_order_of_touchpoints(
    touchpoints: list[Touchpoint], on: int, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(touchpoints))

    assert fold(shuffled, POLICY, on) == fold(touchpoints, POLICY, on)


@quick
@given(one_pair(), DAYS, st.integers(0, 400))
def test_buckets_filled_bit_by_bit_answer_as_a_fold_does(
    touchpoints: list[Touchpoint], on: int, later: int
) -> None:
    known = [touch for touch in touchpoints if touch.day <= on]
    buckets, rest = Buckets(), []
    for touch in known:
        if independent(touch, POLICY):
            for entry in fold([touch], POLICY).entries:
                buckets.add(entry)
        else:
            rest.append(touch)
    for entry in fold(rest, POLICY).entries:
        buckets.add(entry)

    assert buckets == Buckets(fold(known, POLICY).entries)
    assert buckets.balance(on + later) == balance_on(known, POLICY, on + later)
    text = text_from_buckets(buckets)
    assert buckets_from_text(text, through_day_of(buckets)) == buckets


@quick
@given(one_pair(), st.data())
def test_a_change_posted_over_its_reach_leaves_what_a_fold_of_everything_does(
    touchpoints: list[Touchpoint], data: st.DataObject
) -> None:
    some = st.sets(st.sampled_from([touch.event_id for touch in touchpoints] or [""]))
    stored, gone, moved = data.draw(some), data.draw(some), data.draw(some)
    old = [touch for touch in touchpoints if touch.event_id in stored]
    change = changes.Change(
        gone=[touch for touch in old if touch.event_id in gone],
        come=[touch for touch in touchpoints if touch.event_id not in stored],
    )
    shift_us = data.draw(st.integers(-9, 9)) * US_PER_DAY
    change.come += [
        touch._replace(instant_us=touch.instant_us + shift_us)
        for touch in change.gone
        if touch.event_id in moved
    ]
    kept = [touch for touch in old if touch.event_id not in gone]
    buckets, days = Buckets(fold(old, POLICY).entries), list(contact_days(old, POLICY))
    before = copy.deepcopy((buckets, days))
    reach = changes.reach_of(change, POLICY, buckets.through_day)
    others = [
        touch
        for touch in kept
        if week_of(touch.day) in reach.weeks or (reach.recovery and touch.kind in RECOVERIES)
    ]

    told = changes.post(change, others, POLICY, buckets, days)

    now = kept + change.come
    if told:
        assert buckets == Buckets(fold(now, POLICY).entries)
        assert days == list(contact_days(now, POLICY))
    else:
        assert change.gone
        assert (buckets, days) == before


@quick
@given(one_pair(), DAYS)
def test_taking_every_entry_out_leaves_nothing(touchpoints: list[Touchpoint], on: int) -> None:
    entries = fold(touchpoints, POLICY, on).entries
    buckets = Buckets(entries)

    for entry in reversed(entries):
        buckets.subtract(entry)

    assert not buckets


@quick
@given(one_pair(), st.lists(DAYS, max_size=8))
def test_the_course_of_a_balance_is_the_fold_of_each_day(
    touchpoints: list[Touchpoint], days: list[int]
) -> None:
    days.sort()

    course = balances(touchpoints, POLICY, days)

    assert course == [balance_on(touchpoints, POLICY, day) for day in days]


@quick
@given(one_pair(), DAYS)
def test_later_touchpoints_never_change_an_earlier_day(
    touchpoints: list[Touchpoint], on: int
) -> None:
    earlier = [touch for touch in touchpoints if touch.day <= on]

    assert fold(touchpoints, POLICY, on) == fold(earlier, POLICY)


@quick
@given(one_pair(), DAYS)
def test_receipts_add_up(touchpoints: list[Touchpoint], on: int) -> None:
    told = receipt(fold(touchpoints, POLICY, on).entries, on)

    assert sum(line.know_mp for line in told.lines) == told.know_mp == told.balance.know_mp
    assert sum(line.care_mp for line in told.lines) == told.care_mp == told.balance.care_mp
    assert told.balance == balance_on(touchpoints, POLICY, on)


@quick
@given(one_pair(), DAYS, st.integers(0, 60))
def test_comparisons_add_up(touchpoints: list[Touchpoint], on: int, later: int) -> None:
    told = compare(touchpoints, POLICY, on, on + later)

    first = balance_on(touchpoints, POLICY, on)
    second = balance_on(touchpoints, POLICY, on + later)
    assert (told.first, told.second) == (first, second)
    assert sum(line.know_mp for line in told.lines) == second.know_mp - first.know_mp
    assert sum(line.care_mp for line in told.lines) == second.care_mp - first.care_mp
    new = {line.entry.event_id for line in told.lines if line.change is Change.NEW}
    assert all(line.entry.effective_from > on for line in told.lines if line.entry.event_id in new)


@quick
@given(histories(), DAYS, st.integers(0, 24))
def test_what_was_known_at_a_position_is_what_had_been_recorded_by_then(
    facts: list[Fact], on: int, position: int
) -> None:
    recorded = [fact for fact in facts if fact.position <= position]

    assert balance_of_facts(facts, POLICY, on, known_at=position) == balance_of_facts(
        recorded, POLICY, on
    )


@quick
@given(histories(), DAYS, st.permutations(["a", "b", "c"]))
def test_an_unlink_restores_both_sides(facts: list[Fact], on: int, names: list[str]) -> None:
    one, other, third = names
    link = Link(event_id=event_id(900), position=900, a=one, b=other, strong=True)
    unlink = Unlink(event_id=event_id(901), position=901, ends=link.event_id)
    known = effective(facts).touchpoints

    linked, restored = identities([link]), identities([unlink, link])

    merged = [balance_on(of_pair(known, p), POLICY, on) for p in linked.raw_pairs(one, third)]
    assert len(merged) == 2
    assert linked.raw_pairs(one, other) == ()
    assert linked.posting(of_pair(known, (min(one, other), max(one, other)))) == []
    for pair in PAIRS:
        assert restored.raw_pairs(*pair) == (pair,)
        assert restored.posting(of_pair(known, pair)) == of_pair(known, pair)
