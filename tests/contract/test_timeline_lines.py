"""TimelineService over real gRPC and real Postgres: timelines."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from rapport.events.v1 import people_pb2, touchpoint_pb2
from rapport.v1 import timeline_service_pb2 as timeline

from tests.support.databases import Database
from tests.support.errors import refused
from tests.support.views import (
    Running,
    caller,
    correct,
    described,
    link,
    running_projector,
    touch,
    void,
)

PRIVATE = touchpoint_pb2.VISIBILITY_PRIVATE
PARTIES = touchpoint_pb2.VISIBILITY_PARTIES
RECORDED = timeline.TIMELINE_ORDER_RECORDED


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        yield running


async def ask(
    projector: Running, parent: str = "relationships/a~b", *, by: str = "people/me", **request: Any
) -> timeline.ListTimelineResponse:
    answer: timeline.ListTimelineResponse = await projector.timeline.ListTimeline(
        timeline.ListTimelineRequest(parent=parent, **request), metadata=caller(by)
    )
    return answer


async def ids(projector: Running, parent: str = "relationships/a~b", **request: Any) -> list[str]:
    """The event ids of all pages."""
    found: list[str] = []
    token = ""
    while True:
        page = await ask(projector, parent, page_token=token, **request)
        found += [line.event_id for line in page.lines]
        token = page.next_page_token
        if not token:
            return found


async def test_newest_first_by_valid_or_recorded_time(projector: Running) -> None:
    late = await projector.add(touch("a", "b", "call"), "2026-05-03T09:00:00Z")
    early = await projector.add(touch("b", "a", "call"), "2026-05-01T09:00:00Z")
    middle = await projector.add(touch("a", "b", "call"), "2026-05-02T09:00:00Z")
    await projector.add(touch("a", "c", "call"), "2026-05-02T09:00:00Z")
    head = await projector.settle()
    for size in (0, 1, 2):
        assert await ids(projector, page_size=size) == [late, middle, early]
        assert await ids(projector, "relationships/b~a", page_size=size, order_by=RECORDED) == [
            middle,
            early,
            late,
        ]
    page = await ask(projector)
    assert (page.journal, page.position) == ("main", head)
    line = page.lines[-1]
    assert line.relationship == "relationships/a~b"
    assert line.touchpoint.initiator == "people/b"
    assert line.occurred_at.ToJsonString() == "2026-05-01T09:00:00Z"
    assert line.recorded_at.ToJsonString() == "2026-05-31T00:00:02Z"
    assert (line.position, line.recorded_by) == (2, "services/importer")
    assert line.state == timeline.LINE_STATE_EFFECTIVE


async def test_a_person_timeline_merges_both_ends(projector: Running) -> None:
    expected: list[str] = []
    for number in range(7):
        a, b = ("m", "z") if number % 2 else ("a", "m")
        day = f"2026-05-{1 + number:02d}T09:00:00Z"
        expected.insert(0, await projector.add(touch(a, b, "call"), day))
    await projector.add(touch("a", "z", "call"))
    await projector.settle()
    for size in (0, 1, 3):
        assert await ids(projector, "people/m", page_size=size) == expected
        assert await ids(projector, "people/m", page_size=size, order_by=RECORDED) == expected


async def test_linked_ids_share_a_timeline_and_a_line_is_there_once(projector: Running) -> None:
    one = await projector.add(touch("amy", "bob", "call"), "2026-05-01T09:00:00Z")
    two = await projector.add(touch("bob", "amy2", "call"), "2026-05-02T09:00:00Z")
    own = await projector.add(touch("amy", "amy2", "call"), "2026-05-03T09:00:00Z")
    await projector.add(link("amy", "amy2"))
    await projector.settle()
    for order in (timeline.TIMELINE_ORDER_OCCURRED, RECORDED):
        assert await ids(projector, "relationships/amy2~bob", order_by=order) == [two, one]
        assert await ids(projector, "people/amy2", page_size=1, order_by=order) == [own, two, one]
        assert await ids(projector, "relationships/amy2~amy", order_by=order) == [own]
    page = await ask(projector, "people/amy")
    assert [line.relationship for line in page.lines] == [
        "relationships/amy~amy2",
        "relationships/amy2~bob",
        "relationships/amy~bob",
    ]


async def test_corrected_lines_show_what_stands_and_voided_ones_come_on_request(
    projector: Running,
) -> None:
    first = await projector.add(
        touch("a", "b", "call", note="wrong"), "2026-05-01T09:00:00Z", by="people/a"
    )
    second = await projector.add(touch("a", "b", "call"), "2026-05-02T09:00:00Z")
    better = await projector.add(
        correct(first, touch("b", "a", "meeting.video", note="right"), "2026-05-03T09:00:00Z")
    )
    voided = await projector.add(void(second))
    await projector.settle()
    (line,) = (await ask(projector)).lines
    assert line.event_id == first
    assert line.state == timeline.LINE_STATE_CORRECTED
    assert line.corrected_by == better
    assert line.occurred_at.ToJsonString() == "2026-05-03T09:00:00Z"
    assert line.touchpoint.kind == "meeting.video"
    assert line.touchpoint.note.text == "right"
    assert line.touchpoint.initiator == "people/b"
    assert line.recorded_by == "people/a"
    assert line.position == 1
    everything = (await ask(projector, include_voided=True)).lines
    assert [each.event_id for each in everything] == [first, second]
    assert everything[1].state == timeline.LINE_STATE_VOIDED
    assert everything[1].voided_by == voided


async def test_filters_by_kind_channel_mode_and_side(projector: Running) -> None:
    mail = await projector.add(
        touch("a", "b", "email.one_to_one", channel="email"), "2026-05-06T09:00:00Z"
    )
    bulk = await projector.add(touch("a", "b", "email.bulk"), "2026-05-05T09:00:00Z")
    call = await projector.add(touch("b", "a", "call", channel="phone"), "2026-05-04T09:00:00Z")
    reacted = await projector.add(
        touch("a", "b", "call", initiative=touchpoint_pb2.INITIATIVE_REACTIVE),
        "2026-05-03T09:00:00Z",
    )
    strange = await projector.add(touch("a", "b", "un.heard"), "2026-05-02T09:00:00Z")
    await projector.add(described("people/a", side=people_pb2.SIDE_INTERNAL))
    await projector.add(described("people/b", side=people_pb2.SIDE_EXTERNAL))
    await projector.settle()
    proactive, responsive, reactive, automated = 1, 2, 3, 4
    for parent in ("relationships/a~b", "people/a"):
        for order in (timeline.TIMELINE_ORDER_OCCURRED, RECORDED):

            async def found(parent: str = parent, order: int = order, **filters: Any) -> set[str]:
                return set(await ids(projector, parent, order_by=order, page_size=1, **filters))

            assert await found(kinds=["call", "email.bulk"]) == {call, reacted, bulk}
            assert await found(channels=["email", "phone"]) == {mail, call}
            assert await found(kinds=["call"], channels=["phone"]) == {call}
            assert await found(initiatives=[responsive]) == {mail}
            assert await found(initiatives=[reactive]) == {reacted}
            assert await found(initiatives=[automated, reactive]) == {bulk, reacted}
            assert await found(initiatives=[proactive]) == {call, strange}
            assert await found(initiatives=[proactive, responsive]) == {call, strange, mail}
            assert await found(initiator_side=people_pb2.SIDE_EXTERNAL) == {call}
            assert await found(initiator_side=people_pb2.SIDE_INTERNAL, kinds=["call"]) == {reacted}
    modes = {line.event_id: line.initiative for line in (await ask(projector)).lines}
    assert modes == {
        mail: responsive, bulk: automated, call: proactive, reacted: reactive, strange: proactive
    }  # fmt: skip


async def test_an_incident_with_its_steps(projector: Running) -> None:
    incident = await projector.add(touch("b", "a", "incident", severity=2), "2026-05-01T09:00:00Z")
    await projector.add(touch("b", "a", "incident", severity=2), "2026-05-01T10:00:00Z")
    steps = [
        await projector.add(
            touch("a", "b", "recovery", resolves=incident, recovery_step=step),
            f"2026-05-0{step + 1}T09:00:00Z",
        )
        for step in (3, 1, 2)
    ]
    await projector.settle()
    occurred = [steps[0], steps[2], steps[1], incident]
    recorded = [*steps[::-1], incident]
    for parent in ("relationships/a~b", "people/b"):
        for size in (0, 1):
            assert await ids(projector, parent, incident=incident, page_size=size) == occurred
            assert (
                await ids(projector, parent, incident=incident, page_size=size, order_by=RECORDED)
                == recorded
            )
    assert await ids(projector, "people/c", incident=incident) == []


async def test_texts_are_shown_to_those_who_may_see_them(projector: Running) -> None:
    await projector.add(described("people/a", side=people_pb2.SIDE_INTERNAL))
    await projector.add(described("people/b", side=people_pb2.SIDE_EXTERNAL))
    for note, visibility in (("all", 0), ("parties", PARTIES), ("private", PRIVATE)):
        await projector.add(
            touch("a", "b", "call", note=note, visibility=visibility), by="people/rec"
        )
    unknown = touch("a", "b", "call", note="stricter")
    unknown.visibility = 77  # type: ignore[assignment]
    await projector.add(unknown, by="people/rec")
    await projector.settle()

    async def seen(by: str) -> set[str]:
        lines = (await ask(projector, by=by)).lines
        assert len(lines) == 4
        for line in lines:
            note = line.touchpoint.note
            assert not note.sealed
            assert not note.sealed_for
            assert note.withheld != bool(note.text)
        return {line.touchpoint.note.text for line in lines} - {""}

    everything = {"all", "parties", "private", "stricter"}
    assert await seen("people/rec") == everything
    assert await seen("people/a") == {"all", "parties"}
    assert await seen("people/b") == {"all"}
    assert await seen("people/me") == {"all"}
    assert await seen("services/reports") == {"all"}


async def test_erased_texts_read_as_tombstones(projector: Running) -> None:
    await projector.add(touch("a", "b", "call", note="of both"))
    about = touch("a", "c", "call", note="about b too")
    about.note.data_subjects.append("people/b")
    about.attributes["mood"].text = "fine"
    await projector.add(about, "2026-05-02T09:00:00Z")
    await projector.settle()
    (line,) = (await ask(projector, "relationships/a~c")).lines
    assert line.touchpoint.note.text == "about b too"
    assert list(line.touchpoint.note.data_subjects) == ["people/b"]
    await projector.vault.erase("acme", "people/b", UUID(int=5))
    newer, older = (await ask(projector, "people/a")).lines
    for text in (newer.touchpoint.note, older.touchpoint.note):
        assert text.erased
        assert not text.text
        assert not text.withheld
    assert newer.touchpoint.attributes["mood"].text == "fine"


async def test_a_page_is_cut_where_an_answer_would_be_too_large(projector: Running) -> None:
    for number in range(60):
        await projector.add(
            touch("a", "b", "call", note="n" * 65_000), f"2026-05-01T09:{number:02d}:00Z"
        )
    await projector.settle()
    page = await ask(projector, page_size=1000)
    assert 30 < len(page.lines) < 60
    assert page.ByteSize() < 4 * 1024 * 1024
    assert len(await ids(projector, page_size=1000)) == 60


async def test_a_page_token_belongs_to_its_request(projector: Running) -> None:
    for number in range(3):
        await projector.add(touch("a", "b", "call"), f"2026-05-0{number + 1}T09:00:00Z")
    await projector.settle()
    token = (await ask(projector, page_size=1)).next_page_token
    error = await refused(ask(projector, "people/a", page_token=token))
    assert error.reason == "PAGE_TOKEN_INVALID"
    error = await refused(ask(projector, page_token=token, include_voided=True))
    assert error.reason == "PAGE_TOKEN_INVALID"


async def test_a_tenant_sees_only_its_own_lines(projector: Running) -> None:
    await projector.add(touch("a", "b", "call"), tenant="other")
    await projector.settle()
    assert await ids(projector, "people/a") == []
