"""Views of Ann, who is ours, and Bob, who is not, unless said otherwise."""

from collections.abc import Iterable
from typing import Any

from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.view import RelationshipView, Side, view_of
from services.runtime.clock import day_of, instant_from_iso
from services.runtime.policy import default_policy
from tests.unit.domain.people import touch

POLICY = default_policy()
SIDES = {"ann": Side.INTERNAL, "bob": Side.EXTERNAL}
OURS = {"ann": Side.INTERNAL, "bob": Side.INTERNAL}
BOBS: dict[str, Any] = {"initiator": "bob", "counterpart": "ann"}


def day(text: str) -> int:
    """A day like 2026-05-01."""
    return day_of(instant_from_iso(f"{text}T00:00:00Z"))


def ann_and_bob(touchpoints: Iterable[Touchpoint], on: str, **fields: Any) -> RelationshipView:
    told: dict[str, Any] = {"sides": SIDES} | fields
    return view_of(touchpoints, POLICY, day(on), ("ann", "bob"), **told)


def contact_without_weight(month: str, days: int = 5) -> list[Touchpoint]:
    """Needs Bob states on the first days of a month: contact-days, and nothing posted."""
    return [
        touch(900 + n, "need.stated", f"{month}-{n:02}T06:00:00", **BOBS)
        for n in range(1, days + 1)
    ]
