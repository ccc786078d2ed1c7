"""Promises, needs, reliability and the trust panel, worked by hand."""

from typing import Any

from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.obligations import State, obligations
from services.projector.domain.measures.ratio import Said
from services.projector.domain.measures.reliability import reliability
from services.projector.domain.measures.trust import trust_panel
from services.projector.domain.measures.view import Side
from tests.unit.domain.people import touch, uuid
from tests.unit.measures.views import BOBS, ann_and_bob, contact_without_weight, day

ON = "2026-05-31"


def promise(number: int, at: str, due_on: str | None = None, **fields: Any) -> Touchpoint:
    due = None if due_on is None else day(due_on)
    return touch(number, "promise.made", f"{at}T09:00:00", due_on=due, **fields)


def outcome(number: int, kind: str, at: str, of: int, **fields: Any) -> Touchpoint:
    return touch(number, kind, f"{at}T09:00:00", fulfils=uuid(of), **fields)


def states(touchpoints: list[Touchpoint], on: str = ON) -> dict[str, State]:
    return {o.event_id: o.state for o in obligations(ann_and_bob(touchpoints, on))}


def test_a_promise_is_open_through_its_due_day_and_overdue_after() -> None:
    made = promise(1, "2026-05-01", due_on="2026-05-20")

    assert states([made], "2026-05-20") == {uuid(1): State.OPEN}
    assert states([made], "2026-05-21") == {uuid(1): State.OVERDUE}
    (told,) = obligations(ann_and_bob([made], "2026-05-21"))
    assert (told.due_in_days, told.owed_by, told.settled_by) == (-1, ("ann",), None)


def test_a_promise_without_a_day_is_never_overdue() -> None:
    (told,) = obligations(ann_and_bob([promise(1, "2020-01-01")], ON))

    assert (told.state, told.due_in_days) == (State.OPEN, None)


def test_what_fulfils_it_settles_it_the_earliest_first() -> None:
    made = [promise(n, "2026-05-01", due_on="2026-05-10") for n in (1, 2, 3, 4)]
    touchpoints = [
        *made,
        outcome(11, "promise.kept", "2026-05-10", of=1),
        outcome(12, "promise.broken", "2026-05-11", of=2),
        # Made good later: it was broken all the same.
        outcome(13, "promise.kept", "2026-05-12", of=2),
        # A meeting may keep a promise; this one was late.
        outcome(14, "meeting.in_person", "2026-05-13", of=3),
        outcome(15, "no_show", "2026-05-09", of=4),
    ]

    told = obligations(ann_and_bob(touchpoints, ON))

    assert [(o.state, o.kept_late) for o in told] == [
        (State.KEPT, False),
        (State.BROKEN, False),
        (State.KEPT, True),
        (State.BROKEN, False),
    ]
    # On the day before anything happened, all were open.
    assert set(states(touchpoints, "2026-05-08").values()) == {State.OPEN}


def test_a_need_is_owed_by_whom_it_was_stated_to_and_promising_does_not_meet_it() -> None:
    need = touch(1, "need.stated", "2026-05-01T09:00:00", due_on=day("2026-05-30"), **BOBS)
    promised = promise(2, "2026-05-02", fulfils=uuid(1))
    met = outcome(3, "need.met", "2026-05-03", of=1)

    told = obligations(ann_and_bob([need, promised], ON))
    assert [(o.is_need, o.owed_by, o.state) for o in told] == [
        (True, ("ann",), State.OVERDUE),
        (False, ("ann",), State.OPEN),
    ]
    assert states([need, promised, met])[uuid(1)] is State.KEPT


def test_a_colleague_may_meet_it_in_a_relationship_of_his_own() -> None:
    need = touch(1, "need.stated", "2026-05-01T09:00:00", **BOBS)
    colleagues = outcome(2, "need.met", "2026-05-03", of=1, initiator="cid")

    (told,) = obligations(ann_and_bob([need], ON, settling=[colleagues]))
    assert (told.state, told.settled_by) == (State.KEPT, colleagues)

    (told,) = obligations(ann_and_bob([need], "2026-05-02", settling=[colleagues]))
    assert told.state is State.OPEN


