"""Months: what a timeline adds up to, one calendar month (UTC) at a time."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.projector.domain.calendar import first_day_of_month
from services.runtime.policy import INCIDENT


@dataclass(frozen=True, slots=True)
class Done:
    """A touchpoint in force: day since 2000-01-01, kind, live minutes, occasion (empty: none)."""

    day: int
    kind: str
    live_minutes: int
    occasion: str


@dataclass(frozen=True, slots=True)
class Month:
    """What was done in a month: `first_day` is its first, `by_kind` counts touchpoints.

    `live_minutes`: an occasion counts once, with the largest minutes of its touchpoints.
    """

    first_day: int
    touchpoints: int
    days: int
    by_kind: dict[str, int]
    incidents: int
    live_minutes: int


@dataclass(slots=True)
class _Tally:
    touchpoints: int = 0
    days: set[int] = field(default_factory=set)
    by_kind: dict[str, int] = field(default_factory=dict)
    single_minutes: int = 0
    occasions: dict[str, int] = field(default_factory=dict)


class Months:
    """Counts touchpoints by month; the order they come in does not matter."""

    def __init__(self) -> None:
        self._tallies: dict[int, _Tally] = {}

    def __len__(self) -> int:
        return len(self._tallies)

    def add(self, lines: Iterable[Done]) -> None:
        """Count some touchpoints, each given once."""
        for line in lines:
            tally = self._tallies.setdefault(first_day_of_month(line.day), _Tally())
            tally.touchpoints += 1
            tally.days.add(line.day)
            tally.by_kind[line.kind] = tally.by_kind.get(line.kind, 0) + 1
            if line.occasion:
                most = max(tally.occasions.get(line.occasion, 0), line.live_minutes)
                tally.occasions[line.occasion] = most
            else:
                tally.single_minutes += line.live_minutes

    def newest(self, limit: int) -> list[Month]:
        """The newest months with a touchpoint, at most `limit`, newest first."""
        return [
            Month(
                first_day=first_day,
                touchpoints=tally.touchpoints,
                days=len(tally.days),
                by_kind=dict(sorted(tally.by_kind.items())),
                incidents=tally.by_kind.get(INCIDENT, 0),
                live_minutes=tally.single_minutes + sum(tally.occasions.values()),
            )
            for first_day, tally in sorted(self._tallies.items(), reverse=True)[:limit]
        ]
