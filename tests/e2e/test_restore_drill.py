"""The restore drill of docs/operations.md, with real servers, services and the CLI."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.config import LocalConfig
from deploy.local.postgres import remove_home
from deploy.local.postgres_binaries import find_binaries, server_user
from deploy.local.process import Process
from deploy.local.stack import Stack
from deploy.local.state import StackState
from services.runtime.vault.master import MasterKeys
from tests.support.servers import TestRun

# Minutes on busy cores: the usual timeout is for tests of seconds.
pytestmark = pytest.mark.timeout(900)

NOTE = "likes the Red Sox"
TIMEOUT_S = 300


class Drill:
    """An installation in a folder, and an operator at its command line."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        named = ("RAPPORT_POSTGRES_DSN", "RAPPORT_NATS_URL", "RAPPORT_NATS_ADMIN_URL")
        env = {key: value for key, value in os.environ.items() if key not in named}
        self.config = LocalConfig.from_env(env)
        self.env = {key: value for key, value in env.items() if not key.startswith("RAPPORT_")}

    def up(self) -> None:
        """Start what does not run. Nobody watches over it, so that parts may be stopped."""
        asyncio.run(self._up())

    async def _up(self) -> None:
        stack = Stack(self.directory, self.config)
        with stack.locked():
            await stack.up()

    def down(self) -> None:
        """End everything and remove what is outside the folder."""
        asyncio.run(self._down())
        state = StackState.load(self.directory)
        if state is not None and state.postgres_home is not None:
            remove_home(Path(state.postgres_home))

    async def _down(self) -> None:
        stack = Stack(self.directory, self.config)
        with stack.locked():
            await stack.stop_parts()

    def stop_services(self) -> None:
        """Stop projector and ledger; the servers stay."""
        state = self.state
        for name in ("projector", "ledger"):
            process = Process.adopt(name, state.processes[name])
            assert process is not None
            process.stop()

    @property
    def state(self) -> StackState:
        """What the folder says."""
        state = StackState.load(self.directory)
        assert state is not None
        return state

    def rapport(self, *arguments: str, expect: int = 0) -> Any:
        """Run a command; its JSON."""
        command = [sys.executable, "-m", "rapport.cli", *arguments]
        done = subprocess.run(
            [*command, "--dir", str(self.directory), "--json"],
            capture_output=True,
            text=True,
            env=self.env,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == expect, f"{arguments}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout or "null")

    def back_up(self, path: Path) -> None:
        """Dump the schema `journal`."""
        self._run("pg_dump", "--format=custom", "--schema=journal", f"--file={path}", self._dsn)

    def restore(self, path: Path) -> None:
        """Put the schema back as it was, in one transaction."""
        sql = self._run("pg_restore", "--file=-", str(path))
        sql = "DROP SCHEMA IF EXISTS journal CASCADE;\n" + sql
        options = ("--single-transaction", "--set=ON_ERROR_STOP=1", "--quiet", "--no-psqlrc")
        self._run("psql", *options, self._dsn, stdin=sql)

    @property
    def _dsn(self) -> str:
        return self.state.env["RAPPORT_POSTGRES_DSN"]

    def _run(self, program: str, *arguments: str, stdin: str | None = None) -> str:
        binaries = find_binaries(self.config.postgres_bin, server_user())
        done = subprocess.run(
            [str(binaries / program), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def drill(test_run: TestRun) -> Iterator[Drill]:
    parent = Path(tempfile.mkdtemp(prefix="drill-", dir=test_run.directory))
    parent.chmod(0o711)
    made = Drill(parent / "d")
    yield made
    made.down()


def test_a_restored_journal_goes_on_without_what_was_erased(drill: Drill, tmp_path: Path) -> None:
    drill.up()
    drill.rapport("touch", "ann", "bob", "call", "--note", NOTE, "--at", "2026-03-01T09:00:00Z")
    last = drill.rapport("touch", "ann", "cat", "call", "--at", "2026-03-02T09:00:00Z")
    seen = ("--min-position", str(last["position"]))
    assert NOTE in json.dumps(drill.rapport("timeline", "ann", *seen))
    assert drill.rapport("doctor")["clean"] is True
    drill.back_up(tmp_path / "journal.dump")

    # After the backup: what the restore will lose, and an erasure that it must not undo.
    drill.rapport("touch", "ann", "cat", "meal_or_social", "--at", "2026-03-03T09:00:00Z")
    drill.rapport("erase", "bob", "--yes")
    assert drill.rapport("doctor")["clean"] is True

    drill.stop_services()
    drill.restore(tmp_path / "journal.dump")
    done = drill.rapport("journal", "restored")
    assert len(done["recorded"]) == 1
    assert (done["listed"], done["destroyed"], done["orphaned"]) == (0, 0, [])
    drill.up()

    # Stream and views are of the history before: both stop, and the doctor names it.
    found = drill.rapport("doctor", "--patience", "1", expect=4)
    assert found["clean"] is False
    verdicts = {check["name"]: check["verdict"] for check in found["journals"][0]["checks"]}
    assert verdicts["journal"] == "clean"
    assert verdicts["stream"] == verdicts["read models"] == "different"

    drill.rapport("stream", "rebuild")
    drill.rapport("views", "rebuild")
    report = drill.rapport("doctor")
    assert report["clean"] is True
    assert report["journals"][0]["checks"][0]["facts"]["head"] == 3

    timeline = json.dumps(drill.rapport("timeline", "ann"))
    assert NOTE not in timeline
    assert "meal_or_social" not in timeline
    drill.rapport("touch", "ann", "cat", "thanks.given")
    assert drill.rapport("doctor")["clean"] is True
    assert drill.rapport("doctor", "--quick")["clean"] is True


def test_keys_are_wrapped_again_under_the_first_master_key(drill: Drill) -> None:
    drill.up()
    drill.rapport("touch", "ann", "bob", "call", "--note", NOTE, "--at", "2026-03-01T09:00:00Z")
    file = Path(drill.state.env["RAPPORT_MASTER_KEY_FILE"])
    old = file.read_text()
    file.write_text(MasterKeys.generate_line("second") + "\n" + old)
    drill.stop_services()
    drill.up()
    rotated = drill.rapport("keys", "rotate")
    assert rotated["current"] == "second"
    assert rotated["rewrapped"] >= 2
    assert rotated["unreadable"] == {}
    file.write_text(file.read_text().splitlines()[0] + "\n")
    drill.stop_services()
    drill.up()
    assert NOTE in json.dumps(drill.rapport("timeline", "ann", "--min-position", "1"))
    assert drill.rapport("doctor")["clean"] is True
    file.write_text(old)
    found = drill.rapport("doctor", expect=4)
    assert found["first_difference"]["difference"]["where"] == "master key second"
