"""The door of the views: who goes through it reads one version of them until the transaction ends.

A version is switched by moving tables between schemas, and names are looked up anew by every
statement: a transaction whose snapshot is older than the switch would find the tables of the new
version with rows of then. So every transaction of several reads first takes the weakest lock there
is on the checkpoints, before its snapshot, and the switch takes the strongest: it waits for who is
inside, and who comes meanwhile waits outside. Writers go through it by locking their checkpoint.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from services.runtime.pg import begun

# One round trip. LOCK takes no snapshot: the first statement after it does.
_ENTER: Final = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
    " LOCK TABLE views.checkpoints IN ACCESS SHARE MODE"
)


@asynccontextmanager
async def one_version(conn: asyncpg.Connection) -> AsyncIterator[None]:
    """A read-only transaction on one snapshot of one version of the views."""
    async with begun(conn, _ENTER):
        yield
