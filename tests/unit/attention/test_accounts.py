"""Single-threaded accounts, and what leaves with one of ours."""

from typing import Any

import pytest

from services.projector.domain.attention.items import Reason, Rule
from services.projector.domain.collective.account import account as account_of
from services.projector.domain.collective.stake import stake_of
from services.projector.domain.measures.view import Side, view_of
from services.projector.domain.people.affiliations import Ended, Started, affiliations
from tests.unit.attention.days import cleared, found, instant, the_day
from tests.unit.domain.people import touch, uuid
from tests.unit.measures.views import POLICY, day

ACME, US = "organizations/acme", "organizations/us"
SIDES = {
    "amy": Side.INTERNAL,
    "ann": Side.INTERNAL,
    "bob": Side.EXTERNAL,
    "eve": Side.EXTERNAL,
}
PAIRS = [("ann", "bob"), ("amy", "eve"), ("amy", "bob")]


def started(number: int, person: str, organization: str, at: str = "2025-01-01") -> Started:
    return Started(
        event_id=uuid(number),
        position=number,
        instant_us=instant(f"{at}T00:00:00"),
        person=person,
        organization=organization,
    )


CUSTOMERS = [started(90, "bob", ACME), started(91, "eve", ACME)]
ANNS = [touch(n, "call", "2026-01-01T10:00:00") for n in range(1, 8)]
AMYS = [
    touch(n, "call", "2026-01-01T10:00:00", initiator="amy", counterpart="eve")
    for n in range(11, 15)
]


def account(**fields: Any) -> dict[str, Any]:
    return {"sides": SIDES, "pairs": PAIRS, "affiliations": affiliations(CUSTOMERS)} | fields


@pytest.mark.parametrize(("amys", "raised"), [(3, False), (2, True)])
def test_an_account_hangs_on_one_thread_above_700_per_mille(amys: int, raised: bool) -> None:
    # Every call is worth 5000: 7 of 10 are 700 per mille, 7 of 9 are 778.
    items = found(Rule.SINGLE_THREADED, [*ANNS, *AMYS[:amys]], "2026-01-01", **account())

    assert [(item.person, item.about) for item in items] == [("ann", ACME)] * raised
    for item in items:
        assert item.number("by_ours_per_mille") == item.number("by_theirs_per_mille") == 778


def test_one_of_theirs_may_be_the_thread_too() -> None:
    # Ann and Amy both know Bob alone: 7 and 3 calls.
    amys = [
        touch(n, "call", "2026-01-01T10:00:00", initiator="amy", counterpart="bob")
        for n in range(11, 14)
    ]
    (item,) = found(Rule.SINGLE_THREADED, [*ANNS, *amys], "2026-01-01", **account())

    assert item.number("by_ours_per_mille") == 700
    assert item.number("by_theirs_per_mille") == 1000


@pytest.mark.parametrize("amys", range(6))
@pytest.mark.parametrize("on", ["2026-01-01", "2026-03-07", "2026-12-31"])
def test_attention_and_the_account_mean_the_same_by_single_threaded(amys: int, on: str) -> None:
    touchpoints = [*ANNS, *AMYS[:amys]]
    views = [view_of(touchpoints, POLICY, day(on), pair, sides=SIDES) for pair in PAIRS]
    told = account_of([stake_of(view) for view in views], {"bob", "eve"}, POLICY)

    items = found(Rule.SINGLE_THREADED, touchpoints, on, **account())

    assert bool(items) == told.single_threaded
    for item in items:
        ours, theirs = (
            max(holding.share_per_mille or 0 for holding in held)
            for held in (told.by_internal, told.by_external)
        )
        assert item.number("by_ours_per_mille") == ours
        assert item.number("by_theirs_per_mille") == theirs


