"""`rapport timeline`: what happened, newest first."""

from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.markup import escape
from rich.text import Text

from rapport.cli.command import Call, add
from rapport.cli.event_json import enum_words
from rapport.cli.event_output import iso, message_document, personal_text
from rapport.cli.output import short, table
from rapport.times import instant
from rapport.v1 import timeline_service_pb2 as wire

_STATES = enum_words(wire.TimelineLine.DESCRIPTOR.fields_by_name["state"].enum_type)


def register(app: typer.Typer) -> None:
    """Adds `timeline`."""
    add(app, "timeline", timeline)


async def timeline(
    call: Call,
    a: Annotated[str, typer.Argument(metavar="A", help="people/x, x, teams/x or organizations/x.")],
    b: Annotated[
        str | None, typer.Argument(metavar="B", help="Only between A and this one.")
    ] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind; repeat it.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="Only this channel; repeat it.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    recorded: Annotated[bool, typer.Option("--recorded", help="By recorded time.")] = False,
    voided: Annotated[bool, typer.Option("--voided", help="Also what was taken back.")] = False,
    fold: Annotated[bool, typer.Option("--fold", help="A group meeting is one line.")] = False,
    min_position: Annotated[int, typer.Option(min=0, help="Wait for this position.")] = 0,
) -> None:
    """The touchpoints of A, or of A and B, newest first."""
    lines: list[wire.TimelineLine] = []
    async with call.client() as client:
        listed = client.timeline(
            a,
            b,
            kinds=kind or (),
            channels=channel or (),
            by_recorded_time=recorded,
            include_voided=voided,
            fold_occasions=fold,
            min_position=min_position,
            page_size=min(limit, 1000),
        )
        async for line in listed:
            lines.append(line)
            if len(lines) == limit:
                break
    call.answer([line_document(line) for line in lines], lambda: timeline_view(lines))


def line_document(line: wire.TimelineLine) -> dict[str, Any]:
    """A line for programs."""
    return {
        **message_document(line),
        "state": _STATES.get(line.state, ""),
        "occurred_at": iso(line.occurred_at),
    }


def timeline_view(lines: list[wire.TimelineLine]) -> RenderableType:
    """Lines for people."""
    if not lines:
        return Text("nothing happened", style="dim")
    listed = table("when", "who", "", "whom", "kind", "channel", "note", "id")
    for line in lines:
        what, state = line.touchpoint, _STATES.get(line.state, "")
        voided = state == "VOIDED"
        listed.add_row(
            instant(line.occurred_at).strftime("%Y-%m-%d %H:%M"),
            escape(short(what.initiator)),
            "↔" if what.mutual else "→",
            escape(short(what.counterpart)),
            escape(what.kind),
            escape(what.channel),
            escape(personal_text(what.note)),
            line.event_id + ("" if state == "EFFECTIVE" else f" ({state.lower()})"),
            style="dim strike" if voided else "",
        )
    return listed
