"""Lists of a person's relationships over real gRPC and real Postgres."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from rapport.events.v1 import people_pb2
from rapport.v1 import relationship_service_pb2 as wire

from tests.contract.relationships import as_of, ask
from tests.support.databases import Database
from tests.support.errors import refused
from tests.support.views import Running, described, link, running_projector, touch, void


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    """Relationships of me with ann, bob, cat and dan; one with eve that was taken back.

    ann: 6 weekly calls, the last on 2026-05-31; bob: 6 weekly proposals up to 2026-01-31, then
    nothing; cat: one greeting today, under two ids; dan: an incident on 2026-05-30.
    """
    async with running_projector(database) as running:
        started = "2025-01-01T00:00:00Z"
        await running.add(described("people/me", side=people_pb2.SIDE_INTERNAL), started)
        for name, tier in (("ann", "inner"), ("bob", "close"), ("cat", ""), ("dan", "")):
            side = people_pb2.SIDE_EXTERNAL
            await running.add(described(f"people/{name}", side=side, tier=tier), started)
        for day in ("26", "27", "28", "29", "30", "31"):
            await running.add(touch("me", "ann", "call"), f"2026-05-{day}T09:00:00Z")
            await running.add(touch("me", "bob", "proposal"), f"2026-01-{day}T09:00:00Z")
        await running.add(touch("me", "cat2", "greeting.written"), "2026-06-01T09:00:00Z")
        await running.add(link("cat", "cat2"))
        await running.add(
            touch("dan", "me", "incident", severity=1, attribution=1), "2026-05-30T09:00:00Z"
        )
        gone = await running.add(touch("me", "eve", "call"), "2026-05-30T09:00:00Z")
        await running.add(void(gone))
        await running.settle()
        yield running


async def listed(projector: Running, **request: Any) -> wire.ListRelationshipsResponse:
    """A page of mine."""
    answer: wire.ListRelationshipsResponse = await ask(
        projector,
        "ListRelationships",
        wire.ListRelationshipsRequest(**({"person": "people/me"} | request)),
    )
    return answer


def names(answer: wire.ListRelationshipsResponse) -> list[str]:
    """Whom each is with."""
    found = [each.balance.relationship for each in answer.relationships]
    return [name.removeprefix("relationships/").removesuffix("~me") for name in found]


MORE: list[dict[str, Any]] = [{}, {"stages": [wire.STAGE_CONTACT]}, {"know_only": True}]
ORDERS = [
    # ann ~ 24000/24000, bob KNOW ~ 13900 -> Bf 3480, cat 3000, dan -3000.
    (wire.RELATIONSHIP_ORDER_BUFFER, ["ann", "bob", "cat", "dan"]),
    # dan's wound heals, cat loses least, ann most.
    (wire.RELATIONSHIP_ORDER_VELOCITY_AHEAD, ["dan", "cat", "bob", "ann"]),
    (wire.RELATIONSHIP_ORDER_SILENCE, ["bob", "dan", "ann", "cat"]),
    (wire.RELATIONSHIP_ORDER_CARE_SHARE, ["ann", "bob", "cat", "dan"]),
    (wire.RELATIONSHIP_ORDER_STAGE, ["dan", "cat", "bob", "ann"]),
]


@pytest.mark.parametrize(("order", "expected"), ORDERS)
async def test_every_order_stands_and_its_pages_join_up(
    projector: Running, order: "wire.RelationshipOrder.ValueType", expected: list[str]
) -> None:
    whole = await listed(projector, order_by=order)
    assert names(whole) == expected
    assert not whole.next_page_token
    pages: list[str] = []
    token = ""
    for _ in range(3):
        page = await listed(projector, order_by=order, page_size=2, page_token=token)
        pages += names(page)
        token = page.next_page_token
        if not token:
            break
    assert pages == expected
    # An absent value comes last either way; what has one is turned round.
    back = names(await listed(projector, order_by=order, ascending=True))
    absent = 2 if order == wire.RELATIONSHIP_ORDER_CARE_SHARE else 0
    present = len(expected) - absent
    assert back == [*reversed(expected[:present]), *expected[present:]]


async def test_standings_and_folds_give_the_same_list(projector: Running) -> None:
    for order, _ in ORDERS:
        for more in MORE:
            stored = await listed(projector, order_by=order, **more)
            # One event before, what was taken back last was still there.
            asked = as_of(known_at_position=projector.head - 1)
            await projector.pool.execute("UPDATE views.tenants SET built = false")
            folded = await listed(projector, order_by=order, **more)
            await projector.pool.execute("UPDATE views.tenants SET built = true")
            assert stored.relationships == folded.relationships
            then = await listed(projector, order_by=order, as_of=asked, **more)
            assert [n for n in names(then) if n != "eve"] == names(stored)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"stages": [wire.STAGE_CONTACT]}, ["ann", "bob", "cat", "dan"]),
        ({"stages": [wire.STAGE_PARTNER, wire.STAGE_NONE]}, []),
        ({"quadrants": [wire.QUADRANT_BOTH]}, ["ann"]),
        ({"quadrants": [wire.QUADRANT_KNOW, wire.QUADRANT_BOTH]}, ["ann", "bob"]),
        # cat and dan have too little evidence for a quadrant.
        ({"quadrants": [wire.QUADRANT_NEITHER]}, []),
        # bob is silent for 121 days, 45 at most for his tier.
        ({"overdue_from": wire.OVERDUE_AMBER}, ["bob"]),
        ({"overdue_from": wire.OVERDUE_RED}, ["bob"]),
        ({"overdue_from": wire.OVERDUE_NONE}, ["ann", "bob", "cat", "dan"]),
        ({"know_only": True}, ["bob"]),
        ({"know_only": True, "quadrants": [wire.QUADRANT_BOTH]}, []),
    ],
)
async def test_filters_keep_what_they_say(
    projector: Running, wanted: dict[str, Any], expected: list[str]
) -> None:
    assert names(await listed(projector, **wanted)) == expected


async def test_another_day_lists_what_there_was_then(projector: Running) -> None:
    assert names(await listed(projector, as_of=as_of("2026-02-01"))) == ["bob"]
    assert names(await listed(projector, as_of=as_of("2026-01-01"))) == []
    assert names(await listed(projector, person="people/stranger")) == []
    # An unlinked id is somebody else.
    apart = await listed(projector, as_of=as_of(known_at_position=18))
    assert "cat2" in names(apart)


async def test_a_wide_list_is_refused_by_its_width(
    projector: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.projector.queries.wide.FOLDED_RELATIONSHIPS_MAX", 3)
    for request in ({}, {"as_of": as_of("2026-05-01")}):
        error = await refused(listed(projector, **request))
        assert error.reason == "LIST_TOO_WIDE"
        assert error.metadata["limit"] == "3"


@pytest.mark.parametrize(
    ("request_", "reason", "fields"),
    [
        ({"person": ""}, "FIELD_REQUIRED", ["person"]),
        ({"person": "organizations/x"}, "FIELD_MALFORMED", ["person"]),
        ({"stages": [1, 0, 9]}, "ENUM_VALUE_UNKNOWN", ["stages[1]", "stages[2]"]),
        ({"quadrants": [7]}, "ENUM_VALUE_UNKNOWN", ["quadrants[0]"]),
        ({"overdue_from": 8}, "ENUM_VALUE_UNKNOWN", ["overdue_from"]),
        ({"order_by": 44}, "ENUM_VALUE_UNKNOWN", ["order_by"]),
        ({"page_size": 1001}, "OUT_OF_RANGE", ["page_size"]),
        ({"page_token": "x"}, "PAGE_TOKEN_INVALID", ["page_token"]),
    ],
)
async def test_a_wrong_list_is_refused_by_its_fields(
    projector: Running, request_: dict[str, Any], reason: str, fields: list[str]
) -> None:
    error = await refused(listed(projector, **request_))
    assert error.reason == reason
    assert [each.field for each in error.violations] == fields
