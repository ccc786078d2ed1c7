"""The parent's side of processes that make load or answer as limits; all end with their context."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from bench.stack import BenchError

_STOP_TIMEOUT_S: Final = 10.0
# One answer is a short line; a traceback may be long.
_LINE_BYTES_MAX: Final = 1024 * 1024


class LoadProcess:
    """`python -m bench.load`, one command at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """For who counts what it takes."""
        return self._process.pid

    async def do(self, name: str, **arguments: Any) -> dict[str, float]:
        """What a command answers. Raises BenchError with the process's own words."""
        assert self._process.stdin is not None
        line = json.dumps({"do": name, **arguments}) + "\n"
        self._process.stdin.write(line.encode())
        answer = await _line(self._process)
        if "error" in answer:
            raise BenchError(f"{name}: {answer['error']}")
        return answer


@asynccontextmanager
async def load_process() -> AsyncIterator[LoadProcess]:
    """A load process that runs until the context is left."""
    async with _module("bench.load") as process:
        yield LoadProcess(process)


@asynccontextmanager
async def echo_process() -> AsyncIterator[tuple[str, int]]:
    """The no-op server; where it listens, and its process."""
    async with _module("bench.echo") as process:
        yield f"127.0.0.1:{int((await _line(process))['port'])}", process.pid


@asynccontextmanager
async def _module(name: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        name,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES_MAX,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise BenchError(f"a process ended with status {await process.wait()}")
    answer: dict[str, Any] = json.loads(line)
    return answer
