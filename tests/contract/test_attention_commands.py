"""The commands about attention, as people and programs see them."""

import asyncio
import json
from uuid import uuid4

from rapport.client import Rapport
from rapport.v1 import attention_service_pb2 as wire

from tests.contract.test_attention_service import WAIT_S, projector, turning
from tests.contract.test_relationship_commands import rapport
from tests.support.views import Running

__all__ = ["projector"]


async def test_the_day_is_shown_with_why_and_what_clears_it(projector: Running) -> None:
    await turning(projector).turn_next()
    said = await rapport(projector, "attention")
    assert said.code == 0, said.err
    assert "more did not fit into the day (" in said.out
    whole = await rapport(projector, "attention", "--all")
    for words in ("overdue", "no contact for 61 days", "any contact, by either side", "2026-06-01"):
        assert words in whole.out
    document = (await rapport(projector, "attention", "--all", "--json")).json
    assert document["computed"]["on"] == "2026-06-01"
    assert len(document["items"]) > 8
    assert {"item", "rule", "person", "about", "why", "cleared_by"} <= set(document["items"][0])


async def test_a_digest_is_the_text_alone(projector: Running) -> None:
    said = await rapport(projector, "digest", "me")
    assert said.out.startswith("Mia, Monday, 2026-06-01: 5 things ask for your attention.")
    empty = await rapport(projector, "attention", "people/nobody")
    assert "nothing asks for attention" in empty.out


async def test_what_makes_no_sense_is_said_before_anything_is_asked(projector: Running) -> None:
    for arguments in (
        ("snooze", "overdue-1", "--until", "soon"),
        ("snooze", "overdue-1", "--until", "2026-01-31"),
        ("attention", "--from-number", "3"),
        ("attention", "--follow", "--list", "top"),
        ("attention", "--on", "yesterday"),
    ):
        said = await rapport(projector, *arguments)
        assert (said.code, said.out) == (2, ""), said


async def test_only_what_is_open_can_be_answered(projector: Running) -> None:
    await turning(projector).turn_next()
    for words in (("snooze", "anything", "--until", "2999-01-01"), ("dismiss", "overdue-1")):
        said = await rapport(projector, *words, "--json")
        assert (said.code, said.out) == (2, ""), said
        error = json.loads(said.err)["error"]
        assert error["reason"] == "USAGE"
        assert error["message"].startswith(f"ITEM: {words[1]!r} is none of your open items")
    # What is open passes, as does a repetition; the ledger is not there in this test.
    document = (await rapport(projector, "attention", "--all", "--json")).json
    for again in ([document["items"][0]["item"]], ["x", "--event-id", str(uuid4())]):
        said = await rapport(projector, "dismiss", *again, "--json")
        assert said.code != 2, said


async def test_the_client_follows_over_a_new_connection_without_repeating(
    projector: Running,
) -> None:
    await turning(projector).turn_next()
    async with Rapport(projector.target, principal="people/me", tenant="acme") as client:
        seen: list[int] = []
        for first in (1, 4):
            async with asyncio.timeout(WAIT_S):
                async for change in client.watch_attention(from_number=first):
                    assert change.change == wire.ATTENTION_CHANGE_RAISED
                    seen.append(change.number)
                    if len(seen) in (3, 6):
                        break
        assert seen == [1, 2, 3, 4, 5, 6]
        answer = await client.attention(everything=True)
        digest = await client.digest("me")
    assert len(answer.items) > len(digest.items) == 5
