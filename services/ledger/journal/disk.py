"""A floor of free disk below which nothing is appended.

Only where Postgres's data directory is on this machine and known; elsewhere a full disk is heard
of from Postgres itself, which refuses the write.
"""

import os
from pathlib import Path
from typing import Final

from services.ledger.journal.outcomes import DiskLow
from services.runtime.clock import Clock
from services.runtime.limits import MIB

FREE_BYTES_MIN: Final = 512 * MIB
LOOK_EVERY_S: Final = 1.0


class DiskFloor:
    """Looks at the file system of `directory` (or of its nearest parent that may be entered)."""

    def __init__(
        self, directory: Path, clock: Clock, *, free_bytes_min: int = FREE_BYTES_MIN
    ) -> None:
        self._directory, self._clock = directory, clock
        self._free_bytes_min = free_bytes_min
        self._looked_s = float("-inf")
        self._low = False

    def check(self) -> None:
        """Raise DiskLow when there is too little left; looks at most once a second."""
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = now_s
            free = free_bytes(self._directory)
            self._low = free is not None and free < self._free_bytes_min
        if self._low:
            raise DiskLow("the database's disk is nearly full")


def free_bytes(directory: Path) -> int | None:
    """Bytes that are free for others than root; None when nothing of the path can be looked at."""
    for place in (directory, *directory.parents):
        try:
            found = os.statvfs(place)
        except OSError:
            continue
        return found.f_bavail * found.f_frsize
    return None
