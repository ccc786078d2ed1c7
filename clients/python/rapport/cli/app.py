"""The typer application, put together from one module a noun and from other packages."""

import sys
from importlib.metadata import entry_points
from types import ModuleType
from typing import Final

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
