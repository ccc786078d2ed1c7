"""A connection on which the statements of the live version mean the one built beside it.

Statements name the live schema. On such a connection every read model is that of `views_next`, so
that the very code which keeps the live version builds the next one. What is no read model stays
what it is. Names in text or data are none of `views.<table>` and pass untouched.
"""

import re
from functools import lru_cache
from typing import Any, Final

import asyncpg

from services.projector.projections.tables import READ_MODELS

LIVE: Final = "views"
NEXT: Final = "views_next"

_NAMES: Final = re.compile(rf"\bviews\.(?=(?:{'|'.join(READ_MODELS)})\b)")
_STATEMENTS_MAX: Final = 1_024


@lru_cache(_STATEMENTS_MAX)
def beside(statement: str) -> str:
    """The statement with the read models of the version being built."""
    return _NAMES.sub(f"{NEXT}.", statement)


class Beside(asyncpg.Connection):  # type: ignore[misc]  # asyncpg carries no types
    """For `asyncpg.connect(…, connection_class=Beside)`; a login that owns the schemas."""

    async def execute(self, query: str, *args: Any, **more: Any) -> Any:
        """As asyncpg's."""
        return await super().execute(beside(query), *args, **more)

    async def fetch(self, query: str, *args: Any, **more: Any) -> Any:
        """As asyncpg's."""
        return await super().fetch(beside(query), *args, **more)

    async def fetchrow(self, query: str, *args: Any, **more: Any) -> Any:
        """As asyncpg's."""
        return await super().fetchrow(beside(query), *args, **more)

    async def fetchval(self, query: str, *args: Any, **more: Any) -> Any:
        """As asyncpg's."""
        return await super().fetchval(beside(query), *args, **more)

    def cursor(self, query: str, *args: Any, **more: Any) -> Any:
        """As asyncpg's."""
        return super().cursor(beside(query), *args, **more)

    async def copy_records_to_table(self, table_name: str, **more: Any) -> Any:
        """As asyncpg's."""
        if more.get("schema_name") == LIVE and table_name in READ_MODELS:
            more["schema_name"] = NEXT
        return await super().copy_records_to_table(table_name, **more)


async def connect_beside(dsn: str, application_name: str) -> asyncpg.Connection:
    """A connection to the version being built, of the owner's."""
    return await asyncpg.connect(
        dsn,
        connection_class=Beside,
        timeout=10.0,
        server_settings={
            "application_name": application_name,
            "jit": "off",
            "timezone": "UTC",
            # A crash loses what the checkpoint then says is lost; the switch is synchronous.
            "synchronous_commit": "off",
            "maintenance_work_mem": "128MB",
        },
    )
