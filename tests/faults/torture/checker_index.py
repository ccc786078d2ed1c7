"""A history sorted for looking things up, and what the checker says of it."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from tests.faults.torture.records import (
    WRITES,
    AnyRecord,
    Definite,
    Ended,
    Fault,
    FinalBalance,
    Invoke,
    JournalRow,
    Ok,
    Operator,
    ParkedRow,
    Planted,
    Received,
    Run,
    Sent,
    StreamInfo,
    StreamRow,
    Subscribed,
    Unknown,
)

type Outcome = Ok | Definite | Unknown
type EventKey = tuple[str, str, str]
type Attempt = tuple[Invoke, Sent]

REBUILD: Final = "rapport stream rebuild"


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise broken: the rule, what happened, and the numbers of the records that show it."""

    rule: str
    message: str
    records: tuple[int, ...] = ()

    def __str__(self) -> str:
        """As a report shows it."""
        shown_by = f" (records {', '.join(map(str, self.records))})" if self.records else ""
        return f"{self.rule}: {self.message}{shown_by}"


@dataclass(slots=True)
class Journal:
    """One journal at the end; rows and messages in ascending order."""

    rows: list[JournalRow] = field(default_factory=list)
    stream: list[StreamRow] = field(default_factory=list)
    stream_info: StreamInfo | None = None
    finals: list[FinalBalance] = field(default_factory=list)
    parked: list[ParkedRow] = field(default_factory=list)
    # The first row of every position, and of every (tenant, event id).
    at: dict[int, JournalRow] = field(default_factory=dict)
    of: dict[tuple[str, str], JournalRow] = field(default_factory=dict)

    @property
    def head(self) -> int:
        """The last position; 0 for an empty journal."""
        return self.rows[-1].position if self.rows else 0

    def settle(self) -> None:
        """Sort and index, once all rows are there."""
        self.rows.sort(key=lambda row: row.position)
        self.stream.sort(key=lambda row: row.sequence)
        for row in self.rows:
            self.at.setdefault(row.position, row)
            self.of.setdefault((row.tenant, row.event_id), row)


class History:
    """All records by what they are about. Malformed ones are for the rule `sound`, others skip."""

    def __init__(self, records: Iterable[AnyRecord]) -> None:
        self.first: AnyRecord | None = None
        self.last: AnyRecord | None = None
        self.run: Run | None = None
        self.invokes: dict[int, Invoke] = {}
        self.outcomes: dict[int, Outcome] = {}
        self.strays: list[Invoke | Outcome] = []
        self.journals: defaultdict[str, Journal] = defaultdict(Journal)
        self.subscriptions: dict[int | str, list[Subscribed | Received | Ended]] = {}
        self.planted: set[str] = set()
        # Faults, and rebuilds of streams, in the order in which they began and ended.
        self.operations: list[Fault | Operator] = []
        # Attempts to write an event, in the order of their invocation, and the event as sent.
        self.attempts: dict[EventKey, list[Attempt]] = {}
        for record in records:
            self.first = self.first or record
            self.last = record
            self._take(record)
        for journal in self.journals.values():
            journal.settle()

    def _take(self, record: AnyRecord) -> None:
        match record:
            case Run():
                self.run = record
                for name in record.journals:
                    self.journals[name] = Journal()
            case Invoke():
                self._invoked(record)
            case Ok() | Definite() | Unknown():
                known = record.call in self.invokes and record.call not in self.outcomes
                if known:
                    self.outcomes[record.call] = record
                else:
                    self.strays.append(record)
            case Subscribed() | Received() | Ended():
                self.subscriptions.setdefault(record.subscription, []).append(record)
            case Fault():
                self.operations.append(record)
            case Operator() if record.command.startswith(REBUILD):
                self.operations.append(record)
            case Planted():
                self.planted.add(record.event_id)
            case JournalRow():
                self.journals[record.journal].rows.append(record)
            case StreamInfo():
                self.journals[record.journal].stream_info = record
            case StreamRow():
                self.journals[record.journal].stream.append(record)
            case FinalBalance():
                self.journals[record.journal].finals.append(record)
            case ParkedRow():
                self.journals[record.journal].parked.append(record)
            case _:
                pass

    def _invoked(self, invoke: Invoke) -> None:
        if invoke.call in self.invokes:
            self.strays.append(invoke)
            return
        self.invokes[invoke.call] = invoke
        for sent in invoke.events or ():
            key = (invoke.journal, invoke.tenant, sent.event_id)
            self.attempts.setdefault(key, []).append((invoke, sent))

    def writes(self) -> Iterator[tuple[Invoke, Outcome | None]]:
        """Attempts to write, in the order of their invocation; None: never answered."""
        for call, invoke in self.invokes.items():
            if invoke.op in WRITES:
                yield invoke, self.outcomes.get(call)

    def reads(self) -> Iterator[tuple[Invoke, Ok]]:
        """Reads that were answered with a position, in the order of their invocation."""
        for call, invoke in self.invokes.items():
            outcome = self.outcomes.get(call)
            if invoke.op not in WRITES and isinstance(outcome, Ok):
                yield invoke, outcome

    def row_of(self, key: EventKey) -> JournalRow | None:
        """The row of an event."""
        return self.journals[key[0]].of.get((key[1], key[2])) if key[0] in self.journals else None


class KnownHeads:
    """How far a journal was known to be when a record was written, from what callers were told."""

    def __init__(self, told: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(told)
        self._when = [n for n, _ in ordered]
        self._highest = list(accumulate((position for _, position in ordered), max))

    def before(self, n: int) -> int:
        """The highest position anybody was told of before record `n`; 0 for none."""
        found = bisect_left(self._when, n)
        return self._highest[found - 1] if found else 0
