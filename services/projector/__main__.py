"""`python -m services.projector [serve|migrate]`: serve unless told otherwise."""

import asyncio
import sys
from collections.abc import Sequence
from functools import partial

from services.projector.app import MIGRATIONS, SCHEMA, serve
from services.projector.config import ProjectorConfig, owner_dsn
from services.runtime import logs
from services.runtime.lifecycle import run
from services.runtime.migrations import MigrationError, migrate
from services.runtime.settings import SettingsError

_USAGE = "usage: python -m services.projector [serve|migrate]"
_EXIT_USAGE = 2


def main(arguments: Sequence[str]) -> int:
    """Run a command; the exit code."""
    try:
        match list(arguments):
            case [] | ["serve"]:
                config = ProjectorConfig.from_env()
                logs.configure("projector", level=config.log_level)
                return run(partial(serve, config))
            case ["migrate"]:
                return asyncio.run(_migrate(owner_dsn()))
    except (SettingsError, MigrationError) as error:
        print(f"rapport projector: {error}", file=sys.stderr)
        return 1
    print(_USAGE, file=sys.stderr)
    return _EXIT_USAGE


async def _migrate(dsn: str) -> int:
    for label in await migrate(dsn, SCHEMA, MIGRATIONS):
        print(f"{SCHEMA} {label}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
