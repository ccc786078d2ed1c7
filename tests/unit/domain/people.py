"""Touchpoints between Ann and Bob, written down shortly."""

from typing import Any
from uuid import UUID

from services.projector.domain.facts import Touchpoint
from services.runtime.clock import instant_from_iso


def uuid(number: int) -> str:
    return str(UUID(int=number))


def touch(number: int, kind: str, at: str, **fields: Any) -> Touchpoint:
    """Ann to Bob, unless said otherwise; `at` like 2026-05-01T08:00:00, in UTC."""
    people = {"initiator": "ann", "counterpart": "bob"} | fields
    return Touchpoint(
        event_id=uuid(number),
        position=number,
        kind=kind,
        instant_us=instant_from_iso(f"{at}Z"),
        **people,
    )
