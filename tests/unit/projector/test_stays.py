"""Stays: whose touchpoints a timeline holds, and since when."""

from services.projector.domain.identity import NO_LINKS, Link, identities
from services.projector.queries.portfolios import human_tiers
from services.projector.queries.stays import stays_of
from services.projector.queries.timelines import Stay
from tests.unit.domain.people import uuid


def test_stays_that_touch_or_overlap_are_one() -> None:
    spans = {"eve": [(20, 30), (0, 10), (10, 15), (25, 40), (50, 50)]}

    assert stays_of(spans, NO_LINKS) == (Stay("eve", 0, 15), Stay("eve", 20, 40))


def test_every_id_of_a_human_stays_where_one_of_them_does() -> None:
    humans = identities([Link(event_id=uuid(1), position=1, a="eva", b="eve", strong=True)])

    assert stays_of({"eve": [(0, 10)], "eva": [(5, 20)]}, humans) == (
        Stay("eva", 0, 20),
        Stay("eve", 0, 20),
    )


def test_a_stay_covers_its_first_instant_and_not_its_last() -> None:
    stay = Stay("eve", 10, 20)

    assert [stay.covers(instant) for instant in (9, 10, 19, 20)] == [False, True, True, False]


def test_the_tier_of_a_human_is_that_of_the_first_id_that_has_one() -> None:
    first = ((10, "close"), (30, None))
    second = ((5, "wide"), (20, "inner"))

    assert human_tiers([first, second]) == (
        (5, "wide"),
        (10, "close"),
        (20, "close"),
        (30, "inner"),
    )
