"""`rapport views …` as operators run it, on both services: what it does and what it refuses."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from deploy.local.nats import NatsServer
from tests.support.both import Both, both_on
from tests.support.databases import Database
from tests.support.ledger import TENANT, touch

PAIR = ("people/p0", "people/p1")
EVENTS = 3


@pytest.fixture
async def both(database: Database, private_nats: NatsServer) -> AsyncIterator[Both]:
    async with both_on(database, private_nats.url) as started:
        await started.create_tenant(TENANT)
        async with started.client(TENANT, PAIR[0]) as client:
            last = await client.append([touch(*PAIR) for _ in range(EVENTS)])
            await client.balance("p0", "p1", min_position=last.last_position)
        yield started


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(database.admin_dsn)
    yield conn
    await conn.close()


async def run(database: Database, both: Both, *words: str) -> tuple[int, Any]:
    """The exit code and the last document that was printed."""
    targets = {"RAPPORT_LEDGER_TARGET": both.ledger, "RAPPORT_PROJECTOR_TARGET": both.projector}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rapport.cli", "views", *words, "--json", "--dir", "/nowhere"),
        env={**os.environ, **database.env(), **targets},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    assert process.returncode is not None
    text = (complained if process.returncode else said).decode().strip()
    # Progress comes in a document a line, before the answer.
    return process.returncode, json.loads(text[text.rfind("\n{") + 1 :])


def rebuilt(tenant: str = TENANT) -> tuple[str, ...]:
    return ("rebuild", "--relationship", "p0", "p1", "--tenant", tenant)


async def test_one_relationship_is_written_anew_by_the_command(
    database: Database, both: Both, owner: asyncpg.Connection
) -> None:
    await owner.execute("DELETE FROM views.touchpoints")
    assert await run(database, both, *rebuilt()) == (0, {"events": EVENTS})
    assert await owner.fetchval("SELECT count(*) FROM views.touchpoints") == EVENTS
    code, said = await run(database, both, *rebuilt("nobody"))
    assert (code, said["error"]["message"]) == (1, "there is no such tenant")


async def test_a_relationship_with_archived_events_says_that_they_are_to_be_attached(
    database: Database, both: Both, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE journal.journals SET detached_through = head")
    await owner.execute("DROP TABLE journal.events_from_000000000001")
    code, said = await run(database, both, *rebuilt())
    assert code == 1
    assert "rapport journal attach" in said["error"]["message"]
    assert await owner.fetchval("SELECT count(*) FROM views.touchpoints") == EVENTS


@pytest.mark.parametrize("command", ["compare", "switch"])
async def test_a_version_of_a_history_that_is_gone_is_refused(
    database: Database, both: Both, owner: asyncpg.Connection, command: str
) -> None:
    assert (await run(database, both, "build"))[0] == 0
    for table in ("journal.journals", "views.checkpoints"):
        await owner.execute(f"UPDATE {table} SET incarnation = '{'9' * 32}'")
    code, said = await run(database, both, command)
    assert code == 1
    assert "was restored" in said["error"]["message"]
    assert "rapport views build" in said["error"]["message"]
