"""`rapport relationship` and `rapport compare`: how a relationship stands, and what changed."""

from typing import Annotated

import typer
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
    day_option,
    share_text,
    word,
)
from rapport.cli.balance_commands import A, B, balance_view, pair_text
from rapport.cli.command import Call, add
from rapport.cli.event_output import full_document, personal_text
from rapport.cli.output import coloured, counted, points, short, table
from rapport.times import instant
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import relationship_service_pb2 as wire

_SAID = {
    wire.SAID_NOTHING: "nothing to measure yet",
    wire.SAID_TOO_LITTLE_EVIDENCE: "too little evidence",
    wire.SAID_NO_SIDE: "nobody said whose side they are on",
}


def register(app: typer.Typer) -> None:
    """Adds `relationship` and `compare`."""
    add(app, "relationship", relationship)
    add(app, "compare", compare)


async def relationship(
    call: Call,
    a: A,
    b: B,
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """Every measure of the relationship of A and B, each with what it rests on."""
    async with call.client() as client:
        answer = await client.relationship(
            a, b, **as_of_options(on, known_at, policy, min_position)
        )
    call.answer(
        full_document(answer), lambda: relationship_view(answer.relationship, answer.computed)
    )


async def compare(
    call: Call,
    a: A,
    b: B,
    first: Annotated[str, typer.Argument(metavar="DAY", help="The earlier day: 2026-01-31.")],
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """What changed between A and B from DAY to today (or --on), line by line."""
    async with call.client() as client:
        answer = await client.compare(
            a, b, day_option("DAY", first), **as_of_options(on, known_at, policy, min_position)
        )
    call.answer(full_document(answer), lambda: comparison_view(answer))


def relationship_view(found: wire.Relationship, computed: capital.Computed) -> RenderableType:
    """All measures for people."""
    parts: list[RenderableType] = [balance_view(found.balance, computed), measures_table(found)]
    if found.open_obligations:
        parts.append(obligations_table(found))
    return Group(*parts)


def measures_table(found: wire.Relationship) -> Table:
    """Every measure with its figure and what it rests on."""
    rows = table("measure", "", "rests on", right=("",))
    for name, figure, ground in (*_standing(found), *_doing(found), *_trusting(found)):
        rows.add_row(name, figure, Text(ground, style="dim"))
    return rows


def obligations_table(found: wire.Relationship) -> Table:
    """Promises and needs still open."""
    listed = table("open", "owed by", "since", "due", "what", "id")
    for each in found.open_obligations:
        listed.add_row(
            each.kind.partition(".")[0],
            escape(", ".join(short(person) for person in each.owed_by)),
            instant(each.occurred_at).strftime("%Y-%m-%d"),
            Text(day_cell(each.due_on), style="red" if each.state == "overdue" else ""),
            escape(personal_text(each.note)),
            each.event_id,
        )
    return listed


def comparison_view(answer: wire.CompareBalancesResponse) -> RenderableType:
    """A comparison for people: what is new, what was re-weighted, what only faded."""
    numbers = ("KNOW", "CARE")
    lines = table("when", "kind", "why", *numbers, "id", right=numbers)
    for line in answer.lines:
        lines.add_row(
            instant(line.occurred_at).strftime("%Y-%m-%d"),
            escape(line.kind),
            word(wire.ChangeGroup, line.group),
            coloured(line.know_mp),
            coloured(line.care_mp),
            line.event_id,
        )
    know = sum(line.know_mp for line in answer.lines)
    care = sum(line.care_mp for line in answer.lines)
    lines.add_section()
    lines.add_row("", "[bold]difference[/]", "", points(know), points(care), "", style="bold")
    first, second = answer.first, answer.second
    both = table("", *numbers, "buffer", "contact-days", right=(*numbers, "buffer", "contact-days"))
    for each in (first, second):
        both.add_row(
            day_cell(each.on),
            coloured(each.know_mp),
            coloured(each.care_mp),
            coloured(each.buffer_mp),
            str(each.contact_days),
        )
    head = Text.from_markup(f"[bold]{pair_text(second.relationship)}[/]")
    return Group(head, both, lines, Text(computed_text(answer.computed), style="dim"))


type _Row = tuple[str, str | Text, str]


def _standing(found: wire.Relationship) -> list[_Row]:
    stage = word(wire.Stage, found.stage)
    evidence = found.evidence
    quadrant = word(wire.Quadrant, found.quadrant) if found.quadrant else "–"
    survives = f"severity {found.survives_severity}" if found.survives_severity else "no incident"
    share = found.care_share
    overdue = found.rhythm.overdue
    colour = {wire.OVERDUE_AMBER: "yellow", wire.OVERDUE_RED: "red"}.get(overdue, "green")
    median = found.rhythm.median_gap_half_days / 2
    pace = (
        f"usually every {median:g} {'day' if median == 1 else 'days'}"
        if median
        else "no rhythm yet"
    )
    silent = "no contact yet"
    if found.rhythm.HasField("silent_days"):
        silent = f"{counted(found.rhythm.silent_days, 'day')} silent"
    return [
        ("stage", stage, _next_stage(found)),
        ("evidence", counted(evidence.contact_days, "contact-day"), _missing_sides(found)),
        ("survives today", survives, "an incident of ours"),
        ("care share", share_text(_optional(share)), _said(share.said, _of(share))),
        ("quadrant", quadrant, "know-only" if found.know_only else ""),
        (
            "rhythm",
            Text(word(wire.Overdue, overdue).replace("none", "in time"), style=colour),
            f"{silent}, {pace}" + (f", tier {found.rhythm.tier}" if found.rhythm.tier else ""),
        ),
        (
            "velocity",
            coloured(found.velocity.past_mp),
            f"{points(found.velocity.ahead_mp)} in the next "
            f"{counted(found.velocity.window_days, 'day')} without contact",
        ),
    ]


def _doing(found: wire.Relationship) -> list[_Row]:
    mode, given, little = found.proactivity, found.reciprocity, found.little_things
    proactive = mode.proactive_per_mille if mode.HasField("proactive_per_mille") else None
    mutual = given.per_mille if given.HasField("per_mille") else None
    days = (
        f"{mode.proactive_days} proactive, {mode.responsive_days} responsive, "
        f"{mode.reactive_days} reactive days"
    )
    a, b = found.balance.relationship.removeprefix("relationships/").split("~")
    minutes = [
        f"{name} {effort.prep}+{effort.live}+{effort.follow_up} min"
        for name, effort in ((a, found.effort_by_a), (b, found.effort_by_b))
    ]
    rung = found.rung
    top = f"{rung.rung} {rung.channel}" if rung.HasField("rung") else "–"
    used = f"last used {day_cell(rung.last_used_on)}" + (", stale" if rung.stale else "")
    up = f"; try {rung.next_channel}" if rung.next_channel else ""
    return [
        ("proactive", share_text(proactive), _said(mode.said, days)),
        (
            "reciprocity",
            share_text(mutual),
            _said(
                given.said,
                f"{a} gave {points(given.given_by_a_mp)}, {b} {points(given.given_by_b_mp)}",
            ),
        ),
        ("effort", "", f"{', '.join(minutes)} in {counted(found.effort_window_days, 'day')}"),
        ("little things", f"{little.numerator} of {little.denominator}", "weeks with one"),
        ("rung", top, (used if rung.HasField("rung") else "no channel open") + up),
    ]


def _trusting(found: wire.Relationship) -> list[_Row]:
    rows: list[_Row] = []
    for bar in found.trust:
        value: str | Text = "–"
        if bar.name == "reliability" and not any(bar.counts.values()):
            rows.append(("trust: reliability", value, "no promises yet"))
            continue
        if bar.HasField("value"):
            whole = bar.name == "credibility"
            value = coloured(bar.value) if whole else share_text(bar.value)
        counts = ", ".join(
            f"{name.removesuffix('_mp').replace('_', ' ')} "
            + (points(count) if name.endswith("_mp") else str(count))
            for name, count in sorted(bar.counts.items())
        )
        rows.append((f"trust: {bar.name.replace('_', ' ')}", value, counts))
    return rows


def _next_stage(found: wire.Relationship) -> str:
    if not found.HasField("next_stage"):
        return ""
    missing = found.next_stage
    parts = [
        counted(missing.contact_days, "contact-day") if missing.contact_days else "",
        counted(missing.over_days, "day") if missing.over_days else "",
        f"depth {missing.depth}" if missing.depth else "",
        f"{points(missing.buffer_mp)} of buffer" if missing.buffer_mp else "",
    ]
    what = ", ".join(part for part in parts if part)
    return f"{word(wire.Stage, missing.stage)} takes {what} more"


def _missing_sides(found: wire.Relationship) -> str:
    people = ", ".join(short(person) for person in found.evidence.without_side)
    little = "too little to tell shares" if found.evidence.too_little else ""
    unknown = f"nobody described {people}" if people else ""
    return "; ".join(part for part in (little, unknown) if part)


def _said(said: "wire.Said.ValueType", otherwise: str) -> str:
    return _SAID.get(said, otherwise)


def _of(share: wire.Share) -> str:
    return f"{points(share.numerator)} of {points(share.denominator)}"


def _optional(share: wire.Share) -> int | None:
    return share.per_mille if share.HasField("per_mille") else None
