"""`rapport bench`: the table, a JSON file and a chart."""

import asyncio
import json
import signal
from collections.abc import Callable, Coroutine, Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bench import docs
from bench.report import Figure, document_of, machine_line, table
from bench.settings import Settings, full, quick

# The modules whose `measure` makes the rows, in the order they are measured. They bring servers and
# drivers along, which no other command of the CLI is to wait for: they load when asked for.
MEASURES: Final[Mapping[str, str]] = {
    "append": "bench.append",
    "group_commit": "bench.group_commit_rows",
    "consumption": "bench.consumption",
    "ingest": "bench.ingest",
    "followed": "bench.followed",
    "relay": "bench.relay",
    "visible": "bench.visible",
    "growth": "bench.growth",
    "rebuild": "bench.rebuild",
    "wide": "bench.wide_rows",
}


def register(app: typer.Typer) -> None:
    """Adds `bench` to the CLI (entry point group `rapport.commands`)."""
    app.command("bench")(bench)


def bench(
    rows: Annotated[str, typer.Option("--rows", help=f"Some of {','.join(MEASURES)}.")] = "",
    small: Annotated[bool, typer.Option("--quick", help="Small sizes: minutes.")] = False,
    events: Annotated[int, typer.Option("--events", help="Of the growth rows.")] = 5_000_000,
    out: Annotated[Path, typer.Option("--out", help="Where JSON and chart go.")] = Path(
        "bench-results"
    ),
    write_docs: Annotated[
        bool, typer.Option("--write-docs", help="Bring the documents up to date.")
    ] = False,
) -> None:
    """Measure Rapport against limits of this machine, each in the same run as its limit."""
    from bench import chart

    chosen = [name.strip() for name in rows.split(",") if name.strip()] or list(MEASURES)
    for name in chosen:
        if name not in MEASURES:
            raise typer.BadParameter(f"{name} is none of {', '.join(MEASURES)}")
    say = lambda line: typer.echo(line, err=True)  # noqa: E731
    settings = (quick if small else full)(say, events)
    out.mkdir(parents=True, exist_ok=True)

    def keep(document: dict[str, Any]) -> None:
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        (out / "benchmarks.json").write_text(text, encoding="utf-8")
        if write_docs:
            docs.write(document)

    document = asyncio.run(_until_stopped(_measured(chosen, settings, keep, small=small)))
    if chart.is_drawable():
        chart.draw(document, out / "benchmarks.png")
    typer.echo(machine_line(document))
    for line in table(document):
        typer.echo(line)


async def _until_stopped(work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """SIGTERM cancels the work like Ctrl-C, so that nothing it started is left."""
    from bench.stack import BenchError

    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise BenchError("stopped before the end") from None


async def _measured(
    chosen: list[str], settings: Settings, keep: Callable[[dict[str, Any]], None], *, small: bool
) -> dict[str, Any]:
    """The document; what is measured is kept as it comes, whatever becomes of the rest."""
    from bench.machine import described

    machine = await described()
    document: dict[str, Any] = {}
    figures: list[Figure] = []
    for name in chosen:
        settings.say(f"measuring {name}")
        figures += await import_module(MEASURES[name]).measure(settings)
        document = document_of([figure.as_json() for figure in figures], machine, quick=small)
        keep(document)
    return document
