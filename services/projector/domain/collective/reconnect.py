"""Reconnect: silent relationships that were strong once. Source: the domain contract, section 6."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.projector.domain.collective.peak import peak
from services.projector.domain.facts import Pair
from services.projector.domain.measures.view import RelationshipView
from services.runtime.policy import Policy


@dataclass(frozen=True, slots=True)
class Reconnect:
    """A dormant relationship: its buffer today, its peak (both mp) and when, and the silence.

    `last_day` is the last contact-day; `silent_days` have passed since.
    """

    a: str
    b: str
    buffer_mp: int
    peak_mp: int
    peak_on: int
    last_day: int
    silent_days: int

    @property
    def pair(self) -> Pair:
        """The canonical ids, the smaller first."""
        return self.a, self.b


def is_silent(last_day: int, policy: Policy, on: int) -> bool:
    """Whether the policy's days that end on a day had no contact-day, given the last one.

    What a list can be cut down to before anything is folded.
    """
    return on - last_day >= policy.measures.reconnect.silent_days


def reconnect(view: RelationshipView) -> Reconnect | None:
    """The relationship as one worth waking; None when it is not.

    Silent for the policy's days, and with a peak of at least the policy's mp and of its ratio
    (per mille) of today's buffer; the rounded buffers, those people see, are compared. Without any
    contact there is nothing to wake.
    """
    if not view.contact_days or not is_silent(view.contact_days[-1], view.policy, view.on):
        return None
    rule = view.policy.measures.reconnect
    found = peak(view.touchpoints, view.policy, view.on)
    if found is None or found.buffer_mp < rule.peak_mp:
        return None
    if found.buffer_mp * 1000 < rule.peak_ratio * view.buffer_mp:
        return None
    last_day = view.contact_days[-1]
    return Reconnect(
        a=view.a,
        b=view.b,
        buffer_mp=view.buffer_mp,
        peak_mp=found.buffer_mp,
        peak_on=found.day,
        last_day=last_day,
        silent_days=view.on - last_day,
    )


def reconnects(views: Iterable[RelationshipView]) -> tuple[Reconnect, ...]:
    """Those worth waking, the highest peak first, then by pair."""
    found = {view.pair: worth for view in views if (worth := reconnect(view)) is not None}
    return tuple(sorted(found.values(), key=lambda worth: (-worth.peak_mp, worth.pair)))
