"""Far more of one kind of call than a service takes, and what that does to the service.

RAPPORT_OVERLOAD_S=60 RAPPORT_OVERLOAD_OUT=overload.jsonl pytest tests/faults/test_overload.py
python -m tests.faults.overload_table overload.jsonl
"""

import asyncio
import json
import os
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
from rapport.errors import error_of

from tests.faults.cluster import Replica

# How long each edge is overloaded, and where what came of it is written, a line an edge.
OVERLOAD_S: Final = float(os.environ.get("RAPPORT_OVERLOAD_S", "1"))
OUT: Final = os.environ.get("RAPPORT_OVERLOAD_OUT", "")
# What a service may grow by over its warmed state, however long it lasts. Most of it is what gRPC
# itself takes in before anybody can refuse it: see docs/operations.md, overload.
GROWTH_MIB_MAX: Final = 512.0
_SAMPLE_S: Final = 0.05
_PATIENCE_S: Final = 60.0
_ROUND_S: Final = 2.0
_EXPIRED: Final = (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
_REFUSED_STREAM: Final = "RST_STREAM with error code 7"
_RSS: Final = re.compile(r"VmRSS:\s+(\d+) kB")


@dataclass(slots=True)
class Pressure:
    """What callers under overload were told, and how much memory the service had meanwhile."""

    began_mib: float = 0.0
    peak_mib: float = 0.0
    answered: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    # The caller's own deadline passed first: nobody refused.
    expired: int = 0
    # Streams whose reader took nothing for too long.
    cut_off: int = 0
    without_retry_info: Counter[str] = field(default_factory=Counter)

    def limit_met(self) -> bool:
        """Whether somebody was told that the service takes no more."""
        return self.refused["TOO_BUSY"] > 0

    @property
    def growth_mib(self) -> float:
        """At its peak over its warmed state."""
        return self.peak_mib - self.began_mib

    def refusal(self, failure: grpc.aio.AioRpcError, *, has_deadline: bool = False) -> float:
        """Count a refusal; how long it asks to wait, in seconds."""
        # grpc.aio's own words for a write that met a stream which the server had ended.
        if failure.details() == "Internal error from Core":
            return 0.05
        # HTTP/2's own REFUSED_STREAM: one more on this connection than it may have, not looked at.
        if _REFUSED_STREAM in (failure.details() or ""):
            self.refused["REFUSED_STREAM"] += 1
            return 0.05
        # The server's side of a deadline may be heard of first, as CANCELLED.
        if has_deadline and failure.code() in _EXPIRED:
            self.expired += 1
            return 0.0
        error = error_of(failure)
        self.refused[error.reason] += 1
        if error.retry_after_s is None:
            self.without_retry_info[f"{failure.code().name} {failure.details()}"] += 1
        return error.retry_after_s or 0.05

    def assert_bounded(self, edge: str) -> None:
        """Memory stayed within bounds, and whoever was refused was told when to come back."""
        told = {
            "edge": edge,
            "seconds": OVERLOAD_S,
            "answered": self.answered,
            "refused": dict(self.refused.most_common()),
            "expired": self.expired,
            "cut_off": self.cut_off,
            "began_mib": round(self.began_mib),
            "growth_mib": round(self.growth_mib),
        }
        print(json.dumps(told))
        if OUT:
            with Path(OUT).open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(told) + "\n")
        assert not self.without_retry_info, self.without_retry_info
        assert self.growth_mib < GROWTH_MIB_MAX, edge


@asynccontextmanager
async def watched(replica: Replica) -> AsyncIterator[Pressure]:
    """Samples a replica's memory while the block runs."""
    pressure = Pressure()
    pressure.began_mib = pressure.peak_mib = rss_mib(replica.pid)

    async def sample() -> None:
        while True:
            pressure.peak_mib = max(pressure.peak_mib, rss_mib(replica.pid))
            await asyncio.sleep(_SAMPLE_S)

    task = asyncio.create_task(sample())
    try:
        yield pressure
    finally:
        task.cancel()


def rss_mib(pid: int) -> float:
    """Resident memory of a process."""
    found = _RSS.search(Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) / 1024


async def hammer(
    pressure: Pressure,
    calls: int,
    call: Callable[[int], Awaitable[Any]],
    for_s: float = OVERLOAD_S,
    until: Callable[[], bool] = lambda: True,
) -> None:
    """So many callers at once, each calling again and again; refused ones wait as they are told.

    Longer than `for_s` where a slow machine takes more for what is waited for, a minute at most.
    """
    left_s = _time_left(for_s, until)

    async def one(number: int) -> None:
        while left_s() > 0:
            try:
                await call(number)
            except grpc.aio.AioRpcError as failure:
                await asyncio.sleep(pressure.refusal(failure, has_deadline=True))
            else:
                pressure.answered += 1

    await asyncio.gather(*(one(number) for number in range(calls)))


async def left_unread(
    pressure: Pressure,
    begin: Callable[[], Any],
    streams: int,
    for_s: float = OVERLOAD_S,
    until: Callable[[], bool] = lambda: True,
) -> None:
    """So many streams that nobody reads; those that end are counted and begun again.

    Longer than `for_s` where a slow machine takes more for what is waited for, a minute at most.
    """
    left_s = _time_left(for_s, until)

    async def one() -> None:
        while left_s() > 0:
            stream = begin()
            ended = asyncio.ensure_future(stream.code())
            try:
                while not ended.done() and (for_now_s := left_s()) > 0:
                    await asyncio.wait({ended}, timeout=for_now_s)
                if not ended.done():
                    pressure.answered += 1
                    continue
                failure = await _failure(stream)
                if failure.code() is grpc.StatusCode.OK:
                    pressure.answered += 1  # all of it fits between the two ends
                elif failure.code() is grpc.StatusCode.CANCELLED:
                    # READER_TOO_SLOW, after 60 s, stands behind what nobody reads.
                    pressure.cut_off += 1
                else:
                    await asyncio.sleep(pressure.refusal(failure))
            finally:
                stream.cancel()

    await asyncio.gather(*(one() for _ in range(streams)))


def _time_left(for_s: float, until: Callable[[], bool]) -> Callable[[], float]:
    """Seconds that are left; a round more while what is waited for has not come."""
    until_s = time.monotonic() + for_s

    def left_s() -> float:
        rest_s = until_s - time.monotonic()
        return rest_s if until() or rest_s < -_PATIENCE_S else max(rest_s, _ROUND_S)

    return left_s


async def _failure(stream: Any) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(
        await stream.code(),
        await stream.initial_metadata() or grpc.aio.Metadata(),
        await stream.trailing_metadata() or grpc.aio.Metadata(),
        details=await stream.details(),
    )


def lost(acknowledged: Iterable[str], recorded: Iterable[str]) -> set[str]:
    """What was acknowledged and is not there."""
    return set(acknowledged) - set(recorded)
