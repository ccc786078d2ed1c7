"""`rapport programme`, `builders` and `parity`: how many relationships are looked after."""

from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.text import Text

from rapport.cli.asking import (
    KnownAt,
    MinPosition,
    On,
    Policy,
    as_of_options,
    computed_text,
    day_cell,
    share_text,
)
from rapport.cli.balance_commands import pair_text
from rapport.cli.command import Call, add
from rapport.cli.event_output import full_document
from rapport.cli.output import counted, points, short, table
from rapport.cli.portfolio_commands import Whose, foot, optional, parent_of
from rapport.v1 import portfolio_service_pb2 as wire

_WITHHELD = {
    "not_enabled": "The policy does not enable this question (measures.builders.enabled).",
    "group_too_small": "The group is too small: people could be told apart.",
}
# Names of the measures of parity, for people, and whether they are amounts in mp or per mille.
_PARITY = {
    "median_buffer_mp": ("median buffer, points", "mp"),
    "minutes_per_relationship": ("minutes a relationship", ""),
    "incidents_per_mille": ("incidents a relationship", "per mille"),
    "open_needs_per_mille": ("open needs a relationship", "per mille"),
}


def register(app: typer.Typer) -> None:
    """Adds `programme`, `builders` and `parity`."""
    add(app, "programme", programme)
    add(app, "builders", builders)
    add(app, "parity", parity)


async def programme(
    call: Call,
    who: Whose = "",
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """Of the last 12 weeks, those in which nobody with a tier was forgotten."""
    async with call.client() as client:
        answer = await client.programme(
            parent_of(call, who), **as_of_options(on, known_at, policy, min_position)
        )
    call.answer(full_document(answer), lambda: programme_view(answer))


async def builders(
    call: Call,
    team: Annotated[str, typer.Option(help="Only this team. Absent: all our people.")] = "",
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """Whose relationships stay when things go wrong; never by volume or revenue."""
    async with call.client() as client:
        answer = await client.builders(
            team.removeprefix("teams/"), **as_of_options(on, known_at, policy, min_position)
        )
    call.answer(full_document(answer), lambda: builders_view(answer))


async def parity(
    call: Call,
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """Whether colleagues are looked after as customers are."""
    async with call.client() as client:
        answer = await client.parity(**as_of_options(on, known_at, policy, min_position))
    call.answer(full_document(answer), lambda: parity_view(answer))


def programme_view(answer: wire.GetProgrammeResponse) -> RenderableType:
    """The weeks for people."""
    marks = Text()
    for week in answer.weeks:
        style = "dim" if not week.relationships else "green" if week.kept else "red"
        marks.append("■ " if week.kept else "□ ", style=style)
    share = share_text(optional(answer.kept, "per_mille"))
    head = Text.from_markup(
        f"[bold]{answer.kept.numerator} of {answer.kept.denominator}[/] weeks kept, {share}  "
    )
    listed = table("week of", "relationships", "", "not within", right=("relationships",))
    for week in answer.weeks:
        word_ = Text("–", style="dim")
        if week.relationships:
            word_ = Text("kept", "green") if week.kept else Text("missed", "red")
        missed = ", ".join(pair_text(name) for name in week.missed)
        listed.add_row(day_cell(week.monday), str(week.relationships), word_, missed)
    return Group(head + marks, listed, foot(computed_text(answer.computed)))


def builders_view(answer: wire.ListBuildersResponse) -> RenderableType:
    """Builders for people, the purpose first."""
    purpose = Panel(Text(answer.purpose), border_style="yellow", expand=False)
    if answer.withheld_because:
        why = _WITHHELD.get(answer.withheld_because, answer.withheld_because)
        return Group(purpose, Text(why, style="yellow"), foot(computed_text(answer.computed)))
    right = ("survived", "at least", "open", "reciprocity", "teams", "relationships")
    listed = table("who", *right, "", right=right)
    for builder in answer.builders:
        marks = [name for name in ("unproven", "pleaser") if getattr(builder, name)]
        listed.add_row(
            escape(short(builder.person)),
            f"{builder.survival.numerator} of {builder.survival.denominator}",
            share_text(optional(builder, "wilson_lower_per_mille")),
            str(builder.open_incidents),
            share_text(optional(builder, "reciprocity_per_mille")),
            str(builder.teams_reached),
            str(builder.relationships),
            Text(", ".join(marks), style="yellow"),
        )
    if not answer.builders:
        listed.add_row("[dim]nobody has a relationship that counts yet[/]")
    return Group(purpose, listed, foot(computed_text(answer.computed)))


def parity_view(answer: wire.GetParityResponse) -> RenderableType:
    """Parity for people."""
    head = Text(
        f"{counted(answer.internal_relationships, 'relationship')} of "
        f"{counted(answer.internal_people, 'colleague')}, "
        f"{answer.external_relationships} with {answer.external_people} outside"
    )
    if answer.withheld_because:
        why = _WITHHELD.get(answer.withheld_because, answer.withheld_because)
        return Group(head, Text(why, style="yellow"), foot(computed_text(answer.computed)))
    right = ("colleagues", "customers", "ratio")
    listed = table("", *right, "", right=right)
    for measure in answer.measures:
        name, unit = _PARITY.get(measure.name, (measure.name, ""))
        ratio = optional(measure, "ratio_per_mille")
        listed.add_row(
            name,
            _amount(optional(measure, "internal"), unit),
            _amount(optional(measure, "external"), unit),
            "–" if ratio is None else f"{ratio / 1000:.2f}",
            Text("out of balance", style="red") if measure.flagged else Text("even", style="green"),
        )
    return Group(head, listed, Text(answer.reading), foot(computed_text(answer.computed)))


def _amount(value: int | None, unit: str) -> str:
    if value is None:
        return "–"
    if unit == "mp":
        return points(value)
    return f"{value / 1000:.3f}" if unit else str(value)
