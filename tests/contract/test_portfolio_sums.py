"""PortfolioService over real gRPC and real Postgres: portfolios and accounts, worked by hand.

On their own day: a call is worth KNOW 4000, CARE 4000, buffer 4000 + 4000 / 4 = 5000; a meeting in
person 8000, 8000 and 10000; a congratulation CARE 6000 and buffer 6000.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from rapport.events.v1 import people_pb2
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import portfolio_service_pb2 as wire
from rapport.v1.portfolio_service_pb2_grpc import PortfolioServiceStub

from tests.support.databases import Database
from tests.support.errors import refused
from tests.support.views import (
    OTHER_TENANT,
    Running,
    caller,
    date_of,
    described,
    link,
    running_projector,
    touch,
    unlink,
    void,
)

INTERNAL = people_pb2.SIDE_INTERNAL
EXTERNAL = people_pb2.SIDE_EXTERNAL
TODAY = "2026-06-01T09:00:00Z"


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        await _tell(running)
        yield running


async def _tell(running: Running) -> None:
    """Me and ann are ours, eve and bob are not; everybody is in touch today."""
    early = "2026-01-01T09:00:00Z"
    await running.add(described("people/me", side=INTERNAL, team="red"), early)
    await running.add(described("people/ann", side=INTERNAL, team="red"), early)
    await running.add(described("people/ann", side=INTERNAL, team="blue"), TODAY)
    await running.add(described("people/bob", side=EXTERNAL), early)
    await running.add(described("people/eve", side=EXTERNAL), early)
    await running.add(touch("me", "eve", "call"), TODAY)
    await running.add(touch("bob", "me", "meeting.in_person"), TODAY)
    await running.add(touch("ann", "eve", "congratulation.call"), TODAY)
    await running.add(touch("ann", "me", "call"), TODAY)
    await running.settle()


async def portfolio(
    projector: Running, parent: str = "people/me", **as_of: Any
) -> wire.GetPortfolioResponse:
    stub: Any = PortfolioServiceStub(projector.channel)
    answer: wire.GetPortfolioResponse = await stub.GetPortfolio(
        wire.GetPortfolioRequest(parent=parent, as_of=capital.AsOf(**as_of)), metadata=caller()
    )
    return answer


async def account(
    projector: Running, organization: str = "organizations/acme", **as_of: Any
) -> wire.GetAccountResponse:
    stub: Any = PortfolioServiceStub(projector.channel)
    answer: wire.GetAccountResponse = await stub.GetAccount(
        wire.GetAccountRequest(organization=organization, as_of=capital.AsOf(**as_of)),
        metadata=caller(),
    )
    return answer


def sums(answer: Any) -> tuple[int, int, int, int]:
    told = answer.sums
    return told.know_mp, told.care_mp, told.buffer_mp, told.relationships


def holdings(held: Any) -> list[tuple[str, int, int]]:
    return [(each.party, each.buffer_mp, each.share_per_mille) for each in held]


async def test_a_person_holds_the_sum_of_his_relationships(projector: Running) -> None:
    told = await portfolio(projector)
    # call with eve, meeting with bob, call with ann
    assert sums(told) == (4000 + 8000 + 4000, 4000 + 8000 + 4000, 5000 + 10000 + 5000, 3)
    assert holdings(told.by_external) == [("people/bob", 10000, 500), ("people/eve", 5000, 250)]
    assert holdings(told.by_internal) == [("people/me", 20000, 1000), ("people/ann", 5000, 250)]
    # Of ann only the relationship with me is among these: nobody says what she holds.
    assert [(each.party, each.care_mp) for each in told.capital_at_risk] == [("people/me", 16000)]
    names = ["bob~me", "ann~me", "eve~me"]
    assert [each.relationship for each in told.strongest] == [f"relationships/{n}" for n in names]
    assert told.strongest[0].last_contact_on == date_of("2026-06-01")
    assert told.sums.too_little_evidence == 3
    assert told.computed.on == date_of("2026-06-01")


async def test_a_team_is_its_people_of_the_day_and_each_pair_counts_once(
    projector: Running,
) -> None:
    assert sums(await portfolio(projector, "teams/blue")) == (4000, 10000, 11000, 2)
    assert sums(await portfolio(projector, "teams/red"))[3] == 3
    # The day before, both were red, and nobody had been touched.
    assert sums(await portfolio(projector, "teams/blue", on=date_of("2026-05-31"))) == (0, 0, 0, 0)
    whole = await portfolio(projector, "tenants/acme")
    assert sums(whole) == (16000, 22000, 26000, 4)
    assert [(each.party, each.care_mp) for each in whole.capital_at_risk] == [
        ("people/me", 16000),
        ("people/ann", 10000),
    ]


@pytest.mark.parametrize("parent", ["people/me", "teams/blue", "tenants/acme"])
async def test_standings_sums_and_folding_say_the_same(projector: Running, parent: str) -> None:
    standing = await portfolio(projector, parent)
    head = projector.head
    await projector.add(touch("x", "y", "call"), TODAY, tenant=OTHER_TENANT)
    await projector.settle()
    folded = await portfolio(projector, parent, known_at_position=head)
    assert folded == standing
    # Ten days on, from sums: halved it is after ninety.
    later = await portfolio(projector, parent, on=date_of("2026-06-11"))
    folded = await portfolio(projector, parent, on=date_of("2026-06-11"), known_at_position=head)
    later.computed.position = head
    assert folded == later
    assert 0 < later.sums.buffer_mp < standing.sums.buffer_mp


async def test_two_ids_of_one_human_are_one_part_until_they_are_unlinked(
    projector: Running,
) -> None:
    before = await portfolio(projector)
    linked = await projector.add(link("bob", "eve"))
    await projector.settle()
    told = await portfolio(projector)
    assert sums(told) == (16000, 16000, 20000, 2)
    assert holdings(told.by_external) == [("people/bob", 15000, 750)]
    await projector.add(unlink(linked, "bob", "eve"))
    after = await projector.settle()
    told = await portfolio(projector)
    told.computed.position = before.computed.position
    assert (told, after) == (before, before.computed.position + 2)


async def test_a_person_nobody_has_touched_has_an_empty_portfolio(projector: Running) -> None:
    told = await portfolio(projector, "people/nobody")
    assert sums(told) == (0, 0, 0, 0)
    assert not told.by_internal
    assert not told.strongest


@pytest.mark.parametrize("parent", ["people/me", "teams/red", "tenants/acme"])
async def test_a_relationship_of_voided_touchpoints_alone_is_in_no_sum(
    projector: Running, parent: str
) -> None:
    before = await portfolio(projector, parent)
    wrong = await projector.add(touch("me", "zed", "call"), TODAY)
    moved = await projector.add(touch("me", "amy", "call"), "2026-05-30T09:00:00Z")
    await projector.settle()
    assert sums(await portfolio(projector, parent))[3] == before.sums.relationships + 2
    head = projector.head
    await projector.add(void(wrong))
    await projector.add(void(moved))
    await projector.settle()
    told = await portfolio(projector, parent)
    assert sums(told) == sums(before)
    assert told.weakest == before.weakest
    assert not told.without_side
    # By folding the same, and as it was known before it was taken back.
    folded = await portfolio(projector, parent, known_at_position=projector.head)
    assert folded == told
    assert sums(await portfolio(projector, parent, known_at_position=head))[3] == (
        before.sums.relationships + 2
    )


async def test_people_nobody_described_are_named_and_in_the_sums(projector: Running) -> None:
    await projector.add(touch("me", "zed", "call"), TODAY)
    await projector.settle()
    told = await portfolio(projector)
    assert sums(told)[3] == 4
    assert list(told.without_side) == ["people/zed"]


async def test_an_account_is_who_is_affiliated_that_day(projector: Running) -> None:
    start = "2026-02-01T09:00:00Z"
    belongs = people_pb2.AffiliationStarted(
        person="people/eve", organization="organizations/acme", role="buyer"
    )
    began = await projector.add(belongs, start)
    await projector.add(
        people_pb2.AffiliationStarted(person="people/bob", organization="organizations/acme"), start
    )
    await projector.settle()
    told = await account(projector)
    # me and eve, me and bob, ann and eve
    assert sums(told) == (12000, 18000, 21000, 3)
    assert holdings(told.by_external) == [("people/eve", 11000, 524), ("people/bob", 10000, 476)]
    assert holdings(told.by_internal) == [("people/me", 15000, 714), ("people/ann", 6000, 286)]
    assert (told.single_threaded, told.single_thread) == (True, "people/me")
    known = projector.head
    await projector.add(
        people_pb2.AffiliationEnded(
            person="people/eve", organization="organizations/acme", ends=began
        ),
        TODAY,
    )
    await projector.settle()
    told = await account(projector)
    assert sums(told) == (8000, 8000, 10000, 1)
    assert [each.person for each in told.affiliations] == ["people/bob"]
    # The old organisation keeps its past: the day before she was still there.
    day_before = await account(projector, on=date_of("2026-05-31"))
    assert [each.person for each in day_before.affiliations] == ["people/eve", "people/bob"]
    eve = day_before.affiliations[0]
    assert (eve.role, getattr(eve, "from"), eve.until) == (
        "buyer",
        date_of("2026-02-01"),
        date_of("2026-06-01"),
    )
    # As known before it was recorded that she left.
    assert sums(await account(projector, known_at_position=known)) == (12000, 18000, 21000, 3)


async def test_an_organization_nobody_belongs_to_is_empty(projector: Running) -> None:
    told = await account(projector, "organizations/nowhere")
    assert (sums(told), told.single_threaded) == ((0, 0, 0, 0), False)


@pytest.mark.parametrize(
    ("parent", "reason"),
    [
        ("", "FIELD_REQUIRED"),
        ("organizations/acme", "FIELD_MALFORMED"),
        ("teams/", "FIELD_REQUIRED"),
        ("teams/Red", "FIELD_MALFORMED"),
        ("tenants/other", "FIELD_MALFORMED"),
    ],
)
async def test_a_wrong_parent_is_refused_by_its_path(
    projector: Running, parent: str, reason: str
) -> None:
    error = await refused(portfolio(projector, parent))
    assert error.reason == reason
    assert [each.field for each in error.violations] == ["parent"]


async def test_every_wrong_field_is_named(projector: Running) -> None:
    error = await refused(
        account(
            projector, "people/eve", on=date_of("2026-02-30"), policy="Default", min_position=-1
        )
    )
    assert [each.field for each in error.violations] == [
        "organization",
        "as_of.on",
        "as_of.policy",
        "as_of.min_position",
    ]


async def test_a_policy_nobody_adopted_is_refused(projector: Running) -> None:
    error = await refused(portfolio(projector, policy="ours@2"))
    assert (error.reason, error.violations[0].field) == ("POLICY_UNKNOWN", "as_of.policy")


async def test_what_is_to_come_is_in_no_sum_yet_today_as_on_that_day(projector: Running) -> None:
    before = await portfolio(projector)
    await projector.add(touch("me", "zoe", "call"), "2026-06-04T09:00:00Z")
    head = await projector.settle()
    now = await portfolio(projector)
    assert now.sums == before.sums
    as_of: dict[str, Any] = {"on": date_of("2026-06-01"), "known_at_position": head}
    await projector.add(touch("me", "abe", "call"), "2026-05-02T09:00:00Z")
    await projector.settle()
    assert await portfolio(projector, **as_of) == now
