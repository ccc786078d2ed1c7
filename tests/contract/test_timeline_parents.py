"""TimelineService over real gRPC and real Postgres: teams, organisations, folded occasions."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from rapport.events.v1 import people_pb2, touchpoint_pb2
from rapport.v1 import timeline_service_pb2 as timeline

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

INTERNAL = people_pb2.SIDE_INTERNAL
RECORDED = timeline.TIMELINE_ORDER_RECORDED
MEETING = "00000000-0000-4000-8000-00000000000c"
EARLY = "2026-01-01T09:00:00Z"


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        yield running


async def lines(projector: Running, parent: str, **request: Any) -> list[timeline.TimelineLine]:
    """The lines of all pages."""
    found: list[timeline.TimelineLine] = []
    token = ""
    while True:
        page: timeline.ListTimelineResponse = await projector.timeline.ListTimeline(
            timeline.ListTimelineRequest(parent=parent, page_token=token, **request),
            metadata=caller(),
        )
        found += page.lines
        token = page.next_page_token
        if not token:
            return found


async def ids(projector: Running, parent: str, **request: Any) -> list[str]:
    return [line.event_id for line in await lines(projector, parent, **request)]


def started(person: str) -> people_pb2.AffiliationStarted:
    return people_pb2.AffiliationStarted(
        person=f"people/{person}", organization="organizations/acme"
    )


async def test_a_team_is_its_internal_people_of_today_and_a_pair_of_two_is_read_once(
    projector: Running,
) -> None:
    for person in ("ann", "bob"):
        await projector.add(described(f"people/{person}", side=INTERNAL, team="red"), EARLY)
    await projector.add(described("people/cid", side=INTERNAL, team="red"), EARLY)
    await projector.add(described("people/cid", side=INTERNAL, team="blue"), "2026-05-01T09:00:00Z")
    await projector.add(described("people/eve", team="red"), EARLY)
    both = await projector.add(touch("ann", "bob", "call"), "2026-05-03T09:00:00Z")
    mine = await projector.add(touch("eve", "bob", "call"), "2026-05-02T09:00:00Z")
    theirs = await projector.add(touch("cid", "eve", "call"), "2026-05-04T09:00:00Z")
    await projector.settle()
    for size in (0, 1):
        assert await ids(projector, "teams/red", page_size=size) == [both, mine]
        assert await ids(projector, "teams/red", page_size=size, order_by=RECORDED) == [mine, both]
    assert await ids(projector, "teams/blue") == [theirs]
    assert await ids(projector, "teams/nobody") == []


async def test_an_organization_has_the_touchpoints_with_those_affiliated_on_their_day(
    projector: Running,
) -> None:
    first = await projector.add(started("eve"), "2026-02-01T12:00:00Z")
    ended = people_pb2.AffiliationEnded(
        person="people/eve", organization="organizations/acme", ends=first
    )
    await projector.add(ended, "2026-04-01T12:00:00Z")
    await projector.add(started("bob"), "2026-03-01T12:00:00Z")
    await projector.add(touch("me", "eve", "call"), "2026-01-31T23:59:59Z")
    morning = await projector.add(touch("me", "eve", "call"), "2026-02-01T00:00:00Z")
    incident = await projector.add(
        touch("eve", "me", "incident", severity=2), "2026-03-05T10:00:00Z"
    )
    fix = touch(
        "me", "eve", "recovery", resolves=incident, recovery_step=touchpoint_pb2.RECOVERY_STEP_FIX
    )
    fixed = await projector.add(fix, "2026-03-06T10:00:00Z")
    late = await projector.add(
        touch(
            "me",
            "eve",
            "recovery",
            resolves=incident,
            recovery_step=touchpoint_pb2.RECOVERY_STEP_FOLLOW_UP,
        ),
        "2026-04-01T09:00:00Z",
    )
    together = await projector.add(touch("bob", "eve", "call"), "2026-03-10T10:00:00Z")
    bobs = await projector.add(touch("bob", "eve", "call"), "2026-05-01T10:00:00Z")
    await projector.add(link("eve", "eva"))
    alias = await projector.add(touch("me", "eva", "call"), "2026-03-07T10:00:00Z")
    await projector.settle()
    for size in (0, 1, 2):
        assert await ids(projector, "organizations/acme", page_size=size) == [
            bobs,
            together,
            alias,
            fixed,
            incident,
            morning,
        ]
    assert (await ids(projector, "organizations/acme", order_by=RECORDED))[0] == alias
    assert await ids(projector, "organizations/acme", incident=incident) == [fixed, incident]
    assert await ids(projector, "people/eve", incident=incident) == [late, fixed, incident]
    assert await ids(projector, "organizations/nowhere") == []


async def test_months_of_an_organization(projector: Running) -> None:
    await projector.add(started("eve"), "2026-04-15T12:00:00Z")
    await projector.add(touch("me", "eve", "call"), "2026-04-14T09:00:00Z")
    await projector.add(touch("me", "eve", "call"), "2026-04-16T09:00:00Z")
    await projector.settle()
    answer: timeline.SummarizeTimelineResponse = await projector.timeline.SummarizeTimeline(
        timeline.SummarizeTimelineRequest(parent="organizations/acme"), metadata=caller()
    )
    assert [(month.month, month.touchpoints) for month in answer.months] == [
        (date_of("2026-04-01"), 1)
    ]


async def _meeting(projector: Running, at: str, *guests: str) -> list[str]:
    return [
        await projector.add(touch("me", guest, "meeting.video", occasion_id=MEETING), at)
        for guest in guests
    ]


async def test_a_group_meeting_is_one_line_wherever_pages_begin(projector: Running) -> None:
    before = await projector.add(touch("me", "eve", "call"), "2026-05-01T09:00:00Z")
    meeting = await _meeting(projector, "2026-05-02T09:00:00Z", "eve", "bob", "zoe")
    after = await projector.add(touch("me", "bob", "call"), "2026-05-03T09:00:00Z")
    await projector.settle()
    for size in (0, 1, 2, 3):
        found = await lines(projector, "people/me", page_size=size, fold_occasions=True)
        # The first pair: bob and me.
        assert [line.event_id for line in found] == [after, meeting[1], before]
        assert list(found[1].folded_relationships) == [
            "relationships/eve~me",
            "relationships/me~zoe",
        ]
        assert not found[0].folded_relationships
    assert len(await lines(projector, "people/me")) == 5
    # Eve's own timeline holds her pair alone: nothing to fold.
    (line, _) = await lines(projector, "people/eve", fold_occasions=True)
    assert (line.event_id, list(line.folded_relationships)) == (meeting[0], [])


async def test_folding_keeps_to_the_filters_and_to_how_touchpoints_stand(
    projector: Running,
) -> None:
    eve, bob, zoe = await _meeting(projector, "2026-05-02T09:00:00Z", "eve", "bob", "zoe")
    await projector.add(void(bob))
    await projector.add(
        correct(zoe, touch("zoe", "me", "call", channel="phone", occasion_id=MEETING))
    )
    await projector.settle()
    (line,) = await lines(projector, "people/me", fold_occasions=True)
    assert (line.event_id, list(line.folded_relationships)) == (eve, ["relationships/me~zoe"])
    (line,) = await lines(projector, "people/me", fold_occasions=True, include_voided=True)
    assert line.event_id == bob
    for narrow in (
        {"kinds": ["call"]},
        {"channels": ["phone"]},
    ):
        (line,) = await lines(projector, "people/me", fold_occasions=True, **narrow)
        assert (line.event_id, list(line.folded_relationships)) == (zoe, [])


@pytest.mark.parametrize(
    ("parent", "reason"),
    [
        ("", "FIELD_REQUIRED"),
        ("teams/", "FIELD_REQUIRED"),
        ("teams/RED", "FIELD_MALFORMED"),
        ("organizations/", "FIELD_MALFORMED"),
        ("tenants/acme", "FIELD_MALFORMED"),
    ],
)
async def test_a_parent_that_is_none_is_refused(
    projector: Running, parent: str, reason: str
) -> None:
    error = await refused(lines(projector, parent))
    assert (error.reason, [each.field for each in error.violations]) == (reason, ["parent"])
