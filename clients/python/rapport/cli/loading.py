"""Loading rows into the ledger: batches in, rejects out, the rest goes on."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import grpc

from rapport.batching import BATCH_BYTES_MAX
from rapport.client import Rapport
from rapport.errors import RapportError
from rapport.v1 import ledger_service_pb2 as ledger

BATCH_ROWS: Final = 500

# Refusals for what a row says. Any other concerns the caller and ends the load.
_ABOUT_ROWS: Final = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.FAILED_PRECONDITION,
    }
)
_PATH: Final = re.compile(r"events\[(\d+)\]\.?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Row:
    """An event and where it came from: line and record, from 1."""

    line: int
    record: int
    event: ledger.NewEvent


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not recorded: where it stands, which field, why."""

    line: int
    record: int
    field: str
    reason: str


@dataclass(slots=True)
class Totals:
    """What became of the rows so far: rows = appended + replayed + rejected, once it is done."""

    rows: int = 0
    appended: int = 0
    replayed: int = 0
    rejected: int = 0
    last_position: int = 0

    def count(self, answer: ledger.AppendEventsResponse) -> None:
        """Adds what was recorded."""
        replayed = sum(event.replayed for event in answer.events)
        self.replayed += replayed
        self.appended += len(answer.events) - replayed
        self.last_position = max(self.last_position, answer.last_position)


@dataclass(slots=True)
class Load:
    """One load. on_reject: is told of every row that was not recorded, in no strict order.

    on_progress: is called after every batch. is_present: whether a row that was refused is there
    all the same; it counts as replayed.
    """

    client: Rapport
    on_reject: Callable[[Reject], None]
    on_progress: Callable[[Totals], None] = lambda _: None
    batch_rows: int = BATCH_ROWS
    is_present: Callable[[Row, RapportError], bool] = lambda _row, _error: False
    totals: Totals = field(default_factory=Totals)
    _sent: deque[list[Row]] = field(default_factory=deque)

    async def run(self, rows: Iterable[Row | Reject]) -> Totals:
        """Loads all rows. Raises RapportError when the ledger refuses the caller or is gone.

        Repeating a load is safe: what was recorded counts as replayed.
        """
        async for verdict in self.client.ingest(self._batches(rows)):
            batch = self._sent.popleft()
            if verdict.appended is not None:
                self.totals.count(verdict.appended)
            else:
                await self._refused(batch, verdict.refused)
            self.on_progress(self.totals)
        self.on_progress(self.totals)
        return self.totals

    async def _batches(self, rows: Iterable[Row | Reject]) -> AsyncIterator[list[ledger.NewEvent]]:
        batch: list[Row] = []
        ids: set[str] = set()
        batch_bytes = 0
        for row in rows:
            self.totals.rows += 1
            if isinstance(row, Reject):
                self._reject(row)
                continue
            # A repeated id goes into the next batch, where the ledger judges it like any other.
            row_bytes = row.event.ByteSize() + 4
            full = len(batch) >= self.batch_rows or batch_bytes + row_bytes > BATCH_BYTES_MAX
            if batch and (full or row.event.event_id in ids):
                yield self._send(batch)
                await asyncio.sleep(0)  # reading and parsing must not hold up the answers
                batch, ids, batch_bytes = [], set(), 0
            batch.append(row)
            ids.add(row.event.event_id)
            batch_bytes += row_bytes
        if batch:
            yield self._send(batch)

    def _send(self, batch: list[Row]) -> list[ledger.NewEvent]:
        self._sent.append(batch)
        return [row.event for row in batch]

    def _reject(self, reject: Reject) -> None:
        self.totals.rejected += 1
        self.on_reject(reject)

    async def _refused(self, batch: list[Row], error: RapportError | None) -> None:
        assert error is not None
        if len(error.violations) > 1:
            # A stream's refusal has one reason for all fields; a call's has one for each.
            error = await self._append(batch)
        if error is not None:
            await self._settle(batch, error)

    async def _settle(self, rows: list[Row], error: RapportError) -> None:
        """Rejects the rows the refusal names and appends the rest, until all are settled.

        A refusal that names none halves the batch.
        """
        while True:
            if error.code not in _ABOUT_ROWS:
                raise error
            named = named_by(error, rows)
            if not named and len(rows) > 1:
                middle = len(rows) // 2
                for half in (rows[:middle], rows[middle:]):
                    refused = await self._append(half)
                    if refused is not None:
                        await self._settle(half, refused)
                return
            named = named or {0: _reject_of(rows[0], "", error)}
            for index, reject in named.items():
                if self.is_present(rows[index], error):
                    self.totals.replayed += 1
                else:
                    self._reject(reject)
            rows = [row for index, row in enumerate(rows) if index not in named]
            if not rows:
                return
            refused = await self._append(rows)
            if refused is None:
                return
            error = refused

    async def _append(self, rows: list[Row]) -> RapportError | None:
        try:
            self.totals.count(await self.client.append([row.event for row in rows]))
        except RapportError as error:
            if error.is_passing:
                raise
            return error
        return None


def named_by(error: RapportError, rows: list[Row]) -> dict[int, Reject]:
    """The rows that a refusal names, by index: by field path, else by the event id in it."""
    named: dict[int, Reject] = {}
    for violation in error.violations:
        match = _PATH.match(violation.field)
        if match is not None and int(match[1]) < len(rows):
            index = int(match[1])
            words = f"{violation.reason or error.reason}: {violation.description}"
            named.setdefault(index, _reject_of(rows[index], match[2], error, words))
    if not named and (event_id := error.metadata.get("event_id")):
        for index, row in enumerate(rows):
            if row.event.event_id == event_id:
                named[index] = _reject_of(row, error.metadata.get("field", ""), error)
    return named


def _reject_of(row: Row, path: str, error: RapportError, words: str = "") -> Reject:
    return Reject(row.line, row.record, path, words or str(error))
