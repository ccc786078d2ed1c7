"""Effort, worked by hand."""

from services.projector.domain.facts import Touchpoint
from services.projector.domain.identity import Link, identities
from services.projector.domain.measures.effort import Effort, Minutes, effort, effort_of_person
from services.projector.domain.measures.view import view_of
from tests.unit.domain.people import touch, uuid
from tests.unit.measures.views import BOBS, POLICY, ann_and_bob, day

ON = "2026-05-31"
FIRST = day("2026-03-03")


def minutes(number: int, at: str, prep: int, live: int, after: int, **fields: object) -> Touchpoint:
    told = {"prep_minutes": prep, "live_minutes": live, "follow_up_minutes": after} | fields
    return touch(number, "meeting.in_person", f"{at}T09:00:00", **told)


def test_minutes_are_given_by_who_initiated_and_time_together_by_both() -> None:
    touchpoints = [
        minutes(1, "2026-05-01", 30, 60, 10, mutual=True),
        minutes(2, "2026-05-02", 5, 20, 0, **BOBS),
        touch(3, "call", "2026-05-03T09:00:00"),
        touch(4, "incident", "2026-05-04T09:00:00", severity=1, live_minutes=15, **BOBS),
        # The day before the window of 90 days.
        minutes(5, "2026-03-02", 100, 100, 100),
    ]

    told = effort(ann_and_bob(touchpoints, ON))

    # Ann: the meeting. Bob: 60 of it, 5 + 20, and 15 of complaining.
    assert told == Effort(
        first_day=FIRST,
        by_a=Minutes(30, 60, 10),
        by_b=Minutes(5, 95, 0),
        touchpoints=4,
        recorded=3,
    )
    assert (told.by_a.total, told.by_b.total) == (100, 100)


def test_the_window_may_be_another() -> None:
    inside = minutes(1, "2026-05-30", 0, 10, 0)
    outside = minutes(2, "2026-05-29", 0, 20, 0)

    told = effort(ann_and_bob([inside, outside], ON), window_days=2)

    assert (told.first_day, told.by_a, told.by_b) == (inside.day, Minutes(0, 10, 0), Minutes())


def test_an_occasion_counts_once_at_its_largest_minutes() -> None:
    # Both wrote the same lunch down: 20 and 25 minutes of preparation, 60 and 50 together.
    anns = minutes(1, "2026-05-01", 20, 60, 0, mutual=True, occasion_id="lunch")
    again = minutes(2, "2026-05-01", 25, 50, 5, mutual=True, occasion_id="lunch")
    bobs = minutes(3, "2026-05-01", 40, 55, 0, mutual=True, occasion_id="lunch", **BOBS)

    told = effort(ann_and_bob([anns, again, bobs], ON))

    # Ann: max(20, 25) to prepare, max(60, 50, 55) together, 5 after. Bob: 40 and 60.
    assert told.by_a == Minutes(25, 60, 5)
    assert told.by_b == Minutes(40, 60, 0)


def test_a_group_meeting_is_one_hour_of_a_person_over_all_relationships() -> None:
    group = [
        minutes(1, "2026-05-01", 30, 60, 0, mutual=True, occasion_id="board"),
        minutes(2, "2026-05-01", 30, 60, 0, mutual=True, occasion_id="board", counterpart="eve"),
        minutes(3, "2026-05-02", 0, 15, 0, counterpart="eve"),
        minutes(4, "2026-05-03", 0, 5, 0, initiator="eve", counterpart="ann"),
        minutes(5, "2026-05-03", 0, 99, 0, initiator="eve", counterpart="bob"),
    ]
    on = day(ON)
    views = [
        view_of(group, POLICY, on, pair)
        for pair in (("ann", "bob"), ("ann", "eve"), ("bob", "eve"))
    ]

    told = effort_of_person("ann", views, 90)

    # Given: the board once (30 + 60), 15 to Eve. Received: the board's hour once, Eve's 5.
    assert told.given == Minutes(30, 75, 0)
    assert told.received == Minutes(0, 65, 0)
    # What Eve told Bob is none of hers.
    assert (told.touchpoints, told.recorded, told.window_days) == (4, 4, 90)


def test_linked_ids_give_as_one() -> None:
    link = Link(event_id=uuid(9), position=9, a="ann", b="anna", strong=True)
    touchpoints = [
        minutes(1, "2026-05-01", 0, 30, 0, mutual=True, occasion_id="x"),
        minutes(2, "2026-05-01", 0, 30, 0, mutual=True, occasion_id="x", initiator="anna"),
    ]

    told = effort(ann_and_bob(touchpoints, ON, humans=identities([link])))

    assert (told.by_a, told.by_b) == (Minutes(0, 30, 0), Minutes(0, 30, 0))


def test_without_minutes_there_is_no_effort_to_tell() -> None:
    told = effort(ann_and_bob([], ON))

    assert told == Effort(FIRST, Minutes(), Minutes(), 0, 0)
