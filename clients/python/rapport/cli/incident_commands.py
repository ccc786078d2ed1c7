"""`rapport incidents` and `rapport incident`: what went wrong, and how it was made good."""

from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from rapport.cli.asking import (
    KnownAt,
    Limit,
    MinPosition,
    On,
    Policy,
    as_of_options,
    computed_text,
    day_cell,
    word,
)
from rapport.cli.balance_commands import A, bar, pair_text
from rapport.cli.command import Call, add
from rapport.cli.event_output import full_document, personal_text
from rapport.cli.output import coloured, short, table
from rapport.events.v1 import touchpoint_pb2
from rapport.times import instant
from rapport.v1 import relationship_service_pb2 as wire

_STYLES = {
    wire.SLA_STATE_MISSED: "red",
    wire.SLA_STATE_LATE: "yellow",
    wire.SLA_STATE_MET: "green",
}


def register(app: typer.Typer) -> None:
    """Adds `incidents` and `incident`."""
    add(app, "incidents", incidents)
    add(app, "incident", incident)


async def incidents(
    call: Call,
    a: A,
    b: Annotated[
        str | None, typer.Argument(metavar="B", help="Only between A and this one.")
    ] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only those not fixed yet.")] = False,
    limit: Limit = 20,
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """The incidents of A, or of A and B, newest first."""
    found: list[wire.Incident] = []
    async with call.client() as client:
        listed = client.incidents(
            a,
            b,
            open_only=open_only,
            page_size=min(limit, 1000),
            **as_of_options(on, known_at, policy, min_position),
        )
        async for each in listed:
            found.append(each)
            if len(found) == limit:
                break
    call.answer([full_document(each) for each in found], lambda: incidents_view(found))


async def incident(
    call: Call,
    event_id: Annotated[str, typer.Argument(metavar="EVENT_ID", help="Of the incident.")],
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """One incident, and how the buffer fell and rose again."""
    async with call.client() as client:
        answer = await client.incident(
            event_id, **as_of_options(on, known_at, policy, min_position)
        )
    call.answer(full_document(answer), lambda: incident_view(answer))


def incidents_view(found: list[wire.Incident]) -> RenderableType:
    """Incidents for people."""
    return incidents_table(found) if found else Text("no incidents", style="dim")


def incidents_table(found: list[wire.Incident]) -> Table:
    """A row for each."""
    listed = table("when", "relationship", "severity", "whose", "category", "answer", "steps", "id")
    for each in found:
        listed.add_row(
            instant(each.occurred_at).strftime("%Y-%m-%d %H:%M"),
            pair_text(each.relationship),
            f"{each.severity}" + (" again" if each.repeated else ""),
            word(touchpoint_pb2.Attribution, each.attribution),
            escape(each.category),
            _answer(each),
            _steps(each),
            each.event_id,
        )
    return listed


def incident_view(answer: wire.GetIncidentResponse) -> RenderableType:
    """One incident and its curve for people."""
    found = answer.incident
    head = Text.from_markup(
        f"[bold]{pair_text(found.relationship)}[/]  raised by {escape(short(found.raised_by))}"
        f"  {escape(personal_text(found.note))}"
    )
    widest = max((abs(point.buffer_mp) for point in answer.curve), default=1) or 1
    curve = table("day", "", "buffer", "", right=("buffer",))
    for point in answer.curve:
        curve.add_row(
            day_cell(point.on),
            point.moment.lower().replace("_", " "),
            coloured(point.buffer_mp),
            bar(point.buffer_mp, widest),
        )
    foot = Text(computed_text(answer.computed), style="dim")
    return Group(head, incidents_table([found]), curve, foot)


def _answer(found: wire.Incident) -> Text:
    state = word(wire.SlaState, found.sla)
    if found.sla in (wire.SLA_STATE_WAITING, wire.SLA_STATE_MISSED):
        state += f", due {instant(found.answer_due_at).strftime('%Y-%m-%d %H:%M')}"
    return Text(state, style=_STYLES.get(found.sla, ""))


def _steps(found: wire.Incident) -> Text:
    made = ", ".join(word(touchpoint_pb2.RecoveryStep, step) for step in found.steps)
    return Text(made or "none") + Text("  open" if found.open else "", style="red")
