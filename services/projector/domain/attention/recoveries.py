"""What answers an incident: the steps people took themselves."""

from services.projector.domain.attention.case import Case
from services.projector.domain.facts import Touchpoint
from services.runtime.policy import RECOVERY, RecoveryStep


def steps_of(
    case: Case, incident: Touchpoint, *, by_people: bool, step: RecoveryStep | None = None
) -> list[Touchpoint]:
    """The recovery steps of an incident, not before it and of its raw pair, as in rule 6.

    By (occurred_at, event_id), repeated ones too. `by_people` leaves out those that are no counted
    contact: a machine's apology refunds and stops the clock of rule 6, but nobody answered.
    """
    return [
        touch
        for touch in case.view.touchpoints
        if touch.kind == RECOVERY
        and touch.resolves == incident.event_id
        and touch.recovery_step is not None
        and (step is None or touch.recovery_step is step)
        and touch.pair == incident.pair
        and touch.instant_us >= incident.instant_us
        and (not by_people or case.view.is_counted(touch))
    ]
