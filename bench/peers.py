"""A peer: the Python library `eventsourcing` on the same PostgreSQL, at its lowest level.

Its recorder is given bytes that are ready, so that nothing of its own mapping is counted. It comes
with the dependency group `bench`; without it its figures are skipped.
"""

import importlib.util
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid5

NOT_INSTALLED: Final = "not installed"
_HOMES: Final = UUID("9a2b0c55-9a0e-5d57-8bb7-5e2d2f2a1c01")


def is_installed() -> bool:
    """Whether the library and its driver are here."""
    return all(importlib.util.find_spec(name) for name in ("eventsourcing", "psycopg"))


class Peer:
    """The library's own tables in a database of its own; all calls block."""

    def __init__(self, dsn: str, *, threads: int) -> None:
        from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

        parts = urlsplit(dsn)
        self._datastore = PostgresDatastore(
            parts.path.removeprefix("/"),
            parts.hostname or "",
            parts.port or 5432,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            pool_size=threads,
            max_overflow=0,
        )
        self._recorder = PostgresApplicationRecorder(self._datastore)
        self._recorder.create_table()
        self._versions: dict[str, int] = {}

    def close(self) -> None:
        """Give its connections back."""
        self._datastore.close()

    def batched(self, events: Sequence[tuple[str, str, bytes]], size: int) -> float:
        """Seconds to record events, (home, type, payload), in transactions of `size`."""
        stored = self._stored(events)
        started = time.perf_counter()
        for start in range(0, len(stored), size):
            self._recorder.insert_events(stored[start : start + size])
        return time.perf_counter() - started

    def singly(self, events: Sequence[tuple[str, str, bytes]], threads: int) -> float:
        """Seconds to record them one by one from so many threads."""
        stored = self._stored(events)

        def some(number: int) -> None:
            for event in stored[number::threads]:
                self._recorder.insert_events([event])

        with ThreadPoolExecutor(threads) as pool:
            started = time.perf_counter()
            list(pool.map(some, range(threads)))
            return time.perf_counter() - started

    def _stored(self, events: Sequence[tuple[str, str, bytes]]) -> list[Any]:
        from eventsourcing.persistence import StoredEvent

        stored = []
        for home, type_name, payload in events:
            version = self._versions[home] = self._versions.get(home, 0) + 1
            stored.append(StoredEvent(uuid5(_HOMES, home), version, type_name, payload))
        return stored
