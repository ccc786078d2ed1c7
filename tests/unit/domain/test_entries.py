"""Rules 5 to 7, worked by hand."""

import json
from datetime import date

import pytest

from services.projector.domain.entries import Entry, fold
from services.projector.domain.facts import Touchpoint
from services.runtime.clock import US_PER_DAY, day_from_date
from services.runtime.policy import Attribution, Policy, RecoveryStep, default_policy
from tests.unit.domain.people import touch, uuid

POLICY = default_policy()


def posted(touchpoints: list[Touchpoint], on: int | None = None) -> dict[str, tuple[int, int]]:
    entries = fold(touchpoints, POLICY, on).entries
    return {entry.event_id: (entry.know_mp, entry.care_mp) for entry in entries}


def incident(number: int, at: str, **fields: object) -> Touchpoint:
    told = {"severity": 2, "attribution": Attribution.OURS, "channel": "email"} | fields
    return touch(number, "incident", at, **told)


def step(number: int, word: RecoveryStep, at: str, resolves: int = 1, **fields: str) -> Touchpoint:
    return touch(number, "recovery", at, resolves=uuid(resolves), recovery_step=word, **fields)


def test_a_week_pays_1000_600_400_and_so_on_down_to_nothing_after_the_twelfth() -> None:
    likes = [touch(n, "social.like", f"2026-03-03T{n:02}:00:00") for n in range(1, 15)]

    care = [care_mp for _, care_mp in posted(likes).values()]

    assert care == [1000, 600, 400, 300, 200, 150, 100, 50, 50, 50, 50, 50, 0, 0]


def test_the_strongest_of_a_week_is_first_whenever_it_came() -> None:
    like = touch(1, "social.like", "2026-03-03T10:00:00")
    comment = touch(2, "social.comment", "2026-03-04T10:00:00")
    tuesday = like.day

    assert posted([like, comment], tuesday) == {uuid(1): (0, 1000)}
    assert posted([like, comment]) == {uuid(1): (0, 600), uuid(2): (0, 3000)}


def test_the_accounts_of_a_cell_are_ranked_apart() -> None:
    comment = touch(1, "social.comment", "2026-03-03T10:00:00", sentiment=2)
    share = touch(2, "social.share", "2026-03-03T11:00:00")

    # On KNOW the share comes first (1000 > 0), on CARE the comment does (3750 > 3000).
    assert posted([comment, share]) == {uuid(1): (0, 3750), uuid(2): (1000, 1800)}


def test_a_cell_is_of_one_initiator_one_relationship_and_one_iso_week() -> None:
    likes = [
        touch(1, "social.like", "2024-12-30T10:00:00"),
        touch(2, "social.like", "2025-01-05T10:00:00"),
        touch(3, "social.like", "2025-01-06T10:00:00"),
        touch(4, "social.like", "2024-12-30T10:00:00", initiator="bob", counterpart="ann"),
        touch(5, "social.like", "2024-12-30T10:00:00", counterpart="eve"),
    ]

    care = {event_id: care_mp for event_id, (_, care_mp) in posted(likes).items()}

    assert care == {uuid(1): 1000, uuid(2): 600, uuid(3): 1000, uuid(4): 1000, uuid(5): 1000}


def test_of_equal_size_the_earlier_then_the_smaller_event_id_comes_first() -> None:
    same = "2026-03-03T10:00:00"
    likes = [touch(3, "social.like", same), touch(2, "social.like", same, sentiment=-2)]

    assert posted(likes) == {uuid(2): (0, -1000), uuid(3): (0, 600)}


def test_all_four_steps_in_time_give_everything_back() -> None:
    steps = [
        step(n, word, f"2026-05-0{n}T08:00:00") for n, word in enumerate(RecoveryStep, start=2)
    ]

    told = posted([incident(1, "2026-05-01T08:00:00"), *steps])

    assert told[uuid(1)] == (-6000, -10_000)
    assert [told[uuid(n)] for n in (2, 3, 4, 5)] == [
        (900, 1500),
        (3000, 5000),
        (1200, 2000),
        (900, 1500),
    ]


def test_a_refund_decays_with_its_incident_and_counts_from_the_day_of_the_step() -> None:
    fix = step(2, RecoveryStep.FIX, "2026-05-09T08:00:00")

    (_, refund) = fold([incident(1, "2026-05-01T08:00:00"), fix], POLICY).entries

    assert (refund.day, refund.effective_from) == (fix.day - 8, fix.day)
    assert refund.refund is not None
    assert refund.refund.incident_id == uuid(1)


