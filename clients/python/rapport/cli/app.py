"""The typer application, put together from one module a noun and from other packages."""

import sys
from importlib.metadata import entry_points
from types import ModuleType
from typing import Final, NoReturn

import typer

from rapport.cli import (
    amend_commands,
    append_commands,
    attention_commands,
    balance_commands,
    brief_commands,
    chart_commands,
    event_commands,
    forecast_commands,
    import_commands,
    incident_commands,
    kind_commands,
    people_commands,
    policy_commands,
    portfolio_commands,
    programme_commands,
    relationship_commands,
    source_commands,
    tenant_commands,
    timeline_commands,
)
from rapport.cli.command import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, UsageProblem
from rapport.cli.output import show_error

ENTRY_POINTS: Final = "rapport.commands"

_MODULES: Final[tuple[ModuleType, ...]] = (
    append_commands,
    amend_commands,
    import_commands,
    source_commands,
    balance_commands,
    brief_commands,
    incident_commands,
    forecast_commands,
    relationship_commands,
    portfolio_commands,
    programme_commands,
    people_commands,
    policy_commands,
    chart_commands,
    attention_commands,
    timeline_commands,
    event_commands,
    kind_commands,
    tenant_commands,
)


def run(app: typer.Typer) -> NoReturn:
    """Runs the command line of this process and exits with its code.

    What cannot be understood is an error like any other: with --json a document on stderr.
    """
    if "--json" not in sys.argv[1:]:
        app()
    try:
        code = typer.main.get_command(app).main(standalone_mode=False)
    except typer.Abort:
        sys.exit(EXIT_INTERRUPTED)
    except Exception as problem:
        said = getattr(problem, "format_message", None)
        if said is None:  # no exception of the parser's
            raise
        show_error(UsageProblem(said()), as_json=True)
        sys.exit(EXIT_USAGE)
    sys.exit(code if isinstance(code, int) else EXIT_OK)


def build(*, plugins: bool = True) -> typer.Typer:
    """The whole `rapport` command.

    plugins: also what other packages register in the entry point group `rapport.commands`. One
    that cannot be imported is named on stderr and left out.
    """
    app = typer.Typer(
        name="rapport",
        help="The interaction ledger: what was done for a relationship, and what it is worth.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
    )
    for module in _MODULES:
        module.register(app)
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda p: p.name) if plugins else ():
        try:
            register = point.load()
        except ImportError as error:
            sys.stderr.write(f"rapport: the commands of {point.value} are missing: {error}\n")
            continue
        register(app)
    return app
