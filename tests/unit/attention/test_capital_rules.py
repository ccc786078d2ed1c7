"""The buffer falls, know-only, one-sided: what accounts do by themselves."""

from services.projector.domain.attention.items import Item, Reason, Rule
from services.projector.domain.facts import Touchpoint
from services.runtime.policy import Initiative
from tests.unit.attention.days import BOBS, cleared, found, the_day
from tests.unit.domain.people import touch

CALL = touch(1, "call", "2026-01-01T10:00:00")
TODAY = CALL.day


def falls(touchpoints: list[Touchpoint], on: int) -> list[Item]:
    return found(Rule.BUFFER_FALLS, touchpoints, on)


def test_a_buffer_is_said_to_fall_fourteen_days_before_the_first_day_it_does_not_survive() -> None:
    # Bf = 4000 + 4000 / 4 = 5000, halved in 90 days. Severity 1 takes 3000:
    # 5000 x 2^(-66/90) = 3007.6, 5000 x 2^(-67/90) = 2984.5. So it fails on day 67.
    assert falls([CALL], TODAY + 52) == []
    (item,) = falls([CALL], TODAY + 53)

    assert (item.number("severity"), item.number("fails_on")) == (1, TODAY + 67)
    assert item.why == "it would not survive an incident of severity 1 in 14 days"


def test_once_it_came_true_it_stays_until_somebody_is_in_touch() -> None:
    before = the_day([CALL], TODAY + 53)
    (item,) = falls([CALL], TODAY + 70)

    assert item.why == "it has not survived an incident of severity 1 for 4 days"
    assert cleared(Rule.BUFFER_FALLS, before, the_day([CALL], TODAY + 700)) is None


def test_only_contact_clears_a_falling_buffer() -> None:
    before = the_day([CALL], TODAY + 53)
    # A machine's testimonials lift the buffer well above the severity, and clear nothing.
    machines = [
        touch(n, "testimonial", "2026-03-01T10:00:00", initiative=Initiative.AUTOMATED, **BOBS)
        for n in range(10, 15)
    ]
    after = the_day([CALL, *machines], TODAY + 60)
    assert cleared(Rule.BUFFER_FALLS, before, after) is None

    meal = touch(2, "meal_or_social", "2026-03-01T10:00:00")
    assert cleared(Rule.BUFFER_FALLS, before, the_day([CALL, meal], TODAY + 60)) is Reason.CONTACT


def test_what_never_survived_anything_cannot_fall() -> None:
    like = touch(1, "social.like", "2026-01-01T10:00:00")

    assert falls([like], TODAY) == falls([like], TODAY + 200) == []


def evidence() -> list[Touchpoint]:
    """Needs that Bob states on five days: contact, and nothing posted."""
    return [touch(900 + n, "need.stated", f"2026-01-0{n}T06:00:00", **BOBS) for n in range(1, 6)]


GREETING = touch(2, "greeting.written", "2026-01-05T10:00:00")
PROPOSALS = [touch(n, "proposal", "2026-01-05T10:00:00") for n in (10, 11, 12)]


def test_know_only_is_a_care_share_below_200_per_mille() -> None:
    # 3000 / (3000 + 12000) = 200; 3000 / (3000 + 18000) = 143. All halve in 90 days.
    at_bound = [*evidence(), GREETING, *PROPOSALS[:2]]

    assert found(Rule.KNOW_ONLY, at_bound, "2026-01-05") == []
    (item,) = found(Rule.KNOW_ONLY, [*at_bound, PROPOSALS[2]], "2026-01-05")
    assert item.number("care_share_per_mille") == 143


def test_know_only_needs_evidence() -> None:
    four_days = [*evidence()[1:], GREETING, *PROPOSALS]

    assert found(Rule.KNOW_ONLY, four_days, "2026-01-05") == []


