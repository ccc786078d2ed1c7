"""What the intake of a journal does, and how long it leaves NATS alone."""

from enum import StrEnum
from typing import Final

from services.runtime.clock import Clock

_AGAIN_MAX_S: Final = 60.0


class State(StrEnum):
    """What the intake of a journal does."""

    STARTING = "starting"
    FOLLOWING_NATS = "following-nats"
    FOLLOWING_LEDGER = "following-ledger"
    # The journal was restored to an earlier point: the views are of another history.
    STOPPED_INCARNATION = "stopped-incarnation-changed"
    # Too many events are parked: look at them, and retry them.
    STOPPED_PARKED = "stopped-too-many-parked"

    @property
    def stopped(self) -> bool:
        """Whether it waits for an operator."""
        return self in (State.STOPPED_INCARNATION, State.STOPPED_PARKED)


class Patience:
    """When NATS may be tried again after it failed: later each time, until it held for a while."""

    def __init__(self, clock: Clock, first_s: float) -> None:
        """`first_s` is the first delay; it doubles up to a minute."""
        self._clock, self._first_s = clock, first_s
        self._from_s = clock.monotonic_s()
        self._delay_s = first_s

    @property
    def over(self) -> bool:
        """Whether it may be tried now."""
        return self._clock.monotonic_s() >= self._from_s

    def failed(self) -> None:
        """It failed just now."""
        now_s = self._clock.monotonic_s()
        if now_s - self._from_s > 2 * _AGAIN_MAX_S:
            self._delay_s = self._first_s
        self._from_s = now_s + self._delay_s
        self._delay_s = min(self._delay_s * 2, _AGAIN_MAX_S)
