"""What many relationships are together depends on no order, and adds up to its parts."""

from decimal import Decimal, localcontext
from fractions import Fraction
from random import Random
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from services.projector.domain.collective.account import account
from services.projector.domain.collective.builders import builders, parts_of
from services.projector.domain.collective.concentration import concentration
from services.projector.domain.collective.parity import parity, parity_part
from services.projector.domain.collective.peak import peak
from services.projector.domain.collective.portfolio import portfolio
from services.projector.domain.collective.programme import cadence_of, programme
from services.projector.domain.collective.reconnect import reconnects
from services.projector.domain.collective.stake import Stake, stake_of
from services.projector.domain.collective.sums import sums
from services.projector.domain.collective.who_knows import who_knows
from services.projector.domain.collective.wilson import wilson_lower_per_mille
from services.projector.domain.effective import effective
from services.projector.domain.entries import fold
from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.view import RelationshipView, Side, view_of
from services.projector.domain.policy_diff import Relationship, policy_diff
from services.projector.domain.questions import balance_on
from services.runtime.policy import Policy, default_policy
from tests.property.strategies import DAYS, PAIRS, SEEDS, histories, one_pair

# Groups of one, so that three people are enough to be told.
POLICY: Final = Policy.parse(
    default_policy()
    .canonical_json.replace('"enabled":false', '"enabled":true')
    .replace('"min_group":5', '"min_group":1')
    .replace('"min_contact_days":5', '"min_contact_days":1')
)
OTHER: Final = Policy.parse(
    POLICY.canonical_json.replace('"care":4000', '"care":7001')
    .replace('"know_share":250', '"know_share":300')
    .replace('"marginal":[1000,600', '"marginal":[1000,900')
)
SIDES: Final = {"a": Side.INTERNAL, "b": Side.INTERNAL, "c": Side.EXTERNAL}
TIERS: Final = {"b": "inner", "c": "close"}


def effective_of_three(count_max: int) -> st.SearchStrategy[list[Touchpoint]]:
    """Effective touchpoints of the three relationships."""
    return histories(count_max).map(lambda facts: list(effective(facts).touchpoints))


def views(touchpoints: list[Touchpoint], on: int) -> list[RelationshipView]:
    """The three relationships, those without any touchpoint too."""
    return [view_of(touchpoints, POLICY, on, pair, sides=SIDES, tiers=TIERS) for pair in PAIRS]


@settings(max_examples=60, deadline=None)
@given(effective_of_three(30), DAYS, SEEDS)
def test_no_order_of_processing_changes_anything(
    touchpoints: list[Touchpoint], on: int, seed: int
) -> None:
    random = Random(seed)
    seen = views(touchpoints, on)
    again = views(random.sample(touchpoints, len(touchpoints)), on)
    # In another order, and one of them twice.
    again.append(random.choice(again))
    random.shuffle(again)

    assert everything(again, ["b", "a"], on) == everything(seen, ["a", "b"], on)


def everything(seen: list[RelationshipView], group: list[str], on: int) -> tuple[object, ...]:
    """All there is to tell of relationships, on the day of them."""
    stakes = [stake_of(view) for view in seen]
    parts = [part for view in seen if (part := parity_part(view)) is not None]
    return (
        portfolio(stakes, POLICY),
        portfolio(stakes, POLICY, ["a"]),
        account(stakes, {"c"}, POLICY),
        programme([cadence_of(view) for view in seen], group, POLICY, on),
        builders(parts_of(seen, group), group, {"c": "x", "b": "y"}, POLICY),
        parity(parts, POLICY),
        reconnects(seen),
        who_knows(stakes, ["c"], POLICY, 1),
    )


