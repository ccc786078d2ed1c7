"""`rapport up` on a PostgreSQL and a NATS that somebody else runs."""

import json
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import nats
import pytest

from deploy.local.nats import NatsServer
from deploy.local.postgres import PostgresServer
from deploy.local.provision import create_database
from tests.e2e.running import RunningStack, folder, plain_env
from tests.support.servers import TestRun


@pytest.fixture
def directory(test_run: TestRun) -> Iterator[Path]:
    """A folder that nothing was ever up in."""
    with folder(test_run) as made:
        yield made


async def test_named_servers_do_the_work_of_the_embedded_ones_and_outlive_down(
    directory: Path, private_postgres: PostgresServer, private_nats: NatsServer
) -> None:
    await create_database(private_postgres.dsn, "books")
    named = {
        "RAPPORT_POSTGRES_DSN": private_postgres.dsn_of("books"),
        "RAPPORT_NATS_URL": private_nats.url,
        "RAPPORT_NATS_ADMIN_URL": private_nats.admin_url,
    }
    stack = RunningStack(directory, plain_env() | named)
    stack.up()
    assert stack.running().keys() == {"up", "ledger", "projector"}
    parts = {part["name"]: part["state"] for part in stack.rapport("status")["parts"]}
    assert (parts["postgres"], parts["nats"]) == ("external", "external")

    note = ("--note", "seen by both")
    done = stack.rapport("touch", "ann", "bob", "meeting.in_person", *note)
    position = ("--min-position", str(done["position"]))
    assert stack.rapport("balance", "ann", "bob", *position)["know_mp"] == 8_000
    assert "seen by both" in json.dumps(stack.rapport("timeline", "ann", *position))
    assert stack.rapport("doctor")["clean"] is True
    stack.down()

    conn = await asyncpg.connect(named["RAPPORT_POSTGRES_DSN"])
    assert await conn.fetchval("SELECT count(*) FROM journal.events") == 1
    await conn.close()
    client = await nats.connect(private_nats.url)
    info = await client.jetstream().stream_info("rapport-events-main")
    assert info.state.last_seq == 1
    await client.close()