@pytest.mark.parametrize(
    ("at", "care_mp"),
    [
        ("2026-05-01T08:00:00", 5000),
        ("2026-05-02T08:00:00", 5000),
        ("2026-05-02T08:00:01", 3750),
        ("2026-05-03T08:00:00", 3750),
        ("2026-05-03T08:00:01", 2500),
    ],
)
def test_timeliness_is_measured_to_the_microsecond_bounds_included(at: str, care_mp: int) -> None:
    fix = step(2, RecoveryStep.FIX, at)

    assert posted([incident(1, "2026-05-01T08:00:00"), fix])[uuid(2)][1] == care_mp


def test_the_earliest_counting_step_makes_all_of_them_timely() -> None:
    apology = step(2, RecoveryStep.APOLOGY, "2026-05-01T09:00:00")
    fix = step(3, RecoveryStep.FIX, "2026-06-01T09:00:00")

    assert posted([incident(1, "2026-05-01T08:00:00"), fix, apology])[uuid(3)][1] == 5000


def test_each_step_counts_once_the_earliest_by_time_then_event_id() -> None:
    first = step(3, RecoveryStep.FIX, "2026-05-02T08:00:00")
    twin = step(4, RecoveryStep.FIX, "2026-05-02T08:00:00")
    smaller = step(2, RecoveryStep.FIX, "2026-05-02T08:00:01")

    told = posted([incident(1, "2026-05-01T08:00:00"), smaller, twin, first])

    assert told.keys() == {uuid(1), uuid(3)}


@pytest.mark.parametrize(
    "wrong",
    [
        step(2, RecoveryStep.APOLOGY, "2026-05-01T07:59:59"),
        step(2, RecoveryStep.APOLOGY, "2026-05-01T09:00:00", counterpart="eve"),
        step(2, RecoveryStep.APOLOGY, "2026-05-01T09:00:00", resolves=9),
        step(2, RecoveryStep.APOLOGY, "2026-05-01T09:00:00", resolves=4),
    ],
)
def test_a_wrong_step_posts_nothing_and_stops_no_clock(wrong: Touchpoint) -> None:
    call = touch(4, "call", "2026-05-01T08:00:00")
    late = step(3, RecoveryStep.FIX, "2026-05-09T08:00:00")

    told = posted([incident(1, "2026-05-01T08:00:00"), call, wrong, late])

    assert uuid(2) not in told
    assert told[uuid(3)] == (1500, 2500)


def test_the_other_side_may_make_it_good() -> None:
    fix = step(2, RecoveryStep.FIX, "2026-05-01T09:00:00", initiator="bob", counterpart="ann")

    assert posted([incident(1, "2026-05-01T08:00:00"), fix])[uuid(2)] == (3000, 5000)


@pytest.mark.parametrize(
    ("apart_us", "fields", "care_mp"),
    [
        (90 * US_PER_DAY, {}, 2500),
        (90 * US_PER_DAY + 1, {}, 5000),
        (1, {}, 2500),
        (0, {}, 5000),
        (-1, {}, 5000),
        (1, {"category": "other"}, 5000),
        (1, {"counterpart": "eve"}, 5000),
    ],
)
def test_a_repeat_within_90_times_24_hours_halves_the_refund(
    apart_us: int, fields: dict[str, str], care_mp: int
) -> None:
    resolved = incident(1, "2026-05-01T08:00:00")
    other = incident(7, "2026-05-01T08:00:00", **fields)
    earlier = Touchpoint(
        **{name: getattr(other, name) for name in Touchpoint._fields}
        | {"instant_us": resolved.instant_us - apart_us}
    )
    fix = step(2, RecoveryStep.FIX, "2026-05-01T09:00:00")

    assert posted([earlier, resolved, fix])[uuid(2)][1] == care_mp


def test_an_incident_asked_before_its_step_is_not_refunded_yet() -> None:
    raised = incident(1, "2026-05-01T08:00:00")
    fix = step(2, RecoveryStep.FIX, "2026-05-02T08:00:00")

    assert posted([raised, fix], raised.day) == {uuid(1): (-6000, -10_000)}


def test_an_ordinary_entry_decays_from_its_utc_day() -> None:
    (entry,) = fold([touch(1, "call", "1999-12-31T23:59:59.999999")], POLICY).entries

    assert isinstance(entry, Entry)
    assert (entry.day, entry.effective_from, entry.half_life_days) == (-1, -1, 90)


def test_a_policy_without_incidents_knows_neither_incident_nor_refund() -> None:
    document = json.loads(POLICY.canonical_json)
    del document["kinds"]["incident"]
    fix = step(2, RecoveryStep.FIX, "2026-05-02T08:00:00")

    folded = fold([incident(1, "2026-05-01T08:00:00"), fix], Policy.parse(json.dumps(document)))

    assert folded.entries == ()
    assert [touchpoint.kind for touchpoint in folded.unknown] == ["incident"]


def test_a_day_of_year_one_folds_like_any_other() -> None:
    first = touch(1, "social.like", "0001-01-01T00:00:00")

    assert posted([first]) == {uuid(1): (0, 1000)}
    assert first.day == day_from_date(date(1, 1, 1))
