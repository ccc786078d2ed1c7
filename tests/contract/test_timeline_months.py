"""TimelineService over real gRPC and real Postgres: a timeline by month."""

from collections.abc import AsyncIterator

import pytest
from rapport.events.v1 import touchpoint_pb2
from rapport.v1 import timeline_service_pb2 as timeline

from tests.support.databases import Database
from tests.support.errors import refused
from tests.support.views import Running, caller, correct, date_of, running_projector, touch, void

Minutes = touchpoint_pb2.Minutes
OCCASION = "00000000-0000-4000-8000-00000000000c"


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        yield running


async def summarize(
    projector: Running, parent: str, months: int = 0
) -> list[timeline.TimelineMonth]:
    answer: timeline.SummarizeTimelineResponse = await projector.timeline.SummarizeTimeline(
        timeline.SummarizeTimelineRequest(parent=parent, months=months), metadata=caller()
    )
    return list(answer.months)


async def test_months_count_what_is_in_force_as_it_stands_now(projector: Running) -> None:
    call = touch("a", "b", "call", minutes=Minutes(live=10))
    await projector.add(call, "2026-03-31T23:59:59Z")
    moved = await projector.add(call, "2026-04-01T00:00:00Z")
    await projector.add(correct(moved, touch("a", "b", "advice"), "2026-05-02T09:00:00Z"))
    await projector.add(touch("b", "a", "incident", severity=2), "2026-05-02T10:00:00Z")
    await projector.add(touch("a", "b", "call", minutes=Minutes(live=5)), "2026-05-03T10:00:00Z")
    gone = await projector.add(call, "2026-05-04T10:00:00Z")
    await projector.add(void(gone))
    await projector.settle()
    may, march = await summarize(projector, "relationships/b~a")
    assert (may.month, march.month) == (date_of("2026-05-01"), date_of("2026-03-01"))
    assert dict(may.by_kind) == {"advice": 1, "incident": 1, "call": 1}
    assert (may.touchpoints, may.days, may.incidents, may.live_minutes) == (3, 2, 1, 5)
    assert (march.touchpoints, march.days, march.incidents, march.live_minutes) == (1, 1, 0, 10)
    assert await summarize(projector, "relationships/b~a", 1) == [may]


async def test_a_group_meeting_is_as_long_as_its_longest_touchpoint(projector: Running) -> None:
    for other, live in (("b", 30), ("c", 45), ("d", 0)):
        meeting = touch(
            "a", other, "meeting.video", occasion_id=OCCASION, minutes=Minutes(live=live)
        )
        await projector.add(meeting, "2026-05-02T10:00:00Z")
    await projector.add(touch("a", "b", "call", minutes=Minutes(live=7)), "2026-05-02T10:00:00Z")
    await projector.settle()
    (may,) = await summarize(projector, "people/a")
    assert (may.touchpoints, may.days, may.live_minutes) == (4, 1, 45 + 7)


async def test_a_person_nobody_touched_has_no_months(projector: Running) -> None:
    await projector.settle()
    assert await summarize(projector, "people/nobody") == []


@pytest.mark.parametrize("months", [-1, 121])
async def test_months_outside_1_to_120_are_refused(projector: Running, months: int) -> None:
    error = await refused(summarize(projector, "people/a", months))
    assert error.reason == "OUT_OF_RANGE"
    assert [each.field for each in error.violations] == ["months"]
