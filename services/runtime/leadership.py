"""Leadership of a stream's only writer: a Postgres advisory lock on a connection of its own.

It keeps replicas from working against each other; what keeps the stream right when two of them
believe they lead is the expected last sequence of every message.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from services.runtime.pg import POSTGRES_ERRORS, load_sql

CANDIDATE_INTERVAL_S: Final = 0.5
# A leader that is frozen, or whose machine is gone, cannot let go: Postgres ends the session of one
# that says nothing for so long, and its lock with it.
SILENCE_MAX_S: Final = 5
HEARTBEAT_S: Final = 1.0
SQL: Final = load_sql("services.runtime.sql")


class Leadership:
    """A held lock; `lost` is set when its connection ends or no longer answers."""

    def __init__(self, connection: Any) -> None:
        self.lost = asyncio.Event()
        self._connection = connection
        connection.add_termination_listener(lambda _: self.lost.set())

    async def keep(self) -> None:
        """Give signs of life until it is lost."""
        while not self.lost.is_set():
            await asyncio.sleep(HEARTBEAT_S)
            try:
                await self._connection.execute("SELECT", timeout=SILENCE_MAX_S)
            except POSTGRES_ERRORS:
                self.lost.set()


async def lock_connection(dsn: str, name: str) -> Any:
    """A connection for locks: it ends, and they with it, SILENCE_MAX_S after its last word.

    `name` is the connection's, for whoever looks at the server.
    """
    return await asyncpg.connect(
        dsn,
        server_settings={
            "application_name": name[:63],
            "idle_session_timeout": f"{SILENCE_MAX_S}s",
        },
    )


@asynccontextmanager
async def leadership(dsn: str, lock: str, *, name: str) -> AsyncIterator[Leadership]:
    """Wait until this process holds `lock`; released at the end of the block.

    `name` is the connection's, for whoever looks at the server.
    """
    connection = await lock_connection(dsn, name)
    try:
        while not await connection.fetchval(SQL["try_lead"], lock):  # noqa: ASYNC110
            await asyncio.sleep(CANDIDATE_INTERVAL_S)  # the holder tells nobody when it goes
        held = Leadership(connection)
        keeper = asyncio.create_task(held.keep(), name=f"lock {lock}")
        try:
            yield held
        finally:
            keeper.cancel()
    finally:
        connection.terminate()
