"""Builds, comparisons and switches of read models, killed at their worst moments."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from random import Random
from typing import cast

import asyncpg
import pytest

from deploy.local.nats import NatsServer
from services.projector.versions.beside import NEXT
from services.projector.versions.reading import BATCH_EVENTS
from tests.support.both import Both, both_on
from tests.support.databases import Database
from tests.support.ledger import TENANT, touch

# Minutes on busy cores: the usual timeout is for tests of seconds.
pytestmark = pytest.mark.timeout(900)

# More than two batches of a phase that reads, and more pairs than a chunk of those that are folded.
EVENTS = 2 * BATCH_EVENTS + 2_000
PEOPLE = 60
MORE = 3_000
PHASES = ("read", "index", "fold", "finish", "follow")
# What is done of these phases is committed in portions that take longer than a kill.
PORTIONED = {"read", "fold", "follow"}


class Command:
    """`rapport views …` as a process of its own."""

    def __init__(self, database: Database, both: Both, *words: str) -> None:
        targets = {"RAPPORT_LEDGER_TARGET": both.ledger, "RAPPORT_PROJECTOR_TARGET": both.projector}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rapport.cli", "views", *words, "--json", "--dir", "/nowhere"],
            env={**os.environ, **database.env(), **targets},
            stdout=subprocess.PIPE,
            text=True,
        )

    def lines(self) -> Iterator[dict[str, object]]:
        """What it says, line by line, to its end."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{") and line.rstrip().endswith("}"):
                yield json.loads(line)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.send_signal(signal.SIGKILL)
        with self.process:
            pass


async def append(both: Both, count: int) -> None:
    """Touchpoints of sixty people."""
    random = Random(count)
    people = [f"people/p{number}" for number in range(PEOPLE)]
    async with both.client(TENANT, "people/p0") as client:
        events = [touch(*random.sample(people, 2)) for _ in range(count)]
        for start in range(0, count, 500):
            last = await client.append(events[start : start + 500])
        # Projected, too.
        await client.balance("p0", "p1", min_position=last.last_position)


async def run(database: Database, both: Both, *words: str) -> int:
    """The command's exit code."""

    def work() -> int:
        command = Command(database, both, *words)
        with command.process:
            for _ in command.lines():
                pass
        return command.process.returncode

    return await asyncio.to_thread(work)


async def killed(database: Database, both: Both, phase: str) -> None:
    """A build killed as soon as it says that a part of a phase is done, and not all of it."""

    def work() -> None:
        command = Command(database, both, "build")
        for line in command.lines():
            if line.get("phase") == phase and 0 < cast(int, line["done"]) < cast(
                int, line["total"]
            ):
                command.kill()
                return
        pytest.fail(f"the build was never in the middle of {phase}")

    await asyncio.to_thread(work)


async def assert_in_the_middle(conn: asyncpg.Connection, phase: str) -> None:
    """What the killed build left says that the phase had begun and was not over."""
    assert await conn.fetchval(f"SELECT phase FROM {NEXT}.build") == phase
    head = await conn.fetchval("SELECT head FROM journal.journals")
    position = await conn.fetchval(f"SELECT position FROM {NEXT}.checkpoints")
    if phase == "fold":
        pairs = await conn.fetchval(f"SELECT count(DISTINCT (a, b)) FROM {NEXT}.touchpoints")
        assert 0 < await conn.fetchval(f"SELECT count(*) FROM {NEXT}.balances") < pairs
    else:
        assert 0 < position < head


async def test_a_build_killed_in_the_middle_of_every_phase_ends_in_the_rows_of_the_live_version(
    database: Database, private_nats: NatsServer
) -> None:
    async with both_on(database, private_nats.url) as both:
        await both.create_tenant(TENANT)
        await append(both, EVENTS)
        conn = await asyncpg.connect(database.admin_dsn)
        for phase in PHASES:
            if phase == "follow":
                await append(both, MORE)
            await killed(database, both, phase)
            if phase in PORTIONED:
                await assert_in_the_middle(conn, phase)
        await append(both, 100)
        assert await run(database, both, "build") == 0
        assert await run(database, both, "compare") == 0
        assert await run(database, both, "switch") == 0
        assert await run(database, both, "switch") == 1, "there is nothing to switch to any more"
        assert await run(database, both, "drop") == 0
        rows = await conn.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'views%'")
        assert [row["nspname"] for row in rows] == ["views"]
        total = EVENTS + MORE + 100
        assert await conn.fetchval("SELECT count(*) FROM views.touchpoints") == total
        await conn.close()


async def test_a_switch_killed_before_its_commit_never_was(
    database: Database, private_nats: NatsServer
) -> None:
    async with both_on(database, private_nats.url) as both:
        await both.create_tenant(TENANT)
        await append(both, 200)
        assert await run(database, both, "build") == 0
        reader = await asyncpg.connect(database.admin_dsn)
        async with reader.transaction():
            # Who is inside keeps the switch waiting at the door, where it is killed.
            await reader.execute("LOCK TABLE views.checkpoints IN ACCESS SHARE MODE")
            switching = Command(database, both, "switch", "--force", "--reason", "to be killed")
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            while not await reader.fetchval(waiting):
                assert switching.process.poll() is None
            switching.kill()
        await append(both, 10)
        assert await reader.fetchval("SELECT to_regclass($1) IS NOT NULL", f"{NEXT}.build")
        assert await run(database, both, "switch") == 0
        async with both.client(TENANT, "people/p0") as client:
            found = await client.append([touch("people/p0", "people/p1")])
            await client.relationship("p0", "p1", min_position=found.last_position)
        await reader.close()
