"""Processes that outlive their parent: started here, found again by pid *and* start time.

A pid alone is not an identity: the kernel hands it out again. Whoever signals a process by a
number from a file may kill a stranger. Everything here compares the start time as well, and on
Linux signals through a pidfd, which cannot point at anybody else.
"""

import functools
import os
import platform
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError

_LINUX = platform.system() == "Linux"

LOG_BYTES_MAX = 10 * 1024 * 1024
POLL_INTERVAL_S = 0.02

Escalation = Sequence[tuple[signal.Signals, float]]
"""Signals in order, each with the seconds it is given before the next one."""

POLITE: Escalation = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0))


class _Child(subprocess.Popen[bytes]):
    """A child that may outlive us, of which Popen would warn when the interpreter ends."""

    def __del__(self) -> None:
        pass


_CHILDREN: "dict[ProcessIdentity, _Child]" = {}
"""Every child of this process, kept so that it can be reaped and may outlive its `Process`."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A pid and when it started; `started` is opaque and differs after a reboot."""

    pid: int
    started: str


@dataclass(frozen=True, slots=True)
class RunAs:
    """The user a child is started as, when it must not be the caller."""

    uid: int
    gid: int
    name: str


def identity_of(pid: int) -> ProcessIdentity | None:
    """The identity of a running process; None when there is none or only its zombie is left."""
    if pid <= 0:
        return None
    started = _started_linux(pid) if _LINUX else _started_elsewhere(pid)
    return None if started is None else ProcessIdentity(pid, started)


def command_line_of(pid: int) -> list[str] | None:
    """The arguments a process was started with; None when they cannot be read."""
    try:
        if _LINUX:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
            return [part.decode(errors="replace") for part in raw.split(b"\0") if part]
        return _ps(pid, "command=").split() or None
    except OSError:
        return None


def send_signal(identity: ProcessIdentity, number: signal.Signals) -> bool:
    """Signals exactly this process; False when it is gone, also when its pid lives on in another.

    Raises StackError when the process belongs to somebody else.
    """
    try:
        descriptor = _open_pidfd(identity.pid)
        if descriptor is None:
            if identity_of(identity.pid) != identity:
                return False
            os.kill(identity.pid, number)
            return True
        # The descriptor first, the comparison second: from here on it can mean nobody else.
        try:
            if identity_of(identity.pid) != identity:
                return False
            signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)
    except ProcessLookupError:
        return False
    except PermissionError as error:
        raise StackError(f"process {identity.pid} was started by another user") from error
    return True


class Process:
    """One long-running process, either our own child or adopted from an earlier `up`."""

    def __init__(self, name: str, identity: ProcessIdentity) -> None:
        self.name = name
        self.identity = identity
        # Whoever in this process adopts a child of ours must reap it too.
        self._child = _CHILDREN.get(identity)

    @classmethod
    def adopt(cls, name: str, identity: ProcessIdentity | None) -> "Process | None":
        """The process again if exactly it still runs, else None."""
        if identity is None or identity_of(identity.pid) != identity:
            return None
        return cls(name, identity)

    @property
    def pid(self) -> int:
        return self.identity.pid

    @property
    def exit_code(self) -> int | None:
        """The exit status of a child that ended; None while it runs, and for adopted ones."""
        return None if self._child is None else self._child.poll()

    def alive(self) -> bool:
        """Whether it still runs. Reaps it if it was a child and has ended."""
        if self._child is not None:
            return self._child.poll() is None
        return identity_of(self.identity.pid) == self.identity

    def signal(self, number: signal.Signals) -> bool:
        """Signals it; False when it has gone."""
        if self._child is not None:
            if self._child.poll() is not None:
                return False
            self._child.send_signal(number)
            return True
        return send_signal(self.identity, number)

    def wait(self, timeout_s: float) -> bool:
        """Waits until it has ended and reaps it; False when it still runs after timeout_s."""
        deadline = time.monotonic() + timeout_s
        descriptor = None
        with suppress(ProcessLookupError):
            descriptor = _open_pidfd(self.identity.pid)
        try:
            while self.alive():
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return False
                if descriptor is None:
                    time.sleep(min(left_s, POLL_INTERVAL_S))
                else:
                    ended = select.poll()
                    ended.register(descriptor, select.POLLIN)
                    ended.poll(min(left_s, 1.0) * 1000)
        finally:
            if descriptor is not None:
                os.close(descriptor)
        return True

    def stop(self, escalation: Escalation = POLITE) -> None:
        """Ends it: each signal in turn until it has gone. Raises StackError if it outlives all."""
        for number, patience_s in escalation:
            if not self.signal(number) or self.wait(patience_s):
                self.wait(0.0)
                return
        raise StackError(f"{self.name} (pid {self.pid}) does not end; look at it by hand")


def spawn(
    name: str,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    log: Path,
    run_as: RunAs | None = None,
    umask: int = 0o077,
) -> Process:
    """Starts a process in a session of its own, so that neither Ctrl-C nor our end reaches it.

    Output is appended to `log` (kept below about 10 MiB at each start, one older file beside it).
    Raises StackError when it cannot be started.
    """
    with suppress(OSError):
        if log.stat().st_size > LOG_BYTES_MAX:
            log.replace(log.with_name(log.name + ".1"))
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        child = _Child(
            list(argv),
            env=dict(env),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            umask=umask,
            user=None if run_as is None else run_as.uid,
            group=None if run_as is None else run_as.gid,
            extra_groups=None if run_as is None else [],
        )
    except OSError as error:
        raise StackError(f"cannot start {name} ({argv[0]}): {error}") from error
    finally:
        os.close(descriptor)
    identity = identity_of(child.pid)
    if identity is None:
        code = child.wait()
        raise StackError(f"{name} ended at once with status {code}; see {log}")
    _CHILDREN[identity] = child
    return Process(name, identity)


def tail_of(log: Path, lines: int = 5) -> str:
    """The last lines of a log on one line, for an error message; empty when there is none."""
    try:
        text = log.read_bytes()[-8192:].decode(errors="replace")
    except OSError:
        return ""
    return " | ".join(line.strip() for line in text.splitlines()[-lines:])


def _open_pidfd(pid: int) -> int | None:
    """A descriptor of the process; None where the system has none. Raises ProcessLookupError."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        raise
    except (AttributeError, OSError):  # macOS, kernels before 5.3, sandboxes
        return None


@functools.cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown-boot"


def _started_linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The command name in parentheses may itself hold spaces and parentheses.
    fields = stat.rpartition(")")[2].split()
    state, start_ticks = fields[0], fields[19]
    return None if state in "ZXx" else f"{_boot_id()}:{start_ticks}"


def _started_elsewhere(pid: int) -> str | None:
    status, _, started = _ps(pid, "stat=,lstart=").partition(" ")
    return None if not status or status.startswith("Z") else started.strip()


def _ps(pid: int, columns: str) -> str:
    answer = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", columns, "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()
