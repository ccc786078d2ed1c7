"""Velocity: where the buffer comes from and where it goes. Source: the domain contract, 6."""

from dataclasses import dataclass

from services.projector.domain.measures.view import RelationshipView
from services.projector.domain.rounding import round_half_even


@dataclass(frozen=True, slots=True)
class Velocity:
    """The buffer `days` ago, today, and in `days` without further contact, in mp, each rounded.

    One policy for all three days. The changes are the differences of these rounded figures, so
    that they add up for who sees them side by side.
    """

    days: int
    before_mp: int
    buffer_mp: int
    ahead_mp: int

    @property
    def gained_mp(self) -> int:
        """Bf(t) - Bf(t - days)."""
        return self.buffer_mp - self.before_mp

    @property
    def projected_mp(self) -> int:
        """Bf(t + days) - Bf(t) without contact: what standing still does."""
        return self.ahead_mp - self.buffer_mp


def velocity(view: RelationshipView) -> Velocity:
    """How the buffer has moved and will move by itself."""
    days = view.policy.measures.velocity_days
    return Velocity(
        days=days,
        before_mp=round_half_even(view.buffer_on(view.on - days)),
        buffer_mp=view.buffer_mp,
        ahead_mp=round_half_even(view.buffer_on(view.on + days)),
    )


def lost_by_waiting_mp(view: RelationshipView, days: int) -> int:
    """Bf(t) - Bf(t + days) in mp: what no contact costs; below 0 where old wounds heal faster."""
    return view.buffer_mp - round_half_even(view.buffer_on(view.on + days))
