"""`rapport brief`, `rapport reconnect` and `rapport who-knows`: before a contact."""

from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.text import Text

from rapport.cli.asking import (
    KnownAt,
    Limit,
    MinPosition,
    On,
    Policy,
    Severity,
    as_of_options,
    computed_text,
    day_cell,
    word,
)
from rapport.cli.balance_commands import A, B, pair_text
from rapport.cli.command import Call, add
from rapport.cli.event_output import full_document, personal_text
from rapport.cli.forecast_commands import forecasts_view
from rapport.cli.incident_commands import incidents_table
from rapport.cli.output import coloured, counted, points, short, table
from rapport.cli.relationship_commands import measures_table, obligations_table
from rapport.cli.timeline_commands import timeline_view
from rapport.events.v1 import people_pb2
from rapport.ids import person as person_name
from rapport.v1 import relationship_service_pb2 as wire


def register(app: typer.Typer) -> None:
    """Adds `brief`, `reconnect` and `who-knows`."""
    add(app, "brief", brief)
    add(app, "reconnect", reconnect)
    add(app, "who-knows", who_knows)


async def brief(
    call: Call,
    a: A,
    b: B,
    about: Annotated[
        str, typer.Option(help="Who is to be met. Absent: the external one of the two.")
    ] = "",
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """One page to read before A and B are in touch."""
    async with call.client() as client:
        page = await client.brief(
            a, b, about=about, **as_of_options(on, known_at, policy, min_position)
        )
    call.answer(full_document(page), lambda: brief_view(page))


async def reconnect(
    call: Call,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="people/x or x.")],
    limit: Limit = 20,
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """Dormant relationships of PERSON that were strong once, and what to say."""
    found: list[wire.Reconnect] = []
    async with call.client() as client:
        listed = client.reconnects(
            person,
            page_size=min(limit, 1000),
            **as_of_options(on, known_at, policy, min_position),
        )
        async for each in listed:
            found.append(each)
            if len(found) == limit:
                break
    call.answer([full_document(each) for each in found], lambda: reconnects_view(found))


async def who_knows(
    call: Call,
    party: Annotated[str, typer.Argument(metavar="PARTY", help="x, people/x, organizations/x.")],
    severity: Severity = 2,
    limit: Limit = 20,
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """Who of ours knows PARTY best and could bring bad news."""
    name = party if "/" in party else person_name(party)
    found: list[wire.Acquaintance] = []
    async with call.client() as client:
        listed = client.who_knows(
            name, severity=severity, **as_of_options(on, known_at, policy, min_position)
        )
        async for each in listed:
            found.append(each)
            if len(found) == limit:
                break
    call.answer([full_document(each) for each in found], lambda: acquaintances_view(found))


def brief_view(page: wire.GetBriefResponse) -> RenderableType:
    """A brief for people: who, how it stands, what to do first."""
    parts: list[RenderableType] = [_who(page)]
    if page.suggestions:
        todo = table("do", "because")
        for suggestion in page.suggestions:
            todo.add_row(
                Text(suggestion.rule.replace("_", " "), style="bold"), escape(suggestion.why)
            )
        parts.append(_titled("what to do", todo))
    parts.append(_titled("how it stands", measures_table(page.relationship)))
    if page.forecast.short_by_mp:
        parts.append(_titled("would not survive a severity 2", forecasts_view([page.forecast])))
    if page.relationship.open_obligations:
        parts.append(_titled("promises and needs", obligations_table(page.relationship)))
    if page.open_incidents:
        parts.append(_titled("open incidents", incidents_table(list(page.open_incidents))))
    if page.facts:
        facts = table("fact", "category", "used")
        for fact in page.facts:
            facts.add_row(escape(personal_text(fact.text)), escape(fact.category), _used(fact))
        parts.append(_titled("facts to use", facts))
    if page.dates:
        dates = table("day", "in", "what", right=("in",))
        for date in page.dates:
            days = counted(date.days_until, "day") if date.days_until >= 0 else "overdue"
            dates.add_row(day_cell(date.next_on), days, escape(personal_text(date.text)))
        parts.append(_titled("dates near", dates))
    if page.common_ground:
        parts.append(_titled("common ground", timeline_view(list(page.common_ground))))
    parts.append(_titled("last touches", timeline_view(list(page.last_touches))))
    return Group(*parts, Text(computed_text(page.computed), style="dim"))


def reconnects_view(found: list[wire.Reconnect]) -> RenderableType:
    """Dormant relationships for people."""
    if not found:
        return Text("nothing dormant that was strong once", style="dim")
    numbers = ("peak", "buffer now", "days silent")
    listed = table("relationship", *numbers, "peak on", "what to say", right=numbers)
    for each in found:
        listed.add_row(
            pair_text(each.balance.relationship),
            points(each.peak_mp),
            coloured(each.balance.buffer_mp),
            str(each.silent_days),
            day_cell(each.peak_on),
            escape("; ".join(personal_text(fact.text) or fact.category for fact in each.facts)),
        )
    return listed


def acquaintances_view(found: list[wire.Acquaintance]) -> RenderableType:
    """Who knows them, for people."""
    if not found:
        return Text("nobody who would survive the news", style="dim")
    listed = table("who", "with", "buffer", "stage", "side", right=("buffer",))
    for each in found:
        listed.add_row(
            escape(short(each.person)),
            pair_text(each.balance.relationship),
            coloured(each.balance.buffer_mp),
            word(wire.Stage, each.stage),
            word(people_pb2.Side, each.side) if each.side else "nobody said",
        )
    return listed


def _who(page: wire.GetBriefResponse) -> RenderableType:
    party, balance = page.party, page.relationship.balance
    name = personal_text(party.display_name) or short(party.party)
    where = ", ".join(
        f"{each.role} at {each.organization}" if each.role else each.organization
        for each in page.affiliations
    )
    known = [part for part in (where, party.team, party.tier and f"tier {party.tier}") if part]
    lines = Text.from_markup(f"[bold]{escape(name)}[/]  [dim]{escape(party.party)}[/]")
    if known:
        lines.append("\n" + "; ".join(known))
    lines.append(f"\nKNOW {points(balance.know_mp)}   CARE {points(balance.care_mp)}   ")
    lines.append(f"buffer {points(balance.buffer_mp)}", style="bold")
    lines.append(f"   last contact {day_cell(balance.last_contact_on)}")
    return Panel(lines, title=pair_text(balance.relationship), expand=False)


def _titled(title: str, what: RenderableType) -> RenderableType:
    return Group(Text(f"\n{title}", style="bold underline"), what)


def _used(fact: wire.KnownFact) -> str:
    reason = ", a reason for the relationship" if fact.reason_for_relationship else ""
    return (f"{fact.times_used}×" if fact.times_used else "never") + reason
