"""Incident unanswered past its SLA: the clock of the incident's channel has run out."""

from collections.abc import Iterator

from services.projector.domain.attention.case import Case, RelationshipRule
from services.projector.domain.attention.items import Item, Reason, Rule
from services.projector.domain.attention.recoveries import steps_of
from services.projector.domain.calendar import US_PER_HOUR
from services.projector.domain.facts import Touchpoint
from services.projector.domain.words import counted
from services.runtime.policy import INCIDENT


def _items(case: Case) -> Iterator[Item]:
    """From the microsecond after the SLA. Between two of ours, for whom it was raised to."""
    policy = case.surroundings.policy
    hours = policy.incident.sla_hours
    for incident in case.view.touchpoints:
        if incident.kind != INCIDENT or INCIDENT not in policy.kinds:
            continue
        sla_hours = hours.get(incident.channel, hours["default"])
        late_us = case.surroundings.at_us - incident.instant_us - sla_hours * US_PER_HOUR
        if late_us <= 0 or steps_of(case, incident, by_people=True):
            continue
        severity = incident.severity or 0
        for person in responsible(case, incident):
            yield case.item(
                Rule.INCIDENT_UNANSWERED,
                person,
                f"an incident of severity {severity} has no answer "
                f"within the {counted(sla_hours, 'hour')} allowed",
                cause=[incident.event_id],
                events=[incident.event_id],
                severity=severity,
                sla_hours=sla_hours,
                late_hours=late_us // US_PER_HOUR,
            )


def responsible(case: Case, incident: Touchpoint) -> tuple[str, ...]:
    """Who of ours has to make an incident good: not who raised it, if both are ours."""
    ours = case.view.internal
    if len(ours) < 2 or incident.mutual:
        return ours
    return (case.view.other(case.view.initiator(incident)),)


def _settled(item: Item, case: Case) -> Reason | None:
    incident = case.view.by_id[item.event_ids[0]]
    return Reason.ANSWERED if steps_of(case, incident, by_people=True) else None


RULE = RelationshipRule(Rule.INCIDENT_UNANSWERED, _items, _settled)
