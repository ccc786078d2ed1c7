"""Reading what a forecast is asked about: an incident, and what might be done before it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from rapport.events.v1 import touchpoint_pb2
from rapport.v1 import relationship_service_pb2 as wire

from services.projector.api.fields import Fields
from services.projector.domain.facts import Pair, Touchpoint
from services.projector.domain.identity import Identities
from services.projector.facts import attribution_of, touchpoint_of
from services.runtime.clock import US_PER_DAY, day_from_date
from services.runtime.errors import Reason, Violation, invalid
from services.runtime.limits import FORECAST_DAYS_MAX, PLAN_TOUCHPOINTS_MAX
from services.runtime.payloads.checking import check_payload
from services.runtime.payloads.rules import between
from services.runtime.policy import Attribution

SEVERITY_MIN: Final = 1
SEVERITY_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Planned:
    """A planned touchpoint and where it stands in the request."""

    path: str
    touchpoint: Touchpoint


def severity(fields: Fields, number: int, *, default: int | None = None) -> int:
    """The severity of an incident, 1 to 4; required unless there is a default."""
    if number == 0 and default is not None:
        return default
    if number == 0:
        fields.wrong("severity", "is required", Reason.FIELD_REQUIRED)
    elif (fault := between(SEVERITY_MIN, SEVERITY_MAX)(number)) is not None:
        fields.wrong("severity", fault.description, fault.reason)
    return number


def attribution(fields: Fields, number: int) -> Attribution:
    """Whose doing the incident is; ours unless told."""
    fields.known_enum("attribution", touchpoint_pb2.Attribution, number)
    return attribution_of(number) or Attribution.OURS


def look_ahead(fields: Fields, on: int) -> None:
    """The day asked must leave room in the calendar for the whole look-ahead."""
    if on > _LAST_DAY - FORECAST_DAYS_MAX:
        fields.wrong(
            "as_of.on", "leaves no room to look ahead before year 10000", Reason.OUT_OF_RANGE
        )


def day_ahead(fields: Fields, field: str, day: int, on: int) -> None:
    """A day that a forecast asked for `on` may speak about."""
    if not on <= day <= on + FORECAST_DAYS_MAX:
        fields.wrong(
            field,
            f"is not before the day asked and at most {FORECAST_DAYS_MAX} days after it",
            Reason.OUT_OF_RANGE,
            {"days": str(day - on), "limit": str(FORECAST_DAYS_MAX)},
        )


def read_plan(fields: Fields, plan: Iterable[wire.PlannedTouchpoint], on: int) -> list[Planned]:
    """The planned touchpoints, each held to the rules of an append, at the end of its day."""
    asked = list(plan)
    fields.at_most("plan", asked, PLAN_TOUCHPOINTS_MAX)
    found = []
    for index, item in enumerate(asked[:PLAN_TOUCHPOINTS_MAX]):
        path = f"plan[{index}]"
        day = fields.day(f"{path}.on", item, "on")
        if not item.HasField("on"):
            fields.wrong(f"{path}.on", "is required", Reason.FIELD_REQUIRED)
        elif day is not None:
            day_ahead(fields, f"{path}.on", day, on)
        touchpoint = _touchpoint(fields, f"{path}.touchpoint", item, on if day is None else day)
        if touchpoint is not None:
            found.append(Planned(path, touchpoint))
    return found


def check_plan(
    plan: Sequence[Planned], pair: Pair, people: Identities, kinds: Collection[str]
) -> list[Touchpoint]:
    """The touchpoints of a plan that is about the relationship and names kinds that the tenant has.

    Raises KIND_UNKNOWN for another kind, FIELD_NOT_ALLOWED for other people.
    """
    violations = []
    canonical = people.canonical_pair(pair)
    for item in plan:
        touch = item.touchpoint
        if touch.kind not in kinds:
            description = "is neither in the default policy nor in one the tenant adopted"
            violations.append(
                Violation(
                    f"{item.path}.touchpoint.kind",
                    description,
                    Reason.KIND_UNKNOWN,
                    {"kind": touch.kind},
                )
            )
        if canonical is None or people.canonical_pair(touch.pair) != canonical:
            violations.append(
                Violation(
                    f"{item.path}.touchpoint",
                    "must be between the two people of the relationship",
                    Reason.FIELD_NOT_ALLOWED,
                )
            )
    if violations:
        raise invalid(violations)
    return [item.touchpoint for item in plan]


def _touchpoint(
    fields: Fields, path: str, item: wire.PlannedTouchpoint, day: int
) -> Touchpoint | None:
    if not item.HasField("touchpoint"):
        fields.wrong(path, "is required", Reason.FIELD_REQUIRED)
        return None
    message = item.touchpoint
    found: list[Violation] = []
    check_payload(message, path, 0, found)
    for name in ("note", "attributes"):
        given = message.HasField("note") if name == "note" else bool(message.attributes)
        if given:
            description = "is no part of a plan, which is never stored"
            found.append(Violation(f"{path}.{name}", description, Reason.FIELD_NOT_ALLOWED))
    for violation in found:
        fields.wrong(violation.field, violation.description, violation.reason, violation.metadata)
    if found:
        return None
    last_us = (day + 1) * US_PER_DAY - 1
    return touchpoint_of(message, event_id="", position=0, occurred_at_us=last_us)


_LAST_DAY: Final = day_from_date(date.max)
