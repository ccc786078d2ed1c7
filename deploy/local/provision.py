"""Databases, migrations and logins: what a server must hold before the services may start."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import asyncpg

from deploy.local.errors import StackError
from services.runtime.migrations import migrate

SERVICES = Path(__file__).resolve().parents[2] / "services"

_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_CONNECT_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class SchemaPart:
    """One schema and where its migrations are."""

    schema: str
    migrations: Path


@dataclass(frozen=True, slots=True)
class LoginPart:
    """A login every installation has: what it is for, its group role, where its DSN is kept."""

    name: str
    group: str
    dsn_variable: str


SCHEMA_PARTS: Sequence[SchemaPart] = (
    SchemaPart("journal", SERVICES / "ledger/migrations"),
    SchemaPart("vault", SERVICES / "runtime/vault/migrations"),
    SchemaPart("views", SERVICES / "projector/migrations"),
)

# The projector opens texts and never seals one: its RAPPORT_VAULT_DSN is the reader's.
LOGIN_PARTS: Sequence[LoginPart] = (
    LoginPart("journal", "rapport_ledger", "RAPPORT_JOURNAL_DSN"),
    LoginPart("vault", "rapport_vault", "RAPPORT_VAULT_DSN"),
    LoginPart("vault_reader", "rapport_vault_reader", "RAPPORT_VAULT_READER_DSN"),
    LoginPart("views", "rapport_projector", "RAPPORT_VIEWS_DSN"),
)


@dataclass(frozen=True, slots=True)
class Login:
    """A login of one installation, member of one group role."""

    user: str
    password: str
    group: str


def with_database(dsn: str, database: str) -> str:
    """The same server and login, another database."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{quote(database, safe='')}"))


def with_login(dsn: str, user: str, password: str) -> str:
    """The same server and database, another login; credentials in the query are dropped."""
    parts = urlsplit(dsn)
    host = parts.netloc.rpartition("@")[2]
    query = [pair for pair in parse_qsl(parts.query) if pair[0] not in {"user", "password"}]
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@{host}"
    return urlunsplit(parts._replace(netloc=login, query=urlencode(query)))


async def create_database(dsn: str, database: str) -> bool:
    """Makes an empty database if it is absent; whether it did. Only the groups may connect."""
    _check(database)
    conn = await connect(dsn)
    try:
        exists = "SELECT FROM pg_catalog.pg_database WHERE datname = $1"
        if await conn.fetchrow(exists, database) is not None:
            return False
        await conn.execute(f"CREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8'")
        await conn.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
        return True
    finally:
        await conn.close()


async def migrate_all(dsn: str, parts: Sequence[SchemaPart] = SCHEMA_PARTS) -> list[str]:
    """Brings every schema up to date; returns the labels applied now, as `schema/0001_name`."""
    applied = []
    for part in parts:
        labels = await migrate(dsn, part.schema, part.migrations)
        applied += [f"{part.schema}/{label}" for label in labels]
    return applied


async def ensure_logins(dsn: str, logins: Sequence[Login]) -> None:
    """Makes the logins, or sets their passwords, in one transaction; each may connect here.

    Raises StackError when the DSN's role may not create roles.
    """
    conn = await connect(dsn)
    try:
        async with conn.transaction():
            database = await conn.fetchval("SELECT quote_ident(current_database())")
            for login in logins:
                await _ensure_login(conn, login, database)
    except asyncpg.InsufficientPrivilegeError as error:
        raise StackError(
            f"RAPPORT_POSTGRES_DSN needs CREATEROLE to make logins: {error}"
        ) from error
    finally:
        await conn.close()


async def _ensure_login(conn: asyncpg.Connection, login: Login, database: str) -> None:
    _check(login.user)
    _check(login.group)
    # Statements about roles take no binds; quote_literal makes the password safe.
    password = await conn.fetchval("SELECT quote_literal($1::text)", login.password)
    exists = "SELECT FROM pg_catalog.pg_roles WHERE rolname = $1"
    if await conn.fetchrow(exists, login.group) is None:
        await conn.execute(f"CREATE ROLE {login.group} NOLOGIN")
    verb = "CREATE" if await conn.fetchrow(exists, login.user) is None else "ALTER"
    await conn.execute(f"{verb} ROLE {login.user} LOGIN PASSWORD {password}")
    await conn.execute(f"GRANT {login.group} TO {login.user}")
    await conn.execute(f"GRANT CONNECT ON DATABASE {database} TO {login.group}")


async def connect(dsn: str) -> asyncpg.Connection:
    """A connection of the owner's. Raises StackError, without the DSN's password, if it fails."""
    try:
        return await asyncpg.connect(dsn, timeout=_CONNECT_TIMEOUT_S, statement_cache_size=0)
    except (OSError, asyncpg.PostgresError, ValueError) as error:
        where = urlsplit(dsn).netloc.rpartition("@")[2]
        raise StackError(f"PostgreSQL at {where} refuses the connection: {error}") from error


def _check(identifier: str) -> None:
    if _IDENTIFIER.fullmatch(identifier) is None:
        raise ValueError(f"not a plain SQL identifier: {identifier!r}")
