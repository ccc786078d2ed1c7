"""`rapport up` in a folder of a test's own, and a user at its command line."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from rapport import Rapport, RetryPolicy
from rapport.v1 import ledger_service_pb2 as pb

from deploy.local.postgres import remove_home
from deploy.local.process import Process
from deploy.local.stack import Stack
from deploy.local.state import StackState
from tests.support.servers import TestRun

ROOT: Final = Path(__file__).resolve().parents[2]
DATA: Final = Path(os.environ.get("RAPPORT_SAMPLE_DATA", ROOT.parent / "shared" / "data"))
PARTS: Final = ("postgres", "nats", "ledger", "projector")
TIMEOUT_S: Final = 300.0
POLL_S: Final = 0.02
PRINCIPAL: Final = "services/tests"

# What tells `rapport up` which servers to run, or that it is to run none.
_NAMED: Final = ("RAPPORT_POSTGRES_DSN", "RAPPORT_NATS_URL", "RAPPORT_NATS_ADMIN_URL")


def plain_env() -> dict[str, str]:
    """The environment of somebody who has set nothing, but for where the embedded servers are."""
    kept = ("RAPPORT_PG_BIN", "RAPPORT_NATS_BIN")
    return {k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_") or k in kept}


def named_env() -> dict[str, str]:
    """The servers that the environment of the tests names, if any."""
    return {key: os.environ[key] for key in _NAMED if os.environ.get(key)}


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Returns once the condition holds; fails after TIMEOUT_S."""
    deadline_s = time.monotonic() + TIMEOUT_S
    while not await condition():
        assert time.monotonic() < deadline_s, f"still waiting: {what}"
        await asyncio.sleep(POLL_S)


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document it printed."""
        return json.loads(self.out)


class RunningStack:
    """The installation in a folder, from the outside: commands, signals, files."""

    def __init__(self, directory: Path, env: Mapping[str, str]) -> None:
        self.directory = directory
        self.env = dict(env)

    @property
    def state(self) -> StackState:
        """What the folder says now."""
        state = StackState.load(self.directory)
        assert state is not None, f"nothing was ever up in {self.directory}"
        return state

    @property
    def embedded(self) -> bool:
        """Whether both servers run from the folder."""
        return not any(self.env.get(name) for name in _NAMED)

    def up(self) -> None:
        """`rapport up --detach`."""
        self.rapport("up", "--detach")

    def down(self) -> None:
        """`rapport down`; nothing that it ever started may be left."""
        self.rapport("down")
        assert self.running() == {}

    def run(self, *arguments: str | Path) -> Said:
        """A command to its end."""
        with self.begin(*arguments) as begun:
            return finish(begun)

    def rapport(self, *arguments: str | Path, expect: int = 0) -> Any:
        """A command that ends with the exit code expected; the document it printed."""
        said = self.run(*arguments)
        assert said.code == expect, f"{arguments}: {said}"
        return said.json if said.out else None

    @contextmanager
    def begin(self, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
        """A command while it runs; killed if it still does afterwards."""
        command = [sys.executable, "-m", "rapport.cli", *map(str, arguments)]
        with subprocess.Popen(
            [*command, "--dir", str(self.directory), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.env,
            cwd=self.directory.parent,
        ) as begun:
            try:
                yield begun
            finally:
                begun.kill()

    def process(self, name: str) -> Process | None:
        """A part, or `up` itself, if it runs."""
        state = self.state
        identity = state.supervisor if name == "up" else state.processes.get(name)
        return Process.adopt(name, identity)

    def running(self) -> dict[str, int]:
        """The pids of what runs."""
        found = {name: self.process(name) for name in ("up", *PARTS)}
        return {name: process.pid for name, process in found.items() if process is not None}

    def kill(self, *names: str) -> None:
        """SIGKILL, and gone."""
        for name in names:
            process = self.process(name)
            assert process is not None, f"{name} does not run"
            assert process.signal(signal.SIGKILL)
            assert process.wait(TIMEOUT_S)

    async def killed_and_back(self, name: str) -> None:
        """SIGKILL to a part that `up` then starts again."""
        before = self.running()[name]
        self.kill(name)

        async def back() -> bool:
            return self.running().get(name, before) != before and self.state.ready

        await until(back, f"{name} runs again")

    def client(self, principal: str = PRINCIPAL, tenant: str | None = None) -> Rapport:
        """A client that waits for a service that is just being started again."""
        endpoints = self.state.endpoints
        return Rapport(
            endpoints["ledger"],
            endpoints["projector"],
            principal=principal,
            tenant=tenant,
            retry=RetryPolicy(timeout_s=60.0),
        )

    def open_books(self) -> "Books":
        """A fresh tenant in a fresh journal."""
        name = f"t-{uuid4().hex[:8]}"
        self.rapport("journal", "create", name)
        self.rapport("tenant", "create", name, "--journal", name)
        return Books(self, name)

    async def forget_logins(self) -> None:
        """Drop what a server that outlives the folder would keep of it."""
        import asyncpg

        conn = await asyncpg.connect(self.state.env["RAPPORT_POSTGRES_DSN"])
        try:
            database = await conn.fetchval("SELECT quote_ident(current_database())")
            mine = f"rapport_{self.state.installation}_%"
            found = "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname LIKE $1"
            for row in await conn.fetch(found, mine):
                await conn.execute(f"REVOKE ALL ON DATABASE {database} FROM {row['rolname']}")
                await conn.execute(f"DROP ROLE {row['rolname']}")
        finally:
            await conn.close()


@dataclass(frozen=True, slots=True)
class Books:
    """A tenant with a journal, a stream and views that no other test writes to."""

    stack: RunningStack
    name: str

    def rapport(self, *arguments: str | Path, expect: int = 0) -> Any:
        """A command for this tenant."""
        return self.stack.rapport(*arguments, "--tenant", self.name, expect=expect)

    def begin(self, *arguments: str | Path) -> Any:
        """A command for this tenant while it runs."""
        return self.stack.begin(*arguments, "--tenant", self.name)

    def client(self, principal: str = PRINCIPAL) -> Rapport:
        """A client of this tenant."""
        return self.stack.client(principal, self.name)

    def clean(self, *options: str) -> dict[str, dict[str, Any]]:
        """What the doctor compared, by check; it must have found nothing."""
        report = self.stack.rapport("doctor", "--journal", self.name, *options)
        assert report["clean"] is True, report
        return {check["name"]: check["facts"] for check in report["journals"][0]["checks"]}

    async def head(self) -> int:
        """The journal's head; waits for a ledger that is being started again."""
        async with self.stack.client() as client:
            return {row.journal: row.head_position async for row in client.journals()}[self.name]

    async def events(self, client: Rapport) -> AsyncIterator[pb.Event]:
        """Everything recorded, in order."""
        async for event in client.read_journal():
            yield event


def finish(begun: subprocess.Popen[str]) -> Said:
    """Waits for a command."""
    out, err = begun.communicate(timeout=TIMEOUT_S)
    return Said(begun.returncode, out, err)


@contextmanager
def folder(test_run: TestRun, name: str = "d") -> Iterator[Path]:
    """A folder for an installation; whatever is left running from it afterwards is ended."""
    parent = Path(tempfile.mkdtemp(prefix="e2e-", dir=test_run.directory))
    parent.chmod(0o711)  # PostgreSQL may run as another user and must get through
    directory = parent / name
    try:
        yield directory
    finally:
        asyncio.run(Stack(directory).down())
        state = StackState.load(directory)
        if state is not None and state.postgres_home is not None:
            remove_home(Path(state.postgres_home))
