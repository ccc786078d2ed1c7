"""Connections of a command's own, made when needed and closed when it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import asyncpg
import nats.errors
from nats.aio.client import Client
from rapport.events.connecting import connect

from services.operator.outcomes import Refused, Unavailable, Usage
from services.runtime.jetstream import servers_of

APPLICATION: Final = "rapport-operator"
CONNECT_TIMEOUT_S: Final = 5.0


@asynccontextmanager
async def postgres(dsn: str, variable: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection by `dsn`, which `variable` should have given. Raises Usage or Unavailable.

    Losing it inside the block raises Unavailable too; a schema that is not there, or a login
    without the rights, Refused.
    """
    if not dsn:
        raise Usage(f"{variable} is not set (nor RAPPORT_POSTGRES_DSN), and there is no --dir")
    where = urlsplit(dsn).netloc.rpartition("@")[2]
    try:
        connection = await asyncpg.connect(
            dsn, timeout=CONNECT_TIMEOUT_S, server_settings={"application_name": APPLICATION}
        )
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise Unavailable(f"PostgreSQL at {where} refuses the connection: {error}") from error
    try:
        yield connection
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError) as error:
        raise Unavailable(f"PostgreSQL at {where} went away: {error}") from error
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError) as error:
        raise Refused(f"PostgreSQL at {where} is not migrated: {error}") from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise Refused(f"the login of {variable} may not do this: {error}") from error
    finally:
        connection.terminate()


@asynccontextmanager
async def pool(dsn: str, variable: str) -> AsyncIterator[asyncpg.Pool]:
    """A small pool by `dsn`, as `postgres` makes a connection."""
    async with postgres(dsn, variable):
        pass  # says why it cannot be reached
    made = await asyncpg.create_pool(
        dsn, min_size=0, max_size=2, server_settings={"application_name": APPLICATION}
    )
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def nats_client(url: str, variable: str = "RAPPORT_NATS_URL") -> AsyncIterator[Client]:
    """A connected NATS client that gives up instead of reconnecting. Raises Usage, Unavailable."""
    if not url:
        raise Usage(f"{variable} is not set, and there is no --dir")
    try:
        # The client tries a server that refuses again, for two minutes, whatever it is told.
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            client = await connect(
                servers_of(url),
                name=APPLICATION,
                connect_timeout=int(CONNECT_TIMEOUT_S),
                allow_reconnect=False,
                error_cb=_quiet,
            )
    except (nats.errors.Error, OSError, TimeoutError) as error:
        where = ", ".join(urlsplit(each).netloc.rpartition("@")[2] for each in servers_of(url))
        raise Unavailable(f"NATS at {where} cannot be reached: {error!r}") from error
    try:
        yield client
    finally:
        await client.close()


async def _quiet(_: Exception) -> None:
    """Errors come as exceptions of what was asked for."""
