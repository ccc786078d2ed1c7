"""`python -m deploy.migrate`: brings a real server's schemas up to date, before a new release.

Reads RAPPORT_POSTGRES_DSN, the owner's. Safe to repeat and to run twice at once. With `--logins`
it also makes the logins that RAPPORT_JOURNAL_DSN, RAPPORT_VAULT_DSN, RAPPORT_VAULT_READER_DSN and
RAPPORT_VIEWS_DSN name, with their passwords, in their group roles; the owner then needs CREATEROLE.
Where an administrator keeps the roles, `deploy/postgres/roles.sql` does that instead.
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from deploy.local.config import whole_environment
from deploy.local.errors import StackError
from deploy.local.provision import (
    LOGIN_PARTS,
    SCHEMA_PARTS,
    Login,
    ensure_logins,
    migrate_all,
)
from services.runtime.migrations import MigrationError


def named_logins(env: Mapping[str, str]) -> list[Login]:
    """The logins the DSNs in `env` name. Raises StackError for a DSN without user or password."""
    logins = []
    for part in LOGIN_PARTS:
        dsn = env.get(part.dsn_variable)
        if dsn is None:
            continue
        parts = urlsplit(dsn)
        if not parts.username or not parts.password:
            raise StackError(f"{part.dsn_variable} names no user and password to make a login of")
        logins.append(Login(unquote(parts.username), unquote(parts.password), part.group))
    return logins


async def prepare(env: Mapping[str, str], *, logins: bool) -> list[str]:
    """Migrates, then makes the logins if asked; returns the labels applied now."""
    dsn = env.get("RAPPORT_POSTGRES_DSN")
    if not dsn:
        raise StackError("RAPPORT_POSTGRES_DSN is not set: give the DSN of the schemas' owner")
    wanted = named_logins(env) if logins else []
    applied = await migrate_all(dsn, SCHEMA_PARTS)
    if wanted:
        await ensure_logins(dsn, wanted)
    return applied


def main() -> int:
    """Prints what was applied, one line each; status 1 and one line when it cannot."""
    arguments = argparse.ArgumentParser(description="Bring Rapport's schemas up to date.")
    arguments.add_argument("--logins", action="store_true", help="make the services' logins too")
    try:
        labels = asyncio.run(prepare(whole_environment(), logins=arguments.parse_args().logins))
    except (StackError, MigrationError, OSError) as error:
        print(f"migrate: {error}", file=sys.stderr)
        return 1
    for label in labels:
        print(f"applied {label}")
    print("up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
