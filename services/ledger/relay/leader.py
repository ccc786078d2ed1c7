"""Leadership of one journal's relay: a Postgres advisory lock on a connection of its own.

It keeps replicas from working against each other; what keeps the stream right when two of them
believe they lead is the expected last sequence of every message.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from services.runtime.pg import load_sql

CANDIDATE_INTERVAL_S: Final = 0.5
_SQL: Final = load_sql("services.ledger.relay.sql")


class Leadership:
    """A held lock; `lost` is set when its connection ends."""

    def __init__(self, connection: Any) -> None:
        self.lost = asyncio.Event()
        connection.add_termination_listener(lambda _: self.lost.set())


@asynccontextmanager
async def leadership(dsn: str, journal: str) -> AsyncIterator[Leadership]:
    """Wait until this process leads the journal's relay; released at the end of the block."""
    connection = await asyncpg.connect(
        dsn, server_settings={"application_name": f"rapport-relay-{journal}"[:63]}
    )
    try:
        while not await connection.fetchval(_SQL["try_lead"], journal):  # noqa: ASYNC110
            await asyncio.sleep(CANDIDATE_INTERVAL_S)  # the holder tells nobody when it goes
        yield Leadership(connection)
    finally:
        connection.terminate()
