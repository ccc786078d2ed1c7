"""Plain numbered SQL migrations: forward only, checksummed, applied under one advisory lock.

A directory holds `0001_name.sql`, `0002_name.sql`, … without gaps. Each file runs in a transaction
of its own, together with its row in `<schema>.schema_migrations`, so a file is applied wholly or
not at all. What has been applied is never edited: a fix is a new file.

A migration that needs a group role creates it itself, because roles belong to the whole server and
two databases may be migrated at the same moment:

    DO $$
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rapport_vault') THEN
        CREATE ROLE rapport_vault NOLOGIN;
      END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$;

Who asks for the schema's version at readiness needs USAGE on the schema and SELECT on
`schema_migrations`; the schema's first migration grants both.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import asyncpg

from services.runtime.pg import without_quoted

# One lock for all schemas of a database: grants of two schemas at once collide in the catalogue.
_LOCK_KEY: Final = 0x52415050_4D494752  # "RAPPMIGR"
_LOCK_WAIT_MS: Final = 300_000
_CONNECT_TIMEOUT_S: Final = 30
_FILE_NAME: Final = re.compile(r"([0-9]{4})_([a-z0-9_]+)\.sql")
_TRANSACTION_CONTROL: Final = re.compile(
    r"(?:^|;)\s*(?:begin|start\s+transaction|commit|end|rollback|abort)\b", re.IGNORECASE
)
_SCHEMA_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")

_CREATE_TABLE: Final = """
CREATE TABLE IF NOT EXISTS {schema}.schema_migrations (
  number     integer     PRIMARY KEY CHECK (number > 0),
  name       text        NOT NULL,
  sha256     text        NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class MigrationError(RuntimeError):
    """The migration files and the database do not fit together; the message says what to do."""

    safe_message: ClassVar[bool] = True


class MigrationFailed(MigrationError):  # noqa: N818 - says what happened, not what is wrong
    """A migration was rolled back; the message quotes Postgres, which may quote stored data."""

    safe_message: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number (from 1), its name without number and ending, its text and SHA-256."""

    number: int
    name: str
    sha256: str
    sql: str

    @property
    def label(self) -> str:
        """`0001_name`."""
        return f"{self.number:04d}_{self.name}"


def read_migrations(directory: Path) -> tuple[Migration, ...]:
    """The migrations of a directory, in order.

    Raises MigrationError for a file name of another form, a number used twice, a gap, or
    a file that begins or ends transactions.
    """
    found: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(
                f"{path.name} in {directory} is not named NNNN_name.sql: rename it"
            )
        content = path.read_bytes()
        if _TRANSACTION_CONTROL.search(without_quoted(content.decode())):
            raise MigrationError(
                f"{path.name} begins or ends a transaction: it already runs in one, take that out"
            )
        digest = hashlib.sha256(content).hexdigest()
        found.append(Migration(int(match[1]), match[2], digest, content.decode()))
    for expected, migration in enumerate(found, start=1):
        if migration.number != expected:
            raise MigrationError(
                f"{directory} should hold migration {expected:04d} where {migration.label} stands: "
                "number the files 0001, 0002, … without gaps, each number once"
            )
    if not found:
        raise MigrationError(f"{directory} holds no migrations: is the installation complete?")
    return tuple(found)


def expected_version(directory: Path) -> int:
    """The version a database has once every migration of `directory` is applied."""
    return len(read_migrations(directory))


async def schema_version(conn: asyncpg.Connection, schema: str) -> int:
    """The highest applied migration of `schema`; 0 if it was never migrated.

    One round trip for a migrated schema. Raises asyncpg.InsufficientPrivilegeError when the login
    may not read `schema_migrations`.
    """
    try:
        version = await conn.fetchval(
            f"SELECT coalesce(max(number), 0) FROM {_identifier(schema)}.schema_migrations"  # noqa: S608
        )
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return 0
    return int(version)


async def migrate(dsn: str, schema: str, directory: Path) -> list[str]:
    """Bring `schema` up to the files of `directory`; return the labels applied now, in order.

    Any number of processes may call this at once: one works, the others wait (at most 5 minutes)
    and find nothing left to do. Everything already applied is compared first, so a MigrationError
    about changed, missing or newer migrations leaves the database untouched. When a file fails,
    the files before it stay applied and that file leaves no trace.
    """
    _identifier(schema)
    migrations = read_migrations(directory)
    conn = await asyncpg.connect(
        dsn,
        timeout=_CONNECT_TIMEOUT_S,
        statement_cache_size=0,
        server_settings={
            "application_name": f"rapport-migrate-{schema}",
            "lock_timeout": str(_LOCK_WAIT_MS),
            "client_min_messages": "warning",
        },
    )
    try:
        try:
            await conn.execute("SELECT pg_advisory_lock($1)", _LOCK_KEY)
        except asyncpg.LockNotAvailableError as error:
            raise MigrationError(
                f"another migration has held the lock for {_LOCK_WAIT_MS // 60_000} minutes: "
                "see pg_stat_activity for application_name rapport-migrate-%, then try again"
            ) from error
        # Closing the session gives the lock back, whatever happens in between.
        return await _apply_pending(conn, schema, migrations)
    finally:
        await conn.close()


async def _apply_pending(
    conn: asyncpg.Connection, schema: str, migrations: Sequence[Migration]
) -> list[str]:
    if await conn.fetchval("SELECT to_regnamespace($1) IS NULL", schema):
        await conn.execute(f"CREATE SCHEMA {schema}")
    await conn.execute(_CREATE_TABLE.format(schema=schema))
    # Unqualified names in a migration mean its own schema and nothing of anybody else's.
    await conn.execute(f"SET search_path = {schema}")
    rows = await conn.fetch("SELECT number, name, sha256 FROM schema_migrations ORDER BY number")
    _check_applied(schema, migrations, [(r["number"], r["name"], r["sha256"]) for r in rows])
    applied = []
    for migration in migrations[len(rows) :]:
        await _apply(conn, migration)
        applied.append(migration.label)
    return applied


async def _apply(conn: asyncpg.Connection, migration: Migration) -> None:
    try:
        async with conn.transaction():
            await conn.execute(migration.sql)
            await conn.execute(
                "INSERT INTO schema_migrations (number, name, sha256) VALUES ($1, $2, $3)",
                migration.number,
                migration.name,
                migration.sha256,
            )
    except asyncpg.PostgresError as error:
        raise MigrationFailed(
            f"{migration.label} failed and was rolled back: {error.sqlstate} {error}"
        ) from error


def _check_applied(
    schema: str, migrations: Sequence[Migration], applied: Sequence[tuple[int, str, str]]
) -> None:
    for position, (number, name, sha256) in enumerate(applied, start=1):
        label = f"{number:04d}_{name}"
        if number != position:
            raise MigrationError(
                f"schema {schema} has no record of migration {position:04d} but one of {label}: "
                "schema_migrations was edited by hand; restore the missing row from a backup"
            )
        if position > len(migrations):
            raise MigrationError(
                f"schema {schema} has {label}, which this version does not know: "
                "run the newer version that applied it, or restore the backup made before"
            )
        migration = migrations[position - 1]
        if (migration.name, migration.sha256) != (name, sha256):
            raise MigrationError(
                f"{migration.label} is not the {label} that was applied to schema {schema}: "
                "put the applied file back and write the change as a new migration"
            )


def _identifier(schema: str) -> str:
    if _SCHEMA_NAME.fullmatch(schema) is None:
        raise ValueError("a schema name is up to 63 of a-z, 0-9 and _, not starting with a digit")
    return schema
