"""A made tenant: the events of N relationships, the same for the same seed, streamed.

First everybody is described (two sides, teams, tiers, organisations), then they are in touch, in
the order of time: meetings, mails, group occasions, incidents made good, promises kept or broken,
a few notes, facts, dates, signals, corrections, voids and links. Memory does not grow with the
number of events.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from rapport.events.v1 import people_pb2 as people
from rapport.events.v1 import touchpoint_pb2 as touch
from rapport.v1.ledger_service_pb2 import NewEvent

from bench.made_kinds import OCCASION, STEPS, Weighted, templates

# Relationships of each internal person: a person costs the same in a small and in a large tenant.
RELATIONSHIPS_PER_PERSON: Final = 50
PEOPLE_PER_TEAM: Final = 10
PEOPLE_PER_ORGANIZATION: Final = 10
BATCH_EVENTS: Final = 500
UNTIL: Final = datetime(2026, 1, 1, tzinfo=UTC)
SPAN: Final = timedelta(days=730)

_TIERS: Final = ("key", "regular", "occasional", "")
_HOUR_US: Final = 3_600_000_000
_DAY_US: Final = 24 * _HOUR_US
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Ids are made for 20 events in a millisecond: as in order as a busy caller's UUIDv7.
_EVENTS_PER_MS: Final = 20
_MASK_64: Final = 2**64 - 1
# Below this many internal people some of the pairs between them would be the same pair.
_INTERNAL_PAIRS_FROM: Final = 13


class Cast:
    """Who is in a tenant of so many relationships, and who knows whom."""

    def __init__(self, relationships: int) -> None:
        assert relationships >= 1
        self.relationships = relationships
        self.internal = max(1, relationships // RELATIONSHIPS_PER_PERSON)
        self.external = max(2 * RELATIONSHIPS_PER_PERSON, (relationships + 1) // 2)

    def pair(self, number: int) -> tuple[str, str]:
        """Our person and the counterpart of relationship `number`, from 0; a tenth know our own."""
        lap, ours = divmod(number, self.internal)
        if lap % 10 == 9 and self.internal >= _INTERNAL_PAIRS_FROM:
            return self.ours(ours), self.ours((ours + 1 + lap // 10) % self.internal)
        return self.ours(ours), self.theirs(ours * (RELATIONSHIPS_PER_PERSON // 2) + lap)

    def ours(self, number: int) -> str:
        """The name of an internal person."""
        return f"people/i{number:07d}"

    def theirs(self, number: int) -> str:
        """The name of an external person."""
        return f"people/x{number % self.external:07d}"

    def organization(self, external: int) -> str:
        """Where an external person works."""
        return f"organizations/o{external // PEOPLE_PER_ORGANIZATION:06d}"

    @property
    def introductions(self) -> int:
        """How many events describe everybody: one for each of ours, two for each of theirs."""
        return self.internal + 2 * self.external


def made_events(
    seed: int,
    relationships: int,
    events: int,
    *,
    until: datetime = UNTIL,
    span: timedelta = SPAN,
    batch_events: int = BATCH_EVENTS,
) -> Iterator[list[NewEvent]]:
    """Exactly `events` events in batches of `batch_events`, the last one shorter.

    The first `Cast(relationships).introductions` describe people. From then on every relationship
    is touched in turn, every second time, so all of them are when as many more events were made
    as there are relationships four times over. Nothing happens after `until` (not ahead of the
    ledger's clock) or more than `span` and a few days before it.
    """
    batch: list[NewEvent] = []
    for number, event in enumerate(_Maker(seed, relationships, events, until, span).events()):
        if number == events:
            break
        batch.append(event)
        if len(batch) == batch_events:
            yield batch
            batch = []
    if batch:
        yield batch


class _Maker:
    """One stream of events."""

    def __init__(
        self, seed: int, relationships: int, events: int, until: datetime, span: timedelta
    ) -> None:
        self._cast = Cast(relationships)
        self._random = Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._salt = self._random.getrandbits(62)
        self._made = 0
        self._until_us = (until - _EPOCH) // timedelta(microseconds=1)
        self._span_us = span // timedelta(microseconds=1)
        self._start_us = self._until_us - self._span_us
        self._touches = max(1, events - self._cast.introductions)
        self._in_turn = 0

    def events(self) -> Iterator[NewEvent]:
        """Events without end."""
        yield from self._introductions()
        introduced = self._made
        weighted = templates()
        while True:
            passed = (self._made - introduced) / self._touches
            at_us = self._start_us + int(self._span_us * min(passed, 1.0))
            yield from self._story(weighted, at_us)

    def _introductions(self) -> Iterator[NewEvent]:
        cast, at_us = self._cast, self._start_us - 2 * _DAY_US
        for number in range(cast.internal):
            event = self._new(at_us)
            described = event.party_described
            described.party, described.side = cast.ours(number), people.SIDE_INTERNAL
            described.kind = people.PARTY_KIND_PERSON
            described.team = f"team-{number // PEOPLE_PER_TEAM:04d}"
            yield event
        for number in range(cast.external):
            event = self._new(at_us)
            described = event.party_described
            described.party, described.side = cast.theirs(number), people.SIDE_EXTERNAL
            described.kind = people.PARTY_KIND_PERSON
            described.tier = _TIERS[number % len(_TIERS)]
            yield event
            event = self._new(at_us)
            joined = event.affiliation_started
            joined.person, joined.organization = cast.theirs(number), cast.organization(number)
            yield event

    def _story(self, weighted: Weighted, at_us: int) -> Iterator[NewEvent]:
        """What happens next: mostly one touchpoint, sometimes several that belong together."""
        draw = self._random.random()
        number = self._next_relationship()
        ours, theirs = self._cast.pair(number)
        if draw >= 0.03:
            yield self._touch(weighted, ours, theirs, at_us)
        elif draw >= 0.02:
            yield from self._incident(ours, theirs, at_us)
        elif draw >= 0.01:
            yield from self._promise(ours, theirs, at_us)
        elif draw >= 0.006:
            yield from self._occasion(number, at_us)
        elif draw >= 0.004:
            yield from self._amended(weighted, ours, theirs, at_us, corrected=draw < 0.005)
        else:
            yield self._known_of(theirs, at_us, draw)

    def _next_relationship(self) -> int:
        """Every second time the next one in turn, else any."""
        count = self._cast.relationships
        self._in_turn += 1
        if self._in_turn % 2:
            return self._in_turn // 2 % count
        return int(self._random.random() * count)

    def _touch(self, weighted: Weighted, ours: str, theirs: str, at_us: int) -> NewEvent:
        event = self._new(at_us)
        template = weighted[int(self._random.random() * len(weighted))]
        what = event.touchpoint
        what.MergeFrom(template)
        if self._random.random() < 0.4:
            what.initiator, what.counterpart = theirs, ours
        else:
            what.initiator, what.counterpart = ours, theirs
        if self._random.random() < 0.005:
            what.note.text = f"Note {self._made}: asked about the move, and about the team."
        return event

    def _incident(self, ours: str, theirs: str, at_us: int) -> Iterator[NewEvent]:
        """An incident and, three times of four, what was done about it."""
        incident = self._new(at_us)
        what = incident.touchpoint
        what.initiator, what.counterpart, what.kind = theirs, ours, "incident"
        what.severity = 1 + int(self._random.random() ** 2 * 4)
        what.attribution, what.channel = touch.ATTRIBUTION_OURS, "email"
        what.category = f"category-{int(self._random.random() * 5)}"
        yield incident
        if self._random.random() < 0.25:
            return
        for step, hours in STEPS:
            event = self._new(at_us + hours * _HOUR_US)
            what = event.touchpoint
            what.initiator, what.counterpart, what.kind = ours, theirs, "recovery"
            what.resolves, what.recovery_step = incident.event_id, step
            yield event

    def _promise(self, ours: str, theirs: str, at_us: int) -> Iterator[NewEvent]:
        promise = self._new(at_us)
        what = promise.touchpoint
        what.initiator, what.counterpart, what.kind = ours, theirs, "promise.made"
        due = _EPOCH + timedelta(microseconds=at_us + 7 * _DAY_US)
        what.due_on.year, what.due_on.month, what.due_on.day = due.year, due.month, due.day
        yield promise
        outcome = self._random.random()
        if outcome < 0.1:
            return
        event = self._new(at_us + 5 * _DAY_US)
        what = event.touchpoint
        what.initiator, what.counterpart = ours, theirs
        what.kind = "promise.kept" if outcome < 0.9 else "promise.broken"
        what.fulfils = promise.event_id
        yield event

    def _occasion(self, number: int, at_us: int) -> Iterator[NewEvent]:
        """One of ours meets up to three of theirs at once."""
        occasion = self._id()
        for lap in range(3):
            other = number + lap * self._cast.internal
            if other >= self._cast.relationships:
                return
            event = self._new(at_us)
            what = event.touchpoint
            what.MergeFrom(OCCASION)
            what.initiator, what.counterpart = self._cast.pair(other)
            what.occasion_id = occasion
            yield event

    def _amended(
        self, weighted: Weighted, ours: str, theirs: str, at_us: int, *, corrected: bool
    ) -> Iterator[NewEvent]:
        first = self._touch(weighted, ours, theirs, at_us)
        yield first
        event = self._new(at_us + _HOUR_US)
        if corrected:
            event.corrected.replaces = first.event_id
            event.corrected.touchpoint.CopyFrom(first.touchpoint)
            event.corrected.touchpoint.kind = "call"
        else:
            event.voided.target = first.event_id
        yield event

    def _known_of(self, person: str, at_us: int, draw: float) -> NewEvent:
        """A fact, a date, a signal, or that somebody goes by two ids."""
        event = self._new(at_us)
        if draw < 0.0001 and person.startswith("people/x"):
            number = int(person.removeprefix("people/x")) & ~1
            a, b = self._cast.theirs(number), self._cast.theirs(number + 1)
            if a != b:
                event.identity_linked.a, event.identity_linked.b = a, b
                event.identity_linked.strength = people.LINK_STRENGTH_STRONG
                return event
        if draw < 0.0015:
            event.fact_learned.person, event.fact_learned.category = person, "hobby"
            event.fact_learned.text.text = "sails on Sundays"
        elif draw < 0.003:
            noted = event.date_noted
            noted.person, noted.label.text = person, "birthday"
            noted.month, noted.day = 1 + self._made % 12, 1 + self._made % 28
        else:
            seen = event.signal_observed
            seen.about, seen.channel, seen.text.text = person, "linkedin", "a new role"
        return event

    def _new(self, at_us: int) -> NewEvent:
        event = NewEvent(event_id=self._id())
        at_us = min(at_us, self._until_us)
        event.occurred_at.seconds, micros = divmod(at_us, 1_000_000)
        event.occurred_at.nanos = micros * 1000
        return event

    def _id(self) -> str:
        """The next UUIDv7: ascending, different for another seed."""
        number = self._made
        self._made += 1
        ms = self._start_us // 1000 + number // _EVENTS_PER_MS
        mixed = (number * 0x9E3779B97F4A7C15 + self._salt) & _MASK_64
        text = f"{ms:012x}7{number % _EVENTS_PER_MS:03x}{mixed >> 2 | 1 << 63:016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
