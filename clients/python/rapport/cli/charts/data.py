"""What the charts show: plain data. Amounts are integer milli-points, days are UTC days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Point:
    """The accounts of a relationship on a day."""

    on: date
    know_mp: int
    care_mp: int
    buffer_mp: int


@dataclass(frozen=True, slots=True)
class Mark:
    """An incident: its day, severity 1 to 4, and whether nobody has fixed it yet."""

    on: date
    severity: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class Survival:
    """Whether an incident of ours would be survived today.

    through: the last day without a gap; None: not even today. beyond: through is the end of the
    look-ahead, not of the survival.
    """

    severity: int
    impact_mp: int
    through: date | None
    beyond: bool


@dataclass(frozen=True, slots=True)
class BalanceChart:
    """A relationship over time. points: by day; those after `today` are the projection.

    touched_on: days with a touchpoint. note: what it was computed with.
    """

    a: str
    b: str
    today: date
    points: tuple[Point, ...]
    incidents: tuple[Mark, ...] = ()
    touched_on: tuple[date, ...] = ()
    survival: Survival | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of a recovery curve. what: `before`, `incident` or the step."""

    on: date
    what: str
    buffer_mp: int


@dataclass(frozen=True, slots=True)
class RecoveryChart:
    """An incident and what was made good. daily: the buffer around it, by day."""

    a: str
    b: str
    today: date
    severity: int
    about: str
    moments: tuple[Moment, ...]
    daily: tuple[tuple[date, int], ...]
    is_open: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A named amount; share of the whole in per mille, None where there is none."""

    name: str
    mp: int
    share_per_mille: int | None = None


@dataclass(frozen=True, slots=True)
class PortfolioChart:
    """Many relationships together.

    quadrants: relationships by `NEITHER`, `KNOW`, `CARE`, `BOTH`. internal, external: buffer held
    by our people and by theirs; at_risk: CARE that leaves with each of our people; strongest,
    weakest: relationships by buffer. All bars: the largest first, of weakest the smallest.
    too_little_evidence: relationships in no quadrant.
    """

    owner: str
    on: date
    know_mp: int
    care_mp: int
    buffer_mp: int
    relationships: int
    quadrants: Mapping[str, int]
    too_little_evidence: int = 0
    internal: tuple[Bar, ...] = ()
    external: tuple[Bar, ...] = ()
    at_risk: tuple[Bar, ...] = ()
    strongest: tuple[Bar, ...] = ()
    weakest: tuple[Bar, ...] = ()
    note: str = ""
