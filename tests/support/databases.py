"""Databases for tests: clones of one migrated template, each test its own."""

import asyncio
import hashlib
import json
import secrets
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from deploy.local.provision import (
    LOGIN_PARTS,
    SCHEMA_PARTS,
    Login,
    SchemaPart,
    connect,
    create_database,
    ensure_logins,
    migrate_all,
    with_database,
    with_login,
)
from tests.support.servers import TestRun


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated database and the DSNs that reach it.

    admin_dsn is the owner's; the others are logins in the group roles rapport_ledger,
    rapport_vault, rapport_vault_reader and rapport_projector, with no more rights than a service
    has. A projector's RAPPORT_VAULT_DSN is vault_reader_dsn.
    """

    name: str
    admin_dsn: str
    journal_dsn: str
    vault_dsn: str
    vault_reader_dsn: str
    views_dsn: str

    def env(self) -> dict[str, str]:
        """The DSNs as RAPPORT_ variables, the owner's included; the vault's is the ledger's."""
        return {
            "RAPPORT_POSTGRES_DSN": self.admin_dsn,
            "RAPPORT_JOURNAL_DSN": self.journal_dsn,
            "RAPPORT_VAULT_DSN": self.vault_dsn,
            "RAPPORT_VIEWS_DSN": self.views_dsn,
        }


class Background:
    """An event loop in a thread: lets fixtures of any scope, and sync code, await things."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine on that loop and waits for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class DatabaseFactory:
    """Makes and drops databases on one server; the template is made on first use."""

    def __init__(self, server_dsn: str, run: TestRun, background: Background) -> None:
        self.server_dsn = server_dsn
        self._run = run
        self._background = background
        self._template = ""
        self._logins: list[Login] = []

    def create(self, *, migrated: bool = True) -> Database:
        """A fresh database; an empty one, without logins' rights, if not migrated."""
        self._prepare()
        name = f"rt_{self._run.name}_{secrets.token_hex(5)}"
        template = self._template if migrated else "template0"
        self._background.run(self._clone(name, template))
        admin = with_database(self.server_dsn, name)
        dsns = [with_login(admin, login.user, login.password) for login in self._logins]
        return Database(name, admin, *dsns)

    def drop(self, database: Database) -> None:
        """Drops it, whoever is still connected."""
        self._background.run(self._drop(database.name))

    def _prepare(self) -> None:
        if self._template:
            return
        server = hashlib.sha256(self.server_dsn.encode()).hexdigest()[:8]
        with self._run.locked(f"template-{server}") as shared:
            if not shared.exists():
                shared.write_text(json.dumps(self._background.run(self._make_template())))
            found = json.loads(shared.read_text())
        self._template = found["template"]
        self._logins = [Login(**login) for login in found["logins"]]

    async def _make_template(self) -> dict[str, object]:
        name = f"rt_{self._run.name}_template"
        await create_database(self.server_dsn, name)
        dsn = with_database(self.server_dsn, name)
        await migrate_all(dsn, present_parts())
        logins = [
            {
                "user": f"rt_{self._run.name}_{part.name}",
                "password": secrets.token_urlsafe(16),
                "group": part.group,
            }
            for part in LOGIN_PARTS
        ]
        await ensure_logins(dsn, [Login(**login) for login in logins])
        return {"template": name, "logins": logins, "server_dsn": self.server_dsn}

    async def _clone(self, name: str, template: str) -> None:
        conn = await connect(self.server_dsn)
        try:
            await conn.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        finally:
            await conn.close()

    async def _drop(self, name: str) -> None:
        conn = await connect(self.server_dsn)
        try:
            await conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        finally:
            await conn.close()


def present_parts() -> list[SchemaPart]:
    """The schemas that have migrations already."""
    return [part for part in SCHEMA_PARTS if any(part.migrations.glob("*.sql"))]


async def forget(server_dsn: str, run: TestRun) -> None:
    """Drops every database and login of a run from a server that outlives it."""
    conn = await connect(server_dsn)
    try:
        mine = f"rt_{run.name}_%"
        found = "SELECT datname FROM pg_catalog.pg_database WHERE datname LIKE $1"
        for row in await conn.fetch(found, mine):
            await conn.execute(f"DROP DATABASE IF EXISTS {row['datname']} WITH (FORCE)")
        found = "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname LIKE $1"
        for row in await conn.fetch(found, mine):
            await conn.execute(f"DROP ROLE IF EXISTS {row['rolname']}")
    finally:
        await conn.close()
