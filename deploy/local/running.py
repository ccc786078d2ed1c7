"""`up` as a process: in the foreground until a signal, or detached behind a second one."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from deploy.local.config import whole_environment
from deploy.local.errors import StackError
from deploy.local.process import POLITE, Process, spawn, tail_of
from deploy.local.stack import Stack
from deploy.local.state import StackState

DETACHED_TIMEOUT_S = 600.0
DETACHED_POLL_S = 0.05
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run_until_stopped(
    stack: Stack, greet: Callable[[StackState], Awaitable[None]], say: Callable[[str], None]
) -> None:
    """Up, greet, watch, and on Ctrl-C or SIGTERM down in order. Raises StackError if `up` fails.

    Whatever was started is stopped in every case.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    with stack.locked():
        work = asyncio.create_task(_up_and_watch(stack, greet))
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            for task in (work, stopped):
                task.cancel()
            with suppress(asyncio.CancelledError, StackError):
                await work
            say("stopping the projector, the ledger, NATS and PostgreSQL")
            await stack.stop_parts()
            for number in STOP_SIGNALS:
                loop.remove_signal_handler(number)


async def _up_and_watch(stack: Stack, greet: Callable[[StackState], Awaitable[None]]) -> None:
    state = await stack.up()
    # Watched from here on: the demo may take a while, and a part may end in it.
    watch = asyncio.create_task(stack.watch())
    try:
        await greet(state)
        await watch
    finally:
        watch.cancel()


async def run_detached(directory: Path) -> StackState:
    """Starts `up` in a process of its own and returns once everything serves.

    One that is up already is left as it is. Raises StackError with the last lines of its log.
    """
    stack = Stack(directory)
    state = StackState.load(stack.directory)
    if state is not None and state.ready and Process.adopt("up", state.supervisor) is not None:
        return state
    with stack.locked():  # made, and nobody else's
        pass
    log = stack.directory / "logs" / "up.log"
    process = spawn(
        "up",
        [sys.executable, "-P", "-m", "deploy.local", "--dir", str(stack.directory)],
        env=whole_environment(),
        log=log,
    )
    try:
        async with asyncio.timeout(DETACHED_TIMEOUT_S):
            while process.alive():
                state = StackState.load(stack.directory)
                if state is not None and state.ready and state.supervisor == process.identity:
                    return state
                await asyncio.sleep(DETACHED_POLL_S)
    except BaseException:
        process.stop(POLITE)
        raise
    raise StackError(tail_of(log, lines=1) or f"`up` ended with status {process.exit_code}")
