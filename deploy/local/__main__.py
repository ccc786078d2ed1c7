"""`python -m deploy.local --dir D`: what `rapport up --detach` leaves running."""

import argparse
import asyncio
import sys
import time
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.running import run_until_stopped
from deploy.local.stack import Stack
from deploy.local.state import StackState


def main() -> int:
    """Runs a stack until SIGTERM; one line of log for each thing that happens."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--dir", type=Path, required=True)
    directory: Path = arguments.parse_args().dir

    def say(line: str) -> None:
        print(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), line, flush=True)

    async def greet(_: StackState) -> None:
        say("up")

    try:
        asyncio.run(run_until_stopped(Stack(directory, say=say), greet, say))
    except StackError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
