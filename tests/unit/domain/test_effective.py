"""Voids and corrections, whenever they come."""

import pytest

from services.projector.domain.effective import Ineffective, Reason, effective
from services.projector.domain.facts import Correction, Fact, Touchpoint, Void
from tests.unit.domain.people import touch, uuid

CALL = touch(1, "call", "2026-03-01T10:00:00")


def correction(
    number: int,
    kind: str = "proposal",
    *,
    replaces: int = 1,
    at: str = "2026-03-02T10:00:00",
    keeps_instant: bool = False,
    initiator: str = "ann",
    counterpart: str = "bob",
) -> Correction:
    people = {"initiator": initiator, "counterpart": counterpart}
    return Correction(
        event_id=uuid(number),
        position=number,
        replaces=uuid(replaces),
        replacement=touch(number, kind, at, **people),
        keeps_instant=keeps_instant,
    )


def void(number: int, target: int) -> Void:
    return Void(event_id=uuid(number), position=number, target=uuid(target))


def kinds(facts: list[Fact], known_at: int | None = None) -> list[str]:
    return [touchpoint.kind for touchpoint in effective(facts, known_at).touchpoints]


def reasons(facts: list[Fact]) -> dict[str, Reason]:
    return {item.event_id: item.reason for item in effective(facts).ineffective}


def test_a_void_takes_a_touchpoint_out_even_if_it_came_first() -> None:
    assert kinds([void(2, 1), CALL]) == []
    assert reasons([void(2, 1), CALL]) == {uuid(1): Reason.VOIDED}


def test_a_void_of_an_unknown_event_waits_for_it() -> None:
    assert reasons([void(2, 1)]) == {uuid(2): Reason.TARGET_UNKNOWN}


def test_a_void_of_a_void_has_no_effect() -> None:
    facts: list[Fact] = [CALL, void(2, 1), void(3, 2)]

    assert kinds(facts) == []
    assert reasons(facts)[uuid(3)] is Reason.VOID_OF_A_VOID


def test_of_several_corrections_the_highest_position_wins_in_any_order() -> None:
    facts: list[Fact] = [correction(3, "proposal"), CALL, correction(2, "advice")]

    assert kinds(facts) == kinds(facts[::-1]) == ["proposal"]
    assert reasons(facts) == {uuid(2): Reason.SUPERSEDED}


def test_voiding_the_winning_correction_brings_the_one_before_back() -> None:
    assert kinds([CALL, correction(2, "advice"), correction(3), void(4, 3)]) == ["advice"]
    assert kinds([CALL, correction(2, "advice"), void(4, 2)]) == ["call"]


def test_a_void_of_the_original_wins_over_every_correction() -> None:
    facts: list[Fact] = [CALL, correction(2), correction(4), void(3, 1)]

    assert kinds(facts) == []
    assert reasons(facts)[uuid(4)] is Reason.ORIGINAL_VOIDED


def test_a_correction_keeps_the_originals_event_id_and_place_in_the_journal() -> None:
    (corrected,) = effective([CALL, correction(2)]).touchpoints

    assert (corrected.event_id, corrected.position) == (uuid(1), 1)
    assert corrected.corrected_by == uuid(2)
    assert corrected.instant_us == correction(2).replacement.instant_us


def test_a_correction_without_a_time_keeps_the_originals() -> None:
    (corrected,) = effective([correction(2, keeps_instant=True), CALL]).touchpoints

    assert corrected.instant_us == CALL.instant_us


def test_a_correction_may_swap_the_two_people_but_not_bring_others() -> None:
    swapped = correction(2, "advice", initiator="bob", counterpart="ann")
    strangers = correction(3, initiator="ann", counterpart="eve")

    assert kinds([strangers, swapped, CALL]) == ["advice"]
    assert reasons([strangers, swapped, CALL]) == {uuid(3): Reason.OTHER_PEOPLE}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (correction(5, replaces=2), Reason.REPLACES_A_CORRECTION),
        (correction(5, replaces=4), Reason.NOT_A_TOUCHPOINT),
        (correction(5, replaces=9), Reason.TARGET_UNKNOWN),
    ],
)
def test_a_correction_of_anything_but_an_original_touchpoint_has_no_effect(
    wrong: Correction, reason: Reason
) -> None:
    facts: list[Fact] = [wrong, CALL, correction(2, "advice"), void(4, 9)]

    assert kinds(facts) == ["advice"]
    assert Ineffective(wrong.event_id, reason) in effective(facts).ineffective


def test_known_at_leaves_out_what_came_later() -> None:
    facts: list[Fact] = [CALL, correction(2, "advice"), void(3, 1)]

    assert kinds(facts, known_at=0) == []
    assert kinds(facts, known_at=1) == ["call"]
    assert kinds(facts, known_at=2) == ["advice"]
    assert kinds(facts, known_at=3) == []


def test_touchpoints_stand_by_time_and_then_by_event_id() -> None:
    same = [touch(n, "call", "2026-03-01T10:00:00") for n in (3, 2)]
    earlier: Touchpoint = touch(9, "call", "2026-03-01T09:59:59")

    told = effective([*same, earlier]).touchpoints

    assert [t.event_id for t in told] == [uuid(9), uuid(2), uuid(3)]
