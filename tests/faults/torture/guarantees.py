"""Writes the counts of a run into docs/guarantees.md, between its two marks."""

from pathlib import Path
from typing import Any, Final

PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "guarantees.md"
BEGIN: Final = "<!-- counts: written by `python -m tests.faults.torture --write-docs` -->"
END: Final = "<!-- end of counts -->"


def counts_of(report: dict[str, Any]) -> str:
    """A run's counts as Markdown."""
    calls, faults, failed = report["calls"], report["faults"], report["faults_failed"]
    lines = [
        f"Seed {report['seed']}, {report['minutes']:g} minutes of faults, NATS {report['nats']}, "
        f"{report['started_at']}, {report['machine']}:",
        "",
        f"- {report['events']:,} events in the journals at the end, "
        f"{calls.get('received', 0):,} received by subscribers;",
        f"- {calls.get('append', 0):,} appends, {calls.get('ingest', 0):,} batches by ingest, "
        f"{calls.get('balance', 0):,} balances, {calls.get('timeline', 0):,} timelines "
        f"and {calls.get('standings', 0):,} lists asked with `min_position`;",
        f"- of these {calls.get('ok', 0):,} answered, {calls.get('definite', 0):,} refused for "
        f"certain; {calls.get('writes unknown', 0):,} writes of unknown outcome, settled by asking "
        f"again, and {calls.get('reads unknown', 0):,} reads that nobody asked again;",
        f"- {sum(faults.values())} faults of {len(faults)} kinds, and {sum(failed.values())} that "
        "another fault kept from happening or from being complete; "
        f"**{len(report['violations'])} violations**.",
        "",
        "| fault | done | failed |",
        "|---|---|---|",
        *(
            f"| `{name}` | {faults.get(name, 0)} | {failed.get(name, 0)} |"
            for name in sorted({*faults, *failed})
        ),
        *(f"| `{name}` | not tried: {why} | |" for name, why in report["skipped"].items()),
        *(f"| `{name}` | its turn never came | |" for name in report["undrawn"]),
    ]
    return "\n".join(lines)


def write_docs(report: dict[str, Any], page: Path = PAGE) -> None:
    """Put a report's counts in place of those that stand there."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{counts_of(report)}\n\n{END}{after}", encoding="utf-8")
