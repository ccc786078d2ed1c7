"""From a recorded history to the promises it breaks: pure, and without a look at the system.

Each rule is a function whose docstring names the promise it guards: a numbered decision of the
architecture, or a definition of the domain contract (docs/guarantees.md lists them all).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from tests.faults.torture import (
    checker_journal,
    checker_operator,
    checker_reads,
    checker_streams,
    checker_writes,
)
from tests.faults.torture.checker_index import History, Violation
from tests.faults.torture.records import AnyRecord, End, Invoke, Ok, Run

type Rule = Callable[[History], Iterator[Violation]]


def sound(history: History) -> Iterator[Violation]:
    """A history proves something only if it is whole: begun, ended at rest, and in pairs.

    Every outcome is that of one call invoked before, and says what the rules need to know.
    """
    if not isinstance(history.first, Run):
        yield Violation("sound", "the history does not begin with its run")
    if not isinstance(history.last, End):
        yield Violation("sound", "the history was broken off: no other rule was asked")
    elif not history.last.settled:
        yield Violation("sound", "the run did not end settled", (history.last.n,))
    for record in history.strays:
        what = "is invoked twice" if isinstance(record, Invoke) else "has no invocation, or another"
        yield Violation("sound", f"call {record.call} {what}", (record.n,))
    for invoke, outcome in history.writes():
        if isinstance(outcome, Ok) and (outcome.events is None or invoke.events is None):
            yield Violation("sound", f"call {invoke.call} writes no events", (invoke.n, outcome.n))
    for invoke, ok in history.reads():
        dayless = invoke.on_day is None and invoke.op != "timeline"
        if ok.position is None or ok.answer is None or dayless:
            yield Violation("sound", f"call {invoke.call} cannot be checked", (invoke.n, ok.n))


RULES: Final[Mapping[str, Rule]] = {
    "sound": sound,
    "positions": checker_journal.positions,
    "once": checker_journal.once,
    "revisions": checker_journal.revisions,
    "recorded_order": checker_journal.recorded_order,
    "stored_bytes": checker_journal.stored_bytes,
    "as_sent": checker_journal.as_sent,
    "invented": checker_journal.invented,
    "acknowledged": checker_writes.acknowledged,
    "acknowledged_once": checker_writes.acknowledged_once,
    "real_time": checker_writes.real_time,
    "definite": checker_writes.definite,
    "replayed": checker_writes.replayed,
    "resolved": checker_writes.resolved,
    "atomic": checker_writes.atomic,
    "expected_revision": checker_writes.expected_revision,
    "stream_equal": checker_streams.stream_equal,
    "stream_whole": checker_streams.stream_whole,
    "stream_head": checker_streams.stream_head,
    "subscribed_order": checker_streams.subscribed_order,
    "subscribed_equal": checker_streams.subscribed_equal,
    "fresh": checker_reads.fresh,
    "monotonic": checker_reads.monotonic,
    "answer and final": checker_reads.answers,
    "parked": checker_reads.parked,
    "operated": checker_operator.operated,
}


def check(records: Iterable[AnyRecord]) -> list[Violation]:
    """All violations, rule by rule; empty for a history that keeps every promise.

    Of a history that was broken off only `sound` speaks: without what stood at the end, every
    other rule would take for lost what was never looked at.
    """
    history = History(records)
    if not isinstance(history.last, End):
        return list(sound(history))
    return [violation for rule in RULES.values() for violation in rule(history)]


__all__ = ["RULES", "History", "Violation", "check"]
