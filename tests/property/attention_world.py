"""A small company over two years: what happens, when it is recorded, and each day's state.

A world is a function of a seed. Things come in bursts with silences between them, some are
recorded late, taken back or corrected, and machines write all the time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from services.projector.domain.attention.day import AttentionDay, attention_day
from services.projector.domain.attention.ration import Answer
from services.projector.domain.attention.surroundings import surroundings_of
from services.projector.domain.calendar import US_PER_DAY
from services.projector.domain.effective import effective
from services.projector.domain.facts import Correction, Fact, Pair, Touchpoint, Void
from services.projector.domain.measures.view import Side, view_of
from services.projector.domain.people.affiliations import Ended, Started, affiliations
from services.projector.domain.people.dates import NotedDate
from services.projector.domain.people.descriptions import Description, descriptions
from services.projector.domain.people.in_effect import Recorded, in_effect
from services.projector.domain.people.learned import LearnedFact
from services.projector.domain.people.signals import Signal
from services.runtime.policy import (
    INCIDENT,
    RECOVERY,
    Attribution,
    Audience,
    Initiative,
    RecoveryStep,
    default_policy,
)
from tests.property.strategies import event_id

POLICY: Final = default_policy()
INTERNAL: Final = ("amy", "ann", "ivy")
PAIRS: Final[tuple[Pair, ...]] = (("amy", "bob"), ("ann", "bob"), ("ann", "eve"), ("amy", "ann"))
ACME: Final = "organizations/acme"
US: Final = "organizations/us"
_KINDS: Final = (
    "call",
    "meeting.in_person",
    "email.one_to_one",
    "social.like",
    "social.comment",
    "proposal",
    "checkin.proactive",
    "thanks.given",
    "promise.made",
    "promise.kept",
    "need.stated",
    "transaction",
    "channel.accepted",
    "ask",
    "handover",
    "promise.broken",
)
_STEPS: Final = tuple(RecoveryStep)
_CHANNELS: Final = ("", "", "email", "phone", "in_person", "linkedin", "x")


@dataclass
class World:
    """Everything ever recorded; the position of an event says which day it was recorded on."""

    days: int
    facts: list[Fact] = field(default_factory=list)
    dates: list[NotedDate] = field(default_factory=list)
    learned: list[LearnedFact] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    started: list[Started] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    described: list[Description] = field(default_factory=list)
    facts_used: dict[str, tuple[str, ...]] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)

    def known(self, on: int) -> int:
        """The last position recorded before a day began."""
        return on * 1000 - 1

    def recorded_on(self, on: int) -> list[Recorded]:
        """What the turn of a day knows that the one before did not."""
        groups: tuple[Iterable[Recorded], ...] = (
            self.facts,
            self.dates,
            self.learned,
            self.signals,
            self.started,
            self.ended,
            self.described,
        )
        return [f for group in groups for f in group if f.position // 1000 == on - 1]

    def state(self, on: int, random: Random | None = None) -> AttentionDay:
        """The state of a day at its first instant; with `random`, of facts in another order."""

        def some_order[T](items: Iterable[T]) -> list[T]:
            ordered = list(items)
            if random is not None:
                random.shuffle(ordered)
            return ordered

        known = self.known(on)
        voids = [fact for fact in self.facts if isinstance(fact, Void)]
        told = descriptions(some_order(in_effect(self.described, voids, known)))
        touchpoints = effective(some_order(self.facts), known).touchpoints
        people = sorted({person for pair in PAIRS for person in pair})
        surroundings = surroundings_of(
            POLICY,
            on,
            at_us=on * US_PER_DAY,
            dates=some_order(in_effect(self.dates, voids, known)),
            facts=some_order(in_effect(self.learned, voids, known)),
            signals=some_order(in_effect(self.signals, voids, known)),
            affiliations=affiliations(
                some_order(self.started), some_order(self.ended), voids, known
            ),
            descriptions=told,
            facts_used=self.facts_used,
        )
        views = [
            view_of(
                [t for t in touchpoints if t.pair == pair],
                POLICY,
                on,
                pair,
                sides={person: told.side([person], on) for person in people},
                tiers={person: d.tier for person in people if (d := told.on(person, on))},
                settling=[t for t in touchpoints if t.fulfils and t.pair != pair],
            )
            for pair in some_order(PAIRS)
        ]
        return attention_day(views, surroundings)


class _Author:
    def __init__(self, seed: int, days: int) -> None:
        self.random = Random(seed)
        self.world = World(days)
        self.touchpoints: list[Touchpoint] = []
        self.recorded = 0

    def position(self, day: int) -> int:
        """Recorded on a day, a few of them much later."""
        self.recorded += 1
        late = self.random.choice((0, 0, 0, 0, 0, 1, 3, 40))
        return (day + late) * 1000 + self.recorded % 1000

    def new_id(self) -> str:
        return event_id(self.random.getrandbits(64))

    def instant(self, day: int) -> int:
        return day * US_PER_DAY + self.random.randrange(24) * (US_PER_DAY // 24)

    def touchpoint(self, day: int, pair: Pair, **fields: object) -> None:
        pick = self.random.choice
        initiator, counterpart = self.random.sample(pair, 2)
        kind = pick(_KINDS)
        earlier: list[Touchpoint] = [t for t in self.touchpoints if t.pair == pair][-8:]
        told: dict[str, object] = {
            "initiator": initiator,
            "counterpart": counterpart,
            "kind": kind,
            "mutual": self.random.random() < 0.3,
            "channel": pick(_CHANNELS),
            "initiative": pick((None, None, None, *Initiative)),
            "audience": pick((None, None, None, None, *Audience)),
            "sentiment": pick((None, None, -1, 1)),
            "due_on": day + self.random.randrange(20) if kind.endswith(("made", "ed")) else None,
            "fulfils": pick(earlier).event_id if earlier and kind.startswith("promise.k") else "",
            "in_reply_to": pick(earlier).event_id if earlier and self.random.random() < 0.3 else "",
        } | fields
        made = Touchpoint(
            event_id=self.new_id(),
            position=self.position(day),
            instant_us=self.instant(day),
            **told,  # type: ignore[arg-type]
        )
        self.touchpoints.append(made)
        self.world.facts.append(made)
        known: list[LearnedFact | NotedDate] = [*self.world.learned, *self.world.dates]
        if known and self.random.random() < 0.2:
            self.world.facts_used[made.event_id] = (pick(known).event_id,)

    def machine(self, day: int, pair: Pair) -> None:
        """A machine writes, alone, and now and then even apologises."""
        incidents = [t for t in self.touchpoints if t.kind == INCIDENT and t.pair == pair]
        if incidents and self.random.random() < 0.2:
            self.recovery(day, self.random.choice(incidents), initiative=Initiative.AUTOMATED)
        else:
            self.touchpoint(day, pair, initiative=Initiative.AUTOMATED, audience=None)

    def recovery(self, day: int, incident: Touchpoint, **fields: object) -> None:
        self.touchpoint(
            max(day, incident.day),
            incident.pair,
            kind=RECOVERY,
            resolves=incident.event_id,
            recovery_step=self.random.choice(_STEPS),
            **({"initiative": None} | fields),
        )

    def trouble(self, day: int, pair: Pair) -> None:
        self.touchpoint(
            day,
            pair,
            kind=INCIDENT,
            severity=self.random.choice((1, 1, 2, 3)),
            attribution=self.random.choice((None, *Attribution)),
            initiative=None,
        )
        incident = self.touchpoints[-1]
        for later in self.random.sample((0, 1, 2, 5, 9, 30), self.random.randrange(4)):
            self.recovery(day + later, incident)

    def second_thought(self, day: int) -> None:
        """Something is taken back, or turns out to have been otherwise."""
        if not self.touchpoints:
            return
        target = self.random.choice(self.touchpoints[-30:])
        if self.random.random() < 0.5:
            self.world.facts.append(
                Void(event_id=self.new_id(), position=self.position(day), target=target.event_id)
            )
            return
        moved = target._replace(instant_us=target.instant_us - 5 * US_PER_DAY, kind="call")
        self.world.facts.append(
            Correction(
                event_id=self.new_id(),
                position=self.position(day),
                replaces=target.event_id,
                replacement=moved,
            )
        )

    def people(self) -> None:
        pick, world, last = self.random.choice, self.world, self.world.days
        for person in sorted({person for pair in PAIRS for person in pair} | {"ivy"}):
            self.describe(person, 0)
        for person, place in (("bob", ACME), ("eve", ACME), ("ann", US), ("amy", US)):
            start = self.fields(0) | {"person": person, "organization": place}
            world.started.append(Started(**start))  # type: ignore[arg-type]
        leaver = self.random.choice(("ann", "amy", "bob"))
        begun = next(start for start in world.started if start.person == leaver)
        end = self.fields(self.random.randrange(last // 2, last)) | {
            "person": leaver,
            "organization": begun.organization,
            "ends": begun.event_id,
        }
        world.ended.append(Ended(**end))  # type: ignore[arg-type]
        for _ in range(max(last // 60, 1)):
            day = self.random.randrange(last)
            base = self.fields(day)
            who = pick(("bob", "eve", "amy"))
            world.dates.append(
                NotedDate(person=who, month=pick((1, 2, 6)), day=pick((1, 28, 29)), **base)  # type: ignore[arg-type]
                if self.random.random() < 0.3
                else NotedDate(person=who, month=7, day=15, **base)  # type: ignore[arg-type]
            )
            base = self.fields(day)
            world.learned.append(
                LearnedFact(person=who, expect_on=pick((None, day + 3, day + 90)), **base)  # type: ignore[arg-type]
            )
            base = self.fields(day)
            world.signals.append(Signal(about=pick((who, ACME)), **base))  # type: ignore[arg-type]

    def describe(self, person: str, day: int) -> None:
        ours = person in INTERNAL
        told = Side.INTERNAL if ours else Side.EXTERNAL
        base = self.fields(day) | {"position": day * 1000}
        self.world.described.append(
            Description(
                party=person,
                side=told,
                team="sales" if person in ("ann", "ivy") else "",
                tier="" if ours else self.random.choice(("inner", "close", "active", "")),
                **base,  # type: ignore[arg-type]
            )
        )

    def fields(self, day: int) -> dict[str, object]:
        return {
            "event_id": self.new_id(),
            "position": self.position(day),
            "instant_us": day * US_PER_DAY,
        }


def world(seed: int, days: int, bursts: int) -> World:
    """A world of so many days with so many bursts of events."""
    author = _Author(seed, days)
    author.people()
    write = (author.touchpoint, author.touchpoint, author.touchpoint, author.trouble)
    for _ in range(bursts):
        day, pair = author.random.randrange(days), author.random.choice(PAIRS)
        for _ in range(author.random.randrange(1, 7)):
            author.random.choice(write)(day + author.random.randrange(12), pair)
        if author.random.random() < 0.3:
            author.touchpoint(day + 14, pair, kind="transaction")
        author.machine(author.random.randrange(days), pair)
        if author.random.random() < 0.25:
            author.second_thought(day + author.random.randrange(30))
    return author.world
