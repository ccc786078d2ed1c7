"""`rapport timeline` on a projector: its filters and months, as people and programs see them."""

from collections.abc import AsyncIterator

import pytest
from rapport.events.v1 import people_pb2, touchpoint_pb2

from tests.contract.test_relationship_commands import rapport
from tests.support.databases import Database
from tests.support.views import Running, described, running_projector, touch


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        yield running


async def test_a_timeline_is_filtered_by_mode_side_and_incident(projector: Running) -> None:
    await projector.add(described("people/me", side=people_pb2.SIDE_INTERNAL))
    await projector.add(described("people/a", side=people_pb2.SIDE_EXTERNAL))
    incident = await projector.add(touch("a", "me", "incident", severity=2), "2026-05-01T09:00:00Z")
    fix = touchpoint_pb2.RECOVERY_STEP_FIX
    step = touch("me", "a", "recovery", resolves=incident, recovery_step=fix)
    fixed = await projector.add(step, "2026-05-02T09:00:00Z")
    mail = await projector.add(touch("me", "a", "email.one_to_one"), "2026-05-03T09:00:00Z")
    call = await projector.add(touch("a", "me", "call"), "2026-06-01T08:00:00Z")
    await projector.settle()

    async def shown(*options: str) -> list[str]:
        said = await rapport(projector, "timeline", "me", *options, "--json")
        assert said.code == 0, said.err
        return [line["event_id"] for line in said.json]

    assert await shown() == [call, mail, fixed, incident]
    assert await shown("--mode", "reactive") == [fixed, incident]
    assert await shown("--mode", "responsive", "--mode", "proactive") == [call, mail]
    assert await shown("--side", "external") == [call, incident]
    assert await shown("--side", "internal", "--mode", "reactive") == [fixed]
    assert await shown("--incident", incident) == [fixed, incident]


async def test_a_timeline_as_of_a_day_and_as_known_then(projector: Running) -> None:
    first = await projector.add(touch("a", "me", "call"), "2026-05-01T09:00:00Z")
    late = await projector.add(touch("a", "me", "call"), "2026-04-01T09:00:00Z")
    await projector.settle()

    async def shown(*options: str) -> list[str]:
        said = await rapport(projector, "timeline", "me", *options, "--json")
        assert said.code == 0, said.err
        return [line["event_id"] for line in said.json]

    assert await shown() == [first, late]
    assert await shown("--on", "2026-04-30") == [late]
    assert await shown("--known-at", "1") == [first]
    assert await shown("--on", "2026-04-30", "--known-at", "1") == []
    asked = ("timeline", "me", "--months", "3", "--known-at", "1", "--json")
    assert len((await rapport(projector, *asked)).json) == 1
    for command in (("links",), ("watch", "list"), ("policy", "list"), ("policy", "show")):
        said = await rapport(projector, *command, "--known-at", "1", "--json")
        assert said.code == 0, said.err


async def test_a_timeline_by_month(projector: Running) -> None:
    minutes = touchpoint_pb2.Minutes(live=30)
    await projector.add(touch("a", "me", "call", minutes=minutes), "2026-05-03T09:00:00Z")
    await projector.add(touch("me", "a", "call"), "2026-05-04T09:00:00Z")
    await projector.add(touch("me", "a", "advice"), "2026-04-04T09:00:00Z")
    await projector.settle()
    months = (await rapport(projector, "timeline", "me", "a", "--months", "2", "--json")).json
    assert [month["touchpoints"] for month in months] == [2, 1]
    assert (months[0]["by_kind"], months[0]["live_minutes"]) == ({"call": 2}, 30)
    said = await rapport(projector, "timeline", "me", "--months", "1")
    assert "2026-05" in said.out
    assert "2026-04" not in said.out
    wrong = await rapport(projector, "timeline", "me", "--months", "1", "--mode", "reactive")
    assert (wrong.code, wrong.out) == (2, "")
