"""Figures, and the table and the document made of them. Pure.

A figure is a ratio: of each repeat, what the subject reached over what its limit reached right
before; the median of the repeats is told, the smallest and the largest beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from bench.spending import CPU, LIMIT_CPU, ceiling, parts_of

# Ends a line of the table, and stands nowhere else.
_SHORT: Final = "below target"
FORMAT: Final = 1
# Notes that are told in the documents, as what and in which unit.
NOTED: Final[Mapping[str, tuple[str, str]]] = {
    "lag_s_max": ("the views behind at the end of a repeat, at most", "s"),
    "raw_clean_messages_per_s": ("the raw publisher without cleaning headers", "messages/s"),
    "raw_read_messages_per_s": ("raw reading of the same messages", "messages/s"),
    "first_seen_s": ("until the first message is in the emptied stream", "s"),
    "appends_per_s": ("appends at a fifth of the peak", "calls/s"),
    "lone_append_p50_ms": ("p50 of an append, one caller", "ms"),
    "lone_visible_p50_ms": ("p50 until it is visible, one caller", "ms"),
    "events": ("the grown journal", "events"),
    "events_rebuilt": ("the journal that is built and projected", "events"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """What is compared with what. `at_most`: the ratio is a cost, the target its ceiling."""

    key: str
    what: str
    over: str
    unit: str
    target: float | None
    at_most: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured row: subject and limit of each repeat, in the row's unit.

    `skipped` says why there is none. `notes` are further measurements, by name with their unit.
    """

    row: Row
    subject: Sequence[float] = ()
    limit: Sequence[float] = ()
    notes: Mapping[str, float] = field(default_factory=dict)
    skipped: str = ""

    @property
    def ratios(self) -> list[float]:
        """One ratio a repeat."""
        return [s / each for s, each in zip(self.subject, self.limit, strict=True)]

    @property
    def ratio(self) -> float:
        """The median; its figure has repeats."""
        return median(self.ratios)

    @property
    def is_short(self) -> bool:
        """Whether there is a target and it is not reached, or not measured."""
        if self.row.target is None:
            return False
        if self.skipped:
            return True
        if self.row.at_most:
            return self.ratio > self.row.target
        return self.ratio < self.row.target

    def as_json(self) -> dict[str, Any]:
        """Everything measured and everything told."""
        row = self.row
        document: dict[str, Any] = {
            "key": row.key,
            "what": row.what,
            "over": row.over,
            "unit": row.unit,
            "target": row.target,
            "at_most": row.at_most,
        }
        if self.skipped:
            return {**document, "skipped": self.skipped, "reached": not self.is_short}
        return {
            **document,
            "ratio": rounded(self.ratio),
            "ratio_min": rounded(min(self.ratios)),
            "ratio_max": rounded(max(self.ratios)),
            "subject_median": rounded(median(self.subject)),
            "limit_median": rounded(median(self.limit)),
            "subject": [rounded(value) for value in self.subject],
            "limit": [rounded(value) for value in self.limit],
            "notes": {name: rounded(value) for name, value in self.notes.items()},
            "reached": not self.is_short,
        }


def rounded(value: float) -> float:
    """Four significant digits: more is noise."""
    return float(f"{value:.4g}")


