"""What processes took of the machine, as the kernel counts it (Linux)."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_NS: Final = 1e-9
_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds on a core: of first threads, of all threads, and waited for one by first threads."""

    first_s: float = 0.0
    all_s: float = 0.0
    waited_s: float = 0.0

    def __add__(self, other: Self) -> "Usage":
        return Usage(
            self.first_s + other.first_s, self.all_s + other.all_s, self.waited_s + other.waited_s
        )

    def __sub__(self, other: Self) -> "Usage":
        return Usage(
            self.first_s - other.first_s, self.all_s - other.all_s, self.waited_s - other.waited_s
        )


def usage(pids: Iterable[int]) -> Usage:
    """Of processes so far; those that are gone count nothing."""
    total = Usage()
    for pid in pids:
        with suppress(OSError):
            for thread in (_PROC / str(pid) / "task").iterdir():
                on_ns, waited_ns = map(int, (thread / "schedstat").read_text().split()[:2])
                is_first = thread.name == str(pid)
                total += Usage(
                    on_ns * _NS if is_first else 0, on_ns * _NS, waited_ns * _NS * is_first
                )
    return total


def family(pid: int) -> list[int]:
    """A process and its children, as there are now."""
    found = [int(each.name) for each in _PROC.iterdir() if each.name.isdecimal()]
    return [pid, *(each for each in found if parent(each) == pid)]


def sessions(server: int) -> list[int]:
    """The sessions of a PostgreSQL that clients have over TCP now, given its first process."""
    found = []
    for pid in family(server)[1:]:
        with suppress(OSError):
            # Its title tells user, database and the client's host with its port.
            if b"(" in (_PROC / str(pid) / "cmdline").read_bytes():
                found.append(pid)
    return found


def parent(pid: int) -> int:
    """The parent of a process; -1 when that is gone."""
    with suppress(OSError):
        # The name of the program stands in brackets, and may hold anything.
        return int((_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    return -1
