"""Incidents of a relationship: answered in time, made good, and what they did to the buffer.

Source: the domain contract, section 5 (rule 6) and section 6. Service recovery: de Matos et al.
2007; Maxham & Netemeyer 2002.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.projector.domain.calendar import US_PER_DAY, US_PER_HOUR, day_of
from services.projector.domain.course import Course
from services.projector.domain.entries import Entry
from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.view import RelationshipView
from services.projector.domain.rounding import round_half_even
from services.runtime.policy import INCIDENT, RecoveryStep


class IncidentState(StrEnum):
    """How far an incident has come."""

    # No counting step yet.
    OPEN = "OPEN"
    # Some step counts, but it is not fixed.
    ANSWERED = "ANSWERED"
    # A fix counts.
    RESOLVED = "RESOLVED"


class Sla(StrEnum):
    """The answer against the channel's SLA; bounds included, as in rule 6."""

    WITHIN = "WITHIN"
    WITHIN_TWICE = "WITHIN_TWICE"
    LATER = "LATER"
    # Unanswered: the time ends after the day asked, on it (`due_us` says when), or ended before.
    WAITING = "WAITING"
    DUE = "DUE"
    PASSED = "PASSED"


@dataclass(frozen=True, slots=True)
class CountingStep:
    """A recovery step that counts, and what it gave back when it did, in mp."""

    step: RecoveryStep
    touchpoint: Touchpoint
    know_mp: int
    care_mp: int


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The rounded buffer on a day, and the event ids that make it a point of the curve."""

    day: int
    buffer_mp: int
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IncidentMeasure:
    """One incident as of the day.

    `know_mp` and `care_mp` are what it posted (0 under a policy without incidents). `due_us` is
    the instant its SLA ends, `answered_us` that of the earliest counting step. `steps` are those
    that count, by (occurred_at, event_id). The curve has the day before the incident, its day,
    and each counting step's day, each once, ascending, under one policy.
    """

    touchpoint: Touchpoint
    know_mp: int
    care_mp: int
    state: IncidentState
    sla: Sla
    sla_hours: int
    due_us: int
    answered_us: int | None
    steps: tuple[CountingStep, ...]
    curve: tuple[CurvePoint, ...]

    @property
    def event_id(self) -> str:
        """The event id of the incident."""
        return self.touchpoint.event_id

    def step(self, word: RecoveryStep) -> CountingStep | None:
        """The counting step of a sort, if there is one yet."""
        return next((step for step in self.steps if step.step is word), None)


def incidents(view: RelationshipView) -> tuple[IncidentMeasure, ...]:
    """The incidents up to the day, by (occurred_at, event_id).

    Answers are told exactly; what is unanswered by the day only, since balances know days: an SLA
    that ends in the course of the day asked is DUE, whatever the hour of asking.
    """
    found = [touch for touch in view.touchpoints if touch.kind == INCIDENT]
    if not found:
        return ()
    steps: dict[str, list[Entry]] = defaultdict(list)
    for entry in view.entries:
        if entry.refund is not None:
            steps[entry.refund.incident_id].append(entry)
    marks = {touch.event_id: _marks(touch, steps.get(touch.event_id, [])) for touch in found}
    buffers = _buffers(view, {day for mark in marks.values() for day in mark})
    return tuple(
        _measure(view, touch, steps.get(touch.event_id, []), marks[touch.event_id], buffers)
        for touch in found
    )


def repeats(view: RelationshipView, incident: Touchpoint) -> bool:
    """Whether the raw pair had another incident of its category within the policy's window before.

    Unset and empty are one category (rule 6).
    """
    first_us = incident.instant_us - view.policy.incident.repeat.window_days * US_PER_DAY
    return any(
        touch.kind == INCIDENT
        and (touch.pair, touch.category) == (incident.pair, incident.category)
        and first_us <= touch.instant_us < incident.instant_us
        for touch in view.touchpoints
    )


type _Marks = dict[int, tuple[str, ...]]


def _marks(incident: Touchpoint, steps: Sequence[Entry]) -> _Marks:
    """The days of the curve, ascending, each with the events that put it there."""
    marks: _Marks = {incident.day - 1: (), incident.day: (incident.event_id,)}
    for entry in steps:
        day = entry.effective_from
        marks[day] = (*marks.get(day, ()), entry.event_id)
    return marks


def _buffers(view: RelationshipView, days: set[int]) -> dict[int, int]:
    """The rounded buffer on each day: one course for all incidents."""
    course = Course(view.touchpoints, view.policy)
    return {day: round_half_even(course.balance(day).buffer(view.policy)) for day in sorted(days)}


def _measure(
    view: RelationshipView,
    touch: Touchpoint,
    steps: Sequence[Entry],
    marks: _Marks,
    buffers: Mapping[int, int],
) -> IncidentMeasure:
    entry = view.entry_of.get(touch.event_id)
    hours_by_channel = view.policy.incident.sla_hours
    sla_hours = hours_by_channel.get(touch.channel, hours_by_channel["default"])
    answered_us = steps[0].touchpoint.instant_us if steps else None
    counting = tuple(
        CountingStep(word, step.touchpoint, step.know_mp, step.care_mp)
        for step in steps
        if (word := step.touchpoint.recovery_step) is not None
    )
    state = IncidentState.ANSWERED if counting else IncidentState.OPEN
    if any(step.step is RecoveryStep.FIX for step in counting):
        state = IncidentState.RESOLVED
    return IncidentMeasure(
        touchpoint=touch,
        know_mp=0 if entry is None else entry.know_mp,
        care_mp=0 if entry is None else entry.care_mp,
        state=state,
        sla=_sla(touch.instant_us, sla_hours * US_PER_HOUR, answered_us, view.on),
        sla_hours=sla_hours,
        due_us=touch.instant_us + sla_hours * US_PER_HOUR,
        answered_us=answered_us,
        steps=counting,
        curve=tuple(CurvePoint(day, buffers[day], events) for day, events in marks.items()),
    )


def _sla(instant_us: int, sla_us: int, answered_us: int | None, on: int) -> Sla:
    if answered_us is not None:
        elapsed_us = answered_us - instant_us
        if elapsed_us <= sla_us:
            return Sla.WITHIN
        return Sla.WITHIN_TWICE if elapsed_us <= 2 * sla_us else Sla.LATER
    due_day = day_of(instant_us + sla_us)
    if due_day > on:
        return Sla.WAITING
    return Sla.DUE if due_day == on else Sla.PASSED
