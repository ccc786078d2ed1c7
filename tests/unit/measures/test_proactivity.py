"""Proactivity and positive touches, worked by hand."""

from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.positive import positive_touches
from services.projector.domain.measures.proactivity import proactivity
from services.projector.domain.measures.ratio import Said
from services.projector.domain.measures.view import Side
from services.runtime.policy import Audience, Initiative, RecoveryStep
from tests.unit.domain.people import touch, uuid
from tests.unit.measures.views import BOBS, OURS, ann_and_bob, day

ON = "2026-05-31"

# A fortnight of May. Ann is ours.
FORTNIGHT = [
    touch(1, "call", "2026-05-01T09:00:00"),
    touch(2, "email.one_to_one", "2026-05-01T10:00:00"),
    touch(3, "call", "2026-05-02T09:00:00", initiative=Initiative.REACTIVE),
    touch(4, "social.like", "2026-05-03T09:00:00"),
    touch(5, "social.like", "2026-05-04T09:00:00"),
    touch(6, "call", "2026-05-04T10:00:00"),
    touch(7, "call", "2026-05-05T09:00:00", **BOBS),
    touch(8, "meeting.in_person", "2026-05-06T09:00:00", mutual=True, **BOBS),
    touch(9, "greeting.written", "2026-05-07T09:00:00", initiative=Initiative.AUTOMATED),
    touch(10, "call", "2026-05-08T09:00:00", audience=Audience.MANY),
]


def days(*of_may: int) -> tuple[int, ...]:
    return tuple(day("2026-05-01") + n - 1 for n in of_may)


def test_a_contact_day_counts_once_for_each_mode_that_ours_used_on_it() -> None:
    told = proactivity(ann_and_bob(FORTNIGHT, ON))

    # 1st: proactive and responsive. 2nd: reactive. 3rd: a like alone is no proactive day.
    # 4th: the call makes it one. 5th: Bob's. 6th: mutual, so ours too. 7th, 8th: no contact.
    assert told.proactive_days == days(1, 4, 6)
    assert told.responsive_days == days(1)
    assert told.reactive_days == days(2)
    assert told.contact_days == 4
    # Denominator 3 + 1 + 1 + 3 = 8.
    assert told.proactive.per_mille == 500
    assert told.responsive.per_mille == 250
    assert told.reactive.per_mille == 250
    assert told.left_out == 0


def test_the_window_is_the_90_days_that_end_today() -> None:
    # 2026-03-03 is 89 days before, 2026-03-02 is 90.
    inside = touch(11, "call", "2026-03-03T00:00:00")
    outside = touch(12, "call", "2026-03-02T23:59:59")

    told = proactivity(ann_and_bob([*FORTNIGHT, inside, outside], ON))

    assert told.first_day == inside.day
    assert told.proactive_days == (inside.day, *days(1, 4, 6))
    # (4 + 1) / (4 + 1 + 1 + 3) = 555.6
    assert told.proactive.per_mille == 556


def test_without_one_of_ours_nothing_is_said() -> None:
    told = proactivity(ann_and_bob(FORTNIGHT, ON, sides={"bob": Side.EXTERNAL}))

    assert told.proactive.said is Said.NO_SIDE
    assert told.proactive.per_mille is None
    assert told.contact_days == 0
    # Six of Ann's, and the meeting, which would be ours if she were.
    assert told.left_out == 7


def test_a_touch_of_somebody_without_a_side_is_left_out_and_counted() -> None:
    told = proactivity(ann_and_bob(FORTNIGHT, ON, sides={"ann": Side.INTERNAL}))

    assert told.proactive_days == days(1, 4, 6)
    assert told.left_out == 1


def test_between_two_of_ours_both_move() -> None:
    told = proactivity(ann_and_bob(FORTNIGHT, ON, sides=OURS))

    assert told.proactive_days == days(1, 4, 5, 6)


def test_two_external_people_are_nobodys_proactivity() -> None:
    told = proactivity(
        ann_and_bob(FORTNIGHT, ON, sides={"ann": Side.EXTERNAL, "bob": Side.EXTERNAL})
    )

    assert told.reactive.said is Said.NO_SIDE
    assert told.left_out == 0


def test_without_contact_in_the_window_each_mode_is_a_third() -> None:
    # Half a year ago there was contact enough: (0 + 1) / (0 + 3).
    told = proactivity(ann_and_bob(FORTNIGHT, "2026-11-30"))

    assert (told.proactive.per_mille, told.reactive.per_mille) == (333, 333)


def test_a_positive_touch_is_counted_contact_that_added_something() -> None:
    at = "2026-05-01T09:00:00"
    # Thirteen likes: the last of the week posts nothing.
    likes = [touch(100 + n, "social.like", f"2026-05-04T{n:02}:00:00") for n in range(13)]
    touchpoints: list[Touchpoint] = [
        touch(1, "call", at),
        touch(2, "call", at, **BOBS),
        touch(3, "meeting.in_person", at, mutual=True),
        touch(4, "incident", at, severity=1, **BOBS),
        touch(5, "recovery", at, resolves=uuid(4), recovery_step=RecoveryStep.FIX),
        touch(6, "call", at, sentiment=-2, **BOBS),
        touch(7, "ask", at),
        touch(8, "greeting.written", at, initiative=Initiative.AUTOMATED),
        touch(9, "unheard.of", at, **BOBS),
        *likes,
    ]

    told = positive_touches(ann_and_bob(touchpoints, ON))

    expected = [uuid(1), uuid(2), uuid(3), *(uuid(100 + n) for n in range(12))]
    assert [t.event_id for t in told.touches] == expected
    # Inbound to Ann: Bob's call and the meeting. To Bob: all of Ann's.
    assert [t.event_id for t in told.inbound["ann"]] == [uuid(2), uuid(3)]
    assert [t.event_id for t in told.inbound["bob"]] == [uuid(1), *expected[2:]]
