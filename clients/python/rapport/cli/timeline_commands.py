"""`rapport timeline`: what happened, newest first."""

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.markup import escape
from rich.text import Text

from rapport.cli.asking import KnownAt, MinPosition, On, Policy, as_of_options
from rapport.cli.command import Call, UsageProblem, add
from rapport.cli.event_json import enum_words
from rapport.cli.event_output import full_document, iso, message_document, personal_text
from rapport.cli.output import counted, short, table
from rapport.events.v1 import people_pb2, touchpoint_pb2
from rapport.times import instant
from rapport.v1 import timeline_service_pb2 as wire

_STATES = enum_words(wire.TimelineLine.DESCRIPTOR.fields_by_name["state"].enum_type)


class Mode(StrEnum):
    """Who moved."""

    PROACTIVE = "proactive"
    RESPONSIVE = "responsive"
    REACTIVE = "reactive"
    AUTOMATED = "automated"


class Side(StrEnum):
    """Whose side an initiator is on."""

    INTERNAL = "internal"
    EXTERNAL = "external"


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
    mode: Annotated[list[Mode] | None, typer.Option(help="Only this mode; repeat it.")] = None,
    side: Annotated[Side | None, typer.Option(help="Only what this side initiated.")] = None,
    incident: Annotated[
        str, typer.Option(metavar="EVENT_ID", help="Only this incident and its recovery.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    recorded: Annotated[bool, typer.Option("--recorded", help="By recorded time.")] = False,
    voided: Annotated[bool, typer.Option("--voided", help="Also what was taken back.")] = False,
    fold: Annotated[bool, typer.Option("--fold", help="A group meeting is one line.")] = False,
    months: Annotated[
        int, typer.Option(min=0, max=120, help="Rather so many months in sum, without filters.")
    ] = 0,
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """The touchpoints of A, or of A and B, newest first."""
    asked = as_of_options(on, known_at, policy, min_position)
    if months:
        if kind or channel or mode or side or incident or recorded or voided or fold:
            raise UsageProblem("--months sums up everything in force: leave out the filters")
        async with call.client() as client:
            summed = await client.timeline_months(a, b, months=months, **asked)
        call.answer([full_document(month) for month in summed], lambda: months_view(summed))
        return
    lines: list[wire.TimelineLine] = []
    async with call.client() as client:
        listed = client.timeline(
            a,
            b,
            kinds=kind or (),
            channels=channel or (),
            initiatives=[
                touchpoint_pb2.Initiative.Value(f"INITIATIVE_{each.name}") for each in mode or ()
            ],
            initiator_side=people_pb2.Side.Value(f"SIDE_{side.name if side else 'UNSPECIFIED'}"),
            incident=incident,
            by_recorded_time=recorded,
            include_voided=voided,
            fold_occasions=fold,
            page_size=min(limit, 1000),
            **asked,
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


def months_view(months: list[wire.TimelineMonth]) -> RenderableType:
    """Months for people."""
    if not months:
        return Text("nothing happened", style="dim")
    numbers = ("touchpoints", "days", "incidents", "minutes together")
    listed = table("month", *numbers, "by kind", right=numbers)
    for month in months:
        kinds = sorted(month.by_kind.items(), key=lambda each: (-each[1], each[0]))
        listed.add_row(
            f"{month.month.year:04}-{month.month.month:02}",
            str(month.touchpoints),
            str(month.days),
            str(month.incidents),
            str(month.live_minutes),
            escape(", ".join(f"{kind} {count}" for kind, count in kinds)),
        )
    return listed


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
            _folded(line) + line.event_id + ("" if state == "EFFECTIVE" else f" ({state.lower()})"),
            style="dim strike" if voided else "",
        )
    return listed


def _folded(line: wire.TimelineLine) -> str:
    """How many other relationships of a group meeting the line stands for."""
    others = len(line.folded_relationships)
    return f"+{counted(others, 'other')} of the meeting  " if others else ""
