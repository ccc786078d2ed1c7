"""What one relationship says about its person as a builder, by hand."""

from fractions import Fraction
from typing import Any

import pytest

from services.projector.domain.collective.survival import BuilderPart, Fate, builder_part
from services.projector.domain.facts import Touchpoint
from services.runtime.clock import US_PER_DAY
from services.runtime.policy import Audience, Initiative, RecoveryStep
from tests.unit.collective.people import view
from tests.unit.domain.people import touch, uuid

# Ann calls Bob on the first five days of 2026; then, on 2026-01-10, Bob has to complain.
CALLS = [touch(number, "call", f"2026-01-0{number}T10:00:00") for number in range(1, 6)]
WENT_WRONG = touch(
    10, "incident", "2026-01-10T10:00:00", initiator="bob", counterpart="ann", severity=2
)


def after(days: int, **fields: Any) -> Touchpoint:
    """Bob calls Ann so many days after the incident, unless told otherwise."""
    people = {"initiator": "bob", "counterpart": "ann"} | fields
    made = touch(20, fields.pop("kind", "call"), "2026-01-10T12:00:00")
    return made._replace(instant_us=made.instant_us + days * US_PER_DAY, **people)


def part(on: int, *touches: Touchpoint) -> BuilderPart:
    found = builder_part(view([*CALLS, WENT_WRONG, *touches], on), "ann")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("days", "fate"),
    [(0, Fate.LOST), (1, Fate.SURVIVED), (90, Fate.SURVIVED), (91, Fate.LOST)],
)
def test_an_incident_is_survived_by_a_touch_of_theirs_1_to_90_days_after(
    days: int, fate: Fate
) -> None:
    told = part(WENT_WRONG.day + 200, after(days))

    assert [found.fate for found in told.fates] == [fate]
    assert told.fates[0].survived_by == (uuid(20) if fate is Fate.SURVIVED else None)


@pytest.mark.parametrize(
    "touchpoint",
    [
        after(5, initiator="ann", counterpart="bob"),  # ours
        after(5, sentiment=-2),  # posts less than nothing
        after(5, initiative=Initiative.AUTOMATED),  # not contact
        after(5, audience=Audience.MANY),  # not contact
        after(5, kind="ask"),  # posts nothing
        after(5, kind="incident", severity=1),  # not positive, and one more to survive
    ],
)
def test_other_touches_show_nothing(touchpoint: Touchpoint) -> None:
    told = part(WENT_WRONG.day + 200, touchpoint)

    assert told.survived == 0
    assert told.decided == len(told.fates)


def test_a_meeting_of_both_counts_as_theirs() -> None:
    meeting = after(5, kind="meeting.video", initiator="ann", counterpart="bob", mutual=True)

    assert part(WENT_WRONG.day + 200, meeting).survived == 1


def test_a_young_incident_is_open_and_survived_as_soon_as_they_come_back() -> None:
    day = WENT_WRONG.day

    assert (part(day + 89).open, part(day + 89).decided) == (1, 0)
    assert (part(day + 90).open, part(day + 90).decided) == (0, 1)
    assert (part(day + 5, after(5)).open, part(day + 5, after(5)).survived) == (0, 1)


def test_a_relationship_counts_from_5_contact_days_within_730_days() -> None:
    last = CALLS[-1].day

    assert builder_part(view(CALLS[:4], last), "ann") is None
    assert builder_part(view(CALLS, last), "ann") is not None
    # The window that ends 730 days after the first of the five calls begins on the second.
    assert builder_part(view(CALLS, CALLS[0].day + 729), "ann") is not None
    assert builder_part(view(CALLS, CALLS[0].day + 730), "ann") is None


def test_gifts_and_compensation_are_a_part_of_the_care_that_went_out() -> None:
    gift = touch(31, "gift.small", "2026-01-20T10:00:00")
    theirs = touch(32, "gift.small", "2026-01-21T10:00:00", initiator="bob", counterpart="ann")
    paid = touch(
        33,
        "recovery",
        "2026-01-10T11:00:00",
        resolves=WENT_WRONG.event_id,
        recovery_step=RecoveryStep.COMPENSATION,
    )

    told = part(WENT_WRONG.day + 20, gift, theirs, paid)

    # The incident, its attribution unset (800), posted care -8000; compensation 200, in time,
    # not repeated: 1600. Five calls of 4000. Bob's own gift went the other way.
    assert told.gifts_mp == 6_000 + 1_600
    assert told.outbound_mp == 5 * 4_000 + 6_000 + 1_600


def test_reciprocity_is_that_of_the_relationship() -> None:
    # Ann gave five calls of 8000 on five days, Bob one of 8000 on the last: undecayed,
    # 2 x 8000 / 48000. Four days of decay lower what Ann gave: a little above a third.
    told = builder_part(view([*CALLS, after(-5)], CALLS[4].day), "ann")

    assert told is not None
    assert told.reciprocity is not None
    assert Fraction(1, 3) < told.reciprocity < Fraction(34, 100)
