"""`rapport kinds`: what may be recorded, and what it posts."""

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from rapport.cli.asking import KnownAt, MinPosition, On, as_of_options
from rapport.cli.command import Call, add
from rapport.cli.event_json import enum_words
from rapport.cli.output import coloured, table
from rapport.v1 import capital_service_pb2 as capital

_INITIATIVES = enum_words(capital.Kind.DESCRIPTOR.fields_by_name["default_initiative"].enum_type)


def register(app: typer.Typer) -> None:
    """Adds `kinds`."""
    add(app, "kinds", kinds)


async def kinds(
    call: Call,
    policy: Annotated[str, typer.Option(help="name@version. Absent: the one in force.")] = "",
    on: On = None,
    known_at: KnownAt = None,
    min_position: MinPosition = 0,
) -> None:
    """The kinds of touchpoints of a policy, and what each posts before factors."""
    async with call.client() as client:
        answer = await client.kinds(**as_of_options(on, known_at, policy, min_position))
    document = {"policy": answer.policy, "kinds": [kind_document(kind) for kind in answer.kinds]}
    call.answer(document, lambda: kinds_view(answer))


def kind_document(kind: capital.Kind) -> dict[str, Any]:
    """A kind for programs."""
    return {
        "kind": kind.kind,
        "know_mp": kind.know_mp,
        "care_mp": kind.care_mp,
        "half_life_days": kind.half_life_days,
        "little": kind.little,
        "effort": kind.effort,
        "structural": kind.structural,
        "saturates": kind.saturates,
        "default_initiative": _INITIATIVES.get(kind.default_initiative, ""),
    }


def kinds_view(answer: capital.ListKindsResponse) -> RenderableType:
    """The kinds for people, in points."""
    listed = table("kind", "KNOW", "CARE", "half-life", "", right=("KNOW", "CARE", "half-life"))
    for kind in answer.kinds:
        marks = [name for name in ("little", "effort", "structural") if getattr(kind, name)]
        if kind.saturates:
            marks.append(f"saturates with {kind.saturates}")
        initiative = _INITIATIVES.get(kind.default_initiative, "")
        if initiative not in {"", "PROACTIVE"}:
            marks.append(f"by default {initiative.lower()}")
        listed.add_row(
            kind.kind,
            coloured(kind.know_mp),
            coloured(kind.care_mp),
            f"{kind.half_life_days} d",
            Text(", ".join(marks), style="dim"),
        )
    return Group(listed, Text(answer.policy, style="dim"))
