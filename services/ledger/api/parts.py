"""What the handlers share: journal, vault, clock, and who may do what."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from services.ledger.api.failures import tenant_unknown
from services.ledger.api.kinds import KnownKinds
from services.ledger.api.recording import Recorder
from services.ledger.api.sealing import Keys, Sealer
from services.ledger.domain.events import TenantRow
from services.ledger.journal.store import Journal
from services.ledger.metrics import LedgerMetrics
from services.runtime.caller import Caller
from services.runtime.clock import Clock
from services.runtime.errors import RapportError, Reason
from services.runtime.limits import INGEST_BYTES_IN_FLIGHT_MAX, READERS_AT_WORK_MAX

HEARTBEAT_S: Final = 5.0
# How long a stream waits for a reader that takes nothing.
READER_TIMEOUT_S: Final = 60.0


class Parts:
    """The parts of one ledger process that handlers work with."""

    def __init__(
        self,
        journal: Journal,
        vault: Keys,
        clock: Clock,
        metrics: LedgerMetrics,
        *,
        heartbeat_s: float = HEARTBEAT_S,
        reader_timeout_s: float = READER_TIMEOUT_S,
    ) -> None:
        self.journal: Final = journal
        self.vault: Final = vault
        self.clock: Final = clock
        self.metrics: Final = metrics
        self.kinds: Final = KnownKinds(journal)
        self.recorder: Final = Recorder(journal, Sealer(vault))
        self.heartbeat_s: Final = heartbeat_s
        self.reader_timeout_s: Final = reader_timeout_s
        self.ingest_room: Final = IngestRoom()
        # Held while a chunk is read and opened, never while its reader is waited for: else hundreds
        # of readers that begin at once would have the process to themselves.
        self.reader_turns: Final = asyncio.Semaphore(READERS_AT_WORK_MAX)
        # Set when the process is about to stop: streams end by themselves.
        self.draining: Final = asyncio.Event()

    async def tenant_of(self, caller: Caller) -> TenantRow:
        """The caller's tenant. Raises CREDENTIALS_MISSING, TENANT_UNKNOWN."""
        name = caller.require_tenant()
        row = await self.journal.tenant(name)
        if row is None:
            raise tenant_unknown(name)
        return row


class IngestRoom:
    """Bytes of batches without a verdict, over all ingest streams: who finds no room waits."""

    def __init__(self, bytes_max: int = INGEST_BYTES_IN_FLIGHT_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._waiting: list[asyncio.Future[None]] = []

    async def enter(self, size_bytes: int) -> None:
        """Returns when there is room; the only batch always fits."""
        while self._bytes and self._bytes + size_bytes > self._bytes_max:
            freed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(freed)
            await freed
        self._bytes += size_bytes

    def leave(self, size_bytes: int) -> None:
        """A batch has its verdict."""
        self._bytes -= size_bytes
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)


class Slots:
    """How many streams of a sort may be open."""

    def __init__(self, limit: int, metrics: LedgerMetrics) -> None:
        self._limit = limit
        self._open = 0
        self._metrics = metrics

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold one; TOO_BUSY when all are taken."""
        if self._open >= self._limit:
            raise RapportError(
                Reason.TOO_BUSY,
                "too many streams are open",
                metadata={"limit": str(self._limit)},
                retry_after_ms=1_000,
            )
        self._open += 1
        self._metrics.streams(1)
        try:
            yield
        finally:
            self._open -= 1
            self._metrics.streams(-1)


def stopping() -> RapportError:
    """UNAVAILABLE: this process is about to stop; another one answers."""
    return RapportError(Reason.UNAVAILABLE, "the ledger is stopping; go on with another one")
