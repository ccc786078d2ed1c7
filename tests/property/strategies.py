"""Facts of a few people, close enough in time and kind to get in each other's way.

A history is a function of a seed and a length, its shorter ones being its beginnings: thousands
are made in a second, and a failing one still shrinks to few facts.
"""

from dataclasses import replace
from random import Random
from typing import Final
from uuid import UUID

from hypothesis import strategies as st

from services.projector.domain.facts import Correction, Fact, Touchpoint, Void
from services.runtime.clock import US_PER_DAY
from services.runtime.policy import (
    INCIDENT,
    RECOVERY,
    Attribution,
    Audience,
    Initiative,
    RecoveryStep,
)

PAIRS: Final = (("a", "b"), ("a", "c"), ("b", "c"))
# Around 2000, so that days are negative too.
DAYS: Final = st.integers(-60, 140)
SEEDS: Final = st.integers(0, 2**32 - 1)
_KINDS: Final = (
    "social.like",
    "social.comment",
    "social.share",
    "call",
    "meeting.in_person",
    "email.bulk",
    "promise.broken",
    "ask",
    "unheard.of",
    INCIDENT,
)
_DIGITAL: Final = _KINDS[:3]
_HOUR_US: Final = US_PER_DAY // 24
# Around the bounds of the SLAs (1, 3, 6, 24 hours), of twice the SLAs and of the 90 days.
_ELAPSED_US: Final = tuple(hours * _HOUR_US for hours in (-1, 0, 1, 2, 3, 6, 7, 24, 48, 49, 600))
_APART_US: Final = tuple(day * US_PER_DAY for day in (0, 1, 30, 90, 91))


def event_id(number: int) -> str:
    """An event id of a number."""
    return str(UUID(int=number))


