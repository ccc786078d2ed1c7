"""TimelineService and PeopleService over real gRPC and real Postgres: past days and knowledge."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from rapport.events.v1 import people_pb2
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import people_service_pb2 as people
from rapport.v1 import timeline_service_pb2 as timeline
from rapport.v1.people_service_pb2_grpc import PeopleServiceStub

from services.projector.queries import stood
from tests.support.databases import Database
from tests.support.errors import refused
from tests.support.views import (
    Running,
    caller,
    correct,
    date_of,
    described,
    link,
    running_projector,
    touch,
    void,
)

PAIR = "relationships/ann~bob"


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        yield running


def known_at(position: int) -> capital.AsOf:
    return capital.AsOf(known_at_position=position)


async def page(projector: Running, **request: Any) -> timeline.ListTimelineResponse:
    request.setdefault("parent", PAIR)
    answer: timeline.ListTimelineResponse = await projector.timeline.ListTimeline(
        timeline.ListTimelineRequest(**request), metadata=caller()
    )
    return answer


async def seen(projector: Running, **request: Any) -> list[tuple[str, str]]:
    """The kinds of the lines, and how each stands."""
    answer = await page(projector, **request)
    return [
        (each.touchpoint.kind, timeline.LineState.Name(each.state).removeprefix("LINE_STATE_"))
        for each in answer.lines
    ]


async def test_a_timeline_shows_how_its_lines_stood(projector: Running) -> None:
    call = await projector.add(touch("ann", "bob", "call"), "2026-05-01T09:00:00Z")
    await projector.add(touch("ann", "bob", "advice"), "2026-05-02T09:00:00Z")
    moved = correct(call, touch("bob", "ann", "proposal"), "2026-05-03T09:00:00Z")
    await projector.add(moved)
    await projector.add(void(call))
    await projector.settle()
    first, both = ("call", "EFFECTIVE"), ("advice", "EFFECTIVE")
    assert await seen(projector, as_of=known_at(1)) == [first]
    assert await seen(projector, as_of=known_at(2)) == [both, first]
    assert await seen(projector, as_of=known_at(3)) == [("proposal", "CORRECTED"), both]
    gone = [both, ("call", "VOIDED")]
    assert await seen(projector, as_of=known_at(4), include_voided=True) == gone
    assert await seen(projector, include_voided=True) == gone
    assert await seen(projector, as_of=known_at(0)) == []


async def test_a_timeline_ends_with_the_day_asked(projector: Running) -> None:
    for month in ("03", "04", "05"):
        await projector.add(touch("ann", "bob", "call"), f"2026-{month}-01T09:00:00Z")
    ahead = await projector.add(touch("ann", "bob", "call"), "2026-06-02T00:01:00Z")
    await projector.settle()
    in_april = capital.AsOf(on=date_of("2026-04-01"))
    for parent in (PAIR, "people/ann"):
        for order in timeline.TimelineOrder.values():
            asked = {"parent": parent, "order_by": order}
            today = (await page(projector, **asked)).lines
            april = (await page(projector, **asked, as_of=in_april)).lines
            assert [each.position for each in today] == [3, 2, 1]
            assert [each.position for each in april] == [2, 1]
    tomorrow = capital.AsOf(on=date_of("2026-06-02"))
    assert (await page(projector, as_of=tomorrow)).lines[0].event_id == ahead


async def test_further_pages_know_what_the_first_one_knew(projector: Running) -> None:
    for day in range(1, 6):
        await projector.add(touch("ann", "bob", "call"), f"2026-05-0{day}T09:00:00Z")
    await projector.settle()
    later = capital.AsOf()
    later.known_at_time.CopyFrom(Timestamp(seconds=4_000_000_000))
    for order in timeline.TimelineOrder.values():
        asked = {"as_of": later, "order_by": order, "page_size": 2}
        first = await page(projector, **asked)
        await projector.add(touch("ann", "bob", "advice"), "2026-05-02T08:00:00Z")
        await projector.settle()
        second = await page(projector, **asked, page_token=first.next_page_token)
        assert second.position == first.position
        assert len(second.lines) == 2
        assert all(each.position <= first.position for each in second.lines)


async def test_a_page_token_belongs_to_its_knowledge(projector: Running) -> None:
    for day in range(1, 6):
        await projector.add(touch("ann", "bob", "call"), f"2026-05-0{day}T09:00:00Z")
    await projector.settle()
    first = await page(projector, as_of=known_at(4), page_size=1)
    token = first.next_page_token
    error = await refused(page(projector, as_of=known_at(3), page_size=1, page_token=token))
    assert error.reason == "PAGE_TOKEN_INVALID"


async def test_a_past_timeline_of_too_much_is_refused(
    projector: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(1, 5):
        await projector.add(touch("ann", "bob", "call"), f"2026-05-0{day}T09:00:00Z")
    await projector.settle()
    monkeypatch.setattr(stood, "FOLDED_TOUCHPOINTS_MAX", 2)
    assert len((await page(projector, as_of=known_at(2))).lines) == 2
    error = await refused(page(projector, parent="people/ann", as_of=known_at(3), page_size=1))
    assert error.reason == "LIST_TOO_WIDE"
    assert error.metadata == {"count": "3", "limit": "2"}
    assert len((await page(projector, parent="people/ann")).lines) == 4


async def test_a_party_is_there_from_the_first_event_that_names_it(projector: Running) -> None:
    await projector.add(touch("ann", "bob", "call"))
    await projector.add(described("people/bob", team="red", side=people_pb2.SIDE_EXTERNAL))
    await projector.add(described("people/cid", team="red"))
    await projector.settle()

    async def listed(**request: Any) -> list[tuple[str, str]]:
        answer = await projector.timeline.ListParties(
            timeline.ListPartiesRequest(**request), metadata=caller()
        )
        return [(party.party, party.team) for party in answer.parties]

    assert await listed(as_of=known_at(1)) == [("people/ann", ""), ("people/bob", "")]
    assert await listed(as_of=known_at(2), team="red") == [("people/bob", "red")]
    request = timeline.GetPartyRequest(party="people/cid", as_of=known_at(2))
    error = await refused(projector.timeline.GetParty(request, metadata=caller()))
    assert error.reason == "PARTY_UNKNOWN"


async def test_a_day_said_twice_is_refused(projector: Running) -> None:
    await projector.add(touch("ann", "bob", "call"))
    await projector.settle()
    day = date_of("2026-05-01")
    request = timeline.GetPartyRequest(party="people/ann", on=day, as_of=capital.AsOf(on=day))
    error = await refused(projector.timeline.GetParty(request, metadata=caller()))
    assert error.reason == "FIELD_MALFORMED"
    assert [each.field for each in error.violations] == ["on"]


async def test_links_are_listed_as_they_held(projector: Running) -> None:
    first = await projector.add(link("ann", "ann2"))
    await projector.add(link("bob", "bob2"))
    await projector.add(void(first))
    await projector.settle()
    service: Any = PeopleServiceStub(projector.channel)

    async def fates(position: int) -> list[str]:
        found: list[str] = []
        request = people.ListLinksRequest(page_size=1, as_of=known_at(position))
        while True:
            answer = await service.ListLinks(request, metadata=caller())
            found += [each.ineffective_because for each in answer.links]
            if not answer.next_page_token:
                return found
            request.page_token = answer.next_page_token

    assert await fates(1) == [""]
    assert await fates(2) == ["", ""]
    assert await fates(3) == ["voided", ""]
