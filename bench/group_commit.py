"""What group commit ought to reach: a simulation of callers, a ledger, and PostgreSQL. Pure.

N callers each send a call, wait for the answer, and send the next. The client and the ledger do
one thing at a time: each round of their loops takes what has come by then, and costs something of
its own. The ledger gathers the calls that come in, commits them as one group, and answers; while a
group commits it takes in the next. Commit takes time by the group and by the event, and then waits
for the disk.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from math import inf
from statistics import median
from typing import Final

from services.runtime.limits import GROUP_EVENTS_MAX, INGEST_BATCHES_MAX, INGEST_EVENTS_MAX

# As services.ledger.journal.group gathers.
GATHER_S: Final = 0.005
_WARM_UP_SHARE: Final = 0.2
_NOTHING_S: Final = 1e-12
_NOTHING: Final = 1e-9
_FITTING_STEPS: Final = 5
_FITTING_CALLS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Worker:
    """A process with one loop: seconds for a call, and for a round of the loop.

    Seconds on a core or waiting for one: whoever shares the machine is in them.
    """

    call_s: float
    round_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Costs:
    """What a call costs. A commit takes `commit_s + event_s * events`, then `flush_s`."""

    client: Worker
    ledger: Worker
    commit_s: float
    event_s: float
    flush_s: float


class _Station:
    """Works off its jobs, one after the other, in rounds of those that have come."""

    def __init__(self, round_s: float) -> None:
        self.round_s = round_s
        self.jobs: deque[tuple[float, Callable[[], None]]] = deque()
        self.left_s = 0.0
        self.rounds = 0
        self._left_in_round = 0

    def add(self, work_s: float, done: Callable[[], None]) -> None:
        self.jobs.append((work_s, done))
        if len(self.jobs) == 1:
            self._begin_round()

    def end_job(self) -> None:
        _, done = self.jobs.popleft()
        self._left_in_round -= 1
        if self._left_in_round:
            self.left_s = self.jobs[0][0]
        elif self.jobs:
            self._begin_round()
        done()

    def _begin_round(self) -> None:
        self.rounds += 1
        self._left_in_round = len(self.jobs)
        self.left_s = self.round_s + self.jobs[0][0]


class _Run:
    def __init__(self, costs: Costs, events: int, events_max: int) -> None:
        self._costs, self._events = costs, events
        self._group_max = max(events_max // events, 1)
        self.now_s = 0.0
        self.client = _Station(costs.client.round_s)
        self.ledger = _Station(costs.ledger.round_s)
        self._postgres = _Station(0)
        self._stations = (self.client, self.ledger, self._postgres)
        self._waiting = 0
        self._committing = False
        self._flushed_s = self._gathered_s = inf
        self._group = 0
        self.answered = 0
        self.calls_left = inf

    def begin(self, callers: int) -> None:
        """So many callers send their first call."""
        for _ in range(callers):
            self.call()

    def until_answered(self, calls: float) -> None:
        """On until so many calls have had their answer."""
        while self.answered < calls:
            self.step()

    def call(self) -> None:
        """A caller sends its next call, if any is left."""
        if self.calls_left <= 0:
            return
        self.calls_left -= 1
        half_s = self._costs.ledger.call_s / 2
        self.client.add(self._costs.client.call_s, lambda: self.ledger.add(half_s, self._came))

    def step(self) -> None:
        """On to whatever ends next."""
        busy = [station for station in self._stations if station.jobs]
        timer_s = min(self._flushed_s, self._gathered_s) - self.now_s
        step_s = max(min([timer_s, *(station.left_s for station in busy)]), 0.0)
        self.now_s += step_s
        for station in busy:
            station.left_s -= step_s
        for station in busy:
            if station.left_s <= _NOTHING_S:
                station.end_job()
        if self.now_s >= self._flushed_s - _NOTHING_S:
            self._answer()
        self._commit_if_gathered()

    def _came(self) -> None:
        self._waiting += 1
        self._gather()

    def _gather(self) -> None:
        if not self._committing and self._waiting and self._gathered_s == inf:
            self._gathered_s = self.now_s + GATHER_S

    def _commit_if_gathered(self) -> None:
        quiet = not self.ledger.jobs
        if self._gathered_s == inf or not (quiet or self.now_s >= self._gathered_s - _NOTHING_S):
            return
        self._gathered_s, self._committing = inf, True
        self._group = min(self._waiting, self._group_max)
        self._waiting -= self._group
        work_s = self._costs.commit_s + self._costs.event_s * self._group * self._events
        self._postgres.add(work_s, self._flush)

    def _flush(self) -> None:
        self._flushed_s = self.now_s + self._costs.flush_s

    def _answer(self) -> None:
        self._flushed_s, self._committing = inf, False
        for _ in range(self._group):
            self.ledger.add(self._costs.ledger.call_s / 2, self._answered)
        self._gather()

    def _answered(self) -> None:
        self.answered += 1
        self.call()


def predicted(
    costs: Costs,
    callers: int,
    *,
    calls: int = 4_000,
    events: int = 1,
    events_max: int = GROUP_EVENTS_MAX,
) -> float:
    """Calls a second of so many callers with calls of so many events, over `calls` calls."""
    run = _Run(costs, events, events_max)
    run.begin(callers)
    run.until_answered(calls * _WARM_UP_SHARE)
    since_s, since = run.now_s, run.answered
    run.until_answered(since + calls)
    return (run.answered - since) / (run.now_s - since_s)


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement, everything by the call: seconds it took, and seconds of each part.

    Those of the parts are on a core or waiting for one: of the loops of client and ledger, and of
    PostgreSQL's sessions.
    """

    took_s: float
    client_s: float
    ledger_s: float
    postgres_s: float


