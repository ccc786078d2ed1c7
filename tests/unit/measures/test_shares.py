"""Care share, reciprocity and quadrant, worked by hand, and when there is no figure."""

from fractions import Fraction

import pytest

from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.care_share import care_share
from services.projector.domain.measures.evidence import Evidence, evidence
from services.projector.domain.measures.quadrant import Quadrant, quadrant, quadrant_of
from services.projector.domain.measures.ratio import Said
from services.projector.domain.measures.reciprocity import reciprocity
from services.projector.domain.measures.standing import standing
from services.runtime.policy import Audience, Initiative, RecoveryStep
from tests.unit.domain.people import touch, uuid
from tests.unit.measures.views import BOBS, ann_and_bob, contact_without_weight, day

ON = "2026-05-31"
NOON = f"{ON}T12:00:00"
EVIDENCE = contact_without_weight("2026-05")


def advice(prep_minutes: int) -> Touchpoint:
    """KNOW 6000 + 25 a minute, CARE 2000."""
    return touch(1, "advice", NOON, prep_minutes=prep_minutes)


def test_the_care_share_is_care_of_both_accounts() -> None:
    told = care_share(ann_and_bob([*EVIDENCE, touch(1, "meal_or_social", NOON)], ON))

    # CARE 12000 / (12000 + KNOW 2000) = 6/7 = 857.14 per mille
    assert told.share.exact == Fraction(6, 7)
    assert told.share.per_mille == 857
    assert told.know_only is False


@pytest.mark.parametrize(
    ("prep_minutes", "per_mille", "know_only"),
    [
        # 2000 / (2000 + 8000) = 200: not below 200
        (80, 200, False),
        # 2000 / (2000 + 8025) = 199.50..: shown as 200, so not below it either
        (81, 200, False),
        # 2000 / (2000 + 8050) = 199.004..
        (82, 199, True),
    ],
)
def test_know_only_is_told_by_the_figure_shown(
    prep_minutes: int, per_mille: int, know_only: bool
) -> None:
    told = care_share(ann_and_bob([*EVIDENCE, advice(prep_minutes)], ON))

    assert told.share.per_mille == per_mille
    assert told.know_only is know_only


def test_an_account_below_zero_counts_as_nothing() -> None:
    broken = touch(1, "no_show", NOON)
    proposal = touch(2, "proposal", NOON)

    # CARE -4000; KNOW -4000 + 6000 = 2000: 0 / 2000
    told = care_share(ann_and_bob([*EVIDENCE, broken, proposal], ON))
    assert told.share.per_mille == 0
    assert told.know_only is True

    # Both below zero: there is nothing to share.
    told = care_share(ann_and_bob([*EVIDENCE, broken], ON))
    assert (told.share.per_mille, told.share.said) == (None, Said.NOTHING)
    assert told.know_only is None


def test_below_five_contact_days_a_share_says_too_little_evidence() -> None:
    call = touch(1, "call", NOON)

    told = care_share(ann_and_bob([*EVIDENCE[:3], call], ON))
    assert (told.share.per_mille, told.share.said) == (None, Said.TOO_LITTLE_EVIDENCE)
    assert told.know_only is None
    # Rules with a threshold of their own still have the exact value: 4000 / 8000.
    assert told.share.exact == Fraction(1, 2)

    told = care_share(ann_and_bob([*EVIDENCE[:4], call], ON))
    assert (told.share.per_mille, told.share.said) == (500, Said.KNOWN)


def test_evidence_counts_days_not_touches_and_no_machines() -> None:
    told = evidence(
        ann_and_bob(
            [
                touch(1, "call", "2026-05-01T10:00:00"),
                touch(2, "call", "2026-05-01T11:00:00"),
                touch(3, "email.bulk", "2026-05-03T11:00:00"),
                touch(4, "call", "2026-05-03T11:00:00", audience=Audience.MANY),
                touch(5, "transaction", "2026-05-03T11:00:00"),
                touch(6, "call", "2026-05-21T11:00:00"),
            ],
            ON,
        )
    )

    assert told == Evidence(2, day("2026-05-01"), day("2026-05-21"), 30, False)


def test_without_any_contact_evidence_has_no_days() -> None:
    assert evidence(ann_and_bob([], ON)) == Evidence(0, None, None, None, False)


def test_reciprocity_compares_what_is_left_of_what_each_gave() -> None:
    old_call = touch(1, "call", "2026-03-02T12:00:00")
    advice_back = touch(2, "advice", NOON, **BOBS)

    # 2026-03-02 is 90 days before, the half-life of a call: Ann (4000 + 4000) / 2 = 4000.
    # Bob 6000 + 2000 = 8000. 2 x 4000 / 12000 = 666.67 per mille.
    told = reciprocity(ann_and_bob([*EVIDENCE, old_call, advice_back], ON))

    assert told.by_a == 4000
    assert told.by_b == 8000
    assert (told.by_a_mp, told.by_b_mp, told.touches) == (4000, 8000, 2)
    assert told.share.exact == Fraction(2, 3)


