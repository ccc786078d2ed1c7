"""`python -m tests.support.fake_stack DIR`: `up` with stand-ins for the services."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from deploy.local.running import run_until_stopped
from deploy.local.service import LEDGER, PROJECTOR
from deploy.local.stack import Stack
from deploy.local.state import StackState
from tests.support.databases import present_parts

SERVICES = (
    replace(LEDGER, module="tests.support.fake_ledger"),
    replace(PROJECTOR, module="tests.support.fake_projector"),
)


def say(line: str) -> None:
    """One line on standard output, at once."""
    print(line, flush=True)


async def greet(_: StackState) -> None:
    """Says that all is up."""
    say("up")


if __name__ == "__main__":
    stack = Stack(Path(sys.argv[1]), services=SERVICES, schemas=present_parts(), say=say)
    asyncio.run(run_until_stopped(stack, greet, say))
