"""The commands `rapport up`, `down` and `status`."""

import asyncio
import importlib
import importlib.util
import json
import shlex
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.errors import StackError
from deploy.local.state import FILE_NAME, StackState

Directory = Annotated[Path, typer.Option("--dir", help="The folder of the stack.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

EXIT_FAILED = 1
PROGRAM = "rapport"

# The stack is imported by the commands that touch it: migrations, drivers and servers are nothing
# that every other command of the CLI is to wait for.


def register(app: typer.Typer) -> None:
    """Adds `up`, `down` and `status` to the CLI (entry point group `rapport.commands`)."""
    app.command("up")(up)
    app.command("down")(down)
    app.command("status")(status)


def up(
    directory: Directory = Path(".rapport"),
    detach: Annotated[bool, typer.Option("--detach", help="Return once all is up.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Load and show the demo tenant.")] = False,
    as_json: Json = False,
) -> None:
    """Start PostgreSQL, NATS, the ledger and the projector, and keep them running."""
    from deploy.local.running import run_detached, run_until_stopped
    from deploy.local.stack import Stack

    async def greet(state: StackState) -> None:
        await _greet(directory, state, demo=demo, as_json=as_json)

    async def detached() -> None:
        await greet(await run_detached(directory))

    def say(line: str) -> None:
        typer.echo(line, err=as_json)

    if detach:
        _run(detached)
    else:
        _run(lambda: run_until_stopped(Stack(directory, say=say), greet, say))


def down(directory: Directory = Path(".rapport"), as_json: Json = False) -> None:
    """Stop what `up` started: the projector, the ledger, NATS, PostgreSQL. Data stays."""
    from deploy.local.stack import Stack

    async def work() -> None:
        was_up = await Stack(directory).down()
        if as_json:
            typer.echo(json.dumps({"down": was_up}))
        else:
            typer.echo("down" if was_up else f"nothing was ever up in {directory}")

    _run(work)


def status(directory: Directory = Path(".rapport"), as_json: Json = False) -> None:
    """Show what runs. Exits with 1 unless everything does."""
    from deploy.local.stack import Stack

    try:
        lines = Stack(directory).status()
    except StackError as error:
        _fail(error)
    if as_json:
        typer.echo(json.dumps({"parts": [asdict(line) for line in lines]}))
    elif not lines:
        typer.echo(f"nothing was ever up in {directory}")
    for line in [] if as_json else lines:
        pid = "" if line.pid is None else f"pid {line.pid}"
        typer.echo(f"{line.name:<10} {line.state:<9} {line.endpoint or '':<22} {pid}".rstrip())
    if not lines or any(line.state == "stopped" for line in lines):
        raise typer.Exit(EXIT_FAILED)


async def _greet(directory: Path, state: StackState, *, demo: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"dir": str(directory), "endpoints": state.endpoints}))
    if demo:
        await _show_demo(state, quiet=as_json)
    if as_json:
        return
    program, option = shlex.quote(_program()), ""
    if directory != Path(".rapport"):
        option = f" --dir {shlex.quote(str(directory))}"
    typer.echo("\nRapport is up:")
    for name in ("ledger", "projector", "ledger_metrics", "projector_metrics", "nats_monitoring"):
        if name in state.endpoints:
            typer.echo(f"  {name.replace('_', ' '):<18} {state.endpoints[name]}")
    typer.echo(f"  {'settings':<18} {directory / FILE_NAME} (holds secrets)\n\nTry:")
    for command in ("touch people/ann people/bob call", "balance people/ann people/bob", "tail"):
        typer.echo(f"  {program} {command}{option}")


def _program() -> str:
    """What to type here to call this program again: its bare name only where that finds it.

    `make run` has the environment's programs on its PATH, the shell that called it has not.
    """
    called = Path(sys.argv[0])
    if called.name != PROGRAM:  # python -m, a detached `up`, tests
        return PROGRAM
    found = shutil.which(PROGRAM)
    return PROGRAM if called.is_absolute() and found == str(called) else str(called)


async def _show_demo(state: StackState, *, quiet: bool) -> None:
    """Loads the demo data if its tenant is empty and prints what came of it.

    The demo is a module of its own, `deploy.local.demo`, with
    `async def show(state: StackState, say: Callable[[str], None]) -> None`.
    """
    if importlib.util.find_spec("deploy.local.demo") is not None:
        module = importlib.import_module("deploy.local.demo")
        await module.show(state, (lambda _: None) if quiet else typer.echo)


def _run(work: Callable[[], Awaitable[None]]) -> None:
    async def awaited() -> None:
        await work()

    try:
        asyncio.run(awaited())
    except StackError as error:
        _fail(error)


def _fail(error: StackError) -> "typer.Exit":
    typer.echo(f"rapport: {error}", err=True)
    raise typer.Exit(EXIT_FAILED)
