"""Rule 6: what making an incident good gives back. Source: the domain contract, section 5."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from services.projector.domain.calendar import US_PER_DAY, US_PER_HOUR
from services.projector.domain.facts import Pair, Touchpoint
from services.projector.domain.rounding import divide_half_even
from services.projector.domain.saturation import Member
from services.projector.domain.weights import PER_MILLE
from services.runtime.policy import Policy, RecoveryStep

_REFUND_SCALE: Final = PER_MILLE**3


@dataclass(frozen=True, slots=True)
class Refund:
    """What a step posts and why: the incident's posted mp and three factors, per mille.

    It decays with the incident, so it keeps that one's day and half-life.
    """

    incident_id: str
    incident_day: int
    half_life_days: int
    incident_know_mp: int
    incident_care_mp: int
    share: int
    timeliness: int
    repeat: int
    know_mp: int
    care_mp: int


def refunds(
    incidents: Mapping[str, Member], steps: Iterable[Touchpoint], policy: Policy
) -> list[tuple[Touchpoint, Refund]]:
    """The steps that count, each with its refund, by (occurred_at, event_id) within an incident.

    `incidents` are the effective ones by event id, with their weights; `steps` the effective
    recovery touchpoints, in any order. A step whose incident is not among them, is of another
    relationship or later than the step, or that names no step the policy knows, posts nothing
    and stops no clock. Among the rest, each step counts once per incident: its earliest.
    """
    counting: dict[str, dict[RecoveryStep, Touchpoint]] = defaultdict(dict)
    for step in sorted(steps, key=lambda touchpoint: touchpoint.order):
        member = incidents.get(step.resolves)
        if member is None or step.recovery_step is None:
            continue
        incident = member[0]
        if incident.pair == step.pair and incident.instant_us <= step.instant_us:
            counting[incident.event_id].setdefault(step.recovery_step, step)
    if not counting:
        return []
    instants = _instants_by_category(incidents)
    posted = []
    for incident_id, by_step in counting.items():
        incident, weight = incidents[incident_id]
        first_us = min(step.instant_us for step in by_step.values())
        timeliness = _timeliness(incident, first_us, policy)
        repeat = _repeat(incident, instants[incident.pair, incident.category], policy)
        for word, step in by_step.items():
            share = policy.incident.recovery[word]
            factor = share * timeliness * repeat
            refund = Refund(
                incident_id=incident_id,
                incident_day=incident.day,
                half_life_days=weight.half_life_days,
                incident_know_mp=weight.know_mp,
                incident_care_mp=weight.care_mp,
                share=share,
                timeliness=timeliness,
                repeat=repeat,
                know_mp=divide_half_even(abs(weight.know_mp) * factor, _REFUND_SCALE),
                care_mp=divide_half_even(abs(weight.care_mp) * factor, _REFUND_SCALE),
            )
            posted.append((step, refund))
    return posted


def _instants_by_category(incidents: Mapping[str, Member]) -> dict[tuple[Pair, str], list[int]]:
    instants: dict[tuple[Pair, str], list[int]] = defaultdict(list)
    for incident, _ in incidents.values():
        instants[incident.pair, incident.category].append(incident.instant_us)
    for category in instants.values():
        category.sort()
    return instants


def _timeliness(incident: Touchpoint, first_step_us: int, policy: Policy) -> int:
    hours = policy.incident.sla_hours
    sla_us = hours.get(incident.channel, hours["default"]) * US_PER_HOUR
    elapsed_us = first_step_us - incident.instant_us
    within, within_twice, later = policy.incident.timeliness
    if elapsed_us <= sla_us:
        return within
    return within_twice if elapsed_us <= 2 * sla_us else later


def _repeat(incident: Touchpoint, instants_us: list[int], policy: Policy) -> int:
    """Less when another incident of the category happened before, within the window."""
    window_us = policy.incident.repeat.window_days * US_PER_DAY
    before = bisect_left(instants_us, incident.instant_us)
    if before and instants_us[before - 1] >= incident.instant_us - window_us:
        return policy.incident.repeat.refund
    return PER_MILLE
