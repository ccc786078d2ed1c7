"""`make run` as its user sees it: what it prints, Ctrl-C, a second run, and `kill -9`."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.running import PARTS, ROOT, TIMEOUT_S, RunningStack, folder, plain_env, until
from tests.support.servers import TestRun

# Minutes on busy cores: the usual timeout is for tests of seconds.
pytestmark = pytest.mark.timeout(900)

STOPPING = ["stopping the projector, the ledger, NATS and PostgreSQL"]


@pytest.fixture
def fresh(test_run: TestRun) -> Iterator[RunningStack]:
    """A folder that nothing was ever up in; its name is one that a shell would split."""
    with folder(test_run, "my books") as directory:
        yield RunningStack(directory, _users_env())


class MakeRun:
    """`make run` at a terminal."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[str] = []

    async def until_said(self, *words: str) -> None:
        """Reads on up to a line that holds all the words."""
        assert self.process.stdout is not None
        async with asyncio.timeout(TIMEOUT_S):
            async for line in self.process.stdout:
                self.said.append(line.decode().rstrip("\n"))
                if all(word in self.said[-1] for word in words):
                    return
        raise AssertionError(f"it ended without saying {words}: {self.said}")

    async def until_up(self) -> None:
        """Reads up to the last of the three commands to try."""
        await self.until_said("Try:")
        await self.until_said("tail")

    async def interrupt(self) -> list[str]:
        """Ctrl-C, which reaches every process of the terminal; what is printed after it."""
        os.killpg(self.process.pid, signal.SIGINT)
        async with asyncio.timeout(TIMEOUT_S):
            rest, _ = await self.process.communicate()
        return rest.decode().splitlines()


