"""The facts that balances are computed from, as the journal has them.

Ids of events are canonical lower-case UUID text, so comparing text is comparing bytes. Person ids
are opaque here. `None` and the empty text mean unset. Source: the domain contract, section 3.
"""

from dataclasses import dataclass
from typing import NamedTuple

from services.projector.domain.calendar import day_of
from services.runtime.policy import Attribution, Audience, Initiative, RecoveryStep

type Pair = tuple[str, str]


def pair_of(a: str, b: str) -> Pair:
    """The two ids of a relationship, the smaller first."""
    return (a, b) if a < b else (b, a)


class Touchpoint(NamedTuple):
    """An interaction. What a correction put in place keeps the original's `event_id`.

    A tuple because millions are made: a frozen dataclass of 26 fields takes five times as long.

    `instant_us` is its occurred_at in microseconds since 2000-01-01T00:00:00Z, `position` that of
    the original event, `corrected_by` the event id of the correction in force, if any, `due_on` a
    day. A range or a required field is the ledger's business: an unknown value weighs as unset.
    """

    event_id: str
    instant_us: int
    initiator: str
    counterpart: str
    kind: str
    position: int = 0
    mutual: bool = False
    channel: str = ""
    initiative: Initiative | None = None
    audience: Audience | None = None
    prep_minutes: int | None = None
    live_minutes: int | None = None
    follow_up_minutes: int | None = None
    depth: int | None = None
    sentiment: int | None = None
    severity: int | None = None
    attribution: Attribution | None = None
    category: str = ""
    resolves: str = ""
    recovery_step: RecoveryStep | None = None
    in_reply_to: str = ""
    due_on: int | None = None
    fulfils: str = ""
    occasion_id: str = ""
    facts_used: tuple[str, ...] = ()
    corrected_by: str = ""

    @property
    def day(self) -> int:
        """The UTC day it happened on."""
        return day_of(self.instant_us)

    @property
    def pair(self) -> Pair:
        """Its relationship, the smaller id first."""
        return pair_of(self.initiator, self.counterpart)

    @property
    def order(self) -> tuple[int, str]:
        """Where it stands among others: by (occurred_at, event_id)."""
        return self.instant_us, self.event_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A whole new touchpoint in place of the original named by `replaces`.

    `replacement.event_id` is of no account. Without an occurred_at of its own (`keeps_instant`)
    it takes the original's, whatever `replacement.instant_us` says.
    """

    event_id: str
    position: int
    replaces: str
    replacement: Touchpoint
    keeps_instant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Void:
    """An event taken back."""

    event_id: str
    position: int
    target: str


type Fact = Touchpoint | Correction | Void