@settings(max_examples=60, deadline=None)
@given(effective_of_three(30), DAYS)
def test_sums_and_holdings_are_those_of_their_parts(touchpoints: list[Touchpoint], on: int) -> None:
    stakes = [stake_of(view) for view in views(touchpoints, on)]

    whole = sums(stakes, POLICY)
    apart = [sums([stake], POLICY) for stake in stakes]

    assert whole.know_mp == sum(part.know_mp for part in apart)
    assert whole.care_mp == sum(part.care_mp for part in apart)
    assert whole.buffer_mp == sum(part.buffer_mp for part in apart)
    assert whole.relationships == 3
    counted = sum(count.relationships for count in whole.quadrants)
    assert counted + whole.too_little_evidence == 3
    # Every relationship of the account has one of ours and one of theirs.
    told = account(stakes, {"c"}, POLICY)
    for holdings in (told.by_internal, told.by_external):
        assert sum(holding.care_mp for holding in holdings) == told.sums.care_mp
        assert sum(holding.held_mp for holding in holdings) == sum(s.held_mp for s in told.stakes)
    for person in ("a", "b"):
        (holding,) = (h for h in concentration(stakes, Side.INTERNAL) if h.person == person)
        theirs: list[Stake] = [stake for stake in stakes if person in stake.pair]
        assert holding.buffer_mp == sum(stake.buffer_mp for stake in theirs)


@settings(max_examples=60, deadline=None)
@given(effective_of_three(20), DAYS, st.integers(0, 40))
def test_what_is_told_of_a_past_day_was_told_then(
    touchpoints: list[Touchpoint], on: int, later: int
) -> None:
    then = [touch for touch in touchpoints if touch.day <= on]
    asked_later = [view.as_of(on) for view in views(touchpoints, on + later)]

    group = ["a", "b"]
    assert everything(asked_later, group, on) == everything(views(then, on), group, on)


@settings(max_examples=60, deadline=None)
@given(one_pair(14), DAYS)
def test_the_peak_is_what_asking_every_day_tells(touchpoints: list[Touchpoint], on: int) -> None:
    known = [touch for touch in touchpoints if touch.day <= on]
    posting = [entry.effective_from for entry in fold(known, POLICY).entries]

    told = peak(touchpoints, POLICY, on)

    # Before the first posting there is no relationship, so its 0 is no peak.
    days = range(min(posting, default=on + 1), on + 1)
    buffers = {day: balance_on(known, POLICY, day).buffer(POLICY) for day in days}
    if not buffers:
        assert told is None
        return
    assert told is not None
    assert told.buffer == max(buffers.values())
    assert told.day == min(day for day in days if buffers[day] == told.buffer)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2000), st.integers(0, 2000))
def test_wilsons_bound_is_that_of_sixty_decimal_digits(one: int, other: int) -> None:
    survived, decided = sorted((one, other))

    told = wilson_lower_per_mille(survived, decided)

    if decided == 0:
        assert told is None
        return
    with localcontext() as context:
        context.prec = 60
        n, p, z = Decimal(decided), Decimal(survived) / Decimal(decided), Decimal("1.96")
        root = (p * (1 - p) / n + z * z / (4 * n * n)).sqrt()
        bound = (p + z * z / (2 * n) - z * root) / (1 + z * z / n) * 1000
        assert told is not None
        assert abs(bound - told) <= Decimal("0.5") + Decimal(10) ** -40


@settings(max_examples=60, deadline=None)
@given(effective_of_three(20), DAYS, SEEDS, st.integers(0, 4))
def test_a_policy_difference_adds_up_and_knows_no_order(
    touchpoints: list[Touchpoint], on: int, seed: int, limit: int
) -> None:
    apart = [Relationship(v.pair, v.touchpoints) for v in views(touchpoints, on)]

    told = policy_diff(apart, POLICY, OTHER, on, limit)

    for move in told.moves:
        assert sum(kind.know_mp for kind in move.kinds) == move.after.know_mp - move.before.know_mp
        assert sum(kind.care_mp for kind in move.kinds) == move.after.care_mp - move.before.care_mp
        exact = balance_on([t for t in touchpoints if t.pair == move.pair], OTHER, on)
        assert move.after.buffer_mp == exact.buffer_mp(OTHER)
        assert isinstance(exact.know, Fraction)
    assert len(told.moves) == min(limit, told.moved)
    random = Random(seed)
    shuffled = [
        Relationship(r.pair, random.sample(r.touchpoints, len(r.touchpoints))) for r in apart
    ]
    random.shuffle(shuffled)
    assert policy_diff(shuffled, POLICY, OTHER, on, limit) == told
