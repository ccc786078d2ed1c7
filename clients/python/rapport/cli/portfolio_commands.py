"""`rapport portfolio`, `account`, `programme`, `builders` and `parity`: many relationships."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
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
    word,
)
from rapport.cli.balance_commands import balances_view, bar, pair_text
from rapport.cli.command import Call, add
from rapport.cli.config import default_principal
from rapport.cli.event_output import full_document
from rapport.cli.output import coloured, points, short, table
from rapport.ids import person
from rapport.v1 import portfolio_service_pb2 as wire
from rapport.v1 import relationship_service_pb2 as relationship

EVERYBODY = "all"
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

Whose = Annotated[
    str,
    typer.Argument(
        metavar="[WHO]", help="people/x, x, teams/x, or all. Absent: who calls.", show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    """Adds `portfolio`, `account`, `programme`, `builders` and `parity`."""
    add(app, "portfolio", portfolio)
    add(app, "account", account)
    add(app, "programme", programme)
    add(app, "builders", builders)
    add(app, "parity", parity)


def parent_of(call: Call, who: str) -> str:
    """Whose relationships an argument means."""
    if who == EVERYBODY:
        return f"tenants/{call.tenant}"
    if who.startswith(("teams/", "tenants/")):
        return who
    return person(who or call.principal or default_principal())


async def portfolio(
    call: Call,
    who: Whose = "",
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """What the relationships of a person, a team or everybody are worth together."""
    async with call.client() as client:
        answer = await client.portfolio(
            parent_of(call, who), **as_of_options(on, known_at, policy, min_position)
        )
    call.answer(full_document(answer), lambda: portfolio_view(answer))


async def account(
    call: Call,
    organization: Annotated[str, typer.Argument(metavar="ORGANIZATION", help="organizations/x.")],
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """An organisation: the relationships with who is affiliated that day, and who holds them."""
    async with call.client() as client:
        answer = await client.account(
            organization, **as_of_options(on, known_at, policy, min_position)
        )
    call.answer(full_document(answer), lambda: account_view(organization, answer))


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


def portfolio_view(answer: wire.GetPortfolioResponse) -> RenderableType:
    """A portfolio for people, in points."""
    parts: list[RenderableType] = [
        sums_view(answer.sums),
        Columns(
            [
                holdings_view("held by ours", answer.by_internal),
                holdings_view("held by theirs", answer.by_external),
                holdings_view("leaves with", answer.capital_at_risk, care=True),
            ],
            padding=(0, 4),
        ),
    ]
    if answer.strongest:
        parts += [Text("strongest", style="bold"), balances_view(list(answer.strongest))]
    if answer.sums.relationships > len(answer.strongest):
        parts += [Text("weakest", style="bold"), balances_view(list(answer.weakest))]
    return Group(*parts, _left_out(answer.without_side), _foot(computed_text(answer.computed)))


def account_view(organization: str, answer: wire.GetAccountResponse) -> RenderableType:
    """An account for people, in points."""
    parts: list[RenderableType] = [Text(organization, style="bold"), sums_view(answer.sums)]
    if answer.single_threaded:
        who = escape(short(answer.single_thread))
        parts.append(
            Text.from_markup(f"[red]single-threaded[/]: most of it hangs on [bold]{who}[/]")
        )
    there = table("who is there", "as", "since")
    for place in answer.affiliations:
        there.add_row(
            escape(short(place.person)), escape(place.role), day_cell(getattr(place, "from"))
        )
    tables: list[RenderableType] = [
        holdings_view("held by ours", answer.by_internal),
        holdings_view("held by theirs", answer.by_external),
    ]
    if answer.affiliations:
        tables.insert(0, there)
    else:
        parts.append(Text("nobody was affiliated that day", style="dim"))
    parts.append(Columns(tables, padding=(0, 4)))
    return Group(*parts, _left_out(answer.without_side), _foot(computed_text(answer.computed)))


def sums_view(sums: wire.Sums) -> RenderableType:
    """What relationships are worth together, with where they stand."""
    accounts = table("", "points", "", right=("points",))
    widest = max(abs(sums.know_mp), abs(sums.care_mp), abs(sums.buffer_mp), 1)
    for name, mp in (("KNOW", sums.know_mp), ("CARE", sums.care_mp), ("buffer", sums.buffer_mp)):
        accounts.add_row(name, coloured(mp), bar(mp, widest))
    where = [
        f"{count.relationships} {word(relationship.Quadrant, count.quadrant)}"
        for count in sums.quadrants
        if count.relationships
    ]
    if sums.too_little_evidence:
        where.append(f"{sums.too_little_evidence} with too little evidence")
    counted = f"{sums.relationships} relationships" + (f": {', '.join(where)}" if where else "")
    return Group(accounts, Text(counted, style="dim"))


def holdings_view(title: str, held: Sequence[wire.Holding], *, care: bool = False) -> Table:
    """Who holds how much: buffers with their shares, or (`care`) CARE."""
    if care:
        listed = table(title, "CARE", "relationships", right=("CARE", "relationships"))
    else:
        right = ("buffer", "share", "relationships")
        listed = table(title, *right, right=right)
    for holding in held[:10]:
        amount = coloured(holding.care_mp if care else holding.buffer_mp)
        share = [] if care else [share_text(_optional(holding, "share_per_mille"))]
        listed.add_row(escape(short(holding.party)), amount, *share, str(holding.relationships))
    if len(held) > 10:
        listed.add_row(f"[dim]and {len(held) - 10} more[/]")
    return listed


def programme_view(answer: wire.GetProgrammeResponse) -> RenderableType:
    """The weeks for people."""
    marks = Text()
    for week in answer.weeks:
        style = "dim" if not week.relationships else "green" if week.kept else "red"
        marks.append("■ " if week.kept else "□ ", style=style)
    share = share_text(_optional(answer.kept, "per_mille"))
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
    return Group(head + marks, listed, _foot(computed_text(answer.computed)))


def builders_view(answer: wire.ListBuildersResponse) -> RenderableType:
    """Builders for people, the purpose first."""
    purpose = Panel(Text(answer.purpose), border_style="yellow", expand=False)
    if answer.withheld_because:
        why = _WITHHELD.get(answer.withheld_because, answer.withheld_because)
        return Group(purpose, Text(why, style="yellow"), _foot(computed_text(answer.computed)))
    right = ("survived", "at least", "open", "reciprocity", "teams", "relationships")
    listed = table("who", *right, "", right=right)
    for builder in answer.builders:
        marks = [name for name in ("unproven", "pleaser") if getattr(builder, name)]
        listed.add_row(
            escape(short(builder.person)),
            f"{builder.survival.numerator} of {builder.survival.denominator}",
            share_text(_optional(builder, "wilson_lower_per_mille")),
            str(builder.open_incidents),
            share_text(_optional(builder, "reciprocity_per_mille")),
            str(builder.teams_reached),
            str(builder.relationships),
            Text(", ".join(marks), style="yellow"),
        )
    if not answer.builders:
        listed.add_row("[dim]nobody has a relationship that counts yet[/]")
    return Group(purpose, listed, _foot(computed_text(answer.computed)))


def parity_view(answer: wire.GetParityResponse) -> RenderableType:
    """Parity for people."""
    counted = Text(
        f"{answer.internal_relationships} relationships of {answer.internal_people} colleagues, "
        f"{answer.external_relationships} with {answer.external_people} outside"
    )
    if answer.withheld_because:
        why = _WITHHELD.get(answer.withheld_because, answer.withheld_because)
        return Group(counted, Text(why, style="yellow"), _foot(computed_text(answer.computed)))
    right = ("colleagues", "customers", "ratio")
    listed = table("", *right, "", right=right)
    for measure in answer.measures:
        name, unit = _PARITY.get(measure.name, (measure.name, ""))
        ratio = _optional(measure, "ratio_per_mille")
        listed.add_row(
            name,
            _amount(_optional(measure, "internal"), unit),
            _amount(_optional(measure, "external"), unit),
            "–" if ratio is None else f"{ratio / 1000:.2f}",
            Text("out of balance", style="red") if measure.flagged else Text("even", style="green"),
        )
    return Group(counted, listed, Text(answer.reading), _foot(computed_text(answer.computed)))


def _amount(value: int | None, unit: str) -> str:
    if value is None:
        return "–"
    if unit == "mp":
        return points(value)
    return f"{value / 1000:.3f}" if unit else str(value)


def _optional(
    message: wire.Holding | wire.Builder | wire.ParityMeasure | relationship.Share, field: str
) -> int | None:
    found: int | None = getattr(message, field) if message.HasField(field) else None  # type: ignore[arg-type]
    return found


def _left_out(people: Iterable[str]) -> Text:
    names = ", ".join(short(person_) for person_ in people)
    return Text(f"nobody described {names}" if names else "", style="yellow")


def _foot(text: str) -> Text:
    return Text(text, style="dim")
