"""From stored bytes to what is known about people besides touchpoints; see facts.py beside it.

Texts stay sealed in the message that comes along.
"""

from dataclasses import dataclass
from datetime import date

from rapport.events.v1 import common_pb2, people_pb2

from services.projector.domain.people.affiliations import Ended, Started
from services.projector.domain.people.dates import NotedDate
from services.projector.domain.people.learned import LearnedFact
from services.projector.domain.people.signals import Signal
from services.projector.facts import affiliation_ended_from, affiliation_started_from
from services.runtime.clock import InvalidInstant, day_from_date


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What the journal says of an event: its canonical id, position and valid time."""

    event_id: str
    position: int
    instant_us: int


def started_of(payload: bytes, envelope: Envelope) -> Started:
    """The beginning of an affiliation."""
    message = affiliation_started_from(payload)
    return Started(
        event_id=envelope.event_id,
        position=envelope.position,
        instant_us=envelope.instant_us,
        person=message.person,
        organization=message.organization,
        role=message.role,
    )


def ended_of(payload: bytes, envelope: Envelope, ends: str) -> Ended:
    """The end of an affiliation; `ends` in its canonical spelling."""
    message = affiliation_ended_from(payload)
    return Ended(
        event_id=envelope.event_id,
        position=envelope.position,
        instant_us=envelope.instant_us,
        person=message.person,
        organization=message.organization,
        ends=ends,
    )


def learned_of(payload: bytes, envelope: Envelope) -> tuple[LearnedFact, people_pb2.FactLearned]:
    """A fact about a person, and the message that holds its text."""
    message = people_pb2.FactLearned.FromString(payload)
    fact = LearnedFact(
        event_id=envelope.event_id,
        position=envelope.position,
        instant_us=envelope.instant_us,
        person=message.person,
        category=message.category,
        expect_on=_day(message.expect_on) if message.HasField("expect_on") else None,
        reason_for_relationship=message.reason_for_relationship,
    )
    return fact, message


def noted_of(payload: bytes, envelope: Envelope) -> tuple[NotedDate, people_pb2.DateNoted]:
    """A date of a person, and the message that holds its label."""
    message = people_pb2.DateNoted.FromString(payload)
    noted = NotedDate(
        event_id=envelope.event_id,
        position=envelope.position,
        instant_us=envelope.instant_us,
        person=message.person,
        month=message.month,
        day=message.day,
        year=message.year or None,
    )
    return noted, message


def signal_of(payload: bytes, envelope: Envelope) -> Signal:
    """News of somebody; its text stays behind."""
    message = people_pb2.SignalObserved.FromString(payload)
    return Signal(
        event_id=envelope.event_id,
        position=envelope.position,
        instant_us=envelope.instant_us,
        about=message.about,
        channel=message.channel,
    )


def _day(day: common_pb2.Date) -> int | None:
    try:
        return day_from_date(date(day.year, day.month, day.day))
    except (ValueError, InvalidInstant):
        return None
