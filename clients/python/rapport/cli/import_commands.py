"""`rapport import csv`: a table becomes events, as a mapping file says."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rapport.cli.command import Call, add, group
from rapport.cli.importing.run import Settings, run_import
from rapport.cli.loading import BATCH_ROWS, Reject, Row

if TYPE_CHECKING:
    from rapport.cli.importing.events import Rule
    from rapport.cli.importing.rows import TableFile

Rejects = Annotated[
    Path | None, typer.Option(help="Where bad rows go. Absent: ./<file>.rejects.csv")
]
Batch = Annotated[int, typer.Option(min=1, max=1000, help="Events a batch.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read and map; send nothing.")]


def register(app: typer.Typer) -> None:
    """Adds `import csv`."""
    add(group(app, "import", "Bring in what other systems know."), "csv", import_csv)


async def import_csv(
    call: Call,
    file: Annotated[Path, typer.Argument(help="The table.")],
    mapping: Annotated[Path, typer.Option(help="The mapping file (YAML).")],
    rejects: Rejects = None,
    source: Annotated[
        str | None, typer.Option(help="Name of the source, part of every event id.")
    ] = None,
    batch: Batch = BATCH_ROWS,
    dry_run: DryRun = False,
) -> None:
    """Import a table. Safe to repeat and to resume: a row always makes the same event."""
    # What checks a mapping takes longer to load than most commands take to run.
    from rapport.cli.importing.events import Rule
    from rapport.cli.importing.mapping import read_mapping
    from rapport.cli.importing.rows import TableFile

    rules = read_mapping(mapping)
    with TableFile(file, rules.file) as table:
        rule = Rule(rules, table, source=source)
        await run_import(call, table, _rows(table, rule), Settings(rejects, batch, dry_run))


def _rows(table: "TableFile", rule: "Rule") -> Iterator[Row | Reject]:
    from rapport.cli.importing.events import RowProblem

    for record in table:
        try:
            yield Row(record.line, record.number, rule.event(record))
        except RowProblem as problem:
            yield Reject(record.line, record.number, problem.field, problem.reason)