@asynccontextmanager
async def make_run(stack: RunningStack) -> AsyncIterator[MakeRun]:
    """`make run` in the repository, with the environment that is there already."""
    command = ["make", "--no-print-directory", "--old-file=.venv/.stamp", "run"]
    if Path(sys.prefix) != ROOT / ".venv":
        command.append(f"BIN={Path(sys.executable).parent}")
    process = await asyncio.create_subprocess_exec(
        *(*command, f"ARGS=--dir '{stack.directory}'"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=stack.env,
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        yield MakeRun(process)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()


async def test_a_first_run_shows_a_relationship_and_a_second_one_finds_its_data(
    fresh: RunningStack,
) -> None:
    async with make_run(fresh) as first:
        await first.until_up()
        _check_demo(first.said)
        assert any(line.startswith("Loaded ") for line in first.said)
        _check_endpoints(fresh, first.said)
        await _try_commands(first.said)
        # In this order, and not a word besides.
        assert await first.interrupt() == STOPPING
    _check_nothing_runs(fresh)

    async with make_run(fresh) as second:
        await second.until_up()
        _check_demo(second.said)
        assert not any(line.startswith("Loaded ") for line in second.said)
        found = fresh.rapport("balance", "people/ann", "people/bob")
        assert found["contact_days"] == 1
        assert found["know_mp"] > 0
        await second.interrupt()
    _check_nothing_runs(fresh)


async def test_ctrl_c_before_all_is_up_leaves_nothing_running_and_no_traceback(
    fresh: RunningStack,
) -> None:
    control = fresh.directory / "postgres" / "data.new" / "global" / "pg_control"
    async with make_run(fresh) as run:

        async def initdb_runs() -> bool:
            return control.exists() or (fresh.directory / "nats").exists()

        await until(initdb_runs, "the cluster is being made")
        assert await run.interrupt() == STOPPING
    _check_nothing_runs(fresh)
    async with make_run(fresh) as run:
        await run.until_up()
        _check_demo(run.said)
        assert await run.interrupt() == STOPPING


async def test_whatever_is_killed_comes_back_with_all_that_was_recorded(
    fresh: RunningStack,
) -> None:
    touches = 0

    async def still_works() -> None:
        """One more touch is recorded, and everything before it is there."""
        nonlocal touches
        touches += 1
        position = fresh.rapport("touch", "ann", "bob", "call")["position"]
        lines = fresh.rapport("timeline", "ann", "bob", "--min-position", str(position))
        assert len(lines) == touches

    async with make_run(fresh) as run:
        await run.until_up()
        await still_works()
        for part in PARTS:
            fresh.kill(part)
            await run.until_said(f"{part}: running again")
            await still_works()
        parts = {name: pid for name, pid in fresh.running().items() if name != "up"}
        fresh.kill("up")
    assert fresh.running() == parts, "what `up` started outlives it"

    async with make_run(fresh) as run:
        await run.until_up()
        assert {k: v for k, v in fresh.running().items() if k != "up"} == parts, "and is found"
        await still_works()
        fresh.kill("up", *PARTS)
    assert fresh.running() == {}

    async with make_run(fresh) as run:
        await run.until_up()
        await still_works()
        assert fresh.rapport("doctor")["clean"] is True
        await run.interrupt()
    _check_nothing_runs(fresh)


def _users_env() -> dict[str, str]:
    """The environment of somebody who has cloned the repository and set nothing."""
    env = plain_env()
    own = str(Path(sys.executable).parent)
    env["PATH"] = os.pathsep.join(part for part in env["PATH"].split(os.pathsep) if part != own)
    for name in ("VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        env.pop(name, None)
    return env


def _check_demo(said: list[str]) -> None:
    """Balance, receipt with its sum, and timeline of one relationship."""
    text = "\n".join(said)
    for words in ("dana ~ mara", "KNOW", "CARE", "buffer", "KNOW left", "sum", "touchpoints"):
        assert words in text, words
    balance = {line.split()[0]: line.split()[1] for line in said if line[:4] in ("KNOW", "CARE")}
    total = next(line.split() for line in said if line.split()[:1] == ["sum"])
    assert total[1:] == [balance["KNOW"], balance["CARE"]], "the receipt adds up"


def _check_endpoints(stack: RunningStack, said: list[str]) -> None:
    """Every endpoint printed is there."""
    found = dict(line.strip().rsplit(maxsplit=1) for line in said if "127.0.0.1:" in line)
    for name in ("ledger", "projector"):
        host, port = found[name].split(":")
        socket.create_connection((host, int(port)), timeout=30).close()
        with urllib.request.urlopen(f"http://{found[f'{name} metrics']}/metrics") as answer:
            assert b"rapport_" in answer.read()
    with urllib.request.urlopen(f"{found['nats monitoring']}/jsz") as answer:
        assert json.load(answer)["streams"] == 2  # of events and of attention
    assert any(str(stack.directory / "stack.json") in line for line in said)


async def _try_commands(said: list[str]) -> None:
    """The three commands, as they stand there, in the folder where `make run` was called."""
    commands = [line.strip() for line in said[said.index("Try:") + 1 :]]
    assert len(commands) == 3
    for command in commands[:2]:
        done = await _shell(command)
        out, _ = await done.communicate()
        assert done.returncode == 0, f"{command}: {out.decode()}"
    assert "KNOW" in out.decode()
    tail = await _shell(commands[2])
    assert tail.stdout is not None
    async with asyncio.timeout(TIMEOUT_S):
        line = (await tail.stdout.readline()).decode()
    assert "ann → bob call" in line, line
    os.killpg(tail.pid, signal.SIGINT)
    out, _ = await tail.communicate()
    assert (tail.returncode, out) == (130, b"")


def _heed_ctrl_c() -> None:
    """As in a terminal, also where these tests run in the background, whose SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def _shell(command: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_shell(
        f"exec {command}",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=_heed_ctrl_c,
        env=_users_env(),
        cwd=ROOT,
        start_new_session=True,
    )


def _check_nothing_runs(stack: RunningStack) -> None:
    """Neither a part nor anything else that was started with the folder's name."""
    assert stack.running() == {}
    assert {part["state"] for part in stack.rapport("status", expect=1)["parts"]} == {"stopped"}
    for command_line in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            assert str(stack.directory).encode() not in command_line.read_bytes()
