"""How far a build is: told at most twice a second, and at the end of every phase."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from services.runtime.clock import Clock

_TELL_EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Progress:
    """One phase of one journal: `done` of `total` events, pairs or indexes, at which rate.

    `eta_s`: seconds that are left at that rate; None while nothing was measured.
    """

    phase: str
    journal: str
    done: int
    total: int
    per_second: float
    eta_s: float | None

    @property
    def percent(self) -> float:
        """Of the phase."""
        return 100.0 if self.total == 0 else 100.0 * self.done / self.total


type Tell = Callable[[Progress], None]


@dataclass(slots=True)
class Meter:
    """Counts one phase. What was done before a kill counts as done, not as fast."""

    clock: Clock
    tell: Tell
    phase: str
    journal: str
    total: int
    done: int = 0
    _began_s: float = field(init=False)
    _began_at: int = field(init=False)
    _told_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._began_s, self._began_at = self.clock.monotonic_s(), self.done

    def reached(self, done: int, *, total: int | None = None, last: bool = False) -> None:
        """So much is done now."""
        self.done = done
        self.total = max(self.total if total is None else total, done)
        now_s = self.clock.monotonic_s()
        if not last and now_s - self._told_s < _TELL_EVERY_S:
            return
        self._told_s = now_s
        elapsed_s = now_s - self._began_s
        per_second = (done - self._began_at) / elapsed_s if elapsed_s > 0 else 0.0
        eta_s = (self.total - done) / per_second if per_second else None
        self.tell(Progress(self.phase, self.journal, done, self.total, per_second, eta_s))
