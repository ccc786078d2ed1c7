"""What is known of people besides touchpoints: facts, dates and places, as known at a position."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapport.events.v1 import people_pb2

from services.projector import facts as types
from services.projector.domain.facts import Void
from services.projector.domain.people.affiliations import (
    Affiliations,
    Ended,
    Started,
    affiliations,
)
from services.projector.domain.people.dates import NotedDate
from services.projector.domain.people.in_effect import in_effect
from services.projector.domain.people.learned import LearnedFact
from services.projector.domain.people.signals import Signal
from services.projector.facts_about_people import (
    Envelope,
    ended_of,
    learned_of,
    noted_of,
    signal_of,
    started_of,
)
from services.projector.queries.snapshot import Snapshot

_TYPES = (
    types.FACT_LEARNED,
    types.DATE_NOTED,
    types.SIGNAL_OBSERVED,
    types.AFFILIATION_STARTED,
)


@dataclass(frozen=True, slots=True)
class KnownOfPeople:
    """Effective facts, each list by event id; `messages` hold the texts of facts and dates, sealed.

    Those of days to come are there too: what is asked for a day leaves them out.
    """

    facts: Sequence[LearnedFact] = ()
    dates: Sequence[NotedDate] = ()
    signals: Sequence[Signal] = ()
    affiliations: Affiliations = field(default_factory=Affiliations)
    messages: Mapping[str, people_pb2.FactLearned | people_pb2.DateNoted] = field(
        default_factory=dict
    )


async def read_known(snapshot: Snapshot, people: Collection[str], known_at: int) -> KnownOfPeople:
    """What is known of some people, under all ids given."""
    if not people:
        return KnownOfPeople()
    return await _known(snapshot, sorted(set(people)), _TYPES, known_at)


async def read_affiliations(
    snapshot: Snapshot, people: Collection[str], known_at: int
) -> Affiliations:
    """The places of some people, under all ids given."""
    if not people:
        return Affiliations()
    wanted = (types.AFFILIATION_STARTED,)
    return (await _known(snapshot, sorted(set(people)), wanted, known_at)).affiliations


async def read_affiliated(
    snapshot: Snapshot, organization: str, on: int, known_at: int
) -> tuple[str, ...]:
    """The person ids affiliated with an organisation on a day, ascending."""
    held = await read_affiliations_at(snapshot, organization, known_at)
    return held.at(organization, on)


async def read_affiliations_at(
    snapshot: Snapshot, organization: str, known_at: int
) -> Affiliations:
    """The places, here and elsewhere, of whoever was ever affiliated with an organisation."""
    rows = await snapshot.fetch("affiliated_with", organization, known_at)
    return await read_affiliations(snapshot, [row["person"] for row in rows], known_at)


async def read_known_of_all(snapshot: Snapshot, known_at: int) -> KnownOfPeople:
    """What is known of everybody in the tenant."""
    rows = await snapshot.fetch("facts_of_tenant", list(_TYPES), known_at)
    return await _effective(snapshot, rows, known_at)


async def _known(
    snapshot: Snapshot, homes: Sequence[str], wanted: Sequence[str], known_at: int
) -> KnownOfPeople:
    rows = await snapshot.fetch("facts_of_homes", homes, list(wanted), known_at)
    return await _effective(snapshot, rows, known_at)


async def _effective(snapshot: Snapshot, rows: Sequence[Any], known_at: int) -> KnownOfPeople:
    if not rows:
        return KnownOfPeople()
    learned: list[LearnedFact] = []
    noted: list[NotedDate] = []
    signals: list[Signal] = []
    started: list[Started] = []
    messages: dict[str, people_pb2.FactLearned | people_pb2.DateNoted] = {}
    for row in rows:
        payload, envelope = bytes(row["payload"]), _envelope(row)
        if row["type"] == types.FACT_LEARNED:
            fact, messages[envelope.event_id] = learned_of(payload, envelope)
            learned.append(fact)
        elif row["type"] == types.DATE_NOTED:
            date, messages[envelope.event_id] = noted_of(payload, envelope)
            noted.append(date)
        elif row["type"] == types.SIGNAL_OBSERVED:
            signals.append(signal_of(payload, envelope))
        else:
            started.append(started_of(payload, envelope))
    voids, ended = await _amendments(snapshot, [row["event_id"] for row in rows], known_at)
    return KnownOfPeople(
        in_effect(learned, voids),
        in_effect(noted, voids),
        in_effect(signals, voids),
        affiliations(started, ended, voids),
        messages,
    )


async def _amendments(
    snapshot: Snapshot, events: Sequence[Any], known_at: int
) -> tuple[list[Void], list[Ended]]:
    voids: list[Void] = []
    ended: list[Ended] = []
    for row in await snapshot.fetch("amendments_of_events", events, known_at):
        event_id, target = str(row["event_id"]), str(row["target"])
        if row["role"] == "V":
            voids.append(Void(event_id=event_id, position=row["position"], target=target))
        elif row["role"] == "E":
            ended.append(ended_of(bytes(row["payload"]), _envelope(row), target))
    return voids, ended


def _envelope(row: Any) -> Envelope:
    return Envelope(
        event_id=str(row["event_id"]),
        position=row["position"],
        instant_us=row["occurred_at_us"],
    )
