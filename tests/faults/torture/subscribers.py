"""Who follows a journal under fire, by NATS or by the ledger, and writes down what comes."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Final

import grpc
from nats.errors import Error as NatsError
from rapport import Rapport, RapportError, RetryPolicy
from rapport.events import EventSubscriber

from tests.faults.torture.history import HistoryWriter
from tests.faults.torture.records import Ended, Received, Subscribed

# Before a broken subscription goes on.
_PAUSE_S: Final = 0.3


class Subscriber:
    """Follows a journal for the whole run; what breaks it off it writes down, and goes on."""

    def __init__(
        self, name: str, history: HistoryWriter, journal: str, counts: Counter[str]
    ) -> None:
        self.name, self._history, self._journal, self._counts = name, history, journal, counts
        self.position = 0

    async def over_nats(self, url: str) -> None:
        """By the stream, for ever."""
        while True:
            self._begin("nats", None)
            try:
                retry = RetryPolicy(first_delay_s=0.2, delay_max_s=1.0)
                async with EventSubscriber(
                    url, self._journal, from_position=self.position + 1, retry=retry
                ) as events:
                    async for event in events:
                        sha256 = hashlib.sha256(event.payload).hexdigest()
                        self._received(event.position, event.event_id, sha256)
            except (RapportError, NatsError, OSError, TimeoutError) as error:
                self._end(error)
            await asyncio.sleep(_PAUSE_S)

    async def over_grpc(self, tenant: str, client: Callable[[], Rapport]) -> None:
        """By the ledger, as one tenant sees it, for ever."""
        while True:
            self._begin("ledger", tenant)
            try:
                async with client() as ledger:
                    async for event in ledger.subscribe(self.position + 1):
                        sha256 = event.payload_sha256.hex()
                        self._received(event.position, event.event_id, sha256)
            except (RapportError, grpc.aio.AioRpcError) as error:
                self._end(error)
            await asyncio.sleep(_PAUSE_S)

    def _begin(self, source: str, tenant: str | None) -> None:
        self._history.write(
            Subscribed(
                subscription=self.name,
                source="nats" if source == "nats" else "ledger",
                journal=self._journal,
                from_position=self.position + 1,
                tenant=tenant,
            )
        )

    def _received(self, position: int, event_id: str, sha256: str) -> None:
        self._counts["received"] += 1
        self.position = position
        self._history.write(
            Received(subscription=self.name, position=position, event_id=event_id, sha256=sha256)
        )

    def _end(self, error: Exception) -> None:
        reason = error.reason if isinstance(error, RapportError) else type(error).__name__
        self._history.write(Ended(subscription=self.name, reason=reason))
