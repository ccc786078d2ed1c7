"""The turn of the day: once each, for the right reason, whoever ran it and when."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.projector.domain.attention.day import AttentionDay
from services.projector.domain.attention.items import Item, Reason, Rule
from services.projector.domain.attention.ration import Answer, ration
from services.projector.domain.attention.turn import (
    Change,
    ChangeKind,
    OpenItem,
    catch_up,
    turn_day,
)
from services.projector.domain.calendar import US_PER_DAY
from services.projector.domain.facts import Correction, Touchpoint, Void
from services.projector.domain.people.descriptions import Description
from services.runtime.policy import Audience, Initiative
from tests.property.attention_world import PAIRS, POLICY, World, world
from tests.property.strategies import SEEDS, event_id

# Worlds by seed: two years, and another one.
DAYS = {1: 731, 2: 366}
# What contact is to clear: time and machines cannot.
CONTACT_RULES = frozenset(
    {
        Rule.OVERDUE,
        Rule.REACTION_MODE,
        Rule.PROBLEM_ONLY,
        Rule.SILENT_AFTER_SALE,
        Rule.BUFFER_FALLS,
        Rule.ONE_SIDED,
        Rule.KNOW_ONLY,
        Rule.INCIDENT_UNANSWERED,
        Rule.NO_FOLLOW_UP,
        Rule.FACT_DUE,
        Rule.NO_LITTLE_THING,
    }
)


class Log:
    """The changes of a world's days, and each day's state, worked out once."""

    def __init__(self, seed: int) -> None:
        self.world = world(seed, DAYS[seed], DAYS[seed] // 26)
        self.days = [self.world.state(on) for on in range(DAYS[seed])]
        self.open: list[Mapping[str, OpenItem]] = []
        self.changes: list[Change] = []
        open_items: Mapping[str, OpenItem] = {}
        for day in self.days:
            done = turn_day(open_items, day)
            open_items = done.open_items
            self.open.append(open_items)
            self.changes += done.changes


@cache
def log(seed: int) -> Log:
    return Log(seed)


@pytest.mark.parametrize("seed", DAYS)
def test_years_with_restarts_and_missed_days_log_what_every_day_alone_does(seed: int) -> None:
    random, whole = Random(seed), log(seed)
    changes: list[Change] = []
    open_items: Mapping[str, OpenItem] = {}
    through, last = -1, DAYS[seed] - 1
    while through < last:
        to = min(through + random.choice((0, 1, 1, 2, 7, 45)), last)
        killed = random.randrange(1, 9)
        for count, done in enumerate(
            catch_up(open_items, through, to, lambda on: whole.days[on]), start=1
        ):
            if count == killed:
                # The turn was worked out and never kept: it is worked out again later.
                break
            changes += done.changes
            open_items, through = stored(done.open_items), done.on

    assert [(c.kind, c.on, c.item.item, c.raised_on, c.reason) for c in changes] == [
        (c.kind, c.on, c.item.item, c.raised_on, c.reason) for c in whole.changes
    ]


def stored(open_items: Mapping[str, OpenItem]) -> Mapping[str, OpenItem]:
    """What of an open item a later turn reads, and nothing else."""
    return {
        item_id: OpenItem(replace(kept.item, why="", at_stake_mp=0), kept.raised_on)
        for item_id, kept in reversed(list(open_items.items()))
    }


@pytest.mark.parametrize("seed", DAYS)
def test_an_item_is_raised_once_while_its_cause_lasts_and_cleared_once(seed: int) -> None:
    is_open: dict[str, int] = {}
    for change in log(seed).changes:
        if change.kind is ChangeKind.RAISED:
            assert change.item.item not in is_open
            assert change.reason is None
            is_open[change.item.item] = change.on
        else:
            assert change.reason is not None
            assert change.raised_on == is_open.pop(change.item.item) < change.on
    days = log(seed).days
    assert is_open.keys() == {item.item for item in days[-1].items}


@pytest.mark.parametrize("seed", DAYS)
def test_nothing_that_wants_contact_is_cleared_by_silence_or_by_a_machine(seed: int) -> None:
    whole = log(seed)
    for change in whole.changes:
        if change.kind is ChangeKind.RAISED or change.item.rule not in CONTACT_RULES:
            continue
        news = whole.world.recorded_on(change.on)
        assert any(by_a_human(whole.world, fact) for fact in news), change
        if change.reason in (Reason.CONTACT, Reason.ANSWERED, Reason.FOLLOWED_UP):
            assert any(isinstance(fact, Touchpoint | Correction | Void) for fact in news), change


def by_a_human(known: World, fact: object) -> bool:
    if isinstance(fact, Touchpoint):
        machine = fact.initiative is Initiative.AUTOMATED
        return not machine and fact.audience is not Audience.MANY and fact.kind != "transaction"
    return isinstance(fact, Void | Correction | Description)


def test_the_worlds_raise_every_rule_and_clear_for_every_reason_they_can() -> None:
    raised = Counter(c.item.rule for seed in DAYS for c in log(seed).changes if not c.reason)
    reasons = {c.reason for seed in DAYS for c in log(seed).changes if c.reason}

    assert set(raised) == set(Rule)
    assert reasons >= {
        Reason.CONTACT,
        Reason.ANSWERED,
        Reason.LITTLE_THING,
        Reason.PASSED,
        Reason.WITHDRAWN,
    }


@pytest.mark.parametrize("seed", DAYS)
def test_ids_are_safe_and_sentences_name_nobody(seed: int) -> None:
    people = {person for pair in PAIRS for person in pair} | {"ivy", "acme"}
    for change in log(seed).changes:
        item = change.item
        assert len(item.item.encode()) <= 256
        assert set(item.item) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
        assert not people & set(item.why.replace(",", " ").replace(":", " ").split())


@pytest.mark.parametrize("seed", DAYS)
def test_no_day_shows_a_person_more_than_the_ration_nor_what_was_put_off(seed: int) -> None:
    random, whole = Random(seed), log(seed)
    limit = POLICY.attention.per_person_per_day
    answers: list[Answer] = []
    for on, day in enumerate(whole.days):
        shown = ration(day.items, answers, POLICY, on)
        for person, theirs in shown.items():
            assert len(theirs.items) <= limit
            assert {item.person for item in theirs.items} <= {person}
            stakes = [item.at_stake_mp for item in (*theirs.items, *theirs.left_out)]
            assert stakes == sorted(stakes, reverse=True)
            assert len(theirs.items) == limit or not theirs.left_out
            for item in theirs.items:
                assert not any(
                    answer.item == item.item and (answer.until is None or answer.until > on)
                    for answer in answers
                )
            if theirs.items and on % 5 == 0:
                answers.append(
                    Answer(
                        event_id=event_id(on),
                        position=on,
                        instant_us=on * US_PER_DAY,
                        item=random.choice(theirs.items).item,
                        until=random.choice((None, on + 3)),
                    )
                )
        counted = sum(
            len(s.items) + len(s.left_out) + len(s.asleep) + len(s.dismissed)
            for s in shown.values()
        )
        assert counted == len(day.items)


@settings(max_examples=60, deadline=None)
@given(SEEDS, SEEDS, st.integers(60, 160))
def test_a_day_does_not_depend_on_the_order_of_anything(seed: int, order: int, on: int) -> None:
    small = world(seed, 120, 8)

    items = small.state(on).items

    assert small.state(on, Random(order)).items == items
    assert len({item.item for item in items}) == len(items)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(60, 160))
def test_turning_a_day_again_changes_nothing(seed: int, on: int) -> None:
    day: AttentionDay = world(seed, 120, 8).state(on)
    first = turn_day({}, day)

    again = turn_day(first.open_items, day)

    assert again.changes == ()
    assert again.open_items == first.open_items


def test_items_say_what_clears_them() -> None:
    items: list[Item] = [change.item for change in log(1).changes]

    assert all(item.cleared_by and item.why for item in items)
