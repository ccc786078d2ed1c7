"""The records of a history: what was asked, answered and broken, and what stood at the end.

Plain facts without behaviour; history.py reads and writes them.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

from pydantic import ConfigDict

type Op = Literal["append", "ingest", "balance", "timeline", "standings"]
WRITES: Final = frozenset({"append", "ingest"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What every part of a record keeps to: no field too many, no value of another type."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(_Part):
    """What every record has: its number from 1, and microseconds since the run began, monotonic.

    Both are set by the writer.
    """

    n: int = 0
    t_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Record):
    """The first record: what was run. `started_at` is RFC 3339.

    `replicas` are the projectors, each of which is asked at the end. `keeps_everything`: streams
    drop nothing for age or size, and begin at position 1.
    """

    type: Literal["run"] = "run"
    seed: int
    minutes: float
    started_at: str
    nats: Literal["single", "r3"]
    journals: tuple[str, ...]
    replicas: tuple[str, ...]
    keeps_everything: bool
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(Record):
    """Something is broken on purpose, or mended again."""

    type: Literal["fault"] = "fault"
    name: str
    target: str
    phase: Literal["begin", "end"]
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator(Record):
    """What an operator begins and has done, as docs/operations.md prescribes.

    `outcome` of what has ended; None: it begins.
    """

    type: Literal["operator"] = "operator"
    command: str
    journal: str
    outcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(_Part):
    """An event as a caller sent it; `expected_revision` None: any.

    `sha256` of the payload's deterministic bytes; None where texts are sealed before they are
    stored. `event_type` None: nothing more is known of it. `occurred_at_us` None: when recorded.
    """

    event_id: str
    home: str
    event_type: str | None = None
    kind: str | None = None
    occurred_at_us: int | None = None
    sha256: str | None = None
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoke(Record):
    """A call about to be sent. Attempts of one logical request share `request`.

    `events` for writes; `min_position`, `on_day` (days since 2000-01-01), `a` and `b` (person ids)
    for reads. A timeline is that of the pair, by occurrence, with what was voided.
    """

    type: Literal["invoke"] = "invoke"
    call: int
    client: str
    op: Op
    journal: str
    tenant: str
    attempt: int
    request: int | str
    events: tuple[Sent, ...] | None = None
    min_position: int | None = None
    on_day: int | None = None
    a: str | None = None
    b: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged(_Part):
    """An event as the ledger acknowledged it."""

    event_id: str
    position: int
    revision: int
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceAnswer(_Part):
    """A balance in mp."""

    know_mp: int
    care_mp: int
    buffer_mp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineAnswer(_Part):
    """A first page, newest first; `states` are numbers of rapport.v1.LineState, one a line."""

    event_ids: tuple[str, ...]
    limit: int
    states: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(_Part):
    """One relationship of a list."""

    a: str
    b: str
    buffer_mp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingsAnswer(_Part):
    """The first page of the tenant's relationships, by buffer, the highest first."""

    limit: int
    pairs: tuple[Standing, ...]


type Answer = BalanceAnswer | TimelineAnswer | StandingsAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Ok(Record):
    """A call was answered: a write with `events`, a read with `answer` as of `position`."""

    type: Literal["ok"] = "ok"
    call: int
    events: tuple[Acknowledged, ...] | None = None
    position: int | None = None
    target: str | None = None
    answer: Answer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definite(Record):
    """A call failed for certain: the caller was told that nothing was written."""

    type: Literal["definite"] = "definite"
    call: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Record):
    """Nobody told the caller whether anything was written."""

    type: Literal["unknown"] = "unknown"
    call: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed(Record):
    """A subscription begins or, with an id seen before, goes on, at `from_position`.

    `tenant` is given where foreign events are skipped; None: the whole journal.
    """

    type: Literal["subscribed"] = "subscribed"
    subscription: int | str
    source: Literal["nats", "ledger"]
    journal: str
    from_position: int
    tenant: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received(Record):
    """A subscriber was handed an event."""

    type: Literal["received"] = "received"
    subscription: int | str
    position: int
    event_id: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Record):
    """A subscription broke off or was left."""

    type: Literal["ended"] = "ended"
    subscription: int | str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted(Record):
    """A poison event: no projection can read it, and it may be parked."""

    type: Literal["planted"] = "planted"
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow(Record):
    """A row of the journal at the end, as Postgres has it. No payload where no balance needs it."""

    type: Literal["journal_row"] = "journal_row"
    journal: str
    position: int
    tenant: str
    event_id: str
    # The payload's full proto name; `type` is the record's own.
    event_type: str
    # Of touchpoints.
    kind: str | None = None
    home: str
    revision: int
    occurred_at_us: int
    recorded_at_us: int
    sha256: str
    payload_b64: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamInfo(Record):
    """The bounds of a journal's stream at the end."""

    type: Literal["stream_info"] = "stream_info"
    journal: str
    first_sequence: int
    last_sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRow(Record):
    """A message of a journal's stream at the end."""

    type: Literal["stream_row"] = "stream_row"
    journal: str
    sequence: int
    position_header: int
    event_id: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalBalance(Record):
    """What a projector answers at the end of a relationship."""

    type: Literal["final_balance"] = "final_balance"
    journal: str
    tenant: str
    replica: str
    a: str
    b: str
    on_day: int
    know_mp: int
    care_mp: int
    buffer_mp: int
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedRow(Record):
    """An event that is parked at the end."""

    type: Literal["parked_row"] = "parked_row"
    journal: str
    position: int
    event_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class End(Record):
    """The last record; `settled` unless the run was given up before all had come to rest."""

    type: Literal["end"] = "end"
    settled: bool


type AnyRecord = (
    Run
    | Fault
    | Operator
    | Invoke
    | Ok
    | Definite
    | Unknown
    | Subscribed
    | Received
    | Ended
    | Planted
    | JournalRow
    | StreamInfo
    | StreamRow
    | FinalBalance
    | ParkedRow
    | End
)