def fitted(one: Measured, busy: Measured, large: Measured, *, events: int, in_flight: int) -> Costs:
    """Costs of calls of one event, from three single measurements.

    `one`: one call at a time. `busy`: the parts' seconds while `in_flight` calls are under way; how
    fast it was is not looked at. `large`: one call at a time with `events` events each.
    """
    event_s = max((large.postgres_s - one.postgres_s) / (events - 1), 0.0)
    parts_s = one.client_s + one.ledger_s + one.postgres_s
    costs = Costs(
        client=_worker(one.client_s, busy.client_s, one=1, busy=0),
        # A round takes the call, another one the end of its commit.
        ledger=_worker(one.ledger_s, busy.ledger_s, one=2, busy=0),
        commit_s=max(one.postgres_s - event_s, 0.0),
        event_s=event_s,
        flush_s=max(one.took_s - parts_s, 0.0),
    )
    for _ in range(_FITTING_STEPS):  # how many rounds share the calls in flight depends on costs
        run = _Run(costs, 1, GROUP_EVENTS_MAX)
        run.begin(in_flight)
        run.until_answered(_FITTING_CALLS)
        client, ledger = (part.rounds / run.answered for part in (run.client, run.ledger))
        costs = replace(
            costs,
            client=_worker(one.client_s, busy.client_s, one=1, busy=client),
            ledger=_worker(one.ledger_s, busy.ledger_s, one=2, busy=ledger),
        )
    return costs


def predicted_stream(stream: Measured, *, batches: int, events: int, flush_s: float) -> float:
    """Batches a second of a stream of so many, of so many events each, from its start to its end.

    Client, ledger and PostgreSQL are at work side by side: as many batches as a stream's window
    holds are under way, made and taken in while earlier ones commit. That a batch may have to wait
    for one that holds what it names is left out. `stream` has what the parts take for a batch.
    """
    costs = Costs(
        client=Worker(stream.client_s),
        ledger=Worker(stream.ledger_s),
        commit_s=0.0,
        event_s=stream.postgres_s / events,
        flush_s=flush_s,
    )
    run = _Run(costs, events, GROUP_EVENTS_MAX)
    run.calls_left = batches
    run.begin(max(min(INGEST_BATCHES_MAX, INGEST_EVENTS_MAX // events), 1))
    run.until_answered(batches)
    return batches / run.now_s


def median_of(measured: Sequence[Measured]) -> Measured:
    """The median of every number by itself."""
    columns = zip(*(astuple(each) for each in measured), strict=True)
    return Measured(*(median(column) for column in columns))


def _worker(one_s: float, busy_s: float, *, one: float, busy: float) -> Worker:
    """Takes `one_s` for a call in `one` rounds, `busy_s` for a call in `busy` of them.

    Where so few rounds less do not explain what a call takes less, it is all of it in rounds.
    """
    saved_s, fewer = max(one_s - busy_s, 0.0), max(one - busy, _NOTHING)
    round_s = min(saved_s / fewer, one_s / one)
    return Worker(max(one_s - one * round_s, 0.0), round_s)