def number(value: float) -> str:
    """As people read it: thousands apart, three or more digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def document_of(
    figures: Sequence[Mapping[str, Any]], machine: Mapping[str, Any], *, quick: bool
) -> dict[str, Any]:
    """The JSON document of a run; every figure says which run it is of."""
    run = {name: machine[name] for name in ("date", "commit", "load_average")}
    run["quick"] = quick
    told = [{**figure, "run": run} for figure in figures]
    return {"format": FORMAT, "machine": dict(machine), "figures": told}


def table(document: Mapping[str, Any]) -> list[str]:
    """The lines for a terminal."""
    lines = []
    for figure in document["figures"]:
        name = f"{figure['what']} ÷ {figure['over']}"
        mark = "" if figure["reached"] else f"   {_SHORT}"
        if "skipped" in figure:
            lines.append(f"{name:<72} {figure['skipped']}{mark}")
            continue
        line = (
            f"{name:<72} {figure['ratio']:>6.2f} {_spread(figure):<14} {_target(figure):<14} "
            f"{_both(figure)}"
        )
        lines.append(line.rstrip() + mark)
    return lines


def markdown(document: Mapping[str, Any]) -> list[str]:
    """The same as a table in Markdown, with the machine it was measured on."""
    lines = [machine_line(document), ""]
    lines += ["| what ÷ limit of the same run | ratio (spread) | target | measured | run | |"]
    lines += ["|---|---|---|---|---|---|"]
    for figure in document["figures"]:
        name = f"{figure['what']} ÷ {figure['over']}"
        mark = "" if figure["reached"] else _SHORT
        if "skipped" in figure:
            lines.append(
                f"| {name} | | {_target(figure)} | {figure['skipped']} | {_run(figure)} | {mark} |"
            )
            continue
        lines.append(
            f"| {name} | {figure['ratio']:.2f} {_spread(figure)} | {_target(figure)} "
            f"| {_both(figure)} | {_run(figure)} | {mark} |"
        )
    return lines


def cpu_markdown(document: Mapping[str, Any]) -> list[str]:
    """Where the CPU goes, what follows from it for this machine, and what else was measured."""
    cores = int(document["machine"]["cores"])
    lines = [
        f"| row | µs of CPU | µs of the limit's | {cores} cores ÷ CPU | ÷ limit | target |",
        "|---|---|---|---|---|---|",
    ]
    others = ["| row | also measured | |", "|---|---|---|"]
    for figure in document["figures"]:
        notes = figure.get("notes", {})
        if cpu := parts_of(notes, CPU):
            rate = ceiling(list(cpu.values()), cores)
            share = rate / figure["limit_median"]
            lines.append(
                f"| {figure['what']} | {_told(cpu)} | {_told(parts_of(notes, LIMIT_CPU))} "
                f"| {number(rate)} {figure['unit']} | {share:.2f} | {_target(figure)} |"
            )
        for name, (what, unit) in NOTED.items():
            if name in notes:
                others.append(f"| {figure['what']} | {what} | {number(notes[name])} {unit} |")
    return [*lines, "", *others]


def _told(parts: Mapping[str, float]) -> str:
    return " + ".join(f"{name} {number(value)}" for name, value in parts.items())


def machine_line(document: Mapping[str, Any]) -> str:
    """Where and with what a run was made, in a sentence."""
    on = document["machine"]
    return (
        f"Measured {on['date']} at commit {on['commit']}: {on['cpu']}, {on['cores']} cores, "
        f"{on['memory_gib']} GiB, Linux {on['kernel']}, Python {on['python']}, "
        f"PostgreSQL {on['postgres']} (fsync {on['fsync']}), NATS {on['nats']}, "
        f"grpcio {on['grpcio']}. `load` is what else the machine did when a run began."
    )


def _run(figure: Mapping[str, Any]) -> str:
    run = figure["run"]
    sizes = ", small sizes" if run["quick"] else ""
    return f"{run['commit']}{sizes}, load {run['load_average']:g}"


def _spread(figure: Mapping[str, Any]) -> str:
    return f"({figure['ratio_min']:.2f}–{figure['ratio_max']:.2f})"


def _target(figure: Mapping[str, Any]) -> str:
    if figure["target"] is None:
        return ""
    return f"{'at most' if figure['at_most'] else 'at least'} {figure['target']:g}"


def _both(figure: Mapping[str, Any]) -> str:
    both = f"{number(figure['subject_median'])} ÷ {number(figure['limit_median'])}"
    return f"{both} {figure['unit']}"
