"""`python -m services.ledger [serve|migrate]`: serve unless told otherwise."""

import asyncio
import sys
from collections.abc import Sequence
from functools import partial

from services.ledger.app import serve
from services.ledger.config import LedgerConfig, owner_dsn
from services.ledger.journal import store
from services.runtime import logs, vault
from services.runtime.lifecycle import run
from services.runtime.migrations import MigrationError, migrate
from services.runtime.settings import SettingsError

_USAGE = "usage: python -m services.ledger [serve|migrate]"
_EXIT_USAGE = 2


def main(arguments: Sequence[str]) -> int:
    """Run a command; the exit code."""
    try:
        match list(arguments):
            case [] | ["serve"]:
                config = LedgerConfig.from_env()
                logs.configure("ledger", level=config.log_level)
                return run(partial(serve, config))
            case ["migrate"]:
                return asyncio.run(_migrate(owner_dsn()))
    except (SettingsError, MigrationError) as error:
        print(f"rapport ledger: {error}", file=sys.stderr)
        return 1
    print(_USAGE, file=sys.stderr)
    return _EXIT_USAGE


async def _migrate(dsn: str) -> int:
    for schema, directory in (
        (store.SCHEMA, store.MIGRATIONS),
        (vault.SCHEMA, vault.MIGRATIONS),
    ):
        for label in await migrate(dsn, schema, directory):
            print(f"{schema} {label}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
