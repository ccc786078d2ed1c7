"""Places, days, facts, signals and descriptions by the day."""

from datetime import date

import pytest

from services.projector.domain.facts import Void
from services.projector.domain.measures.view import Side
from services.projector.domain.people.affiliations import Ended, Started, affiliations
from services.projector.domain.people.dates import NotedDate
from services.projector.domain.people.descriptions import Description, descriptions
from services.projector.domain.people.in_effect import in_effect
from services.projector.domain.people.learned import LearnedFact, uses
from services.projector.domain.people.signals import Signal, unanswered
from services.runtime.clock import US_PER_DAY, date_from_day, day_from_date
from tests.unit.domain.people import touch, uuid

ACME, BETA = "organizations/acme", "organizations/beta"


def started(number: int, day: int, organization: str = ACME, person: str = "bob") -> Started:
    return Started(
        event_id=uuid(number),
        position=number,
        instant_us=day * US_PER_DAY,
        person=person,
        organization=organization,
    )


def ended(number: int, day: int, ends: int, organization: str = ACME) -> Ended:
    return Ended(
        event_id=uuid(number),
        position=number,
        instant_us=day * US_PER_DAY,
        person="bob",
        organization=organization,
        ends=uuid(ends),
    )


def void(number: int, target: int) -> Void:
    return Void(event_id=uuid(number), position=number, target=uuid(target))


def test_a_place_is_held_from_its_first_day_to_the_day_before_its_end() -> None:
    known = affiliations([started(1, 100), started(2, 200, BETA)], [ended(3, 200, 1)])

    assert known.of(["bob"], 99) == ()
    assert [a.organization for a in known.of(["bob"], 100)] == [ACME]
    assert [a.organization for a in known.of(["bob"], 199)] == [ACME]
    assert [a.organization for a in known.of(["bob"], 200)] == [BETA]
    assert known.at(ACME, 199) == ("bob",)
    assert known.at(ACME, 200) == ()
    assert known.organizations == (ACME, BETA)


@pytest.mark.parametrize("end_day", [50, 100])
def test_a_place_that_ends_before_it_begins_was_never_held(end_day: int) -> None:
    (place,) = affiliations([started(1, 100)], [ended(2, end_day, 1)]).everything

    assert not any(place.in_force(day) for day in (50, 99, 100, 101))
    assert not place.over(500)


def test_voids_take_back_ends_and_places() -> None:
    facts = ([started(1, 100)], [ended(2, 200, 1)])

    assert affiliations(*facts).of(["bob"], 300) == ()
    assert len(affiliations(*facts, [void(3, 2)]).of(["bob"], 300)) == 1
    assert affiliations(*facts, [void(3, 1)]).everything == ()
    assert affiliations(*facts, [void(3, 2)], known_at=2).of(["bob"], 300) == ()
    assert len(affiliations(*facts, known_at=1).of(["bob"], 300)) == 1


def test_the_earliest_end_counts_and_an_end_of_something_else_does_not() -> None:
    ends = [ended(2, 300, 1), ended(3, 200, 1), ended(4, 150, 1, BETA), ended(5, 120, 9)]

    (place,) = affiliations([started(1, 100)], ends).everything

    assert (place.end_day, place.ended_by) == (200, uuid(3))


def test_a_human_is_where_any_of_his_ids_is() -> None:
    known = affiliations([started(1, 100), started(2, 50, BETA, "bobby")])

    assert [a.organization for a in known.of(["bob", "bobby"], 100)] == [BETA, ACME]


def noted(month: int, day: int, year: int | None = None) -> NotedDate:
    return NotedDate(
        event_id=uuid(1), position=1, instant_us=0, person="bob", month=month, day=day, year=year
    )


@pytest.mark.parametrize(
    ("on", "next_on"),
    [
        ("2026-02-28", "2026-02-28"),
        ("2026-03-01", "2027-02-28"),
        ("2027-12-31", "2028-02-29"),
        ("2028-02-28", "2028-02-29"),
        ("2028-02-29", "2028-02-29"),
        ("2028-03-01", "2029-02-28"),
        ("2100-01-01", "2100-02-28"),
    ],
)
def test_the_29th_of_february_falls_on_the_28th_in_other_years(on: str, next_on: str) -> None:
    found = noted(2, 29).next_on(day_from_date(date.fromisoformat(on)))

    assert found is not None
    assert date_from_day(found).isoformat() == next_on


def test_a_date_comes_every_year_from_the_one_it_began_in() -> None:
    asked = day_from_date(date(2026, 5, 1))

    assert noted(5, 1).next_on(asked) == asked
    assert noted(4, 30).next_on(asked) == day_from_date(date(2027, 4, 30))
    assert noted(4, 30, 2030).next_on(asked) == day_from_date(date(2030, 4, 30))
    assert noted(4, 30, 1980).next_on(asked) == day_from_date(date(2027, 4, 30))


def test_after_the_last_day_of_the_calendar_nothing_comes() -> None:
    assert noted(1, 1).next_on(day_from_date(date(9999, 12, 31))) is None
    assert noted(13, 1).next_on(0) is None


def test_a_fact_is_due_from_its_day_and_used_where_a_touchpoint_says_so() -> None:
    fact = LearnedFact(event_id=uuid(1), position=1, instant_us=0, person="bob", expect_on=10)
    calls = [touch(n, "call", "2026-01-01T10:00:00") for n in (2, 3)]

    assert (fact.due(9), fact.due(10)) == (False, True)
    assert uses(uuid(1), calls, {uuid(3): (uuid(1),)}) == (calls[1],)


def test_signals_wait_for_contact_after_them() -> None:
    old, new = (Signal(event_id=uuid(n), position=n, instant_us=n, about="bob") for n in (1, 5))

    assert unanswered([new, old], None) == (old, new)
    assert unanswered([new, old], 1) == (old, new)
    assert unanswered([new, old], 2) == (new,)
    assert unanswered([new, old], 6) == ()


def test_a_description_holds_from_its_instant_until_the_next_of_the_highest_position() -> None:
    def told(number: int, day: int, side: Side, team: str = "") -> Description:
        return Description(
            event_id=uuid(number),
            position=number,
            instant_us=day * US_PER_DAY,
            party="bob",
            side=side,
            team=team,
        )

    known = descriptions(
        [
            told(3, 20, Side.EXTERNAL),
            told(1, 10, Side.INTERNAL, "sales"),
            told(2, 20, Side.INTERNAL),
        ]
    )

    assert known.on("bob", 9) is None
    assert (known.side(["bob"], 10), known.team(["bob"], 10)) == (Side.INTERNAL, "sales")
    assert (known.side(["ann", "bob"], 20), known.team(["bob"], 20)) == (Side.EXTERNAL, "")


def test_facts_taken_back_or_not_yet_known_do_not_count() -> None:
    facts = [
        LearnedFact(event_id=uuid(n), position=n, instant_us=0, person="bob") for n in (2, 1, 3)
    ]

    assert [f.position for f in in_effect([*facts, facts[0]], [void(4, 2)])] == [1, 3]
    assert [f.position for f in in_effect(facts, [void(4, 2)], known_at=2)] == [1, 2]
