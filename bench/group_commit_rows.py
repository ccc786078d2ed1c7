"""How well the simulation of group commit predicts what is measured.

Three single measurements give the costs (bench.group_commit.fitted): calls one at a time, what the
parts take while many are in flight, and one large call at a time. For ingest, what they take in a
short stream is added. Every number of callers is measured beside them and compared.
"""

from statistics import median
from typing import Final

from bench.consumption import postgres_pid
from bench.cpu import Usage, sessions, usage
from bench.group_commit import Measured, fitted, median_of, predicted, predicted_stream
from bench.loading import LoadProcess, load_process
from bench.report import Figure, Row
from bench.settings import Settings
from bench.stack import BenchStack
from bench.tenant import BATCH_EVENTS, begun

IN_FLIGHT: Final = (1, 4, 16, 64, 256)
# How many calls are in flight while their CPU is counted: none of those that are compared.
_BUSY: Final = 32
_OFF_MAX: Final = 0.25
INGEST: Final = "ingest"


def row_of(what: str, unit: str) -> Row:
    """How far off the simulation is, as a part of what was measured."""
    key = f"group_commit_{what}"
    told = "streamed ingest" if what == INGEST else f"unary appends, {what} in flight"
    return Row(
        key,
        f"how far off a simulation of group commit is, {told}",
        "measured",
        unit,
        _OFF_MAX,
        True,
    )


class _Measuring:
    """The processes, and what they take while calls go on."""

    def __init__(self, load: LoadProcess, target: str, ledger: int, postgres: int) -> None:
        self._load, self._target = load, target
        self._ledger, self._postgres = ledger, postgres

    async def unary(self, calls: int, in_flight: int, events: int = 1) -> Measured:
        """Calls of so many events."""
        await self._load.do("prepare", count=calls * events, batch=events)
        before = self._usage()
        answer = await self._load.do("unary", target=self._target, in_flight=in_flight)
        return self._measured(before, calls, answer["per_s"])

    async def ingest(self, events: int) -> Measured:
        """A stream, of batches; a call is a batch."""
        await self._load.do("prepare", count=events, batch=BATCH_EVENTS)
        before = self._usage()
        answer = await self._load.do("ingest", target=self._target)
        return self._measured(before, events / BATCH_EVENTS, answer["per_s"] / BATCH_EVENTS)

    def _usage(self) -> list[Usage]:
        parts = ([self._load.pid], [self._ledger], sessions(self._postgres))
        return [usage(pids) for pids in parts]

    def _measured(self, before: list[Usage], calls: float, per_s: float) -> Measured:
        client_s, ledger_s, postgres_s = (
            (after.first_s + after.waited_s - was.first_s - was.waited_s) / calls
            for after, was in zip(self._usage(), before, strict=True)
        )
        return Measured(1 / per_s, client_s, ledger_s, postgres_s)


async def measure(settings: Settings) -> list[Figure]:
    """Costs, every number of callers, ingest; costs …: the first round warms up.

    Medians of the rounds are compared, so that each prediction is one and stands once.
    """
    calls, events = settings.unary_calls // 2, settings.ingest_events // 2
    costs: dict[str, list[Measured]] = {"one": [], "busy": [], "large": [], "stream": []}
    real: dict[str, list[float]] = {}
    async with BenchStack() as stack, load_process() as load:
        target = await stack.start_ledger(relay=False)
        rounds = settings.repeats + 1
        # More than is taken: nobody runs out.
        total = rounds * (calls * (len(IN_FLIGHT) + 3) + events * 2 + 20 * BATCH_EVENTS)
        await begun(load, target, seed=5, events=total)
        measuring = _Measuring(load, target, stack.pid("ledger"), await postgres_pid(stack))
        for repeat in range(rounds):
            settings.say(f"group commit, round {repeat} of {settings.repeats}")
            costs["one"].append(await measuring.unary(calls // 4, 1))
            costs["busy"].append(await measuring.unary(calls // 2, _BUSY))
            costs["large"].append(await measuring.unary(20, 1, BATCH_EVENTS))
            costs["stream"].append(await measuring.ingest(events // 2))
            for callers in IN_FLIGHT:
                took = await measuring.unary(calls // 4 if callers == 1 else calls, callers)
                real.setdefault(str(callers), []).append(1 / took.took_s)
            took = await measuring.ingest(events)
            real.setdefault(INGEST, []).append(BATCH_EVENTS / took.took_s)
    one, busy, large, stream = (median_of(found[1:]) for found in costs.values())
    fit = fitted(one, busy, large, events=BATCH_EVENTS, in_flight=_BUSY)
    guesses = {str(callers): predicted(fit, callers) for callers in IN_FLIGHT}
    batches = events // BATCH_EVENTS
    in_stream = predicted_stream(stream, batches=batches, events=BATCH_EVENTS, flush_s=fit.flush_s)
    guesses[INGEST] = in_stream * BATCH_EVENTS
    settings.say(f"costs: {fit}, of a batch in a stream {stream}")
    return [_figure(what, guess, real[what][1:]) for what, guess in guesses.items()]


def _figure(what: str, guess: float, rates: list[float]) -> Figure:
    real = median(rates)
    unit = "events/s" if what == INGEST else "calls/s"
    notes = {"predicted": guess, "measured": real, "least": min(rates), "most": max(rates)}
    return Figure(row_of(what, unit), [abs(guess - real)], [real], notes=notes)