class _Author:
    """Writes one history."""

    def __init__(self, seed: int, pairs: tuple[tuple[str, str], ...]) -> None:
        self.random = Random(seed)
        self.pairs = pairs
        self.touchpoints: list[Touchpoint] = []
        self.ids: list[str] = []

    def new_id(self) -> str:
        self.ids.append(event_id(self.random.getrandbits(64)))
        return self.ids[-1]

    def touchpoint(self, kind: str, instant_us: int, pair: tuple[str, str]) -> Touchpoint:
        pick = self.random.choice
        initiator, counterpart = self.random.sample(pair, 2)
        incident = kind == INCIDENT
        made = Touchpoint(
            event_id=self.new_id(),
            instant_us=instant_us,
            initiator=initiator,
            counterpart=counterpart,
            kind=kind,
            mutual=pick((True, False)),
            channel=pick(("", "x", "facebook", "email", "phone")),
            initiative=pick((None, None, *Initiative)),
            audience=pick((None, None, None, *Audience)),
            prep_minutes=pick((None, None, 0, 7, 500)),
            live_minutes=pick((None, 3, 15, 37, 90, 999)),
            sentiment=pick((None, -2, -1, 0, 1, 2)),
            severity=pick((1, 2, 3, 4)) if incident else None,
            attribution=pick((None, *Attribution)) if incident else None,
            category=pick(("", "late")) if incident else "",
        )
        self.touchpoints.append(made)
        return made

    def any_touchpoint(self) -> Touchpoint:
        """Anything, at any time, in a busy week, or at the instant of another."""
        instants_us = [
            self.random.randrange(-40 * 24, 120 * 24) * _HOUR_US,
            self.random.randrange(2 * 24, 9 * 24) * _HOUR_US,
        ]
        if self.touchpoints:
            other = self.random.choice(self.touchpoints)
            instants_us.append(other.instant_us)
            if other.kind == INCIDENT and self.random.random() < 0.5:
                apart_us = self.random.choice(_APART_US) + self.random.choice((0, 0, 1))
                return self.touchpoint(INCIDENT, other.instant_us + apart_us, other.pair)
        kind = self.random.choice(_KINDS)
        return self.touchpoint(
            kind, self.random.choice(instants_us), self.random.choice(self.pairs)
        )

    def digital(self) -> Touchpoint:
        """One more little thing in the busy week."""
        hour = self.random.randrange(2 * 24, 9 * 24)
        made = self.touchpoint(
            self.random.choice(_DIGITAL), hour * _HOUR_US, self.random.choice(self.pairs)
        )
        self.touchpoints[-1] = made._replace(initiator=made.pair[0], counterpart=made.pair[1])
        return self.touchpoints[-1]

    def recovery(self) -> Touchpoint:
        """A step for an incident, now and then for something else or in another relationship."""
        incidents = [t for t in self.touchpoints if t.kind == INCIDENT]
        if not incidents:
            return self.touchpoint(INCIDENT, 0, self.random.choice(self.pairs))
        incident = self.random.choice(incidents)
        wrong = self.random.random() < 0.1
        elapsed_us = self.random.choice(_ELAPSED_US) + self.random.choice((0, 0, 1))
        pair = self.random.choice(self.pairs) if wrong else incident.pair
        made = self.touchpoint(RECOVERY, incident.instant_us + elapsed_us, pair)
        self.touchpoints[-1] = made._replace(
            resolves=self.random.choice(self.ids) if wrong else incident.event_id,
            recovery_step=self.random.choice([*RecoveryStep]),
        )
        return self.touchpoints[-1]

    def correction(self) -> Fact:
        """Of something recorded already, rarely with other people or of a wrong target."""
        if not self.touchpoints:
            return self.any_touchpoint()
        original = self.random.choice(self.touchpoints)
        kind = self.random.choice((original.kind, *_KINDS))
        pair = original.pair if self.random.random() < 0.9 else self.random.choice(self.pairs)
        apart_us = self.random.choice((0, 0, 1, US_PER_DAY, -7 * US_PER_DAY))
        made = self.touchpoint(kind, original.instant_us + apart_us, pair)
        self.touchpoints.pop()
        target = original.event_id
        return Correction(
            event_id=made.event_id,
            position=0,
            replaces=self.random.choice(self.ids) if self.random.random() < 0.1 else target,
            replacement=made,
            keeps_instant=self.random.random() < 0.3,
        )

    def void(self) -> Fact:
        """Of anything: touchpoints, corrections, voids, or something nobody knows."""
        target = self.random.choice([*self.ids, event_id(7)])
        return Void(event_id=self.new_id(), position=0, target=target)


def history(seed: int, count: int) -> list[Fact]:
    """`count` facts about three people, recorded in an order of their own."""
    author = _Author(seed, PAIRS)
    write = (author.any_touchpoint, author.digital, author.recovery)
    weighted = (*write, *write, *write, author.correction, author.correction, author.void)
    facts: list[Fact] = [author.random.choice(weighted)() for _ in range(count)]
    author.random.shuffle(facts)
    return [recorded_at(fact, position) for position, fact in enumerate(facts, start=1)]


def recorded_at(fact: Fact, position: int) -> Fact:
    """The same fact at a position."""
    if isinstance(fact, Touchpoint):
        return fact._replace(position=position)
    return replace(fact, position=position)


def touchpoints(seed: int, count: int) -> list[Touchpoint]:
    """`count` effective touchpoints of the relationship a~b."""
    author = _Author(seed, PAIRS[:1])
    write = (author.any_touchpoint, author.digital, author.recovery)
    return [author.random.choice(write)() for _ in range(count)]


def histories(count_max: int = 30) -> st.SearchStrategy[list[Fact]]:
    """Facts in order of their positions: touchpoints, corrections and voids of any target."""
    return st.builds(history, SEEDS, st.integers(0, count_max))


def one_pair(count_max: int = 24) -> st.SearchStrategy[list[Touchpoint]]:
    """Effective touchpoints of the relationship a~b."""
    return st.builds(touchpoints, SEEDS, st.integers(0, count_max))
