"""A service whose clock can be moved while it runs, and that waits less long for its readers.

The services themselves have no such setting; this is the same composition with another clock. Eight
bytes of the file RAPPORT_SKEW_FILE say how many microseconds the clock is off.
"""

import asyncio
import mmap
import os
import struct
from functools import partial
from pathlib import Path
from typing import Final

from services.ledger import app as ledger
from services.ledger.config import LedgerConfig
from services.projector import app as projector
from services.projector.config import ProjectorConfig
from services.runtime import logs
from services.runtime.clock import SystemClock
from services.runtime.lifecycle import run

SKEW_FILE: Final = "RAPPORT_SKEW_FILE"
# So short that a reader that stops for as long as a fault lasts is told READER_TOO_SLOW.
READER_TIMEOUT_S: Final = 4.0
_SKEW: Final = struct.Struct("<q")


class SkewedClock(SystemClock):
    """The clock of this machine, so much off as a file says at that moment."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._shared = mmap.mmap(file.fileno(), _SKEW.size, access=mmap.ACCESS_READ)

    def now_us(self) -> int:
        """The present instant of this clock; goes back when the file says so."""
        skew_us: int = _SKEW.unpack_from(self._shared)[0]
        return super().now_us() + skew_us


def set_skew(path: Path, skew_us: int) -> None:
    """Move the clock of whoever looks at the file; in place, so that it is seen at once."""
    with path.open("r+b" if path.exists() else "wb") as file:
        file.write(_SKEW.pack(skew_us))


async def _serve_ledger(config: LedgerConfig, clock: SkewedClock, stop: asyncio.Event) -> int:
    async with ledger.running(config, stop=stop, clock=clock, reader_timeout_s=READER_TIMEOUT_S):
        await stop.wait()
    return 0


async def _serve_projector(config: ProjectorConfig, clock: SkewedClock, stop: asyncio.Event) -> int:
    async with projector.running(config, stop=stop, clock=clock):
        await stop.wait()
    return 0


def main(name: str) -> int:
    """Run one of the two services; the exit code."""
    clock = SkewedClock(Path(os.environ[SKEW_FILE]))
    if name == "ledger":
        config = LedgerConfig.from_env()
        logs.configure("ledger", level=config.log_level)
        return run(partial(_serve_ledger, config, clock))
    views = ProjectorConfig.from_env()
    logs.configure("projector", level=views.log_level)
    return run(partial(_serve_projector, views, clock))