def test_a_mutual_promise_is_owed_by_both() -> None:
    (told,) = obligations(ann_and_bob([promise(1, "2026-05-01", mutual=True)], ON))

    assert told.owed_by == ("ann", "bob")


PROMISES = [
    promise(1, "2026-05-01"),
    promise(2, "2026-05-02"),
    promise(3, "2026-05-03", due_on="2026-05-04"),
    promise(4, "2026-05-04", **BOBS),
    outcome(11, "promise.kept", "2026-05-05", of=1),
    # Bob is the one who says so; it is still Ann's promise.
    outcome(12, "promise.broken", "2026-05-06", of=2, **BOBS),
    outcome(14, "promise.kept", "2026-05-07", of=4, **BOBS),
    # Nobody wrote down that it was promised.
    touch(15, "promise.kept", "2026-05-08T09:00:00"),
]


def test_reliability_counts_each_promise_once_for_who_made_it() -> None:
    told = reliability(ann_and_bob(PROMISES, ON))

    # Ann: 1 and 15 kept, 2 broken, 3 still open: (2 + 1) / (2 + 1 + 2) = 600.
    ann, bob = told.by_person["ann"], told.by_person["bob"]
    assert (ann.kept_events, ann.broken_events) == ((uuid(11), uuid(15)), (uuid(12),))
    assert ann.share.per_mille == 600
    # Bob: (1 + 1) / (1 + 0 + 2) = 666.7.
    assert (bob.kept, bob.broken, bob.share.per_mille) == (1, 0, 667)
    assert told.ours == ann


def test_nobody_promised_anything_is_one_half() -> None:
    told = reliability(ann_and_bob(contact_without_weight("2026-05"), ON))

    assert told.ours.share.per_mille == 500


def test_without_one_of_ours_there_is_no_reliability_of_ours() -> None:
    told = reliability(ann_and_bob(PROMISES, ON, sides={"bob": Side.EXTERNAL}))

    assert told.ours.share.said is Said.NO_SIDE
    assert (told.ours.kept, told.ours.broken) == (0, 0)
    assert told.by_person["ann"].share.per_mille == 600


def test_the_trust_panel_has_four_bars_with_counts() -> None:
    at = f"{ON}T09:00:00"
    touchpoints = [
        *PROMISES,
        touch(21, "proposal", at),
        touch(22, "ask", at),
        touch(23, "ask", at, **BOBS),
        touch(24, "meal_or_social", at, mutual=True, depth=2, **BOBS),
        touch(25, "call", at, depth=1),
        touch(26, "call", at, depth=3),
        touch(27, "email.bulk", at),
    ]

    told = trust_panel(ann_and_bob(touchpoints, ON))

    # Entries adding to KNOW: kept 11, 14, 15; proposal; meal; two calls.
    assert told.credibility.touches == 7
    assert told.credibility.know_mp == ann_and_bob(touchpoints, ON).balance.know_mp
    assert told.reliability.share.per_mille == 600
    # Depth 2 or more: 24 and 26 of three that were rated, of 8 + 6 contacts.
    intimacy = told.intimacy
    assert (intimacy.deep, intimacy.with_depth, intimacy.contacts) == (2, 3, 14)
    assert intimacy.share.per_mille == 667
    # Out went Ann's 1, 2, 3, 11, 15, 21, 22, 25, 26 and the meal: 10, two of them wanting.
    outgoing = told.self_orientation
    assert (outgoing.asks, outgoing.proposals, outgoing.outbound) == (1, 1, 10)
    assert (outgoing.share.per_mille, outgoing.left_out) == (200, 0)


def test_bars_that_need_a_side_say_so_the_others_stand() -> None:
    told = trust_panel(ann_and_bob(PROMISES, ON, sides={}))

    assert told.self_orientation.share.said is Said.NO_SIDE
    assert told.self_orientation.left_out == 8
    assert told.reliability.share.said is Said.NO_SIDE
    assert told.credibility.touches == 3


def test_intimacy_is_absent_when_nobody_rated_the_depth() -> None:
    told = trust_panel(ann_and_bob(PROMISES, ON)).intimacy

    assert (told.share.per_mille, told.share.said) == (None, Said.NOTHING)
