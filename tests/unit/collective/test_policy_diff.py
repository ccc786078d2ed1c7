"""What another policy would change, by hand."""

from services.projector.domain.policy_diff import KindMove, Relationship, Stand, policy_diff
from tests.unit.collective.people import POLICY, changed
from tests.unit.domain.people import touch

# A call is worth 1000 mp of care more.
WARMER = changed(
    POLICY,
    '"call":{"care":4000,"effort":true,"half_life_days":90,"know":4000}',
    '"call":{"care":5000,"effort":true,"half_life_days":90,"know":4000}',
)
CALL = touch(1, "call", "2026-01-05T10:00:00")
TWO_CALLS = [
    touch(2, "call", "2026-01-05T10:00:00", counterpart="cat"),
    touch(3, "call", "2026-01-05T11:00:00", counterpart="cat"),
]
ADVICE = touch(4, "advice", "2026-01-05T10:00:00", counterpart="dan")
RELATIONSHIPS = [
    Relationship(("ann", "dan"), [ADVICE]),
    Relationship(("ann", "bob"), [CALL]),
    Relationship(("ann", "cat"), TWO_CALLS),
]
DAY = CALL.day


def test_those_who_move_most_stand_first_with_the_kinds_that_move_them() -> None:
    told = policy_diff(RELATIONSHIPS, POLICY, WARMER, DAY, 50)

    assert (told.relationships, told.moved) == (3, 2)
    cat, bob = told.moves
    assert (cat.pair, cat.buffer_mp) == (("ann", "cat"), 2_000)
    # 4000 + 4000/4 and 5000 + 4000/4.
    assert (bob.before, bob.after) == (Stand(4_000, 4_000, 5_000), Stand(4_000, 5_000, 6_000))
    assert bob.kinds == (KindMove("call", 0, 1_000),)


def test_on_a_later_day_it_is_what_is_left_of_it() -> None:
    told = policy_diff(RELATIONSHIPS, POLICY, WARMER, DAY + 90, 50)

    # One half-life: 2000 of KNOW, 2000 or 2500 of CARE.
    assert told.moves[1].after == Stand(2_000, 2_500, 3_000)
    assert told.moves[1].kinds == (KindMove("call", 0, 500),)


def test_only_as_many_as_asked_for_are_told_and_all_are_counted() -> None:
    told = policy_diff(RELATIONSHIPS, POLICY, WARMER, DAY, 1)

    assert [move.pair for move in told.moves] == [("ann", "cat")]
    assert told.moved == 2
    assert policy_diff(RELATIONSHIPS, POLICY, WARMER, DAY, 0).moves == ()


def test_equal_moves_stand_by_pair() -> None:
    again = Relationship(("ann", "abe"), [CALL])

    told = policy_diff([*RELATIONSHIPS[:2], again], POLICY, WARMER, DAY, 50)

    assert [move.pair for move in told.moves] == [("ann", "abe"), ("ann", "bob")]


def test_a_kind_the_other_policy_does_not_have_moves_by_all_it_was_worth() -> None:
    without = changed(POLICY, '"advice":{"care":2000,"half_life_days":120,"know":6000},', "")

    (dan,) = policy_diff(RELATIONSHIPS, POLICY, without, DAY, 50).moves

    assert dan.after == Stand(0, 0, 0)
    assert dan.kinds == (KindMove("advice", -6_000, -2_000),)
    assert dan.buffer_mp == -3_500  # 2000 + 6000/4


def test_another_rule_of_the_buffer_moves_it_without_any_kind() -> None:
    colder = changed(POLICY, '"know_share":250', '"know_share":500')

    told = policy_diff([RELATIONSHIPS[1]], POLICY, colder, DAY, 50)

    assert told.moves[0].buffer_mp == 1_000  # 4000 x 250/1000 more
    assert told.moves[0].kinds == ()


def test_a_policy_moves_nobody_against_itself() -> None:
    assert policy_diff(RELATIONSHIPS, POLICY, POLICY, DAY, 50).moved == 0