def test_know_only_is_not_cleared_by_knowledge_fading_first_but_by_care() -> None:
    insights = [touch(n, "insight.tailored", "2026-01-05T10:00:00") for n in (20, 21, 22)]
    known = [*evidence(), *insights]
    before = the_day(known, "2026-01-05")
    # 3 x 1000 of 3 x 6000 = 167, at any time.
    assert cleared(Rule.KNOW_ONLY, before, the_day(known, "2027-01-05")) is None

    # What a machine did for them: a tenth of 12000, halved in a year. Of the rest 3000 x 2^(-6)
    # or less is left after a year, and after two care is nearly all there is.
    favour = touch(3, "support.hard_time", "2026-01-05T10:00:00", initiative=Initiative.AUTOMATED)
    mixed = [*known, *PROPOSALS, favour]
    # (3000 + 1200) / (3000 + 1200 + 15000 + 18000) = 113.
    begun = the_day(mixed, "2026-01-05")
    later = the_day(mixed, "2028-01-05")
    assert later.cases["ann", "bob"].view.balance.care > later.cases["ann", "bob"].view.balance.know
    assert cleared(Rule.KNOW_ONLY, begun, later) is None

    meal = touch(4, "meal_or_social", "2026-01-06T10:00:00")
    cared = the_day([*mixed, meal], "2026-01-06")
    assert cleared(Rule.KNOW_ONLY, begun, cared) is Reason.CONTACT


def test_know_only_that_comes_about_in_silence_is_raised() -> None:
    # Care that halves in 30 days (a comment of 3000), know in 90 (9 x 1000 of prep minutes).
    comment = touch(2, "social.comment", "2026-01-05T10:00:00")
    proposal = touch(10, "proposal", "2026-01-05T10:00:00", prep_minutes=120)
    known = [*evidence(), comment, proposal]

    # 3000 / 12000 = 250; 30 days on 1500 / (1500 + 9000 x 2^(-1/3) = 7143) = 174.
    assert found(Rule.KNOW_ONLY, known, "2026-01-05") == []
    assert len(found(Rule.KNOW_ONLY, known, "2026-02-04")) == 1


def one_sided(anns: list[str], bobs: list[str]) -> list[Touchpoint]:
    mine = [touch(n, kind, "2026-01-05T10:00:00") for n, kind in enumerate(anns, start=1)]
    return mine + [
        touch(n, kind, "2026-01-05T11:00:00", **BOBS) for n, kind in enumerate(bobs, start=100)
    ]


def test_one_sided_is_a_reciprocity_below_300_per_mille() -> None:
    # 7 x 2000 + 3000 = 17000 against 3000: 2 x 3000 / 20000 = 300. All halve in 90 days.
    even = one_sided(["channel.followed"] * 7 + ["greeting.written"], ["greeting.written"])

    assert found(Rule.ONE_SIDED, even, "2026-01-05") == []
    # 19000 against 3000: 273.
    (item,) = found(
        Rule.ONE_SIDED,
        one_sided(["channel.followed"] * 8 + ["greeting.written"], ["greeting.written"]),
        "2026-01-05",
    )
    assert item.number("reciprocity_per_mille") == 273
    assert item.why == "reciprocity of 273 per mille on 10 touches: stop pushing, ask"


def test_one_sided_needs_six_touches() -> None:
    assert found(Rule.ONE_SIDED, one_sided(["call"] * 5, []), "2026-01-05") == []
    assert len(found(Rule.ONE_SIDED, one_sided(["call"] * 6, []), "2026-01-05")) == 1


def test_who_only_takes_is_told_to_give() -> None:
    (item,) = found(Rule.ONE_SIDED, one_sided([], ["call"] * 6), "2026-01-05")

    assert item.person == "ann"
    assert item.why.endswith("give something back")
    assert (item.number("given_mp"), item.number("received_mp")) == (0, 48_000)


def test_one_sided_is_cleared_by_what_comes_back_not_by_fading() -> None:
    # Bob's testimonial halves in 365 days, Ann's calls in 90: it evens out by itself, from
    # 2 x 13000 / 173000 = 150 to 2 x 6562 / 16562 = 792 after 360 days.
    given = one_sided(["call"] * 20, ["testimonial"])
    before = the_day(given, "2026-01-05")
    assert cleared(Rule.ONE_SIDED, before, the_day(given, "2026-12-31")) is None
    asked = [*given, touch(200, "meeting.in_person", "2026-12-31T10:00:00", **BOBS)]
    assert cleared(Rule.ONE_SIDED, before, the_day(asked, "2026-12-31")) is Reason.CONTACT
