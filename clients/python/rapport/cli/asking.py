"""What the commands that ask about relationships share: their options, and words for figures."""

from datetime import date
from typing import Annotated, Any

import typer

from rapport.cli.balance_commands import (
    KnownAt,
    MinPosition,
    On,
    Policy,
    day_of_option,
    known_at_of_option,
)
from rapport.cli.command import UsageProblem
from rapport.cli.event_json import enum_words
from rapport.events.v1 import common_pb2
from rapport.relationship_calls import AsOfOptions
from rapport.times import day_of
from rapport.v1 import capital_service_pb2 as capital

Limit = Annotated[int, typer.Option(min=1, help="At most so many.")]
Severity = Annotated[int, typer.Option(min=1, max=4, help="Of the incident, 1 to 4.")]

__all__ = [
    "KnownAt",
    "Limit",
    "MinPosition",
    "On",
    "Policy",
    "Severity",
    "as_of_options",
    "computed_text",
    "day_cell",
    "day_option",
    "share_text",
    "word",
]


def as_of_options(
    on: str | None, known_at: str | None, policy: str, min_position: int
) -> AsOfOptions:
    """The options of a question as the client takes them."""
    return AsOfOptions(
        on=day_of_option(on),
        known_at=known_at_of_option(known_at),
        policy=policy,
        min_position=min_position,
    )


def day_option(name: str, text: str) -> date:
    """The day of another option or argument."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageProblem(f"{name} takes a day like 2026-01-31") from None


def word(enum: Any, value: int) -> str:
    """A value of an enum of the contract for people: `amber` of OVERDUE_AMBER."""
    return enum_words(enum.DESCRIPTOR).get(value, "unknown").lower().replace("_", " ")


def share_text(per_mille: int | None) -> str:
    """Per mille as per cent; a dash where there is no figure."""
    return "–" if per_mille is None else f"{per_mille / 10:.1f} %"


def day_cell(day: common_pb2.Date) -> str:
    """A day, or a dash."""
    found = day_of(day)
    return "–" if found is None else found.isoformat()


def computed_text(computed: capital.Computed) -> str:
    """What an answer was computed with."""
    return f"{computed.policy}, journal {computed.journal} up to position {computed.position}"
