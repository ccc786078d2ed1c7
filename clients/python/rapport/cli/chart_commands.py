"""`rapport chart balance|recovery|portfolio`: pictures where people would rather look than read."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from rapport.cli.balance_commands import A, B, MinPosition, On, Policy, day_of_option
from rapport.cli.charts.fetching import Question, balance_chart, portfolio_chart, recovery_chart
from rapport.cli.command import Call, UsageProblem, add, group
from rapport.cli.importing.keyed import names_in
from rapport.cli.portfolio_commands import EVERYBODY, parent_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Out = Annotated[Path | None, typer.Option(help="The picture, .png or .svg. Absent: ./<chart>.png")]
Names = Annotated[
    Path | None,
    typer.Option(
        "--map", metavar="FOLDER", help="Where names of imported people are. Absent: ~/.rapport/map"
    ),
]


def register(app: typer.Typer) -> None:
    """Adds `chart balance`, `chart recovery` and `chart portfolio`."""
    charts = group(app, "chart", "Draw it: PNG or SVG.")
    add(charts, "balance", chart_balance)
    add(charts, "recovery", chart_recovery)
    add(charts, "portfolio", chart_portfolio)


async def chart_balance(
    call: Call,
    a: A,
    b: B,
    out: Out = None,
    on: On = None,
    since: Annotated[
        str | None, typer.Option(metavar="DAY", help="Absent: the beginning, at most two years.")
    ] = None,
    ahead: Annotated[int, typer.Option(min=0, max=3650, help="Days of projection.")] = 180,
    severity: Annotated[
        int, typer.Option(min=0, max=4, help="Of the incident to survive; 0: none.")
    ] = 2,
    policy: Policy = "",
    min_position: MinPosition = 0,
    map_folder: Names = None,
) -> None:
    """Draw KNOW, CARE and buffer of A and B over time, with incidents and the projection."""
    path = _path(out, "balance")
    question = _question(on, policy, min_position, map_folder)
    try:
        begin = date.fromisoformat(since) if since else None
    except ValueError:
        raise UsageProblem("--since takes a day like 2026-01-31") from None
    async with call.client() as client:
        chart = await balance_chart(
            client, a, b, question, since=begin, days_ahead=ahead, severity=severity
        )

    def drawn() -> "Figure":
        from rapport.cli.charts.balance import draw_balance

        return draw_balance(chart)

    _write(call, drawn, path)


async def chart_recovery(
    call: Call,
    incident: Annotated[str, typer.Argument(metavar="INCIDENT", help="Its event id.")],
    out: Out = None,
    on: On = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
    map_folder: Names = None,
) -> None:
    """Draw the buffer before an incident, what it took, and what was made good."""
    path = _path(out, "recovery")
    question = _question(on, policy, min_position, map_folder)
    async with call.client() as client:
        chart = await recovery_chart(client, incident, question)

    def drawn() -> "Figure":
        from rapport.cli.charts.recovery import draw_recovery

        return draw_recovery(chart)

    _write(call, drawn, path)


async def chart_portfolio(
    call: Call,
    parent: Annotated[str, typer.Argument(help="people/x, x, teams/x or all. Absent: all.")] = "",
    out: Out = None,
    on: On = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
    map_folder: Names = None,
) -> None:
    """Draw what the relationships of a person, a team or the tenant are worth together."""
    path = _path(out, "portfolio")
    question = _question(on, policy, min_position, map_folder)
    async with call.client() as client:
        chart = await portfolio_chart(client, parent_of(call, parent or EVERYBODY), question)

    def drawn() -> "Figure":
        from rapport.cli.charts.portfolio import draw_portfolio

        return draw_portfolio(chart)

    _write(call, drawn, path)


def _question(on: str | None, policy: str, min_position: int, folder: Path | None) -> Question:
    names = names_in(folder or Path.home() / ".rapport" / "map")
    return Question(day_of_option(on), policy, min_position, names)


def _path(out: Path | None, name: str) -> Path:
    """Where it goes, said before anything is asked."""
    path = out or Path(f"{name}.png")
    if path.suffix.lower() not in {".png", ".svg"}:
        raise UsageProblem(f"--out {path}: a picture ends in .png or .svg")
    return path


def _write(call: Call, drawn: "Callable[[], Figure]", path: Path) -> None:
    try:
        from rapport.cli.charts.style import look, save
    except ModuleNotFoundError as error:
        raise UsageProblem(f"charts need `pip install 'rapport[charts]'` ({error})") from None
    try:
        with look():
            save(drawn(), path)
    except OSError as error:
        raise UsageProblem(f"{path} cannot be written: {error.strerror}") from error
    document: dict[str, Any] = {"file": str(path), "bytes": path.stat().st_size}
    call.answer(document, lambda: f"[green]drawn[/] {escape(str(path))}")
