"""Running an import: rows to the ledger or to nowhere, bad ones to a file, and what came of it."""

import csv
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Task as ProgressTask
from rich.text import Text

from rapport.cli.command import Call, UsageProblem
from rapport.cli.loading import BATCH_ROWS, Load, Reject, Row, Totals
from rapport.errors import RapportError
from rapport.ids import relationship
from rapport.retry import RetryPolicy


class Reading(Protocol):
    """A file on its way."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def size_bytes(self) -> int:
        """How long it is."""
        ...

    @property
    def read_bytes(self) -> int:
        """How far it has been read."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """What every import is told. rejects None: `./<file>.rejects.csv`."""

    rejects: Path | None = None
    batch: int = BATCH_ROWS
    dry_run: bool = False


def nothing_else() -> dict[str, Any]:
    """An import with nothing to add to its totals."""
    return {}


async def run_import(
    call: Call,
    reading: Reading,
    rows: Iterable[Row | Reject],
    settings: Settings,
    *,
    more: Callable[[], dict[str, Any]] = nothing_else,
    is_present: Callable[[Row, RapportError], bool] = lambda _row, _error: False,
) -> None:
    """Loads the rows and says what became of them.

    more: asked at the end, part of the answer. is_present: see Load.
    """
    began_s = time.monotonic()
    rejects = settings.rejects or Path(f"{reading.path.stem}.rejects.csv")
    with RejectsFile(rejects) as bad, progress_of(reading, quiet=call.as_json) as shown:
        if settings.dry_run:
            totals, found = _dry_run(rows, bad.write, shown)
        else:
            found = {}
            retry = RetryPolicy(timeout_s=120.0, attempt_timeout_s=20.0)
            async with call.client(retry=retry) as client:
                load = Load(
                    client, bad.write, shown, batch_rows=settings.batch, is_present=is_present
                )
                totals = await load.run(rows)
    seconds = time.monotonic() - began_s
    where = str(bad.path) if totals.rejected else None
    added = more()
    document = asdict(totals) | found | added
    document |= {"seconds": round(seconds, 3), "rejects_file": where}
    call.answer(document, lambda: _summary(totals, found, added, seconds, where))


def _dry_run(
    rows: Iterable[Row | Reject],
    on_reject: Callable[[Reject], None],
    on_progress: Callable[[Totals], None],
) -> tuple[Totals, dict[str, Any]]:
    """What the rows would make: how many events, of how many people and pairs."""
    totals, events = Totals(), 0
    people: set[str] = set()
    pairs: set[str] = set()
    kinds: Counter[str] = Counter()
    for row in rows:
        totals.rows += 1
        if isinstance(row, Reject):
            totals.rejected += 1
            on_reject(row)
            continue
        events += 1
        what = row.event.touchpoint
        kinds[what.kind or row.event.WhichOneof("payload") or ""] += 1
        if what.initiator and what.counterpart and what.initiator != what.counterpart:
            people |= {what.initiator, what.counterpart}
            pairs.add(relationship(what.initiator, what.counterpart))
        if totals.rows % BATCH_ROWS == 0:
            on_progress(totals)
    found = {"events": events, "people": len(people), "relationships": len(pairs)}
    return totals, found | {"kinds": dict(sorted(kinds.items()))}


def _summary(
    totals: Totals,
    found: dict[str, Any],
    added: dict[str, Any],
    seconds: float,
    rejects: str | None,
) -> str:
    rate = totals.rows / seconds if seconds else 0.0
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
    lines = [what, f"{totals.rows:,} rows in {seconds:.1f} s ({rate:,.0f}/s)"]
    lines += [f"{key.replace('_', ' ')}: {_said(value)}" for key, value in added.items() if value]
    return "\n".join(lines) + (f"\nrejects: {rejects}" if rejects else "")


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_said(part)}" for key, part in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)


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
def progress_of(reading: Reading, *, quiet: bool) -> Iterator[Callable[[Totals], None]]:
    """A bar on stderr with rate and ETA, when somebody watches; else nothing."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), _RateColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(reading.path.name, total=reading.size_bytes, rows=0)
        yield lambda totals: bar.update(task, completed=reading.read_bytes, rows=totals.rows)
