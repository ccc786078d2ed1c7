"""What the doctor found, for people to read."""

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from services.operator.doctor.report import Check, Report, Verdict
from services.operator.outcomes import EXIT_OK

_STYLE = {
    Verdict.CLEAN: "green",
    Verdict.DIFFERENT: "bold red",
    Verdict.UNAVAILABLE: "yellow",
    Verdict.SKIPPED: "dim",
}
_HASH_DIGITS_SHOWN = 12


def rendered(report: Report) -> RenderableType:
    """A table of all checks, then the notes, then the verdict with the first difference."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for header in ("Journal", "Check", "", "Compared"):
        table.add_column(header)
    parts: list[RenderableType] = [table]
    for journal, check in report.checks():
        verdict = Text(check.verdict.value, style=_STYLE[check.verdict])
        table.add_row(journal or "all", check.name, verdict, escape(_facts(check)))
    for journal, check in report.checks():
        for note in check.notes:
            parts.append(Text(f"note: {journal or 'all'}, {check.name}: {note}", style="dim"))
    for journal, check in report.checks():
        if check.difference is not None:
            line = f"{journal or 'all'}, {check.name}: {check.difference}"
            parts.append(Text(line, style="red"))
    parts.append(_verdict(report))
    return Group(*parts)


def _verdict(report: Report) -> RenderableType:
    first = report.first
    if first is not None:
        journal, check = first
        return Text(
            f"First difference: {journal or 'all'}, {check.name}: {check.difference}",
            style="bold red",
        )
    if report.exit_code == EXIT_OK:
        return Text("Clean: no differences.", style="bold green")
    return Text("No differences found, but not everything could be compared.", style="yellow")


def _facts(check: Check) -> str:
    shown = []
    for name, value in check.facts.items():
        if name == "incarnation":
            continue
        text = f"{value:,}" if isinstance(value, int) else str(value)
        if name == "sha256":
            text = text[:_HASH_DIGITS_SHOWN] + "…"
        shown.append(f"{name.replace('_', ' ')} {text}")
    return ", ".join(shown)
