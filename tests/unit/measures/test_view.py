"""One relationship as of a day."""

import pytest

from services.projector.domain.identity import Link, identities
from services.projector.domain.measures.view import Side, view_of
from services.projector.domain.questions import balance_on
from services.runtime.policy import default_policy
from tests.unit.domain.people import touch, uuid

POLICY = default_policy()
CALL = touch(1, "call", "2026-01-01T10:00:00")
LATER = touch(2, "call", "2026-02-01T10:00:00", initiator="bob", counterpart="ann")
OTHERS = touch(3, "call", "2026-01-01T10:00:00", counterpart="eve")
# Eve turns out to be Ann; `ann` is the canonical id, being the smaller.
EVE_IS_ANN = identities([Link(event_id=uuid(9), position=9, a="eve", b="ann", strong=True)])


def test_only_this_relationship_up_to_the_day_is_in_it_in_order() -> None:
    early = view_of([LATER, OTHERS, CALL], POLICY, CALL.day, ("bob", "ann"))
    late = view_of([LATER, OTHERS, CALL], POLICY, LATER.day, ("ann", "bob"))

    assert (early.a, early.b) == ("ann", "bob")
    assert early.touchpoints == (CALL,)
    assert late.touchpoints == (CALL, LATER)
    assert late.contact_days == (CALL.day, LATER.day)
    assert late.window(31) == (LATER,)
    assert late.window(32) == (CALL, LATER)


def test_linked_ids_are_one_human_and_what_he_did_with_himself_is_left_out() -> None:
    eves = touch(4, "call", "2026-01-02T10:00:00", initiator="eve", counterpart="bob")

    view = view_of([CALL, OTHERS, eves], POLICY, eves.day, ("bob", "eve"), humans=EVE_IS_ANN)

    assert view.pair == ("ann", "bob")
    assert view.touchpoints == (CALL, eves)
    assert view.givers(eves) == ("ann",)


def test_a_human_and_himself_have_no_relationship() -> None:
    with pytest.raises(ValueError, match="different humans"):
        view_of([], POLICY, 0, ("ann", "eve"), humans=EVE_IS_ANN)


def test_sides_and_tiers_are_found_under_any_id_the_canonical_one_first() -> None:
    view = view_of(
        [],
        POLICY,
        0,
        ("ann", "bob"),
        sides={"eve": Side.EXTERNAL, "bob": None},
        tiers={"eve": "wide", "ann": "inner"},
        humans=EVE_IS_ANN,
    )

    assert view.side("ann") is Side.EXTERNAL
    assert view.external == ("ann",)
    assert view.sideless == ("bob",)
    assert view.internal == ()
    assert view.tier("ann") == "inner"
    assert view.tier("bob") is None


def test_a_mutual_touch_is_given_by_both() -> None:
    meeting = touch(1, "meeting.in_person", "2026-01-01T10:00:00", mutual=True)
    view = view_of([meeting, LATER], POLICY, LATER.day, ("ann", "bob"))

    assert view.givers(meeting) == ("ann", "bob")
    assert view.givers(LATER) == ("bob",)
    assert view.other("ann") == "bob"
    assert view.other("bob") == "ann"


def test_its_balance_is_that_of_the_fold_on_any_day() -> None:
    view = view_of([CALL, LATER], POLICY, LATER.day, ("ann", "bob"))

    for day in (CALL.day - 1, CALL.day, LATER.day, LATER.day + 400):
        assert view.balance_on(day) == balance_on([CALL, LATER], POLICY, day)
        assert view.as_of(day).balance == balance_on([CALL, LATER], POLICY, day)
    assert view.as_of(CALL.day).touchpoints == (CALL,)
    # CARE 4000 + 250 per mille of KNOW 4000
    assert view.as_of(CALL.day).buffer_mp == 5000


def test_without_touchpoints_everything_is_empty() -> None:
    view = view_of([], POLICY, 0, ("ann", "bob"))

    assert (view.touchpoints, view.entries, view.contact_days) == ((), (), ())
    assert view.buffer_mp == 0