def test_another_thread_clears_it_and_so_do_people_leaving_the_account() -> None:
    before = the_day([*ANNS, *AMYS[:2]], "2026-01-01", **account())
    more = touch(20, "call", "2026-01-02T10:00:00", initiator="amy", counterpart="eve")
    spread = the_day([*ANNS, *AMYS[:2], more], "2026-01-02", **account())
    gone = the_day([*ANNS, *AMYS[:2]], "2026-01-02", **account(affiliations=affiliations([])))

    assert cleared(Rule.SINGLE_THREADED, before, spread) is Reason.SPREAD
    assert cleared(Rule.SINGLE_THREADED, before, gone) is Reason.CHANGED


OUR_START = started(92, "ann", US)
OUR_END = Ended(
    event_id=uuid(93),
    position=93,
    instant_us=instant("2026-03-01T00:00:00"),
    person="ann",
    organization=US,
    ends=uuid(92),
)
LEFT = account(affiliations=affiliations([*CUSTOMERS, OUR_START], [OUR_END]))
MET = [
    touch(1, "call", "2026-02-01T10:00:00"),
    touch(2, "call", "2026-02-01T10:00:00", initiator="amy", counterpart="bob"),
]


def test_capital_is_at_risk_from_the_day_one_of_ours_left() -> None:
    assert found(Rule.CAPITAL_AT_RISK, MET, "2026-02-28", **LEFT) == []
    (item,) = found(Rule.CAPITAL_AT_RISK, MET, "2026-03-01", **LEFT)

    # Ann's call of 4000 CARE, 28 days on: 4000 x 2^(-28/90) = 3224.
    assert (item.about, item.number("relationships"), item.number("care_mp")) == ("ann", 1, 3224)
    assert item.why == "one who left has not handed over 1 relationship: CARE of 3.224"
    # Amy knows Bob too; without her it would be for Ann herself.
    assert item.person == "amy"
    (alone,) = found(Rule.CAPITAL_AT_RISK, MET[:1], "2026-03-01", **LEFT)
    assert alone.person == "ann"


def test_the_team_left_behind_comes_first() -> None:
    teams = {"ann": "sales", "ivy": "sales", "amy": "care"}
    sides = SIDES | {"ivy": Side.INTERNAL}
    (item,) = found(
        Rule.CAPITAL_AT_RISK, MET, "2026-03-01", **LEFT | {"teams": teams, "sides": sides}
    )

    assert item.person == "ivy"


def test_a_customer_who_leaves_takes_nothing_of_ours() -> None:
    end = Ended(
        event_id=uuid(93),
        position=93,
        instant_us=instant("2026-03-01T00:00:00"),
        person="bob",
        organization=ACME,
        ends=uuid(90),
    )
    around = account(affiliations=affiliations(CUSTOMERS, [end]))

    assert found(Rule.CAPITAL_AT_RISK, MET, "2026-03-01", **around) == []


def test_a_handover_clears_it_by_the_leaver_or_by_a_colleague_after() -> None:
    before = the_day(MET, "2026-03-01", **LEFT)

    def after(kind: str, at: str, **fields: str) -> Reason | None:
        more = touch(20, kind, f"{at}T10:00:00", **fields)
        return cleared(Rule.CAPITAL_AT_RISK, before, the_day([*MET, more], "2026-03-03", **LEFT))

    amys = {"initiator": "amy", "counterpart": "bob"}
    assert after("handover", "2026-03-02") is Reason.HANDED_OVER
    assert after("handover", "2026-03-02", **amys) is Reason.HANDED_OVER
    assert after("call", "2026-03-02", **amys) is None
    assert after("handover", "2026-02-02", **amys) is None


def test_who_comes_back_took_nothing_and_an_end_taken_back_never_was() -> None:
    back = affiliations([*CUSTOMERS, OUR_START, started(94, "ann", US, "2026-03-05")], [OUR_END])
    before = the_day(MET, "2026-03-01", **LEFT)

    returned = the_day(MET, "2026-03-05", **account(affiliations=back))
    assert cleared(Rule.CAPITAL_AT_RISK, before, returned) is Reason.CHANGED
    voided = account(affiliations=affiliations([*CUSTOMERS, OUR_START]))
    assert cleared(Rule.CAPITAL_AT_RISK, before, the_day(MET, "2026-03-05", **voided)) is (
        Reason.WITHDRAWN
    )
