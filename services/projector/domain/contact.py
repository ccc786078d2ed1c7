"""Contact: which touchpoints count as being in touch. Source: the domain contract, section 2."""

from collections.abc import Iterable

from services.projector.domain.facts import Touchpoint
from services.runtime.policy import Audience, Initiative, Policy


def mode_of(touchpoint: Touchpoint, policy: Policy) -> Initiative:
    """Its initiative: as told, else the kind's default, else PROACTIVE."""
    if touchpoint.initiative is not None:
        return touchpoint.initiative
    kind = policy.kinds.get(touchpoint.kind)
    return Initiative.PROACTIVE if kind is None else kind.initiative


def is_counted_contact(touchpoint: Touchpoint, policy: Policy) -> bool:
    """Whether an effective touchpoint is contact: neither AUTOMATED nor to MANY nor structural."""
    if touchpoint.audience == Audience.MANY:
        return False
    kind = policy.kinds.get(touchpoint.kind)
    if kind is not None and kind.structural:
        return False
    return mode_of(touchpoint, policy) != Initiative.AUTOMATED


def contact_days(
    touchpoints: Iterable[Touchpoint], policy: Policy, on: int | None = None
) -> tuple[int, ...]:
    """The days up to `on` with at least one counted contact, ascending.

    For a canonical relationship give the touchpoints of all its raw pairs.
    """
    days = {touch.day for touch in touchpoints if is_counted_contact(touch, policy)}
    return tuple(sorted(day for day in days if on is None or day <= on))
