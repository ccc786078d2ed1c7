"""TimelineService over real gRPC and real Postgres: people and organisations."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from rapport.events.v1 import people_pb2
from rapport.v1 import timeline_service_pb2 as timeline

from tests.support.databases import Database
from tests.support.errors import refused
from tests.support.views import (
    Running,
    caller,
    date_of,
    described,
    running_projector,
    touch,
    void,
)

INTERNAL = people_pb2.SIDE_INTERNAL
EXTERNAL = people_pb2.SIDE_EXTERNAL


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        yield running


async def get(projector: Running, party: str, on: str | None = None) -> timeline.Party:
    request = timeline.GetPartyRequest(party=party)
    if on is not None:
        request.on.CopyFrom(date_of(on))
    answer = await projector.timeline.GetParty(request, metadata=caller())
    found: timeline.Party = answer.party
    return found


async def names(projector: Running, **request: Any) -> list[str]:
    """The parties of all pages."""
    found: list[str] = []
    token = ""
    while True:
        page = await projector.timeline.ListParties(
            timeline.ListPartiesRequest(page_token=token, **request), metadata=caller()
        )
        found += [party.party for party in page.parties]
        token = page.next_page_token
        if not token:
            return found


async def test_the_description_in_force_on_a_day(projector: Running) -> None:
    first = await projector.add(
        described("people/amy", name="Amy Young", side=EXTERNAL, tier="a"), "2026-03-01T09:00:00Z"
    )
    second = await projector.add(
        described("people/amy", name="Amy Old", side=INTERNAL, team="sales"), "2026-04-01T09:00:00Z"
    )
    await projector.settle()
    now = await get(projector, "people/amy")
    assert now.display_name.text == "Amy Old"
    assert not now.display_name.sealed
    assert (now.side, now.team, now.tier, now.described_by) == (INTERNAL, "sales", "", second)
    assert now.kind == people_pb2.PARTY_KIND_PERSON
    before = await get(projector, "people/amy", "2026-03-31")
    assert (before.display_name.text, before.tier, before.described_by) == ("Amy Young", "a", first)
    unborn = await get(projector, "people/amy", "2026-02-28")
    assert unborn.described_by == ""
    assert not unborn.HasField("display_name")
    await projector.add(void(second))
    await projector.settle()
    assert (await get(projector, "people/amy")).described_by == first


async def test_a_party_only_named_is_there_without_description(projector: Running) -> None:
    await projector.add(touch("a", "b", "call"))
    await projector.settle()
    assert (await get(projector, "people/a")).side == 0
    error = await refused(get(projector, "organizations/acme"))
    assert (error.reason, error.code.name) == ("PARTY_UNKNOWN", "NOT_FOUND")
    assert error.metadata == {"party": "organizations/acme"}


async def test_parties_are_listed_by_name_and_filtered(projector: Running) -> None:
    for person, side, team, tier in (
        ("people/amy", INTERNAL, "sales", ""),
        ("people/bob", INTERNAL, "care", ""),
        ("people/cas", EXTERNAL, "", "a"),
        ("people/dan", EXTERNAL, "", "b"),
    ):
        await projector.add(described(person, side=side, team=team, tier=tier))
    await projector.add(described("organizations/shop", tier="a", name="The Shop"))
    await projector.add(touch("amy", "eve", "call"))
    await projector.settle()
    everybody = [
        "organizations/shop",
        "people/amy",
        "people/bob",
        "people/cas",
        "people/dan",
        "people/eve",
    ]
    for size in (0, 1, 2, 6):
        assert await names(projector, page_size=size) == everybody
        assert await names(projector, page_size=size, side=INTERNAL) == everybody[1:3]
    assert await names(projector, kind=people_pb2.PARTY_KIND_PERSON) == everybody[1:]
    assert await names(projector, kind=people_pb2.PARTY_KIND_ORGANIZATION) == everybody[:1]
    assert await names(projector, tier="a") == ["organizations/shop", "people/cas"]
    assert await names(projector, team="care") == ["people/bob"]
    assert await names(projector, team="care", side=EXTERNAL) == []
    page = await projector.timeline.ListParties(
        timeline.ListPartiesRequest(page_size=1), metadata=caller()
    )
    assert page.parties[0].display_name.text == "The Shop"
    assert page.position == projector.head


async def test_an_erased_party_keeps_its_side_and_loses_its_name(projector: Running) -> None:
    await projector.add(described("people/amy", name="Amy", side=EXTERNAL))
    await projector.vault.erase("acme", "people/amy", UUID(int=9))
    await projector.add(people_pb2.SubjectErased(subject="people/amy"))
    await projector.settle()
    party = await get(projector, "people/amy")
    assert party.erased
    assert party.display_name.erased
    assert not party.display_name.text
    assert party.side == EXTERNAL


async def test_attributes_are_opened_at_their_place(projector: Running) -> None:
    message = described("people/amy", portrait=people_pb2.Portrait(uri="u", sha256=b"s"))
    message.attributes["club"].text = "Red Sox"
    await projector.add(message)
    await projector.settle()
    party = await get(projector, "people/amy")
    assert party.attributes["club"].text == "Red Sox"
    assert party.portrait.uri == "u"
