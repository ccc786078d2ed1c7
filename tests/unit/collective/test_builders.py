"""Whose relationships survive: ranks, groups and pleasers, by hand."""

from fractions import Fraction

from services.projector.domain.collective.builders import (
    PURPOSE,
    Builder,
    Withheld,
    builders,
    parts_of,
    withheld,
)
from services.projector.domain.collective.survival import BuilderPart, Fate, IncidentFate
from tests.unit.collective.people import OURS, POLICY, changed, view
from tests.unit.collective.test_survival import CALLS, WENT_WRONG, after

ENABLED = changed(POLICY, '"enabled":false', '"enabled":true')
S, L, O = Fate.SURVIVED, Fate.LOST, Fate.OPEN  # noqa: E741
HALF = Fraction(1, 2)


def part(
    person: str,
    counterpart: str,
    *fates: Fate,
    reciprocity: Fraction | None = HALF,
    gifts_mp: int = 0,
    outbound_mp: int = 10_000,
) -> BuilderPart:
    return BuilderPart(
        person=person,
        counterpart=counterpart,
        contact_days=9,
        fates=tuple(IncidentFate(f"{counterpart}-{n}", fate, None) for n, fate in enumerate(fates)),
        reciprocity=reciprocity,
        gifts_mp=gifts_mp,
        outbound_mp=outbound_mp,
    )


def told(*parts: BuilderPart, **teams: str) -> tuple[Builder, ...]:
    return builders(parts, OURS, teams, ENABLED).builders


def test_nobody_is_told_unless_the_policy_says_so() -> None:
    found = builders([part("ann", "bob", S, S, S)], OURS, {}, POLICY)

    assert (found.builders, found.withheld) == ((), Withheld.NOT_ENABLED)
    assert "Not for decisions about" in PURPOSE


def test_a_group_of_four_is_too_small() -> None:
    four = OURS[:4]

    assert withheld(ENABLED, four) is Withheld.GROUP_TOO_SMALL
    assert builders([part("ann", "bob", S, S, S)], four, {}, ENABLED).builders == ()
    assert withheld(ENABLED, OURS) is None


def test_survival_is_that_of_the_decided_incidents_of_all_relationships() -> None:
    (ann,) = told(part("ann", "bob", S, S, L), part("ann", "cat", S, O), part("ann", "dan"))

    assert (ann.survived, ann.decided, ann.open_incidents) == (3, 4, 1)
    assert ann.survival_per_mille == 750
    # Wilson, 3 of 4: (0.75 + 0.4802 - 1.96 sqrt(0.046875 + 0.060025)) / 1.9604
    #               = (1.2302 - 0.640833) / 1.9604 = 0.300636.
    assert ann.wilson_lower_per_mille == 301
    assert ann.relationships == 3


def test_they_are_ranked_by_wilsons_bound_and_not_by_share() -> None:
    # 9 of 10: 596. 3 of 3: 438, whatever the share.
    ranked = told(part("ann", "bob", S, S, S), part("ida", "cat", *[S] * 9, L))

    assert [(found.person, found.wilson_lower_per_mille) for found in ranked] == [
        ("ida", 596),
        ("ann", 438),
    ]


def test_ties_fall_to_reciprocity_then_teams_then_the_id() -> None:
    three = (S, S, S)
    ranked = told(
        part("ann", "bob", *three, reciprocity=None),
        part("ida", "bob", *three, reciprocity=Fraction(2, 5)),
        part("jon", "cat", *three, reciprocity=Fraction(2, 5)),
        part("kim", "bob", *three, reciprocity=Fraction(1, 5)),
        part("kim", "cat", reciprocity=Fraction(4, 5)),  # median (1/5 + 4/5) / 2 = 1/2
        part("leo", "bob", *three, reciprocity=Fraction(2, 5)),
        cat="sales",
    )

    # Kim 500; Jon reaches a team, Ida and Leo none; Ann has no reciprocity at all.
    assert [found.person for found in ranked] == ["kim", "jon", "ida", "leo", "ann"]
    assert [found.reciprocity_per_mille for found in ranked] == [500, 400, 400, 400, None]
    assert [found.teams_reached for found in ranked] == [1, 1, 0, 0, 0]


def test_below_three_incidents_somebody_is_unproven_and_last() -> None:
    ranked = told(
        part("ann", "bob", S, S, O),  # two decided: 2 / (2 + 3.8416) = 0.342, 342 per mille
        part("ida", "cat", L, L, L),  # three decided: 0
        part("jon", "dan", O),  # none decided
    )

    assert [(found.person, found.unproven) for found in ranked] == [
        ("ida", False),
        ("ann", True),
        ("jon", True),
    ]
    assert [found.wilson_lower_per_mille for found in ranked] == [0, 342, None]


def test_a_pleaser_gives_gifts_above_30_percent_and_survives_below_the_median() -> None:
    ranked = told(
        part("ann", "bob", S, S, S, gifts_mp=9_000),  # gives much, survives: a builder
        part("ida", "cat", S, L, L, gifts_mp=3_001),  # 1/3, gives 30.01 %: a pleaser
        part("jon", "dan", S, L, L, gifts_mp=3_000),  # 1/3, 30 % is not above
        part("kim", "eva", S, S, L, gifts_mp=9_000),  # 2/3, the median of 1, 1/3, 1/3, 2/3, 1
        part("leo", "fay", S, S, S),
    )

    assert {found.person for found in ranked if found.pleaser} == {"ida"}


def test_nobody_unproven_is_called_a_pleaser() -> None:
    ranked = told(part("ann", "bob", L, L, gifts_mp=9_000), part("ida", "cat", S, S, S))

    assert not any(found.pleaser for found in ranked)


def test_people_outside_the_group_are_not_told() -> None:
    assert told(part("bob", "ann", S, S, S)) == ()


def test_parts_come_from_relationships_for_each_of_ours_in_them() -> None:
    touches = [*CALLS, WENT_WRONG, after(3)]
    seen = view(touches, WENT_WRONG.day + 100)

    (ann,) = told(*parts_of([seen], OURS))

    assert (ann.person, ann.survived, ann.decided) == ("ann", 1, 1)
    assert ann.parts[0].fates[0].survived_by == after(3).event_id
    assert list(parts_of([seen], ["ida"])) == []
