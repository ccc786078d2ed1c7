"""News of somebody, and whether anybody answered. Source: the domain contract, section 3."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.projector.domain.calendar import day_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """An update of a person or organisation seen somewhere. It weighs nothing."""

    event_id: str
    position: int
    instant_us: int
    about: str
    channel: str = ""

    @property
    def day(self) -> int:
        """The UTC day it was seen."""
        return day_of(self.instant_us)


def unanswered(signals: Iterable[Signal], last_outbound_us: int | None) -> tuple[Signal, ...]:
    """The signals that no contact of ours came after, oldest first by (occurred_at, event_id).

    `last_outbound_us` is the instant of the latest counted contact with whom they are about that
    the person asked gave, None for none. Contact at the very instant came without knowing of it.
    """
    waiting = [s for s in signals if last_outbound_us is None or s.instant_us >= last_outbound_us]
    return tuple(sorted(waiting, key=lambda signal: (signal.instant_us, signal.event_id)))
