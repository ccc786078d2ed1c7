"""Who could bring bad news, by hand. A severity-2 incident of ours takes care of 10000 mp."""

from dataclasses import replace
from fractions import Fraction

import pytest

from services.projector.domain.collective.who_knows import impact, who_knows
from services.projector.domain.measures.view import Side
from tests.unit.collective.people import POLICY, stake

ANN_BOB = stake("ann", "bob", 0, 10_001, 10_001)
IDA_BOB = stake("ida", "bob", 0, 30_000, 30_000)
JON_BOB = stake("jon", "bob", 0, 9_999, 9_999)
JON_CAT = stake("jon", "cat", 0, 40_000, 40_000)
CAT_BOB = stake("cat", "bob", 0, 90_000, 90_000)
ZED_BOB = stake("zed", "bob", 0, 20_000, 20_000)
ALL = [ANN_BOB, IDA_BOB, JON_BOB, JON_CAT, CAT_BOB, ZED_BOB]


def test_those_who_would_survive_stand_by_buffer() -> None:
    told = who_knows(ALL, ["bob"], POLICY)

    # Jon would not survive it; Cat is none of ours; nobody has said whose Zed is.
    assert [(knows.person, knows.stake.buffer_mp, knows.side) for knows in told] == [
        ("ida", 30_000, Side.INTERNAL),
        ("zed", 20_000, None),
        ("ann", 10_001, Side.INTERNAL),
    ]


def test_an_organisation_is_known_through_its_person_known_best() -> None:
    told = who_knows([*ALL, stake("ida", "cat", 0, 20_000, 20_000)], ["bob", "cat"], POLICY)

    assert [(knows.person, knows.whom) for knows in told] == [
        ("jon", "cat"),
        ("ida", "bob"),
        ("zed", "bob"),
        ("ann", "bob"),
    ]


def test_a_worse_incident_leaves_fewer() -> None:
    assert impact(POLICY) == 10_000
    assert impact(POLICY, 3) == 30_000
    told = who_knows([replace(IDA_BOB, exact_buffer=Fraction(30_000)), ZED_BOB], ["bob"], POLICY, 3)

    assert [knows.person for knows in told] == ["ida"]


def test_where_rounding_cannot_tell_the_exact_buffer_does() -> None:
    on_the_line = stake("ann", "bob", 0, 10_000, 10_000)
    below = replace(on_the_line, exact_buffer=Fraction(9_999_999, 1_000))
    equal = replace(on_the_line, exact_buffer=Fraction(10_000))

    assert on_the_line.survives(impact(POLICY)) is None
    assert who_knows([below], ["bob"], POLICY) == ()
    assert [knows.person for knows in who_knows([equal], ["bob"], POLICY)] == ["ann"]
    with pytest.raises(ValueError, match="give the exact one"):
        who_knows([on_the_line], ["bob"], POLICY)


def test_nobody_knows_a_person_nobody_has_touched() -> None:
    assert who_knows(ALL, ["nobody"], POLICY) == ()
