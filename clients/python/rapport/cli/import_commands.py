"""`rapport import csv`: a table becomes events, as a mapping file says."""

import csv
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Annotated, Any, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Task as ProgressTask
from rich.text import Text

from rapport.cli.command import Call, UsageProblem, add, group
from rapport.cli.importing.events import RowProblem, Rule
from rapport.cli.importing.mapping import read_mapping
from rapport.cli.importing.rows import TableFile
from rapport.cli.loading import BATCH_ROWS, Load, Reject, Row, Totals
from rapport.ids import relationship
from rapport.retry import RetryPolicy


def register(app: typer.Typer) -> None:
    """Adds `import csv`."""
    add(group(app, "import", "Bring in what other systems know."), "csv", import_csv)


async def import_csv(
    call: Call,
    file: Annotated[Path, typer.Argument(help="The table.")],
    mapping: Annotated[Path, typer.Option(help="The mapping file (YAML).")],
    rejects: Annotated[
        Path | None, typer.Option(help="Where bad rows go. Absent: ./<file>.rejects.csv")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Name of the source, part of every event id.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, max=1000, help="Events a batch.")] = BATCH_ROWS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and map; send nothing.")] = False,
) -> None:
    """Import a table. Safe to repeat and to resume: a row always makes the same event."""
    rules = read_mapping(mapping)
    began_s = time.monotonic()
    with (
        TableFile(file, rules.file) as table,
        RejectsFile(rejects or Path(f"{file.stem}.rejects.csv")) as bad,
    ):
        rule = Rule(rules, table, source=source)
        with progress_of(table, quiet=call.as_json) as shown:
            if dry_run:
                totals, found = _dry_run(_rows(table, rule), bad.write, shown)
            else:
                found = {}
                retry = RetryPolicy(timeout_s=120.0, attempt_timeout_s=20.0)
                async with call.client(retry=retry) as client:
                    load = Load(client, bad.write, shown, batch_rows=batch)
                    totals = await load.run(_rows(table, rule))
    seconds = time.monotonic() - began_s
    where = str(bad.path) if totals.rejected else None
    document = asdict(totals) | found | {"seconds": round(seconds, 3), "rejects_file": where}
    call.answer(document, lambda: _summary(totals, found, seconds, where))


def _rows(table: TableFile, rule: Rule) -> Iterator[Row | Reject]:
    for record in table:
        try:
            yield Row(record.line, record.number, rule.event(record))
        except RowProblem as problem:
            yield Reject(record.line, record.number, problem.field, problem.reason)


def _dry_run(
    rows: Iterator[Row | Reject],
    on_reject: Callable[[Reject], None],
    on_progress: Callable[[Totals], None],
) -> tuple[Totals, dict[str, Any]]:
    """What the rows would make: how many events, of how many people and pairs."""
    totals, events = Totals(), 0
    people: set[str] = set()
    pairs: set[str] = set()
    for row in rows:
        totals.rows += 1
        if isinstance(row, Reject):
            totals.rejected += 1
            on_reject(row)
            continue
        events += 1
        what = row.event.touchpoint
        if what.initiator and what.counterpart and what.initiator != what.counterpart:
            people |= {what.initiator, what.counterpart}
            pairs.add(relationship(what.initiator, what.counterpart))
        if totals.rows % BATCH_ROWS == 0:
            on_progress(totals)
    return totals, {"events": events, "people": len(people), "relationships": len(pairs)}


def _summary(totals: Totals, found: dict[str, Any], seconds: float, rejects: str | None) -> str:
    rate = totals.rows / seconds if seconds else 0.0
    pace = f"{totals.rows:,} rows in {seconds:.1f} s ({rate:,.0f}/s)"
    if found:
        what = (
            f"nothing sent: {found['events']:,} events, {found['people']:,} people,"
            f" {found['relationships']:,} relationships, {totals.rejected:,} rejected"
        )
    else:
        what = (
            f"[green]{totals.appended:,} appended[/], {totals.replayed:,} were there before,"
            f" {totals.rejected:,} rejected; last position {totals.last_position:,}"
        )
    return f"{what}\n{pace}" + (f"\nrejects: {rejects}" if rejects else "")


class RejectsFile:
    """A CSV of the rows that were not recorded; there is none when all were."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            self._file = self.path.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise UsageProblem(f"{self.path} cannot be written: {error.strerror}") from error
        self._writer = csv.writer(self._file)
        self._writer.writerow(["line", "record", "field", "reason"])
        self._empty = True
        return self

    def write(self, reject: Reject) -> None:
        """One row: where it stands, which field, why."""
        self._empty = False
        self._writer.writerow([reject.line, reject.record, reject.field, reject.reason])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._file is not None
        self._file.close()
        if self._empty:
            self.path.unlink(missing_ok=True)


class _RateColumn(ProgressColumn):
    def render(self, task: ProgressTask) -> Text:
        rows, elapsed_s = task.fields["rows"], task.elapsed or 0.0
        return Text(f"{rows:,} rows {rows / elapsed_s if elapsed_s else 0:,.0f}/s")


@contextmanager
def progress_of(table: TableFile, *, quiet: bool) -> Iterator[Callable[[Totals], None]]:
    """A bar on stderr with rate and ETA, when somebody watches; else nothing."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), _RateColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(table.path.name, total=table.size_bytes, rows=0)
        yield lambda totals: bar.update(task, completed=table.read_bytes, rows=totals.rows)
