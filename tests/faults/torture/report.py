"""What a run was and what it broke, as text for people and JSON for whoever compares runs.

`python -m tests.faults.torture.report HISTORY [--json]` judges a history that was kept; it exits
with 1 if a promise is broken.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.faults.torture.checker import RULES, check
from tests.faults.torture.checker_index import Violation
from tests.faults.torture.history import line_of, read
from tests.faults.torture.records import (
    AnyRecord,
    Definite,
    End,
    Fault,
    Invoke,
    Ok,
    Operator,
    Run,
    Unknown,
)

# Violations of a rule shown in the text, and records of each; the JSON names all of them.
_SHOWN_MAX: Final = 10
_RECORDS_SHOWN_MAX: Final = 4


@dataclass(slots=True)
class Counts:
    """How much of what a history holds; told record by record, so that any length will do."""

    run: Run | None = None
    settled: bool = False
    ended_us: int = 0
    by_type: Counter[str] = field(default_factory=Counter)
    # Calls by operation and outcome; what had none is under "unanswered".
    by_outcome: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_reason: Counter[tuple[str, str]] = field(default_factory=Counter)
    # Faults that happened, and those that another one kept from it.
    by_fault: Counter[str] = field(default_factory=Counter)
    by_fault_failed: Counter[str] = field(default_factory=Counter)
    by_command: Counter[str] = field(default_factory=Counter)
    events_acknowledged: int = 0
    _open: dict[int, str] = field(default_factory=dict)

    def tell(self, record: AnyRecord) -> None:
        """Count a record."""
        self.by_type[record.type] += 1
        self.ended_us = record.t_us
        match record:
            case Run():
                self.run = record
            case Invoke():
                self._open[record.call] = record.op
            case Ok() | Definite() | Unknown():
                self.by_outcome[self._open.pop(record.call, "?"), record.type] += 1
                if isinstance(record, Ok):
                    self.events_acknowledged += len(record.events or ())
                else:
                    self.by_reason[record.type, record.reason] += 1
            case Fault(phase="end"):
                done = record.detail.get("done", True)
                (self.by_fault if done else self.by_fault_failed)[record.name] += 1
            case Operator(outcome=str()):
                self.by_command[record.command] += 1
            case End():
                self.settled = record.settled
            case _:
                pass

    def outcomes(self) -> dict[str, dict[str, int]]:
        """Calls by operation, then by outcome."""
        found: dict[str, dict[str, int]] = {}
        unanswered = Counter((op, "unanswered") for op in self._open.values())
        for (op, outcome), number in sorted((self.by_outcome + unanswered).items()):
            found.setdefault(op, {})[outcome] = number
        return found


def count(records: Iterable[AnyRecord]) -> Counts:
    """The counts of a history."""
    counts = Counts()
    for record in records:
        counts.tell(record)
    return counts


def document(counts: Counts, violations: Sequence[Violation]) -> dict[str, Any]:
    """The report as plain data. `ran_s` is the time of the last record, in seconds."""
    run = counts.run
    reasons: dict[str, dict[str, int]] = {}
    for (outcome, reason), number in sorted(counts.by_reason.items()):
        reasons.setdefault(outcome, {})[reason] = number
    return {
        "seed": run.seed if run else None,
        "minutes": run.minutes if run else None,
        "started_at": run.started_at if run else None,
        "nats": run.nats if run else None,
        "versions": run.versions if run else {},
        "ran_s": round(counts.ended_us / 1e6, 1),
        "settled": counts.settled,
        "records": dict(sorted(counts.by_type.items())),
        "calls": counts.outcomes(),
        "reasons": reasons,
        "faults": dict(sorted(counts.by_fault.items())),
        "faults_failed": dict(sorted(counts.by_fault_failed.items())),
        "operator": dict(sorted(counts.by_command.items())),
        "events_acknowledged": counts.events_acknowledged,
        "rules": [rule for names in RULES for rule in names.split(" and ")],
        "violations": [
            {"rule": each.rule, "message": each.message, "records": list(each.records)}
            for each in violations
        ],
    }


def render_json(counts: Counts, violations: Sequence[Violation]) -> str:
    """The report as JSON."""
    return json.dumps(document(counts, violations), indent=2, sort_keys=True) + "\n"


def render_text(
    counts: Counts, violations: Sequence[Violation], shown: Mapping[int, AnyRecord] | None = None
) -> str:
    """The report for a terminal; `shown` are the records that violations name, where at hand."""
    told = document(counts, violations)
    lines = [
        f"seed {told['seed']}, {told['minutes']} minutes, NATS {told['nats']}: ran"
        f" {told['ran_s']} s, {'settled' if counts.settled else 'NOT settled'}",
        f"{counts.events_acknowledged} events acknowledged",
        *_table("records", told["records"]),
    ]
    for op, outcomes in told["calls"].items():
        lines += _table(f"calls: {op}", outcomes)
    for outcome, reasons in told["reasons"].items():
        lines += _table(f"reasons: {outcome}", reasons)
    lines += _table("faults", told["faults"]) + _table("faults failed", told["faults_failed"])
    lines += _table("operator", told["operator"])
    lines.append(f"{len(violations)} violations of {len(told['rules'])} rules")
    lines += _table("violations", Counter(each.rule for each in violations))
    for violation in _first_of_each_rule(violations):
        lines.append(f"  {violation}")
        for n in violation.records[:_RECORDS_SHOWN_MAX]:
            if shown is not None and n in shown:
                lines.append("    " + line_of(shown[n]).decode().rstrip()[:400])
    return "\n".join(lines) + "\n"


def shown_of(records: Iterable[AnyRecord], violations: Sequence[Violation]) -> dict[int, AnyRecord]:
    """The records that the violations shown in the text name, from another look at the history."""
    told = _first_of_each_rule(violations)
    wanted = {n for each in told for n in each.records[:_RECORDS_SHOWN_MAX]}
    return {record.n: record for record in records if record.n in wanted} if wanted else {}


def _first_of_each_rule(violations: Sequence[Violation]) -> list[Violation]:
    seen: Counter[str] = Counter()
    first = []
    for violation in violations:
        seen[violation.rule] += 1
        if seen[violation.rule] <= _SHOWN_MAX:
            first.append(violation)
    return first


def _table(title: str, numbers: Mapping[str, int]) -> list[str]:
    if not numbers:
        return []
    width = max(len(name) for name in numbers)
    return [title, *(f"  {name:<{width}} {number:>9}" for name, number in numbers.items())]


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge a history that was kept; the exit code."""
    parser = argparse.ArgumentParser(description="judge the history of a torture run")
    parser.add_argument("history", type=Path)
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    asked = parser.parse_args(arguments)
    violations = check(read(asked.history))
    counts = count(read(asked.history))
    if asked.json:
        sys.stdout.write(render_json(counts, violations))
    else:
        shown = shown_of(read(asked.history), violations)
        sys.stdout.write(render_text(counts, violations, shown))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
