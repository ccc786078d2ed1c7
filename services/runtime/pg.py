"""Postgres: the connection pool, statements from `.sql` files, and retries for reads.

asyncpg carries no types, so rows and connections are untyped here and are turned into values of
the domain by the one module that reads them.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Final

import asyncpg

from services.runtime.logs import get_logger

_log = get_logger(__name__)

_CONNECT_TIMEOUT_S: Final = 10.0
_CONNECT_AGAIN_S: Final = 0.5
# How much longer than the server's own statement timeout the client waits: only a server or a
# network that no longer answers at all gets this far.
_CLIENT_GRACE_S: Final = 5.0

_BIND: Final = re.compile(r"\$([0-9]+)")
# Quoted text, quoted names, dollar-quoted bodies and comments: what may hold a `;` or a `$1`.
_OPAQUE: Final = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$([a-z_]*)\$.*?\$\1\$", re.DOTALL
)


class InvalidSqlFile(ValueError):  # noqa: N818 - the sentence reads without "Error"
    """A `.sql` file breaks the rules of `load_sql`; the message names file and rule."""


class Queries(Mapping[str, str]):
    """Statements by file stem: `queries["append_group"]`. Unchanging; sorted by name."""

    def __init__(self, package: str, statements: Mapping[str, str]) -> None:
        self._package = package
        self._statements = dict(sorted(statements.items()))

    def __getitem__(self, stem: str) -> str:
        try:
            return self._statements[stem]
        except KeyError:
            raise KeyError(f"{self._package} has no {stem}.sql") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._statements)

    def __len__(self) -> int:
        return len(self._statements)


def load_sql(package: str) -> Queries:
    """The statements of all `.sql` files beside the modules of `package`, e.g. `services.x.sql`.

    Each file holds one statement. Above it stands a comment that says what it does and lists every
    bind on a line of its own, in order, as `-- $1 journal text: …`. What is sent is the statement
    without that comment, headed by `-- package/stem` so that it can be recognised in
    pg_stat_activity and logs. Raises InvalidSqlFile for a file that does not keep to this.
    """
    statements = {}
    for entry in files(package).iterdir():
        if entry.name.endswith(".sql"):
            stem = entry.name.removesuffix(".sql")
            statement = _statement(f"{package}/{entry.name}", entry.read_text("utf-8"))
            statements[stem] = f"-- {package}/{stem}\n{statement}"
    if not statements:
        raise InvalidSqlFile(f"{package} holds no .sql files: is the installation complete?")
    return Queries(package, statements)


def without_quoted(sql: str) -> str:
    """The SQL without comments, quoted text, quoted names and dollar-quoted bodies."""
    return _OPAQUE.sub("", sql)


def _statement(label: str, text: str) -> str:
    lines = text.strip().splitlines()
    head_length = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    head, body = "\n".join(lines[:head_length]), "\n".join(lines[head_length:]).strip()
    if not head or not body:
        raise InvalidSqlFile(f"{label}: a comment that says what it does, then one statement")
    body = body.removesuffix(";").rstrip()
    bare = without_quoted(body)
    if ";" in bare:
        raise InvalidSqlFile(f"{label}: one statement in a file")
    used = {int(number) for number in _BIND.findall(bare)}
    listed = [int(number) for number in re.findall(r"^--\s+\$([0-9]+)\s+\S", head, re.MULTILINE)]
    if listed != list(range(1, len(used) + 1)) or used != set(listed):
        raise InvalidSqlFile(f"{label}: list the binds used in the head comment, in order from $1")
    return body


async def create_pool(
    dsn: str,
    *,
    application_name: str,
    size_min: int,
    size_max: int,
    statement_timeout_ms: int,
    lock_timeout_ms: int,
    idle_in_transaction_timeout_ms: int,
    init: Callable[[asyncpg.Connection], Awaitable[None]] | None = None,
) -> asyncpg.Pool:
    """Open a pool of `size_min` to `size_max` connections; raises when the first cannot be made.

    The three timeouts are the server's and hold for every statement of the pool; 0 switches one
    off. They keep a frozen replica from holding the locks of the others. Connections come back to
    the pool without asyncpg's clean-up query, which would cost a round trip every time: an open
    transaction is still rolled back, but whoever changes a setting, takes a session lock, listens
    or opens a cursor WITH HOLD must use a connection of their own (`asyncpg.connect`).

    A statement that outlives its server-side timeout by 5 seconds fails with TimeoutError: then
    the server or the network is gone.
    """
    assert 0 <= size_min <= size_max
    assert size_max > 0
    return await asyncpg.create_pool(
        dsn,
        min_size=size_min,
        max_size=size_max,
        timeout=_CONNECT_TIMEOUT_S,
        command_timeout=(
            statement_timeout_ms / 1000 + _CLIENT_GRACE_S if statement_timeout_ms else None
        ),
        reset=_keep_session,
        init=init,
        server_settings={
            "application_name": application_name,
            "statement_timeout": str(statement_timeout_ms),
            "lock_timeout": str(lock_timeout_ms),
            "idle_in_transaction_session_timeout": str(idle_in_transaction_timeout_ms),
            # Short statements only: compiling one costs more than running it.
            "jit": "off",
            "timezone": "UTC",
        },
    )


async def _keep_session(_: asyncpg.Connection) -> None:
    """asyncpg has rolled back what was open; sessions hold nothing else (see `create_pool`)."""


# What talking to Postgres may raise: of the network, of the server, of the driver. The last one is
# none of the driver's other classes, and comes of a connection lost between two messages.
POSTGRES_ERRORS: Final = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


@asynccontextmanager
async def begun(conn: asyncpg.Connection, opening: str) -> AsyncIterator[str]:
    """A transaction that BEGIN and what follows it open in one round trip; the last one's status.

    `opening` has no binds. Committed at the end, rolled back when the block raises. Savepoints need
    `conn.transaction()`.
    """
    try:
        yield await conn.execute(opening)
    except BaseException:
        # The error is what matters; a connection that is lost rolls back by itself.
        with suppress(*POSTGRES_ERRORS):
            if not conn.is_closed():
                await conn.execute("ROLLBACK")
        raise
    await conn.execute("COMMIT")


def is_connection_lost(error: BaseException) -> bool:
    """Whether `error` means that the connection or the server went away, so that a new try may do.

    For a write this says nothing about whether it was committed.
    """
    if isinstance(error, TimeoutError):
        return False  # too slow, which a repetition makes worse
    if isinstance(
        error,
        OSError
        | asyncpg.PostgresConnectionError
        | asyncpg.AdminShutdownError
        | asyncpg.CrashShutdownError
        | asyncpg.CannotConnectNowError
        # The driver lost track of the protocol: it was used between the server's last words and
        # the end of the connection.
        | asyncpg.InternalClientError,
    ):
        return True
    # asyncpg says so with its general client error when the loss was noticed before the call; the
    # pool takes a lost connection back while its holder still has it.
    return isinstance(error, asyncpg.InterfaceError) and any(
        words in str(error) for words in ("connection is closed", "released back to the pool")
    )


async def once_postgres_answers[T](
    connect: Callable[[], Awaitable[T]], stop: asyncio.Event | None
) -> T | None:
    """What `connect` gives, once Postgres is there; None when asked to stop before."""
    told = False
    while stop is None or not stop.is_set():
        try:
            return await connect()
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            if not (is_connection_lost(error) or isinstance(error, TimeoutError)):
                raise
            if not told:
                _log.warning("waiting for postgres", exc_info=error)
                told = True
        await asyncio.sleep(_CONNECT_AGAIN_S)
    return None


async def retry_read[T](
    read: Callable[[], Awaitable[T]],
    *,
    attempts: int = 3,
    delay_ms: int = 50,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """Run `read`, and again when the connection was lost: at most `attempts` times in all.

    Waits `delay_ms`, then twice that, and so on. For reads only: a write whose connection was lost
    may have been committed, and only its caller knows how to ask. The last error is raised as is.
    """
    assert attempts > 0
    for attempt in range(attempts - 1):
        try:
            return await read()
        except POSTGRES_ERRORS as error:
            if not is_connection_lost(error):
                raise
        await sleep(delay_ms * 2**attempt / 1000)
    return await read()
