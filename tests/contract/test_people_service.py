"""PeopleService over real gRPC and real Postgres: links, places, watch lists."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from rapport.events.v1 import people_pb2, practice_pb2
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import people_service_pb2 as wire
from rapport.v1.people_service_pb2_grpc import PeopleServiceStub

from tests.support.databases import Database
from tests.support.errors import refused
from tests.support.views import (
    OTHER_TENANT,
    Running,
    caller,
    date_of,
    described,
    link,
    relationship,
    running_projector,
    touch,
    unlink,
    void,
)

INTERNAL = people_pb2.SIDE_INTERNAL
EXTERNAL = people_pb2.SIDE_EXTERNAL
STRONG = people_pb2.LINK_STRENGTH_STRONG
WEAK = people_pb2.LINK_STRENGTH_WEAK
TODAY = "2026-06-01T09:00:00Z"


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        yield running


def stub(projector: Running) -> Any:
    return PeopleServiceStub(projector.channel)


async def links(projector: Running, **request: Any) -> list[wire.Link]:
    """The links of all pages."""
    found: list[wire.Link] = []
    token = ""
    while True:
        page = await stub(projector).ListLinks(
            wire.ListLinksRequest(page_token=token, **request), metadata=caller()
        )
        found += page.links
        token = page.next_page_token
        if not token:
            return found


async def proposals(projector: Running, size: int = 0) -> list[str]:
    found: list[str] = []
    token = ""
    while True:
        page = await stub(projector).ListLinkProposals(
            wire.ListLinkProposalsRequest(page_token=token, page_size=size), metadata=caller()
        )
        found += [each.event_id for each in page.proposals]
        token = page.next_page_token
        if not token:
            return found


async def balance(projector: Running, a: str, b: str, **as_of: Any) -> capital.Balance:
    answer: capital.GetBalanceResponse = await projector.capital.GetBalance(
        capital.GetBalanceRequest(relationship=relationship(a, b), as_of=capital.AsOf(**as_of)),
        metadata=caller(),
    )
    return answer.balance


def weak(a: str, b: str, evidence: str = "") -> people_pb2.IdentityLinked:
    made = people_pb2.IdentityLinked(a=f"people/{a}", b=f"people/{b}", strength=WEAK)
    if evidence:
        made.evidence.text = evidence
    return made


async def test_links_are_listed_with_what_became_of_them(projector: Running) -> None:
    ended = await projector.add(link("eva", "eve"))
    end = await projector.add(unlink(ended, "eve", "eva"))
    taken_back = await projector.add(link("bob", "rob"))
    await projector.add(void(taken_back))
    held = await projector.add(link("zoe", "ann"))
    # An end of other people, and one that was taken back, end nothing.
    await projector.add(unlink(held, "ann", "bob"))
    await projector.add(void(await projector.add(unlink(held, "ann", "zoe"))))
    proposed = await projector.add(weak("eve", "evelyn", "same phone number"))
    await projector.settle()
    for size in (0, 1, 3):
        found = await links(projector, page_size=size)
        assert [
            (each.event_id, each.ended_by, each.ineffective_because, each.strength)
            for each in found
        ] == [
            (ended, end, "", STRONG),
            (taken_back, "", "voided", STRONG),
            (held, "", "", STRONG),
            (proposed, "", "", WEAK),
        ]
    assert (found[0].a, found[0].b) == ("people/eva", "people/eve")
    assert found[3].evidence.text == "same phone number"
    for size in (0, 1):
        mine = await links(projector, person="people/eve", page_size=size)
        assert [each.event_id for each in mine] == [ended, proposed]


async def test_weak_evidence_only_proposes_until_somebody_links_or_ends_it(
    projector: Running,
) -> None:
    await projector.add(touch("me", "eve", "call"), TODAY)
    first = await projector.add(weak("eva", "eve"))
    second = await projector.add(weak("bob", "rob"))
    await projector.settle()
    for size in (0, 1):
        assert await proposals(projector, size) == [first, second]
    assert (await balance(projector, "me", "eva")).know_mp == 0
    await projector.add(link("eve", "eva"))
    await projector.add(unlink(second, "bob", "rob"))
    await projector.settle()
    assert await proposals(projector) == []
    assert (await balance(projector, "me", "eva")).know_mp == 4000


async def test_a_link_of_ours_with_an_outsider_is_listed_and_has_no_effect(
    projector: Running,
) -> None:
    await projector.add(touch("me", "eve", "call"), TODAY)
    await projector.add(touch("me", "ann", "call"), TODAY)
    linked = await projector.add(link("ann", "eve"))
    before = await projector.settle()
    assert (await balance(projector, "me", "eve")).know_mp == 8000
    await projector.add(described("people/ann", side=INTERNAL), TODAY)
    await projector.settle()
    assert (await balance(projector, "me", "eve")).know_mp == 8000
    outside = await projector.add(described("people/eve", side=EXTERNAL), TODAY)
    await projector.settle()
    (found,) = await links(projector)
    assert (found.event_id, found.ineffective_because) == (linked, "internal_with_external")
    assert (await balance(projector, "me", "eve")).know_mp == 4000
    assert (await balance(projector, "me", "ann")).know_mp == 4000
    # As known then, and on any day of that knowledge, they were one human.
    assert (await balance(projector, "me", "eve", known_at_position=before)).know_mp == 8000
    page: capital.ListBalancesResponse = await projector.capital.ListBalances(
        capital.ListBalancesRequest(), metadata=caller()
    )
    assert {each.relationship for each in page.balances} == {
        "relationships/ann~me",
        "relationships/eve~me",
    }
    await projector.add(void(outside))
    await projector.settle()
    (found,) = await links(projector)
    assert found.ineffective_because == ""
    assert (await balance(projector, "me", "eve")).know_mp == 8000


async def test_weak_evidence_across_sides_proposes_nothing(projector: Running) -> None:
    await projector.add(described("people/ann", side=INTERNAL), TODAY)
    await projector.add(described("people/eve", side=EXTERNAL), TODAY)
    await projector.add(weak("ann", "eve"))
    await projector.settle()
    assert await proposals(projector) == []
    assert (await links(projector))[0].ineffective_because == "internal_with_external"


async def affiliations(projector: Running, party: str, **request: Any) -> list[tuple[str, str]]:
    as_of = request.pop("as_of", {})
    answer: wire.ListAffiliationsResponse = await stub(projector).ListAffiliations(
        wire.ListAffiliationsRequest(party=party, as_of=capital.AsOf(**as_of), **request),
        metadata=caller(),
    )
    return [(each.person, each.organization) for each in answer.affiliations]


async def test_people_move_and_their_old_places_stay_on_record(projector: Running) -> None:
    acme, zeta = "organizations/acme", "organizations/zeta"

    def starts(person: str, organization: str) -> people_pb2.AffiliationStarted:
        return people_pb2.AffiliationStarted(person=person, organization=organization)

    eve, eva = "people/eve", "people/eva"
    first = await projector.add(starts(eve, acme), "2025-01-01T09:00:00Z")
    await projector.add(
        people_pb2.AffiliationEnded(person=eve, organization=acme, ends=first),
        "2026-02-01T09:00:00Z",
    )
    await projector.add(starts(eve, zeta), "2026-02-01T10:00:00Z")
    other = await projector.add(starts(eva, acme), "2026-03-01T10:00:00Z")
    linked = await projector.settle()
    await projector.add(link("eve", "eva"))
    await projector.settle()
    assert await affiliations(projector, eve) == [(eve, zeta), (eva, acme)]
    assert await affiliations(projector, eve, as_of={"known_at_position": linked}) == [(eve, zeta)]
    assert await affiliations(projector, eve, include_ended=True) == [
        (eve, acme),
        (eve, zeta),
        (eva, acme),
    ]
    assert await affiliations(projector, acme) == [(eva, acme)]
    assert await affiliations(projector, acme, as_of={"on": date_of("2026-01-31")}) == [(eve, acme)]
    assert await affiliations(projector, acme, as_of={"on": date_of("2026-02-01")}) == []
    await projector.add(void(other))
    await projector.settle()
    assert await affiliations(projector, acme) == []


def saved(name: str, *parties: str) -> practice_pb2.WatchListSaved:
    return practice_pb2.WatchListSaved(list=name, parties=parties)


async def lists(projector: Running, by: str = "people/me") -> dict[str, list[str]]:
    answer: wire.ListWatchListsResponse = await stub(projector).ListWatchLists(
        wire.ListWatchListsRequest(), metadata=caller(by)
    )
    assert all(each.owner == by for each in answer.lists)
    return {each.list: list(each.parties) for each in answer.lists}


async def watch_list(
    projector: Running, name: str, by: str = "people/me", lines: int | None = None, **as_of: Any
) -> wire.GetWatchListResponse:
    answer: wire.GetWatchListResponse = await stub(projector).GetWatchList(
        wire.GetWatchListRequest(list=name, lines=lines, as_of=capital.AsOf(**as_of)),
        metadata=caller(by),
    )
    return answer


async def test_lists_are_their_owners_and_the_newest_of_a_name_holds(projector: Running) -> None:
    me, other = "people/me", "services/crm"
    await projector.add(saved("top", "people/a"), by=me)
    await projector.add(saved("top", "people/a", "people/b"), by=me)
    await projector.add(saved("old", "people/a"), by=me)
    await projector.add(saved("old"), by=me)
    await projector.add(void(await projector.add(saved("gone", "people/a"), by=me)))
    await projector.add(saved("top", "people/z"), by=other)
    await projector.add(saved("theirs", "people/z"), by=me, tenant=OTHER_TENANT)
    await projector.settle()
    assert await lists(projector) == {"old": [], "top": ["people/a", "people/b"]}
    assert await lists(projector, other) == {"top": ["people/z"]}
    assert await lists(projector, "people/nobody") == {}


async def _watched(projector: Running) -> list[str]:
    """Me watching bob and acme, where eve was until May 20; five touchpoints, oldest first."""
    began = await projector.add(
        people_pb2.AffiliationStarted(person="people/eve", organization="organizations/acme"),
        "2026-05-05T09:00:00Z",
    )
    touches = [
        await projector.add(touch(a, b, "call"), f"2026-05-{day}T09:00:00Z")
        for a, b, day in (
            ("me", "eve", "04"),
            ("me", "eve", "06"),
            ("bob", "ann", "10"),
            ("me", "bob", "15"),
            ("me", "eve", "20"),
        )
    ]
    await projector.add(
        people_pb2.AffiliationEnded(
            person="people/eve", organization="organizations/acme", ends=began
        ),
        "2026-05-20T12:00:00Z",
    )
    await projector.add(saved("top", "people/bob", "organizations/acme"), by="people/me")
    await projector.settle()
    return touches


async def test_a_watch_list_has_balances_and_a_timeline_of_its_own(projector: Running) -> None:
    _, second, third, fourth, _ = await _watched(projector)
    told = await watch_list(projector, "top")
    # On the day she left, eve was there no more; today she is not.
    assert [line.event_id for line in told.timeline] == [fourth, third, second]
    assert [each.relationship for each in told.balances] == ["relationships/bob~me"]
    told = await watch_list(projector, "top", lines=1, on=date_of("2026-05-14"))
    assert [line.event_id for line in told.timeline] == [third]
    assert {each.relationship for each in told.balances} == {
        "relationships/bob~me",
        "relationships/eve~me",
    }
    assert not (await watch_list(projector, "top", lines=0)).timeline


async def test_a_watch_list_as_known_before_is_folded_to_the_same(projector: Running) -> None:
    touches = await _watched(projector)
    now = await watch_list(projector, "top")
    head = projector.head
    await projector.add(void(touches[3]))
    await projector.settle()
    later = await watch_list(projector, "top")
    assert [line.event_id for line in later.timeline] == [touches[2], touches[1]]
    then = await watch_list(projector, "top", known_at_position=head)
    assert [line.event_id for line in then.timeline] == [line.event_id for line in now.timeline]
    assert then.balances == now.balances


async def test_two_ids_of_one_human_stay_in_a_watch_list_as_known_before(
    projector: Running,
) -> None:
    between = await projector.add(touch("bob", "bob2", "call"))
    await projector.add(link("bob", "bob2"))
    await projector.add(saved("top", "people/bob"), by="people/me")
    head = await projector.settle()
    now = await watch_list(projector, "top")
    await projector.add(touch("me", "bob", "call"))
    await projector.settle()
    then = await watch_list(projector, "top", known_at_position=head)
    assert [line.event_id for line in then.timeline] == [between]
    assert then.timeline == now.timeline


async def test_a_service_has_lists_but_no_relationships(projector: Running) -> None:
    await _watched(projector)
    await projector.add(saved("all", "people/bob"), by="services/crm")
    await projector.settle()
    told = await watch_list(projector, "all", by="services/crm")
    assert (len(told.balances), len(told.timeline)) == (0, 2)


async def test_an_unknown_list_is_not_found(projector: Running) -> None:
    error = await refused(watch_list(projector, "nope"))
    assert (error.reason, error.metadata) == ("WATCH_LIST_UNKNOWN", {"list": "nope"})


async def test_wrong_requests_are_refused_by_their_paths(projector: Running) -> None:
    error = await refused(watch_list(projector, "", lines=201))
    assert [each.field for each in error.violations] == ["list", "lines"]
    error = await refused(links(projector, person="organizations/acme", page_size=1001))
    assert [each.field for each in error.violations] == ["person", "page_size"]
    error = await refused(affiliations(projector, "teams/red"))
    assert (error.reason, error.violations[0].field) == ("FIELD_MALFORMED", "party")
    error = await refused(links(projector, min_position=-1))
    assert [each.field for each in error.violations] == ["min_position"]
    token = await refused(
        stub(projector).ListLinks(wire.ListLinksRequest(page_token="x"), metadata=caller())
    )
    assert token.reason == "PAGE_TOKEN_INVALID"
