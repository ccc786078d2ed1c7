"""Sums, concentration and capital at risk, by hand."""

import pytest

from services.projector.domain.collective.capital_at_risk import capital_at_risk
from services.projector.domain.collective.concentration import concentration
from services.projector.domain.collective.portfolio import portfolio
from services.projector.domain.collective.stake import each_once, stake_of
from services.projector.domain.collective.sums import sums
from services.projector.domain.measures.quadrant import Quadrant
from services.projector.domain.measures.view import Side
from tests.unit.collective.people import POLICY, stake, view
from tests.unit.domain.people import touch

# Ann has Bob and Cat, Ida has Cat, and Ann and Ida have each other.
ANN_BOB = stake("ann", "bob", 12_000, 20_000, 23_000)
ANN_CAT = stake("ann", "cat", 2_000, -6_000, -5_500)
IDA_CAT = stake("ida", "cat", 10_000, 9_999, 12_499)
ANN_IDA = stake("ann", "ida", 0, 4_000, 4_000, contact_days=4)
ALL = [ANN_BOB, ANN_CAT, IDA_CAT, ANN_IDA]


def test_sums_are_those_of_each_canonical_pair_once() -> None:
    # Bob's list and Ann's list both have ann~bob.
    told = sums([*ALL, ANN_BOB, ANN_IDA], POLICY)

    assert told.know_mp == 24_000  # 12000 + 2000 + 10000 + 0
    assert told.care_mp == 27_999  # 20000 - 6000 + 9999 + 4000
    assert told.buffer_mp == 33_999  # 23000 - 5500 + 12499 + 4000
    assert told.relationships == 4


def test_one_pair_with_two_balances_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="one balance"):
        each_once([ANN_BOB, stake("ann", "bob", 1, 2, 3)])


def test_quadrants_count_from_10000_mp_and_only_with_evidence() -> None:
    told = sums(ALL, POLICY)

    # ann~bob 12000/20000 both; ann~cat 2000/-6000 neither; ida~cat 10000/9999 know alone;
    # ann~ida has 4 contact-days only.
    assert {count.quadrant: count.relationships for count in told.quadrants} == {
        Quadrant.NEITHER: 1,
        Quadrant.KNOW: 1,
        Quadrant.CARE: 0,
        Quadrant.BOTH: 1,
    }
    assert told.too_little_evidence == 1


def test_concentration_shares_the_buffers_above_0() -> None:
    # Above 0 there are 23000 + 12499 + 4000 = 39499. Ann is in 23000 + 4000 = 27000 of it
    # (her debt with Cat lowers her sum to 21500, and nobody's share), Ida in 16499.
    ann, ida = concentration(ALL, Side.INTERNAL)

    assert (ann.person, ann.know_mp, ann.care_mp, ann.buffer_mp) == ("ann", 14_000, 18_000, 21_500)
    assert (ann.held_mp, ann.of_mp, ann.relationships) == (27_000, 39_499, 3)
    assert ann.share_per_mille == 684  # 27000 / 39499 = 0.68356
    assert (ida.person, ida.buffer_mp, ida.share_per_mille) == ("ida", 16_499, 418)  # 0.41771


def test_concentration_by_their_people_stands_by_buffer() -> None:
    bob, cat = concentration(ALL, Side.EXTERNAL)

    assert (bob.person, bob.buffer_mp, bob.share_per_mille) == ("bob", 23_000, 582)  # 0.58229
    assert (cat.person, cat.buffer_mp, cat.share_per_mille) == ("cat", 6_999, 316)  # 12499/39499


def test_without_a_buffer_above_0_nobody_has_a_share() -> None:
    (ann,) = concentration([ANN_CAT], Side.INTERNAL)

    assert ann.share_per_mille is None


def test_capital_at_risk_is_the_care_one_of_ours_holds() -> None:
    # Ann 20000 - 6000 + 4000 = 18000; Ida 9999 + 4000 = 13999.
    told = [(holding.person, holding.care_mp) for holding in capital_at_risk(ALL)]

    assert told == [("ann", 18_000), ("ida", 13_999)]


def test_a_portfolio_of_a_person_has_the_relationships_of_that_person() -> None:
    told = portfolio(ALL, POLICY, ["ida"])

    assert told.sums.buffer_mp == 16_499  # 12499 + 4000
    assert [held.person for held in told.by_external] == ["cat"]
    assert [held.person for held in told.by_internal] == ["ida", "ann"]
    # Of Ann only the pair with Ida is seen: what she holds at risk is not told here.
    assert [(held.person, held.care_mp) for held in told.capital_at_risk] == [("ida", 13_999)]


def test_a_team_counts_a_pair_of_two_of_its_people_once() -> None:
    told = portfolio(ALL, POLICY, ["ida", "ann"])

    assert told.sums == sums(ALL, POLICY)
    assert [held.pair for held in told.strongest] == [
        ("ann", "bob"),
        ("cat", "ida"),
        ("ann", "ida"),
        ("ann", "cat"),
    ]
    assert told.weakest == told.strongest[::-1]


def test_at_most_ten_are_the_strongest_equal_ones_by_pair() -> None:
    many = [stake("ann", f"x{number:02}", 0, 5, 5) for number in range(12)]

    told = portfolio(many, POLICY)

    assert [held.b for held in told.strongest] == [f"x{number:02}" for number in range(10)]
    assert [held.b for held in told.weakest] == [f"x{number:02}" for number in range(10)]
    # Nobody has said who they are, so no holding names them.
    assert told.by_external == ()
    assert len(told.without_side) == 12


def test_nobody_has_an_empty_portfolio() -> None:
    told = portfolio([], POLICY, ["nobody"])

    assert (told.sums.know_mp, told.sums.relationships) == (0, 0)
    assert (told.by_internal, told.strongest, told.capital_at_risk) == ((), (), ())


def test_a_stake_has_the_figures_of_its_relationship() -> None:
    # A call today: know 4000, care 4000, buffer 4000 + 4000/4.
    call = touch(1, "call", "2026-01-05T10:00:00")

    told = stake_of(view([call], call.day))

    assert (told.know_mp, told.care_mp, told.buffer_mp) == (4_000, 4_000, 5_000)
    assert (told.contact_days, told.a_side, told.b_side) == (1, Side.INTERNAL, Side.EXTERNAL)
