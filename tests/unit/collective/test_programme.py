"""Weeks kept, by hand. 2026-07-15 is a Wednesday; the twelve weeks begin on Monday 2026-04-27."""

from services.projector.domain.collective.programme import (
    ALWAYS,
    Cadence,
    cadence_of,
    programme,
    tier_on,
)
from tests.unit.collective.people import POLICY, view
from tests.unit.domain.people import touch


def day(text: str) -> int:
    return touch(1, "call", f"{text}T00:00:00").day


TODAY = day("2026-07-15")
INNER = ((ALWAYS, "inner"),)  # at most 14 days
WITH_BOB = Cadence(
    "ann",
    "bob",
    tuple(day(text) for text in ("2026-05-01", "2026-05-15", "2026-06-10", "2026-07-01")),
    {"bob": INNER},
)


def test_a_week_is_kept_when_its_last_day_was_within_the_maximum() -> None:
    told = programme([WITH_BOB], ["ann"], POLICY, TODAY)

    # Days of silence on each Sunday, and on this Wednesday:
    #   05-03   2   05-10   9   05-17   2   05-24   9   05-31  16!  06-07  23!
    #   06-14   4   06-21  11   06-28  18!  07-05   4   07-12  11   07-15  14
    assert [week.kept for week in told.weeks] == [
        *(True, True, True, True, False, False),
        *(True, True, False, True, True, True),
    ]
    assert (told.kept, told.counted, told.per_mille) == (9, 12, 750)
    assert told.weeks[0].monday == day("2026-04-27")
    assert told.weeks[4].missed == (("ann", "bob"),)
    assert told.weeks[10].last_day == day("2026-07-12")
    assert told.weeks[11].last_day == TODAY


def test_one_relationship_out_of_time_loses_the_week() -> None:
    with_cat = Cadence("ann", "cat", (day("2026-07-06"),), {"cat": INNER})

    told = programme([WITH_BOB, with_cat], ["ann"], POLICY, day("2026-07-21"))

    # Bob 20 days ago, Cat 15: both are late.
    assert told.weeks[11].missed == (("ann", "bob"), ("ann", "cat"))
    # On 07-19 Bob was 18 days ago, Cat 13; on 07-12 they were 11 and 6.
    assert (told.weeks[10].relationships, told.weeks[10].missed) == (2, (("ann", "bob"),))
    assert (told.weeks[9].relationships, told.weeks[9].kept) == (2, True)


def test_before_the_first_contact_there_is_nothing_to_keep() -> None:
    new = Cadence("ann", "bob", (day("2026-07-06"),), {"bob": INNER})

    told = programme([new], ["ann"], POLICY, TODAY)

    assert [week.relationships for week in told.weeks] == [0] * 10 + [1, 1]
    assert (told.kept, told.counted, told.per_mille) == (2, 2, 1000)
    assert not told.weeks[0].kept


def test_without_tiered_counterparts_there_is_no_figure() -> None:
    untiered = Cadence("ann", "bob", WITH_BOB.contact_days, {"ann": INNER})
    forgotten = Cadence("ann", "cat", WITH_BOB.contact_days, {"cat": ((ALWAYS, "unheard of"),)})

    told = programme([untiered, forgotten], ["ann"], POLICY, TODAY)

    # Ann's own tier is for those who keep her.
    assert (told.kept, told.counted, told.per_mille) == (0, 0, None)


def test_a_week_knows_the_tier_of_its_own_last_day() -> None:
    # Bob was active (180 days) before he became inner on 06-10.
    moved_up = Cadence(
        "ann",
        "bob",
        WITH_BOB.contact_days,
        {"bob": ((ALWAYS, None), (day("2026-01-01"), "active"), (day("2026-06-10"), "inner"))},
    )

    told = programme([moved_up], ["ann"], POLICY, TODAY)

    # 05-31 and 06-07 are kept now; 06-28 (18 days, inner) is not.
    assert (told.kept, told.counted) == (11, 12)
    assert tier_on(moved_up.tiers["bob"], day("2025-12-31")) is None


def test_a_team_keeps_its_weeks_together_and_a_pair_of_two_by_the_stricter_tier() -> None:
    days = (day("2026-06-15"),)
    team_mates = Cadence("ann", "ida", days, {"ann": ((ALWAYS, "close"),), "ida": INNER})

    of_ann = programme([team_mates], ["ann"], POLICY, TODAY).weeks[11]
    of_ida = programme([team_mates], ["ida"], POLICY, TODAY).weeks[11]
    of_both = programme([team_mates, team_mates], ["ann", "ida"], POLICY, TODAY).weeks[11]

    # 30 days of silence: too long for Ida (inner, 14), whom Ann keeps; not for Ann (close, 45).
    assert (of_ann.kept, of_ida.kept) == (False, True)
    assert (of_both.relationships, of_both.missed) == (1, (("ann", "ida"),))


def test_a_cadence_comes_from_a_relationship() -> None:
    call = touch(1, "call", "2026-07-01T10:00:00")

    told = cadence_of(view([call], TODAY, bob="inner"))

    assert told.contact_days == (call.day,)
    assert programme([told], ["ann"], POLICY, TODAY).weeks[11].kept  # 14 days
    assert not programme([told], ["ann"], POLICY, TODAY + 1).weeks[11].kept  # 15 days
