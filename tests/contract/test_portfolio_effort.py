"""The time a person gave and received over all relationships, over real gRPC, by hand."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from rapport.events.v1 import touchpoint_pb2
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import portfolio_service_pb2 as wire
from rapport.v1.portfolio_service_pb2_grpc import PortfolioServiceStub

from tests.support.databases import Database
from tests.support.views import (
    Running,
    caller,
    correct,
    date_of,
    link,
    running_projector,
    touch,
    unlink,
    void,
)

BOARD = "00000000-0000-4000-8000-00000000b0a2"
# The window is 90 days: of 2026-06-01, from 2026-03-04 on.
FIRST, BEFORE = "2026-03-04T00:00:00Z", "2026-03-03T23:59:59Z"


def minutes(prep: int, live: int, follow_up: int) -> touchpoint_pb2.Minutes:
    return touchpoint_pb2.Minutes(prep=prep, live=live, follow_up=follow_up)


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        await _tell(running)
        yield running


async def _tell(running: Running) -> None:
    """A board of an hour with eve and bob, and what was between two people alone."""
    board = {"mutual": True, "occasion_id": BOARD}
    told = [
        (touch("me", "eve", "meeting.in_person", minutes=minutes(30, 60, 10), **board), FIRST),
        (touch("me", "bob", "meeting.in_person", minutes=minutes(20, 60, 15), **board), FIRST),
        (touch("me", "bob", "call", minutes=minutes(0, 15, 0)), "2026-05-01T09:00:00Z"),
        (touch("eve", "me", "call", minutes=minutes(0, 5, 0)), "2026-05-02T09:00:00Z"),
        (touch("me", "eve", "message.personal"), "2026-05-03T09:00:00Z"),
        (touch("me", "bob", "call", minutes=minutes(100, 100, 100)), BEFORE),
        (touch("bob", "eve", "call", minutes=minutes(1, 2, 3)), "2026-05-04T09:00:00Z"),
    ]
    for message, at in told:
        await running.add(message, at)
    await running.settle()


async def effort(projector: Running, parent: str = "people/me", **as_of: Any) -> wire.PersonEffort:
    stub: Any = PortfolioServiceStub(projector.channel)
    answer: wire.GetPortfolioResponse = await stub.GetPortfolio(
        wire.GetPortfolioRequest(parent=parent, as_of=capital.AsOf(**as_of)), metadata=caller()
    )
    assert answer.HasField("effort")
    return answer.effort


def six(told: wire.PersonEffort) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    given, received = told.given, told.received
    return (
        (given.prep, given.live, given.follow_up),
        (received.prep, received.live, received.follow_up),
    )


async def test_an_occasion_counts_once_a_person_at_its_largest_minutes(projector: Running) -> None:
    told = await effort(projector)
    # Given: the board (max(30, 20), max(60, 60), max(10, 15)) and 15 to bob.
    # Received: the board's hour once, and eve's 5. Two of three say minutes: the message does not.
    assert six(told) == ((30, 75, 15), (0, 65, 0))
    assert (told.window_days, told.touchpoints, told.with_minutes) == (90, 5, 4)


async def test_effort_is_as_of_any_day_and_as_known_then(projector: Running) -> None:
    # On May 1 neither eve's call nor the message; the call of March 3 is in that window.
    told = await effort(projector, on=date_of("2026-05-01"))
    assert six(told) == ((130, 175, 115), (0, 60, 0))
    known = projector.head
    whole = await effort(projector)
    assert await effort(projector, known_at_position=known) == whole
    # A correction brings the call of March 3 into the window, a void takes eve's out.
    old = await projector.add(touch("me", "bob", "call", minutes=minutes(7, 7, 7)), BEFORE)
    again = touch("me", "bob", "call", minutes=minutes(1, 2, 3))
    await projector.add(correct(old, again, "2026-05-20T09:00:00Z"), "2026-05-20T09:00:00Z")
    eves = await projector.add(touch("eve", "me", "call", minutes=minutes(9, 9, 9)), FIRST)
    await projector.add(void(eves))
    await projector.settle()
    assert six(await effort(projector)) == ((31, 77, 18), (0, 65, 0))
    assert await effort(projector, known_at_position=projector.head) == await effort(projector)
    assert await effort(projector, known_at_position=known) == whole


async def test_two_ids_of_one_human_give_as_one_until_they_are_unlinked(
    projector: Running,
) -> None:
    await projector.add(
        touch("moi", "zoe", "meeting.video", minutes=minutes(0, 60, 40), occasion_id=BOARD), FIRST
    )
    await projector.settle()
    before = await effort(projector)
    linked = await projector.add(link("me", "moi"))
    await projector.settle()
    # The board was one hour for both ids: only the longest follow-up is new.
    assert six(await effort(projector)) == ((30, 75, 40), (0, 65, 0))
    assert await effort(projector, "people/moi") == await effort(projector)
    await projector.add(unlink(linked, "me", "moi"))
    await projector.settle()
    assert await effort(projector) == before


async def test_teams_and_tenants_have_no_effort_of_one_person(projector: Running) -> None:
    stub: Any = PortfolioServiceStub(projector.channel)
    for parent in ("teams/red", "tenants/acme"):
        request = wire.GetPortfolioRequest(parent=parent)
        assert not (await stub.GetPortfolio(request, metadata=caller())).HasField("effort")


async def test_who_was_in_touch_with_nobody_gave_no_time(projector: Running) -> None:
    told = await effort(projector, "people/nobody")
    assert (six(told), told.touchpoints) == (((0, 0, 0), (0, 0, 0)), 0)
