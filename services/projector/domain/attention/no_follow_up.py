"""No follow-up after the fix: nobody has asked whether it holds."""

from collections.abc import Iterator

from services.projector.domain.attention.case import Case, RelationshipRule
from services.projector.domain.attention.incident_unanswered import responsible
from services.projector.domain.attention.items import Item, Reason, Rule
from services.projector.domain.attention.recoveries import steps_of
from services.projector.domain.facts import Touchpoint
from services.projector.domain.words import counted
from services.runtime.policy import INCIDENT, RecoveryStep


def _items(case: Case) -> Iterator[Item]:
    """From the policy's days after the first fix. A follow-up before the fix is none of it."""
    policy = case.surroundings.policy
    for incident in case.view.touchpoints:
        if incident.kind != INCIDENT or INCIDENT not in policy.kinds:
            continue
        fixes = steps_of(case, incident, by_people=False, step=RecoveryStep.FIX)
        if not fixes or _followed_up(case, incident, fixes[0]):
            continue
        days = case.on - fixes[0].day
        if days < policy.attention.follow_up_after_fix_days:
            continue
        for person in responsible(case, incident):
            yield case.item(
                Rule.NO_FOLLOW_UP,
                person,
                f"nobody has followed up on the fix of {counted(days, 'day')} ago",
                cause=[incident.event_id],
                events=[incident.event_id, fixes[0].event_id],
                days_since_fix=days,
            )


def _followed_up(case: Case, incident: Touchpoint, fix: Touchpoint) -> bool:
    steps = steps_of(case, incident, by_people=True, step=RecoveryStep.FOLLOW_UP)
    return any(step.instant_us >= fix.instant_us for step in steps)


def _settled(item: Item, case: Case) -> Reason | None:
    incident, fix = (case.view.by_id[event_id] for event_id in item.event_ids)
    return Reason.FOLLOWED_UP if _followed_up(case, incident, fix) else None


RULE = RelationshipRule(Rule.NO_FOLLOW_UP, _items, _settled)
