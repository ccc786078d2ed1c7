"""Rules 1 to 4, worked by hand."""

from typing import Any

import pytest

from services.projector.domain.entries import fold
from services.projector.domain.weights import PRODUCT_SCALE, independent, weigher_of
from services.runtime.policy import Attribution, Audience, Initiative, default_policy
from tests.unit.domain.people import touch

POLICY = default_policy()


def weight(kind: str, **fields: Any) -> tuple[int, int]:
    weighed = weigher_of(POLICY).weigh(touch(1, kind, "2026-03-01T10:00:00", **fields))
    assert weighed is not None
    return weighed.know_mp, weighed.care_mp


@pytest.mark.parametrize(
    ("live", "care_mp"),
    [
        (None, 4000),
        (0, 4000),
        (15, 4000),
        (16, 4020),  # 1000 + floor(250 x 1 / 45) = 1005
        (60, 5000),
        (61, 5016),  # 1250 + floor(500 x 1 / 120) = 1254
        (180, 7000),
        (10_000, 7000),
    ],
)
def test_live_minutes_raise_care_along_the_curve(live: int | None, care_mp: int) -> None:
    assert weight("call", live_minutes=live) == (4000, care_mp)


def test_live_minutes_do_nothing_for_a_kind_without_effort() -> None:
    assert weight("advice", live_minutes=180) == (6000, 2000)


def test_preparing_adds_25_mp_a_minute_to_know_up_to_120_minutes() -> None:
    assert weight("ask", prep_minutes=7) == (175, 0)
    assert weight("ask", prep_minutes=120) == (3000, 0)
    assert weight("ask", prep_minutes=121) == (3000, 0)


def test_preparation_is_added_before_the_factors() -> None:
    # (8000 + 40 x 25) x 1.1 x 0.5
    assert weight("meeting.in_person", prep_minutes=40, sentiment=1, audience=Audience.FEW) == (
        4950,
        4400,
    )


def test_sentiment_turns_a_positive_kind_and_leaves_a_negative_one() -> None:
    assert weight("call", sentiment=-2) == (-4000, -4000)
    assert weight("call", sentiment=-1) == (1000, 1000)
    assert weight("channel.removed", sentiment=-2) == (0, -4000)
    # Preparation does not make the kind any less negative in the table.
    assert weight("no_show", sentiment=-2, prep_minutes=120) == (-1000, -4000)


def test_a_broadcast_weighs_nothing_and_a_machine_a_tenth() -> None:
    assert weight("greeting.written", audience=Audience.MANY) == (0, 0)
    assert weight("greeting.written", initiative=Initiative.AUTOMATED) == (0, 300)


def test_factors_multiply_exactly_and_are_rounded_once() -> None:
    fields = {"initiative": Initiative.AUTOMATED, "audience": Audience.FEW, "sentiment": 2}
    weighed = weigher_of(POLICY).weigh(touch(1, "social.like", "2026-03-01T10:00:00", **fields))

    assert weighed is not None
    assert weighed.care_product * 2 == 125 * PRODUCT_SCALE
    assert weighed.care_mp == 62


@pytest.mark.parametrize(
    ("attribution", "share"),
    [(Attribution.OURS, 10), (Attribution.SHARED, 6), (Attribution.EXTERNAL, 3), (None, 8)],
)
def test_an_incident_costs_by_severity_and_by_whose_doing_it_was(
    attribution: Attribution | None, share: int
) -> None:
    fields = {"severity": 3, "attribution": attribution, "audience": Audience.MANY}

    assert weight("incident", sentiment=-2, prep_minutes=60, **fields) == (
        -1500 * share,
        -3000 * share,
    )


def test_a_kind_the_policy_does_not_have_weighs_nothing_and_is_listed() -> None:
    stranger = touch(1, "unheard.of", "2026-03-01T10:00:00", prep_minutes=60)

    folded = fold([stranger], POLICY)

    assert folded.entries == ()
    assert folded.unknown == (stranger,)


@pytest.mark.parametrize(
    ("kind", "alone"),
    [("call", True), ("unheard.of", True), ("social.like", False), ("incident", False)],
)
def test_a_touchpoint_is_independent_when_no_other_can_change_its_entry(
    kind: str, alone: bool
) -> None:
    assert independent(touch(1, kind, "2026-03-01T10:00:00"), POLICY) is alone
