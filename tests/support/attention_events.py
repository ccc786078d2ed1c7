"""The small company of tests/property/attention_world.py as events of a journal."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from google.protobuf.message import Message
from rapport.events.v1 import common_pb2, people_pb2, touchpoint_pb2

from services.projector.domain.attention.turn import Change
from services.projector.domain.facts import Correction, Touchpoint, Void
from services.projector.domain.measures.view import Side
from services.projector.domain.people.affiliations import Ended, Started
from services.projector.domain.people.dates import NotedDate
from services.projector.domain.people.descriptions import Description
from services.projector.domain.people.learned import LearnedFact
from services.projector.domain.people.signals import Signal
from services.projector.facts import Delivered
from services.runtime.clock import US_PER_DAY, date_from_day
from tests.property.attention_world import World
from tests.support.deliveries import deliver, deliver_fact, touchpoint_message

_SIDES = {Side.INTERNAL: people_pb2.SIDE_INTERNAL, Side.EXTERNAL: people_pb2.SIDE_EXTERNAL}


def events_of(world: World, tenant: str, journal: str) -> list[Delivered]:
    """Its events at positions 1, 2, 3 …, each recorded on the day that the world says."""
    groups = (world.facts, world.dates, world.learned, world.signals)
    people = (world.started, world.ended, world.described)
    facts = sorted(
        (fact for group in (*groups, *people) for fact in group), key=lambda f: f.position
    )
    made = []
    for position, fact in enumerate(facts, start=1):
        day, within = divmod(fact.position, 1000)
        made.append(
            deliver(
                _payload(fact, world),
                position,
                event_id=fact.event_id,
                occurred_at_us=getattr(fact, "instant_us", 0),
                recorded_at_us=day * US_PER_DAY + within,
                tenant=tenant,
                journal=journal,
            )
        )
    return [replace(event, home=_home(event)) for event in made]


def told(changes: Iterator[Change] | list[Change]) -> list[tuple[Any, ...]]:
    """What a log says, without the ids that hang on how people are named."""
    return [
        (
            change.on,
            change.kind.value,
            change.item.rule.value,
            change.item.person.removeprefix("people/"),
            change.item.about.removeprefix("people/"),
            change.raised_on,
            "" if change.reason is None else change.reason.value,
            change.item.event_ids,
            change.item.at_stake_mp,
        )
        for change in changes
    ]


def _payload(fact: Any, world: World) -> Message:
    match fact:
        case Touchpoint():
            message = touchpoint_message(fact)
            message.in_reply_to, message.fulfils = fact.in_reply_to, fact.fulfils
            message.facts_used.extend(world.facts_used.get(fact.event_id, ()))
            if fact.due_on is not None:
                message.due_on.CopyFrom(_date(fact.due_on))
            return message
        case NotedDate():
            return people_pb2.DateNoted(
                person=_person(fact.person), month=fact.month, day=fact.day, year=fact.year or 0
            )
        case LearnedFact():
            learned = people_pb2.FactLearned(person=_person(fact.person), category=fact.category)
            if fact.expect_on is not None:
                learned.expect_on.CopyFrom(_date(fact.expect_on))
            return learned
        case Signal():
            about = fact.about if "/" in fact.about else _person(fact.about)
            return people_pb2.SignalObserved(about=about)
        case Started():
            return people_pb2.AffiliationStarted(
                person=_person(fact.person), organization=fact.organization
            )
        case Ended():
            return people_pb2.AffiliationEnded(
                person=_person(fact.person), organization=fact.organization, ends=fact.ends
            )
        case Description():
            return people_pb2.PartyDescribed(
                party=_person(fact.party),
                side=_SIDES[fact.side] if fact.side is not None else people_pb2.SIDE_UNSPECIFIED,
                team=fact.team,
                tier=fact.tier,
            )
        case _:
            return _amendment(fact)


def _amendment(fact: Void | Correction) -> Message:
    payload = deliver_fact(fact, 1).payload
    if isinstance(fact, Void):
        return touchpoint_pb2.Voided.FromString(payload)
    return touchpoint_pb2.Corrected.FromString(payload)


def _person(name: str) -> str:
    return f"people/{name}"


def _date(day: int) -> common_pb2.Date:
    date = date_from_day(day)
    return common_pb2.Date(year=date.year, month=date.month, day=date.day)


def _home(event: Delivered) -> str:
    word = event.type.rpartition(".")[2]
    kinds = {
        "DateNoted": (people_pb2.DateNoted, "person"),
        "FactLearned": (people_pb2.FactLearned, "person"),
        "SignalObserved": (people_pb2.SignalObserved, "about"),
        "AffiliationStarted": (people_pb2.AffiliationStarted, "person"),
        "AffiliationEnded": (people_pb2.AffiliationEnded, "person"),
        "PartyDescribed": (people_pb2.PartyDescribed, "party"),
    }
    if word not in kinds:
        return event.home
    kind, name = kinds[word]
    found: Any = kind
    return str(getattr(found.FromString(event.payload), name))
