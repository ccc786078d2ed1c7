"""Lines that add up, and what changed between two days."""

from services.projector.domain.apportion import Share, apportion
from services.projector.domain.compare import Change, compare
from services.projector.domain.entries import fold
from services.projector.domain.receipt import receipt
from services.runtime.policy import Attribution, RecoveryStep, default_policy
from tests.unit.domain.people import touch, uuid

POLICY = default_policy()


def test_the_largest_remainder_gets_the_missing_mp_and_ties_go_by_event_id() -> None:
    shares = [Share(13, 10, "c"), Share(4, 3, "b"), Share(26, 20, "a"), Share(-5, 3, "d")]

    # Floors 1 1 1 -2; remainders 0.3 0.333 0.3 0.333.
    assert apportion(shares, 1) == [1, 1, 1, -2]
    assert apportion(shares, 2) == [1, 2, 1, -2]
    assert apportion(shares, 3) == [1, 2, 1, -1]
    assert apportion(shares, 4) == [1, 2, 2, -1]


def test_nothing_adds_up_to_nothing() -> None:
    assert apportion([], 0) == []


def test_a_difference_of_two_rounded_balances_may_take_one_mp_from_a_line() -> None:
    # 1.5 and 2.5 both round to 2 although a line of exactly 1 came in between.
    assert apportion([Share(1, 1, "b"), Share(2, 1, "a"), Share(1, 4, "c")], 2) == [1, 1, 0]


def test_a_receipt_lists_every_entry_with_what_is_left_of_it() -> None:
    call = touch(1, "call", "2026-01-01T10:00:00")
    ask = touch(2, "ask", "2026-01-02T10:00:00")
    later = touch(3, "call", "2026-06-01T10:00:00")
    on = call.day + 90

    told = receipt(fold([later, ask, call], POLICY).entries, on)

    assert [(line.entry.event_id, line.know_mp, line.care_mp) for line in told.lines] == [
        (uuid(1), 2000, 2000),
        (uuid(2), 0, 0),
    ]
    assert (told.know_mp, told.care_mp) == (2000, 2000)


def test_a_refund_has_its_line_from_the_day_of_the_step_on() -> None:
    raised = touch(1, "incident", "2026-05-01T08:00:00", severity=1, attribution=Attribution.OURS)
    fix = touch(
        2, "recovery", "2026-05-03T08:00:00", resolves=uuid(1), recovery_step=RecoveryStep.FIX
    )
    entries = fold([raised, fix], POLICY).entries

    assert len(receipt(entries, fix.day - 1).lines) == 1
    assert len(receipt(entries, fix.day).lines) == 2


def test_a_comparison_tells_decay_from_re_weighting_from_what_is_new() -> None:
    call = touch(1, "call", "2026-02-20T10:00:00")
    like = touch(2, "social.like", "2026-03-03T10:00:00")
    comment = touch(3, "social.comment", "2026-03-04T10:00:00")

    told = compare([call, like, comment], POLICY, like.day, comment.day)

    assert [(line.entry.event_id, line.change) for line in told.lines] == [
        (uuid(3), Change.NEW),
        (uuid(2), Change.REWEIGHTED),
        (uuid(1), Change.DECAY),
    ]
    assert sum(line.care_mp for line in told.lines) == told.care_mp
    assert told.lines[0].care_mp == 3000


def test_a_day_compared_with_itself_changes_nothing() -> None:
    call = touch(1, "call", "2026-02-20T10:00:00")

    told = compare([call], POLICY, call.day + 7, call.day + 7)

    assert [(line.change, line.know_mp, line.care_mp) for line in told.lines] == [
        (Change.DECAY, 0, 0)
    ]
