"""AttentionService over real gRPC and real Postgres."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from rapport.events.v1 import people_pb2, practice_pb2
from rapport.v1 import attention_service_pb2 as wire
from rapport.v1.attention_service_pb2_grpc import AttentionServiceStub

from services.projector.attention import turning as turning_module
from services.projector.attention.turning import AttentionTurning
from services.projector.projections.checkpoint import Checkpoint
from services.projector.projections.rebuild import clear
from services.projector.queries import attention_days
from services.runtime.clock import US_PER_DAY
from services.runtime.policy import default_policy
from tests.contract.relationships import as_of
from tests.support.databases import Database
from tests.support.errors import refused
from tests.support.views import (
    JOURNAL,
    Running,
    adopt,
    caller,
    date_of,
    described,
    running_projector,
    touch,
    void,
)

LAST = "2026-04-01T09:00:00Z"
WAIT_S = 60.0


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    """Eight of the inner circle that I last called on 2026-04-01, two months ago: all overdue."""
    async with running_projector(database) as running:
        started = "2026-01-01T00:00:00Z"
        await running.add(
            described("people/me", side=people_pb2.SIDE_INTERNAL, name="Mia"), started
        )
        for letter in "abcdefgh":
            party = f"people/{letter}"
            side = people_pb2.SIDE_EXTERNAL
            await running.add(
                described(party, side=side, tier="inner", name=f"Dr. {letter.upper()}"), started
            )
            await running.add(touch("me", letter, "call"), LAST)
        await running.settle()
        yield running


async def settled(_journal: str, _day: int, _found: Checkpoint) -> bool:
    return True


def turning(projector: Running) -> AttentionTurning:
    return AttentionTurning(
        JOURNAL, pool=projector.pool, settled=settled, clock=projector.clock, pause_s=0
    )


async def listed(
    projector: Running, principal: str = "people/me", **request: Any
) -> wire.ListAttentionResponse:
    stub: Any = AttentionServiceStub(projector.channel)
    answer: wire.ListAttentionResponse = await stub.ListAttention(
        wire.ListAttentionRequest(**request), metadata=caller(principal)
    )
    return answer


def overdue(answer: wire.ListAttentionResponse) -> dict[str, wire.AttentionItem]:
    """Overdue items by the letter of whom they are about."""
    return {
        item.about.removeprefix("relationships/").removesuffix("~me"): item
        for item in answer.items
        if item.rule == "overdue"
    }


async def answered(projector: Running, item: str, until: str | None, by: str = "people/me") -> str:
    response = practice_pb2.ATTENTION_RESPONSE_NOT_RELEVANT
    message = practice_pb2.AttentionAnswered(item=item, response=response)
    if until is not None:
        message.response = practice_pb2.ATTENTION_RESPONSE_SNOOZED
        message.until.CopyFrom(date_of(until))
    event_id = await projector.add(message, "2026-06-01T08:00:00Z", by=by)
    await projector.settle()
    return event_id


async def test_a_day_is_rationed_and_the_rest_is_there_on_request(projector: Running) -> None:
    await turning(projector).turn_next()
    day = await listed(projector)
    assert len(day.items) == 5
    whole = await listed(projector, all=True)
    assert day.left_out == len(whole.items) - 5
    assert whole.left_out == 0
    assert set(overdue(whole)) == set("abcdefgh")
    at_stake = [item.at_stake_mp for item in whole.items]
    assert at_stake == sorted(at_stake, reverse=True)
    item = overdue(whole)["a"]
    assert item.person == "people/me"
    assert item.why == "no contact for 61 days; the tier allows 14 at most"
    assert item.cleared_by == "any contact, by either side"
    assert len(item.event_ids) == 1
    assert item.raised_on == date_of("2026-06-01")


async def test_a_watch_list_has_attention_of_its_own(projector: Running) -> None:
    started = people_pb2.AffiliationStarted(person="people/b", organization="organizations/acme")
    await projector.add(started, "2026-05-01T09:00:00Z")
    parties = ["people/a", "people/me", "organizations/acme"]
    saved = practice_pb2.WatchListSaved(list="top", parties=parties)
    await projector.add(saved, by="people/me")
    await projector.settle()
    await turning(projector).turn_next()
    whole = await listed(projector, all=True)
    wanted = {"relationships/a~me", "relationships/b~me", "organizations/acme"}
    about = [item for item in whole.items if item.about in wanted]
    assert {"relationships/a~me", "relationships/b~me"} <= {item.about for item in about}
    watched = await listed(projector, all=True, watch_list="top")
    assert list(watched.items) == about
    # The ration is the list's own.
    day = await listed(projector, watch_list="top")
    assert list(day.items) == about[:5]
    assert day.left_out == max(len(about) - 5, 0)
    # Before b was there, and as of that day.
    past = await listed(projector, watch_list="top", as_of=as_of("2026-04-30"))
    assert {item.about for item in past.items} == {"relationships/a~me"}
    for by, name in (("people/me", "none"), ("people/a", "top")):
        error = await refused(listed(projector, by, person="people/me", watch_list=name))
        assert error.reason == "WATCH_LIST_UNKNOWN"


async def test_the_list_of_today_is_what_working_it_out_anew_finds(projector: Running) -> None:
    anew = await listed(projector, all=True)
    await turning(projector).turn_next()
    today = await listed(projector, all=True)
    position = today.computed.position
    known = await listed(projector, all=True, as_of=as_of(known_at_position=position))
    assert known == today
    for item in today.items:
        item.ClearField("raised_on")
    assert anew == today


async def test_a_policy_adopted_since_the_turn_holds_at_once(projector: Running) -> None:
    await turning(projector).turn_next()
    assert set(overdue(await listed(projector, all=True))) == set("abcdefgh")
    document = json.loads(default_policy().canonical_json)
    document.update(policy="patient", version=1)
    document["tiers"]["inner"] = {"ideal_days": 200, "max_days": 300}
    await projector.add(adopt(json.dumps(document)))
    await projector.settle()
    today = await listed(projector, all=True)
    assert today.computed.policy.startswith("patient@1#")
    assert not overdue(today)
    position = today.computed.position
    assert today == await listed(projector, all=True, as_of=as_of(known_at_position=position))


async def test_who_was_called_since_the_turn_is_off_the_list_at_once(projector: Running) -> None:
    await turning(projector).turn_next()
    await projector.add(touch("a", "me", "call"), "2026-06-01T09:00:00Z")
    await projector.settle()
    assert set(overdue(await listed(projector, all=True))) == set("bcdefgh")


async def test_a_snoozed_item_sleeps_until_its_day_and_comes_back(projector: Running) -> None:
    await turning(projector).turn_next()
    item = overdue(await listed(projector, all=True))["a"].item
    event_id = await answered(projector, item, "2026-06-02")
    assert item not in [each.item for each in (await listed(projector)).items]
    asleep = overdue(await listed(projector, all=True))["a"]
    assert asleep.snoozed_until == date_of("2026-06-02")
    projector.clock.advance_us(US_PER_DAY)
    await turning(projector).turn_next()
    awake = overdue(await listed(projector, all=True))["a"]
    assert (awake.item, awake.HasField("snoozed_until")) == (item, False)
    assert awake.raised_on == date_of("2026-06-01")
    await projector.add(void(event_id))
    await projector.settle()
    day_before = await listed(projector, all=True, as_of=as_of(on="2026-06-01"))
    assert not overdue(day_before)["a"].HasField("snoozed_until")


async def test_only_who_an_item_is_for_can_say_that_it_is_not_relevant(
    projector: Running,
) -> None:
    await turning(projector).turn_next()
    item = overdue(await listed(projector, all=True))["a"].item
    await answered(projector, item, None, by="people/b")
    assert "a" in overdue(await listed(projector, all=True))
    await answered(projector, item, None)
    assert "a" not in overdue(await listed(projector, all=True))


async def test_a_past_day_is_answered_as_it_was(projector: Running) -> None:
    at_first = await listed(projector, all=True, as_of=as_of(on="2026-04-05"))
    assert not overdue(at_first)
    later = await listed(projector, all=True, as_of=as_of(on="2026-04-20"))
    assert overdue(later)["a"].why == "no contact for 19 days; the tier allows 14 at most"
    assert not overdue(later)["a"].HasField("raised_on")


async def test_a_person_nobody_knows_has_an_empty_day(projector: Running) -> None:
    assert not (await listed(projector, person="people/nobody")).items


async def test_a_service_has_to_say_whose_attention(projector: Running) -> None:
    error = await refused(listed(projector, principal="services/mailer"))
    assert error.reason == "FIELD_REQUIRED"
    assert [violation.field for violation in error.violations] == ["person"]
    assert (await listed(projector, principal="services/mailer", person="people/me")).items


async def test_a_digest_is_text_with_names(projector: Running) -> None:
    await turning(projector).turn_next()
    stub: Any = AttentionServiceStub(projector.channel)
    answer = await stub.GetDigest(wire.GetDigestRequest(), metadata=caller("people/me"))
    lines = answer.text.splitlines()
    assert lines[0] == "Mia, Monday, 2026-06-01: 5 things ask for your attention."
    assert lines[2].startswith("1. Dr. ")
    assert re.fullmatch(r"\d+ more did not fit into the day: \d+ [a-z ,0-9]+\..*", lines[-1])
    assert len(answer.items) == 5
    empty = await stub.GetDigest(
        wire.GetDigestRequest(person="people/zoe"), metadata=caller("people/me")
    )
    assert empty.text == "people/zoe, Monday, 2026-06-01: nothing asks for your attention.\n"


async def test_a_watch_answers_the_log_from_a_number_on_and_then_what_comes(
    projector: Running,
) -> None:
    await turning(projector).turn_next()
    stub: Any = AttentionServiceStub(projector.channel)
    metadata = caller("people/me")
    whole = stub.WatchAttention(wire.WatchAttentionRequest(from_number=1), metadata=metadata)
    fresh = stub.WatchAttention(wire.WatchAttentionRequest(person="people/a"), metadata=metadata)
    async with asyncio.timeout(WAIT_S):
        first = [await whole.read() for _ in range(8)]
        heartbeat = await fresh.read()
        assert [change.number for change in first] == list(range(1, 9))
        assert {change.change for change in first} == {wire.ATTENTION_CHANGE_RAISED}
        assert heartbeat.change == 0
        assert heartbeat.number >= 8
        await projector.add(touch("a", "me", "call"), "2026-06-01T09:00:00Z")
        await projector.settle()
        projector.clock.advance_us(US_PER_DAY)
        await turning(projector).turn_next()
        change = first[-1]
        while (change.change, change.item.rule) != (wire.ATTENTION_CHANGE_CLEARED, "overdue"):
            change = await whole.read()
    assert change.reason == "contact"
    assert change.on == date_of("2026-06-02")
    assert change.item.raised_on == date_of("2026-06-01")
    whole.cancel()
    fresh.cancel()


async def test_another_tenant_sees_nothing_of_the_log(projector: Running) -> None:
    await turning(projector).turn_next()
    stub: Any = AttentionServiceStub(projector.channel)
    watch = stub.WatchAttention(
        wire.WatchAttentionRequest(from_number=1), metadata=caller("people/me", "other")
    )
    async with asyncio.timeout(WAIT_S):
        assert (await watch.read()).change == 0
    watch.cancel()


async def test_building_the_views_again_tells_nobody_anything(projector: Running) -> None:
    await turning(projector).turn_next()
    before = await listed(projector, all=True)
    async with projector.pool.acquire() as conn:
        log = await conn.fetch("SELECT * FROM views.attention_log ORDER BY number")
        await clear(conn, JOURNAL)
        assert not await turning(projector).turn_next()
        assert await conn.fetch("SELECT * FROM views.attention_log ORDER BY number") == log
        assert await conn.fetchval("SELECT count(*) FROM views.attention_items") == len(
            before.items
        )


async def test_a_tenant_whose_day_fails_keeps_nobody_else_from_turning(
    projector: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await projector.add(touch("x", "y", "call"), LAST, tenant="other")
    await projector.settle()
    real = attention_days.work_out

    async def work_out(read: Any, around: Any, previous: Any, **more: Any) -> Any:
        if len(around.relations) == 8:
            raise ValueError("a fault of the code")
        return await real(read, around, previous, **more)

    monkeypatch.setattr(turning_module, "work_out", work_out)
    turner = turning(projector)
    assert await turner.turn_next()
    async with projector.pool.acquire() as conn:
        days = dict(await conn.fetch("SELECT tenant, day FROM views.attention_tenants"))
    assert days == {"acme": projector.today - 1, "other": projector.today}
    monkeypatch.setattr(turning_module, "work_out", real)
    assert not await turner.turn_next()
    projector.clock.advance_us(61_000_000)
    assert await turner.turn_next()
