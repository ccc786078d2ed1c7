"""`rapport portfolio` and `account`: what many relationships are worth together."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.markup import escape
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
from rapport.cli.balance_commands import balances_view, bar
from rapport.cli.command import Call, add
from rapport.cli.config import default_principal
from rapport.cli.event_output import full_document
from rapport.cli.output import coloured, counted, short, table
from rapport.ids import person
from rapport.v1 import portfolio_service_pb2 as wire
from rapport.v1 import relationship_service_pb2 as relationship

EVERYBODY = "all"
Whose = Annotated[
    str,
    typer.Argument(
        metavar="[WHO]", help="people/x, x, teams/x, or all. Absent: who calls.", show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    """Adds `portfolio` and `account`."""
    add(app, "portfolio", portfolio)
    add(app, "account", account)


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
    if answer.HasField("effort"):
        parts.append(effort_view(answer.effort))
    if answer.strongest:
        parts += [Text("strongest", style="bold"), balances_view(list(answer.strongest))]
    if answer.sums.relationships > len(answer.strongest):
        parts += [Text("weakest", style="bold"), balances_view(list(answer.weakest))]
    return Group(*parts, _left_out(answer.without_side), foot(computed_text(answer.computed)))


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
    return Group(*parts, _left_out(answer.without_side), foot(computed_text(answer.computed)))


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
    listed = counted(sums.relationships, "relationship") + (
        f": {', '.join(where)}" if where else ""
    )
    return Group(accounts, Text(listed, style="dim"))


def effort_view(effort: wire.PersonEffort) -> RenderableType:
    """The time somebody gave and received, an occasion once."""
    window = f"minutes in {counted(effort.window_days, 'day')}"
    columns = ("to prepare", "together", "to follow up")
    listed = table(window, *columns, right=columns)
    for name, told in (("given", effort.given), ("received", effort.received)):
        listed.add_row(name, str(told.prep), str(told.live), str(told.follow_up))
    said = f"{effort.with_minutes} of {counted(effort.touchpoints, 'touchpoint')} say minutes"
    return Group(listed, Text(said, style="dim"))


def holdings_view(title: str, held: Sequence[wire.Holding], *, care: bool = False) -> Table:
    """Who holds how much: buffers with their shares, or (`care`) CARE."""
    if care:
        listed = table(title, "CARE", "relationships", right=("CARE", "relationships"))
    else:
        right = ("buffer", "share", "relationships")
        listed = table(title, *right, right=right)
    for holding in held[:10]:
        amount = coloured(holding.care_mp if care else holding.buffer_mp)
        share = [] if care else [share_text(optional(holding, "share_per_mille"))]
        listed.add_row(escape(short(holding.party)), amount, *share, str(holding.relationships))
    if len(held) > 10:
        listed.add_row(f"[dim]and {len(held) - 10} more[/]")
    return listed


def optional(
    message: wire.Holding | wire.Builder | wire.ParityMeasure | relationship.Share, field: str
) -> int | None:
    """An optional number of a message; None where it is absent."""
    found: int | None = getattr(message, field) if message.HasField(field) else None  # type: ignore[arg-type]
    return found


def _left_out(people: Iterable[str]) -> Text:
    names = ", ".join(short(person_) for person_ in people)
    return Text(f"nobody described {names}" if names else "", style="yellow")


def foot(text: str) -> Text:
    """The last line of a page."""
    return Text(text, style="dim")