def test_a_mutual_touch_is_given_by_both_and_counts_once() -> None:
    meeting = touch(1, "meeting.in_person", NOON, mutual=True)
    call = touch(2, "call", NOON)

    # Ann 16000 + 8000, Bob 16000: 2 x 16000 / 40000
    told = reciprocity(ann_and_bob([*EVIDENCE, meeting, call], ON))

    assert (told.by_a_mp, told.by_b_mp, told.touches) == (24000, 16000, 2)
    assert told.share.exact == Fraction(4, 5)


def test_what_took_more_than_it_gave_and_refunds_are_no_giving() -> None:
    incident = touch(1, "incident", NOON, severity=2, **BOBS)
    fix = touch(2, "recovery", NOON, resolves=uuid(1), recovery_step=RecoveryStep.FIX)
    no_show = touch(3, "no_show", NOON)
    # KNOW 0 + 120 x 25 = 3000 and CARE -4000: -1000 together.
    removed = touch(4, "channel.removed", NOON, prep_minutes=120)
    call = touch(5, "call", NOON, **BOBS)

    told = reciprocity(ann_and_bob([*EVIDENCE, incident, fix, no_show, removed, call], ON))

    # Only Bob's call gives: 2 x 0 / 8000.
    assert (told.by_a_mp, told.by_b_mp, told.touches) == (0, 8000, 1)
    assert told.share.exact == 0


def test_where_nobody_gave_there_is_no_reciprocity() -> None:
    told = reciprocity(ann_and_bob(EVIDENCE, ON))

    assert told.share.per_mille is None
    assert told.share.said is Said.NOTHING


def test_a_figure_half_way_is_rounded_to_the_even_one() -> None:
    # Ann: a like of 1000; Bob: 31 x 1000. 2 x 1 / 32 = 62.5 -> 62 per mille.
    like = touch(1, "social.like", NOON)
    testimonial = touch(2, "testimonial", NOON, **BOBS)  # 13000
    used = touch(3, "fact.used", NOON, **BOBS)  # 5000
    thanks = [touch(n, "thanks.given", NOON, **BOBS) for n in (4, 5)]  # 5000 each
    last = touch(6, "greeting.written", NOON, **BOBS)  # 3000
    given = [like, testimonial, used, *thanks, last]

    told = reciprocity(ann_and_bob([*EVIDENCE, *given], ON))

    assert (told.by_a_mp, told.by_b_mp) == (1000, 31000)
    assert told.share.per_mille == 62


def test_below_six_touches_reciprocity_says_too_little_evidence() -> None:
    # `measures.reciprocity_min_touches` is 6; what gave nothing is no touch of it.
    calls = [touch(n, "call", NOON, **BOBS) for n in range(1, 6)]

    told = reciprocity(ann_and_bob([*EVIDENCE, *calls], ON))
    assert (told.touches, told.share.per_mille) == (5, None)
    assert told.share.said is Said.TOO_LITTLE_EVIDENCE

    told = reciprocity(ann_and_bob([*EVIDENCE, *calls, touch(6, "call", NOON)], ON))
    assert (told.touches, told.share.said) == (6, Said.KNOWN)


def test_what_a_machine_sent_gives_a_tenth() -> None:
    sent = touch(1, "call", NOON, initiative=Initiative.AUTOMATED)

    assert reciprocity(ann_and_bob([sent], ON)).by_a == 800


@pytest.mark.parametrize(
    ("know_mp", "care_mp", "expected"),
    [
        (9999, 9999, Quadrant.NEITHER),
        (10000, 9999, Quadrant.KNOW),
        (9999, 10000, Quadrant.CARE),
        (10000, 10000, Quadrant.BOTH),
        (-50000, -1, Quadrant.NEITHER),
    ],
)
def test_a_quadrant_begins_at_its_bound(know_mp: int, care_mp: int, expected: Quadrant) -> None:
    assert quadrant_of(know_mp, care_mp, 10000) is expected


def test_the_quadrant_needs_evidence_too() -> None:
    referral = touch(1, "referral", NOON)  # KNOW 4000, CARE 10000

    assert quadrant(ann_and_bob([referral], ON)).quadrant is None
    told = quadrant(ann_and_bob([*EVIDENCE, referral], ON))
    assert (told.quadrant, told.bound_mp) == (Quadrant.CARE, 10000)


def test_the_standing_says_the_highest_severity_it_survives_today() -> None:
    # CARE 10000 + 250 per mille of 4000 = 11000. An incident of ours costs CARE 3000, 10000,
    # 30000, 80000 by severity.
    referral = touch(1, "referral", NOON)
    unheard = touch(2, "unheard.of", NOON)

    told = standing(ann_and_bob([referral, unheard], ON))
    assert (told.know_mp, told.care_mp, told.buffer_mp) == (4000, 10000, 11000)
    assert (told.survives_severity, told.touchpoints, told.unknown) == (2, 2, 1)

    # Equal is enough: a greeting is CARE 3000.
    greeting = touch(3, "greeting.written", NOON)
    assert standing(ann_and_bob([greeting], ON)).survives_severity == 1
    assert standing(ann_and_bob([], ON)).survives_severity is None
