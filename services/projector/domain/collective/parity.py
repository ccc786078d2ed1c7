"""Parity: whether colleagues are looked after as customers are. Source: the contract, section 6.

You cannot love customers from an organisation that its own people hate.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from services.projector.domain.collective.builders import Withheld
from services.projector.domain.collective.median import median
from services.projector.domain.facts import Pair
from services.projector.domain.measures.obligations import State, obligations
from services.projector.domain.measures.view import RelationshipView
from services.projector.domain.rounding import round_half_even
from services.runtime.policy import INCIDENT, Policy

READING: Final = (
    "Correlation, not cause: both sides were measured over the same days, and nothing here says "
    "that one follows from the other."
)


@dataclass(frozen=True, slots=True)
class ParityPart:
    """One relationship, of two colleagues (`internal`) or of one of ours with an external person.

    `minutes` and `incidents` are those of the window (the policy's of proactivity), `open_needs`
    those of the day. `people` are its two if internal, else the external one: who makes the group.
    """

    pair: Pair
    internal: bool
    people: tuple[str, ...]
    buffer_mp: int
    minutes: int
    incidents: int
    open_needs: int


@dataclass(frozen=True, slots=True)
class ParityMeasure:
    """One measure on both sides, exactly; None of no relationships.

    `flagged` outside the policy's band, bounds included in it.
    """

    name: str
    internal: Fraction | None
    external: Fraction | None
    ratio_per_mille: int | None
    flagged: bool

    @property
    def internal_rounded(self) -> int | None:
        """Between colleagues, rounded once."""
        return None if self.internal is None else round_half_even(self.internal)

    @property
    def external_rounded(self) -> int | None:
        """With external people, rounded once."""
        return None if self.external is None else round_half_even(self.external)


@dataclass(frozen=True, slots=True)
class Parity:
    """The comparison; no measures when withheld."""

    measures: tuple[ParityMeasure, ...]
    internal_relationships: int
    external_relationships: int
    internal_people: int
    external_people: int
    withheld: Withheld | None
    reading: str = READING


def parity_part(view: RelationshipView) -> ParityPart | None:
    """What one relationship adds; None where it is neither internal nor external.

    A relationship of two external people, or with somebody nobody described, is on neither side.
    """
    internal = len(view.internal) == 2
    if not internal and (len(view.internal), len(view.external)) != (1, 1):
        return None
    window = view.window(view.policy.measures.proactivity_window_days)
    open_needs = sum(
        need.is_need and need.state in (State.OPEN, State.OVERDUE) for need in obligations(view)
    )
    minutes: dict[str, tuple[int, int, int]] = {}
    for touch in window:
        # A meeting written down by both is one meeting: its largest minutes of each sort.
        what = touch.occasion_id or touch.event_id
        prep, live, follow_up = minutes.get(what, (0, 0, 0))
        minutes[what] = (
            max(prep, touch.prep_minutes or 0),
            max(live, touch.live_minutes or 0),
            max(follow_up, touch.follow_up_minutes or 0),
        )
    return ParityPart(
        pair=view.pair,
        internal=internal,
        people=view.pair if internal else view.external,
        buffer_mp=view.buffer_mp,
        minutes=sum(map(sum, minutes.values())),
        incidents=sum(touch.kind == INCIDENT for touch in window),
        open_needs=open_needs,
    )


def parity(parts: Iterable[ParityPart], policy: Policy) -> Parity:
    """Internal against external, each relationship once, withheld when either group is small."""
    by_pair = {part.pair: part for part in parts}
    internal = [part for part in by_pair.values() if part.internal]
    external = [part for part in by_pair.values() if not part.internal]
    internal_people, external_people = _people(internal), _people(external)
    too_small = min(internal_people, external_people) < policy.measures.parity.min_group
    return Parity(
        measures=() if too_small else _measures(internal, external, policy),
        internal_relationships=len(internal),
        external_relationships=len(external),
        internal_people=internal_people,
        external_people=external_people,
        withheld=Withheld.GROUP_TOO_SMALL if too_small else None,
    )


def _people(parts: list[ParityPart]) -> int:
    return len({person for part in parts for person in part.people})


def _measures(
    internal: list[ParityPart], external: list[ParityPart], policy: Policy
) -> tuple[ParityMeasure, ...]:
    sides = (internal, external)
    values = {
        "median_buffer_mp": [median(part.buffer_mp for part in side) for side in sides],
        "minutes_per_relationship": [_per(side, [p.minutes for p in side], 1) for side in sides],
        "incidents_per_mille": [_per(side, [p.incidents for p in side], 1000) for side in sides],
        "open_needs_per_mille": [_per(side, [p.open_needs for p in side], 1000) for side in sides],
    }
    return tuple(compared(name, ours, theirs, policy) for name, (ours, theirs) in values.items())


def _per(side: list[ParityPart], counts: list[int], times: int) -> Fraction | None:
    return Fraction(sum(counts) * times, len(side)) if side else None


def compared(
    name: str, internal: Fraction | None, external: Fraction | None, policy: Policy
) -> ParityMeasure:
    """A measure, its ratio (internal over external) and whether that is outside the band.

    A ratio takes two figures that are not below 0 and an external one above 0. Without a ratio a
    measure is flagged when one side is below, at or above 0 and the other is not: no band holds
    that. The rounded ratio, the one people see, is held against the band.
    """
    if internal is None or external is None:
        return ParityMeasure(name, internal, external, None, False)
    if internal < 0 or external <= 0:
        return ParityMeasure(name, internal, external, None, _sign(internal) != _sign(external))
    ratio = round_half_even(internal / external * 1000)
    low, high = policy.measures.parity.band
    return ParityMeasure(name, internal, external, ratio, not low <= ratio <= high)


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)
