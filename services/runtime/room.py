"""What a service takes in at a time, whoever calls."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.runtime.errors import RapportError, Reason
from services.runtime.limits import (
    CALL_BYTES_IN_FLIGHT_MAX,
    CALLS_IN_FLIGHT_MAX,
    STREAMS_OPEN_MAX,
)


class Room:
    """What the calls under way may hold together; beyond it, calls are refused unread."""

    def __init__(
        self,
        calls_max: int = CALLS_IN_FLIGHT_MAX,
        bytes_max: int = CALL_BYTES_IN_FLIGHT_MAX,
        streams_max: int = STREAMS_OPEN_MAX,
    ) -> None:
        self._calls_max, self._bytes_max = calls_max, bytes_max
        self._streams_max = streams_max
        self._calls = self._bytes = self._streams = 0

    @contextmanager
    def taken(self, size_bytes: int) -> Iterator[None]:
        """Room for one unary call while the block runs; the only one always fits.

        Raises TOO_BUSY.
        """
        if self._calls and (
            self._calls >= self._calls_max or self._bytes + size_bytes > self._bytes_max
        ):
            raise RapportError(Reason.TOO_BUSY, "too much is in flight; nothing was written")
        self._calls += 1
        self._bytes += size_bytes
        try:
            yield
        finally:
            self._calls -= 1
            self._bytes -= size_bytes

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Room for one stream while the block runs. Raises TOO_BUSY."""
        if self._streams >= self._streams_max:
            raise RapportError(Reason.TOO_BUSY, "too many streams are open; nothing was written")
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1
