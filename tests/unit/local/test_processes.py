"""Processes are known by more than a number. (These start real, short-lived processes.)"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.process import (
    Process,
    ProcessIdentity,
    identity_of,
    send_signal,
    spawn,
    tail_of,
)

WAITING = "import signal; print('here', flush=True); signal.pause()"


def waiting(log: Path, code: str = WAITING) -> Process:
    return spawn("waiting", [sys.executable, "-c", code], env=os.environ, log=log)


def test_a_pid_that_was_handed_out_again_is_never_signalled() -> None:
    mine = identity_of(os.getpid())
    assert mine is not None
    assert not send_signal(ProcessIdentity(mine.pid, "another start"), signal.SIGKILL)
    assert Process.adopt("me", ProcessIdentity(mine.pid, "another start")) is None


def test_an_adopted_process_is_stopped_as_its_own(tmp_path: Path) -> None:
    started = waiting(tmp_path / "log")
    adopted = Process.adopt("waiting", started.identity)
    assert adopted is not None
    adopted.stop()
    assert not started.alive()
    assert Process.adopt("waiting", started.identity) is None


def test_one_that_ignores_the_first_signal_gets_the_next(tmp_path: Path) -> None:
    log = tmp_path / "log"
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    process = waiting(log, deaf + WAITING)
    while not log.read_bytes():
        assert not process.wait(0.01)
    process.stop(((signal.SIGTERM, 0.05), (signal.SIGKILL, 5.0)))
    assert process.exit_code == -signal.SIGKILL


def test_a_zombie_counts_as_gone(tmp_path: Path) -> None:
    process = waiting(tmp_path / "log", "pass")
    assert process.wait(60.0)
    assert identity_of(process.pid) is None
    assert process.exit_code == 0


def test_one_that_outlives_who_started_it_is_no_surprise_to_the_interpreter(tmp_path: Path) -> None:
    starting = """
import os, sys
from pathlib import Path
from deploy.local.process import spawn
started = spawn("waiting", [sys.executable, "-c", sys.argv[1]], env=os.environ, log=Path("log"))
print(started.identity.pid, started.identity.started)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", starting, WAITING],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
    )
    pid, started = done.stdout.split()
    left = Process.adopt("waiting", ProcessIdentity(int(pid), started))
    assert left is not None
    left.stop()
    assert done.stderr == ""


def test_a_program_that_is_missing_is_named_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"cannot start it \(/nowhere\)"):
        spawn("it", ["/nowhere"], env={}, log=tmp_path / "log")


def test_a_log_is_kept_from_growing_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.local.process.LOG_BYTES_MAX", 10)
    log = tmp_path / "log"
    log.write_text("eleven bytes and more\n")
    process = waiting(log)
    process.stop()
    assert (tmp_path / "log.1").read_text() == "eleven bytes and more\n"
    assert tail_of(tmp_path / "log.1") == "eleven bytes and more"
    assert tail_of(tmp_path / "none") == ""
