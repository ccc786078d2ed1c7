"""How colleagues and customers are looked after, by hand."""

from fractions import Fraction

from services.projector.domain.collective.builders import Withheld
from services.projector.domain.collective.parity import (
    ParityPart,
    compared,
    parity,
    parity_part,
)
from tests.unit.collective.people import OURS, POLICY, THEIRS, view
from tests.unit.domain.people import touch, uuid


def inside(a: str, b: str, buffer_mp: int, **counts: int) -> ParityPart:
    counts = {"minutes": 0, "incidents": 0, "open_needs": 0} | counts
    return ParityPart((a, b), True, (a, b), buffer_mp, **counts)


def outside(a: str, b: str, buffer_mp: int, **counts: int) -> ParityPart:
    counts = {"minutes": 0, "incidents": 0, "open_needs": 0} | counts
    return ParityPart((a, b), False, (b,), buffer_mp, **counts)


INSIDE = [
    inside("ann", "ida", 4_000, minutes=30),
    inside("ida", "jon", 1_000, incidents=1),
    inside("kim", "leo", 9_001, minutes=31, open_needs=1),
]
OUTSIDE = [
    outside("ann", "bob", 10_000, minutes=60),
    outside("ann", "cat", 20_000, minutes=60, incidents=1),
    outside("ann", "dan", 5_000, incidents=1),
    outside("ida", "eva", 2_000, open_needs=1),
    outside("jon", "fay", 6_001),
]


def test_both_sides_are_compared_measure_by_measure() -> None:
    told = parity([*INSIDE, *OUTSIDE], POLICY)
    figures = {
        measure.name: (
            measure.internal_rounded,
            measure.external_rounded,
            measure.ratio_per_mille,
            measure.flagged,
        )
        for measure in told.measures
    }

    assert figures == {
        # Medians of 1000, 4000, 9001 and of 2000, 5000, 6001, 10000, 20000: 4000 / 6001 = 0.66656.
        "median_buffer_mp": (4_000, 6_001, 667, False),
        # 61 / 3 = 20.33, 120 / 5 = 24; 61/3 / 24 = 0.84722.
        "minutes_per_relationship": (20, 24, 847, False),
        # 1 of 3 and 2 of 5: 333.3 / 400 = 0.83333.
        "incidents_per_mille": (333, 400, 833, False),
        # 1 of 3 and 1 of 5: 333.3 / 200 = 1.66667.
        "open_needs_per_mille": (333, 200, 1667, False),
    }
    assert (told.internal_relationships, told.external_relationships) == (3, 5)
    assert (told.internal_people, told.external_people) == (5, 5)
    assert told.reading.startswith("Correlation, not cause")


def test_outside_1_to_2_and_2_to_1_a_measure_is_flagged() -> None:
    def flagged(internal: int, external: int) -> bool:
        return compared("x", Fraction(internal), Fraction(external), POLICY).flagged

    assert not flagged(500, 1000)
    assert flagged(499, 1000)
    assert not flagged(2000, 1000)
    assert flagged(2001, 1000)


def exactly(value: int | None) -> Fraction | None:
    return None if value is None else Fraction(value)


def test_without_something_to_divide_by_there_is_no_ratio_and_one_sided_ones_are_flagged() -> None:
    def told(internal: int | None, external: int | None) -> tuple[int | None, bool]:
        measure = compared("x", exactly(internal), exactly(external), POLICY)
        return measure.ratio_per_mille, measure.flagged

    assert told(0, 0) == (None, False)
    assert told(3, 0) == (None, True)
    assert told(0, 3) == (0, True)
    assert told(-5, 3) == (None, True)
    assert told(-5, -3) == (None, False)
    assert told(None, 3) == (None, False)


def test_groups_below_five_people_are_withheld() -> None:
    four_outside = parity([*INSIDE, *OUTSIDE[:4]], POLICY)
    four_inside = parity([*INSIDE[:2], *OUTSIDE], POLICY)

    assert (four_outside.measures, four_outside.withheld) == ((), Withheld.GROUP_TOO_SMALL)
    assert four_outside.external_relationships == 4
    assert four_inside.withheld is Withheld.GROUP_TOO_SMALL
    assert four_inside.internal_people == 3


def test_a_relationship_says_on_which_side_it_is_and_what_it_adds() -> None:
    meeting = touch(1, "call", "2026-05-01T08:00:00", prep_minutes=10, live_minutes=15)
    again = touch(
        2, "call", "2026-05-02T08:00:00", live_minutes=20, follow_up_minutes=5, occasion_id=uuid(9)
    )
    twice = touch(
        3, "call", "2026-05-02T08:00:00", live_minutes=30, occasion_id=uuid(9), initiator="bob",
        counterpart="ann",
    )  # fmt: skip
    wrong = touch(4, "incident", "2026-05-03T08:00:00", severity=1)
    need = touch(5, "need.stated", "2026-05-03T08:00:00", initiator="bob", counterpart="ann")
    met = touch(6, "need.met", "2026-05-04T08:00:00", fulfils=need.event_id)
    other = touch(7, "need.stated", "2026-05-03T08:00:00", initiator="bob", counterpart="ann")
    touches = [meeting, again, twice, wrong, need, met, other]

    told = parity_part(view(touches, met.day))

    assert told is not None
    assert (told.internal, told.people) == (False, ("bob",))
    # 10 + 15 of the first call; of the occasion its largest, 30 live + 5 follow-up.
    assert told.minutes == 60
    assert (told.incidents, told.open_needs) == (1, 1)


def test_minutes_and_incidents_are_those_of_the_last_90_days_needs_those_still_open() -> None:
    wrong = touch(4, "incident", "2026-05-03T08:00:00", severity=1, live_minutes=5)
    need = touch(5, "need.stated", "2026-05-03T08:00:00")

    within = parity_part(view([wrong, need], wrong.day + 89))
    after = parity_part(view([wrong, need], wrong.day + 90))

    assert within is not None
    assert after is not None
    assert (within.incidents, within.minutes, within.open_needs) == (1, 5, 1)
    assert (after.incidents, after.minutes, after.open_needs) == (0, 0, 1)


def test_only_pairs_of_ours_and_of_one_of_ours_with_one_of_theirs_are_on_a_side() -> None:
    def part(a: str, b: str) -> ParityPart | None:
        return parity_part(view([], 0, (a, b)))

    ours = part(OURS[0], OURS[1])
    assert ours is not None
    assert (ours.internal, ours.people) == (True, ("ann", "ida"))
    assert part(THEIRS[0], THEIRS[1]) is None
    assert part("ann", "zed") is None
