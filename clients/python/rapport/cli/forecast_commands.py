"""`rapport forecast`: would it survive bad news, until when, and what would help."""

from datetime import date
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.markup import escape
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
    day_option,
)
from rapport.cli.balance_commands import A, pair_text
from rapport.cli.command import Call, UsageProblem, add
from rapport.cli.event_output import full_document
from rapport.cli.output import coloured, points, table
from rapport.events.v1 import touchpoint_pb2
from rapport.ids import person
from rapport.relationship_calls import planned
from rapport.v1 import relationship_service_pb2 as wire


class Whose(StrEnum):
    """Whose doing an incident is."""

    OURS = "ours"
    SHARED = "shared"
    EXTERNAL = "external"
    UNKNOWN = "unknown"


def register(app: typer.Typer) -> None:
    """Adds `forecast`."""
    add(app, "forecast", forecast)


async def forecast(
    call: Call,
    a: A,
    b: Annotated[
        str | None, typer.Argument(metavar="B", help="Absent: all relationships of A.")
    ] = None,
    severity: Severity = 2,
    attribution: Annotated[Whose, typer.Option(help="Whose doing.")] = Whose.OURS,
    plan: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND@DAY", help="What A might do for B; repeat it."),
    ] = None,
    day: Annotated[
        str | None, typer.Option(help="Of a list: the incident's day. Absent: today.")
    ] = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="Of a list: also those that survive.")
    ] = False,
    limit: Limit = 20,
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """Would A and B survive an incident, until when; or who of A's would not, on a day."""
    asked = as_of_options(on, known_at, policy, min_position)
    whose = touchpoint_pb2.Attribution.Value(f"ATTRIBUTION_{attribution.name}")
    if b is not None:
        steps = [_step(text, a, b) for text in plan or ()]
        async with call.client() as client:
            answer = await client.forecast(a, b, severity, attribution=whose, plan=steps, **asked)
        call.answer(full_document(answer), lambda: forecast_view(answer, severity))
        return
    if plan:
        raise UsageProblem("--plan is for a relationship: forecast A B --plan KIND@DAY")
    found: list[wire.Forecast] = []
    incident_on = day_option("--day", day) if day else None
    async with call.client() as client:
        listed = client.forecasts(
            a,
            severity,
            attribution=whose,
            incident_on=incident_on,
            include_surviving=everybody,
            **asked,
        )
        async for each in listed:
            found.append(each)
            if len(found) == limit:
                break
    call.answer([full_document(each) for each in found], lambda: forecasts_view(found))


def forecast_view(answer: wire.ForecastRelationshipResponse, severity: int) -> RenderableType:
    """A forecast for people; with a plan, both beside each other."""
    told = answer.forecast
    head = Text.from_markup(
        f"[bold]{pair_text(told.relationship)}[/]  severity {severity} takes "
        f"{points(told.impact_mp)} of {points(told.buffer_mp)}"
    )
    rows = table("", "survives", "")
    notes: list[str] = []
    if answer.HasField("without_plan"):
        rows.add_row("as it is", *_verdict(answer.without_plan))
        rows.add_row("with the plan", *_verdict(told))
        if _verdict(told) == _verdict(answer.without_plan):
            notes.append(_why_the_same(told))
    else:
        rows.add_row("", *_verdict(told))
    return Group(head, rows, *map(Text, notes), Text(computed_text(answer.computed), style="dim"))


def forecasts_view(found: list[wire.Forecast]) -> RenderableType:
    """A list of forecasts for people."""
    if not found:
        return Text("every relationship would survive", style="green")
    numbers = ("buffer", "impact", "short by")
    listed = table("relationship", *numbers, right=numbers)
    for each in found:
        listed.add_row(
            pair_text(each.relationship),
            coloured(each.buffer_mp),
            points(each.impact_mp),
            Text(points(each.short_by_mp), style="red") if each.short_by_mp else Text("–"),
        )
    return listed


def _verdict(told: wire.Forecast) -> tuple[Text, str]:
    if told.short_by_mp:
        return Text("no", style="bold red"), f"short by {points(told.short_by_mp)}"
    through = f"through {day_cell(told.survives_through)}"
    return Text("yes", style="bold green"), through + (" and beyond" if told.beyond_horizon else "")


def _why_the_same(told: wire.Forecast) -> str:
    """Why a plan makes no difference, which two equal lines do not say."""
    if told.short_by_mp:
        return "The plan counts from its own days on, and today is short already."
    if told.beyond_horizon:
        return "It survives as far as one looks, with the plan or without."
    return (
        f"The plan comes after {day_cell(told.survives_through)}, when it is too late, "
        "or adds too little to carry it a day further."
    )


def _step(text: str, a: str, b: str) -> wire.PlannedTouchpoint:
    kind, at, day = text.rpartition("@")
    try:
        when = date.fromisoformat(day)
    except ValueError:
        when = None
    if not at or not kind or when is None:
        raise UsageProblem(f"--plan takes KIND@DAY like call@2026-01-31, not {escape(text)}")
    return planned(
        when,
        touchpoint_pb2.Touchpoint(initiator=person(a), counterpart=person(b), kind=kind),
    )
