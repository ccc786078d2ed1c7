"""What every command has in common: its options, its client, its exit code, its way to speak.

`add` makes a typer command of a function whose first parameter is a `Call`; the options every
command takes are put in its place. The function may be async. Other packages add theirs through the
entry point group `rapport.commands`, with the same `add` and `group`:

    def register(app: typer.Typer) -> None:
        add(group(app, "journal"), "restored", restored)
"""

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console, RenderableType

from rapport.cli.config import default_principal, find_targets
from rapport.cli.output import show_error, write_json
from rapport.client import Rapport
from rapport.errors import RapportError
from rapport.retry import RetryPolicy

EXIT_OK: Final = 0
EXIT_REFUSED: Final = 1
EXIT_USAGE: Final = 2
EXIT_UNAVAILABLE: Final = 3
EXIT_INTERRUPTED: Final = 130

SERVICE_PRINCIPAL: Final = "services/rapport-cli"

_OPTIONS: Final[dict[str, tuple[Any, Any]]] = {
    "directory": (
        Annotated[Path, typer.Option("--dir", help="The folder of `rapport up`.")],
        Path(".rapport"),
    ),
    "tenant": (Annotated[str, typer.Option("--tenant", help="Whose books.")], "default"),
    "principal": (
        Annotated[
            str,
            typer.Option(
                "--as", metavar="PRINCIPAL", help="Who calls.", show_default="people/<login>"
            ),
        ],
        "",
    ),
    "as_json": (Annotated[bool, typer.Option("--json", help="Print JSON.")], False),
}


class UsageProblem(ValueError):  # noqa: N818 - it is said as it is
    """The command cannot be understood; nothing was asked or sent."""


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a command: who calls whom, and how to answer."""

    directory: Path
    tenant: str
    principal: str
    as_json: bool
    console: Console

    def client(self, *, above_tenants: bool = False, retry: RetryPolicy | None = None) -> Rapport:
        """The client to use with `async with`.

        above_tenants: for tenants and journals; then the default principal is a service.
        """
        targets = find_targets(self.directory)
        default = SERVICE_PRINCIPAL if above_tenants else default_principal()
        return Rapport(
            targets.ledger,
            targets.projector,
            tenant=None if above_tenants else self.tenant,
            principal=self.principal or default,
            retry=retry or RetryPolicy(timeout_s=10.0, attempt_timeout_s=5.0),
        )

    def answer(self, document: Any, rendered: Callable[[], RenderableType]) -> None:
        """Prints the document with --json, else what `rendered` makes of it."""
        if self.as_json:
            write_json(document)
        else:
            self.console.print(rendered())


def console() -> Console:
    """Where answers are printed; wide enough for any table when nobody watches."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 240)


def add(app: typer.Typer, name: str, function: Callable[..., Any], **options: Any) -> None:
    """Adds a command: `function(call, …)`, sync or async, whose int (if any) is the exit code."""
    signature = inspect.signature(function, eval_str=True)
    own = list(signature.parameters.values())[1:]
    shared = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=value, annotation=kind)
        for key, (kind, value) in _OPTIONS.items()
    ]
    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]

    def command(**values: Any) -> None:
        mine = {key: values.pop(key) for key in _OPTIONS}
        call = Call(**mine, console=console())
        raise typer.Exit(run(call, lambda: function(call, **values)))

    command.__doc__ = function.__doc__
    command.__name__ = function.__name__
    parameters = [*own, *shared]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    app.command(name, **options)(command)


def group(app: typer.Typer, name: str, help_text: str | None = None) -> typer.Typer:
    """The sub-application of that name, made if it is not there: `group(app, "journal")`."""
    for known in app.registered_groups:
        if known.name == name and known.typer_instance is not None:
            return known.typer_instance
    made = typer.Typer(no_args_is_help=True)
    app.add_typer(made, name=name, help=help_text)
    return made


def run(call: Call, work: Callable[[], Any]) -> int:
    """Runs a command's work and turns how it ends into an exit code, saying why on stderr."""
    try:
        result = work()
        if inspect.isawaitable(result):
            result = asyncio.run(_awaited(result))
    except RapportError as error:
        show_error(error, as_json=call.as_json)
        return EXIT_UNAVAILABLE if error.is_passing else EXIT_REFUSED
    except (UsageProblem, ValueError) as problem:
        show_error(problem, as_json=call.as_json)
        return EXIT_USAGE
    except KeyboardInterrupt:  # the way to end `tail`
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # whoever read our output has enough
        with suppress(OSError):
            call.console.file.close()
        return EXIT_OK
    return result if isinstance(result, int) else EXIT_OK


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work
