"""The golden vectors: events in the JSON form of `rapport append`, and what must come of them.

Files in vectors/ hold the facts; each case is a tenant of its own. Events are in order of arrival
and an expectation holds when the first `asked_after` of them are known (all, where it says
nothing), those counted that a ledger refuses.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from services.projector.domain.facts import Correction, Fact, Touchpoint, Void
from services.runtime.clock import instant_from_iso
from services.runtime.policy import Attribution, Audience, Initiative, RecoveryStep

FOLDER: Final = Path(__file__).with_name("vectors")
NAMES: Final = ("story", "random-60", "random-400", "corners")

type Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """Events of one tenant in order of arrival, and what is expected of them."""

    name: str
    why: str
    events: Sequence[Event]
    expected: Sequence[Mapping[str, Any]]

    def facts(self, asked_after: int | None = None) -> list[Fact]:
        """The first `asked_after` events as domain facts; positions count from 1."""
        return [fact_of(event, n) for n, event in enumerate(self.events[:asked_after], start=1)]


@cache
def document(name: str) -> Mapping[str, Any]:
    """A vector file as it is."""
    content: Mapping[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return content


def cases() -> Iterator[Case]:
    """Every case of every file."""
    for name in NAMES:
        content = document(name)
        for case in content.get("cases", [{"name": name, "why": content["note"], **content}]):
            yield Case(case["name"], case["why"], case["events"], case["expected"])


def expectations() -> Iterator[tuple[str, Case, Mapping[str, Any]]]:
    """Every expectation as (id, case, expectation)."""
    for case in cases():
        for number, expected in enumerate(case.expected):
            yield f"{case.name}-{number}-{expected['on']}", case, expected


def relationship_of(name: str) -> tuple[str, str]:
    """The two person ids of `relationships/{a}~{b}`."""
    a, _, b = name.removeprefix("relationships/").partition("~")
    return a, b


def fact_of(event: Event, position: int) -> Fact:
    """An event in its JSON form as a domain fact."""
    match event["type"]:
        case "Touchpoint":
            return touchpoint_of(event, event["event_id"], position)
        case "Corrected":
            inner = event["touchpoint"]
            return Correction(
                event_id=event["event_id"],
                position=position,
                replaces=event["replaces"],
                replacement=touchpoint_of(inner, event["event_id"], position),
                keeps_instant="occurred_at" not in inner,
            )
        case "Voided":
            return Void(event_id=event["event_id"], position=position, target=event["target"])
        case other:
            raise ValueError(f"no such event type in the vectors: {other}")


def touchpoint_of(event: Event, event_id: str, position: int) -> Touchpoint:
    """The touchpoint fields of an event; whatever is absent is unset."""
    minutes = event.get("minutes", {})
    return Touchpoint(
        event_id=event_id,
        position=position,
        instant_us=instant_from_iso(event["occurred_at"]) if "occurred_at" in event else 0,
        initiator=event["initiator"].removeprefix("people/"),
        counterpart=event["counterpart"].removeprefix("people/"),
        kind=event["kind"],
        mutual=event.get("mutual", False),
        channel=event.get("channel", ""),
        initiative=_word(Initiative, event.get("initiative")),
        audience=_word(Audience, event.get("audience")),
        prep_minutes=minutes.get("prep"),
        live_minutes=minutes.get("live"),
        follow_up_minutes=minutes.get("follow_up"),
        depth=event.get("depth"),
        sentiment=event.get("sentiment"),
        severity=event.get("severity"),
        attribution=_word(Attribution, event.get("attribution")),
        category=event.get("category", ""),
        resolves=event.get("resolves", ""),
        recovery_step=_word(RecoveryStep, event.get("recovery_step")),
    )


def _word[W: (Initiative, Audience, Attribution, RecoveryStep)](
    words: type[W], text: str | None
) -> W | None:
    return None if text is None else words(text)
