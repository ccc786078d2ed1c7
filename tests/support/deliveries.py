"""Events as the projector receives them, made from domain facts, vectors and dice."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final
from uuid import UUID

from google.protobuf.message import Message
from rapport.events.v1 import people_pb2, practice_pb2, touchpoint_pb2

from services.projector.domain.facts import Correction, Fact, Touchpoint, Void
from services.projector.facts import Delivered
from services.runtime.clock import US_PER_DAY, timestamp_from_instant
from services.runtime.policy import default_policy
from tests.property.strategies import history

JOURNAL: Final = "main"
TENANT: Final = "default"
INCARNATION: Final = "6f1c3f6e-3f0b-4f5c-9c39-2f4c8f7d1a11"
# 2026-06-01, and an instant of recording on it.
TODAY: Final = 9648
RECORDED_US: Final = TODAY * US_PER_DAY


def deliver(
    payload: Message | bytes,
    position: int,
    *,
    event_id: str | None = None,
    type_name: str = "",
    occurred_at_us: int = RECORDED_US,
    tenant: str = TENANT,
    journal: str = JOURNAL,
    recorded_at_us: int | None = None,
    schema_version: int = 1,
) -> Delivered:
    """An event of a payload; its id follows from its position unless given."""
    if isinstance(payload, Message):
        type_name = payload.DESCRIPTOR.full_name
        stored = payload.SerializeToString(deterministic=True)
    else:
        stored = payload
    return Delivered(
        journal=journal,
        incarnation=INCARNATION,
        position=position,
        tenant=tenant,
        event_id=event_id or str(UUID(int=2**100 + position)),
        type=type_name,
        home=f"tenants/{tenant}",
        revision=position,
        kind=getattr(payload, "kind", "") if type_name.endswith(".Touchpoint") else "",
        occurred_at_us=occurred_at_us,
        # Three events at a time share an instant of recording, as those of a batch do.
        recorded_at_us=RECORDED_US + position // 3 if recorded_at_us is None else recorded_at_us,
        recorded_by="services/tests",
        schema_version=schema_version,
        payload=stored,
    )


def deliver_facts(facts: Iterable[Fact], **envelope: Any) -> list[Delivered]:
    """Domain facts as events at positions 1, 2, 3 …, whatever positions they say."""
    return [deliver_fact(fact, n, **envelope) for n, fact in enumerate(facts, start=1)]


def deliver_fact(fact: Fact, position: int, **envelope: Any) -> Delivered:
    """One domain fact as an event."""
    match fact:
        case Touchpoint():
            envelope["occurred_at_us"] = fact.instant_us
            payload: Message = touchpoint_message(fact)
        case Correction():
            payload = touchpoint_pb2.Corrected(
                replaces=fact.replaces, touchpoint=touchpoint_message(fact.replacement)
            )
            if not fact.keeps_instant:
                seconds, nanos = timestamp_from_instant(fact.replacement.instant_us)
                payload.occurred_at.seconds, payload.occurred_at.nanos = seconds, nanos
        case Void():
            payload = touchpoint_pb2.Voided(target=fact.target)
    return deliver(payload, position, event_id=fact.event_id, **envelope)


def touchpoint_message(touchpoint: Touchpoint) -> touchpoint_pb2.Touchpoint:
    """The stored message of a touchpoint whose person ids have no `people/`."""
    message = touchpoint_pb2.Touchpoint(
        initiator=f"people/{touchpoint.initiator}",
        counterpart=f"people/{touchpoint.counterpart}",
        kind=touchpoint.kind,
        mutual=touchpoint.mutual,
        channel=touchpoint.channel,
        initiative=_number("INITIATIVE", touchpoint.initiative),
        audience=_number("AUDIENCE", touchpoint.audience),
        attribution=_number("ATTRIBUTION", touchpoint.attribution),
        recovery_step=_number("RECOVERY_STEP", touchpoint.recovery_step),
        severity=touchpoint.severity or 0,
        category=touchpoint.category,
        resolves=touchpoint.resolves,
    )
    for name, value in (("depth", touchpoint.depth), ("sentiment", touchpoint.sentiment)):
        if value is not None:
            setattr(message, name, value)
    for name, value in (
        ("prep", touchpoint.prep_minutes),
        ("live", touchpoint.live_minutes),
        ("follow_up", touchpoint.follow_up_minutes),
    ):
        if value is not None:
            setattr(message.minutes, name, value)
    return message


def _number(enum: str, word: str | None) -> Any:
    return 0 if word is None else getattr(touchpoint_pb2, f"{enum}_{word}")


def policy_json(version: int, effective_from: str, like_mp: int = 7000) -> str:
    """default@1 under another version and day, with another number for `social.like`."""

    document = json.loads(default_policy().canonical_json)
    document["version"], document["effective_from"] = version, effective_from
    document["kinds"]["social.like"]["care"] = like_mp
    return json.dumps(document)


@dataclass(slots=True)
class _World:
    """Rolls events of every type about few people, so that they get in each other's way."""

    random: Random
    made: list[tuple[Message, int, str]] = field(default_factory=list)

    def add(self, payload: Message, occurred_at_us: int = RECORDED_US) -> None:
        self.made.append((payload, occurred_at_us, str(UUID(int=self.random.getrandbits(120)))))

    def any_id(self, kind: type[Message] | None = None) -> str:
        ids = [i for payload, _, i in self.made if kind is None or isinstance(payload, kind)]
        return self.random.choice(ids) if ids else str(UUID(int=self.random.getrandbits(120)))

    def person(self) -> str:
        return f"people/{self.random.choice('abcde')}"

    def link(self) -> None:
        a, b = self.random.sample([f"people/{x}" for x in "abcde"], 2)
        strength = people_pb2.LINK_STRENGTH_STRONG
        if self.random.random() < 0.2:
            strength = people_pb2.LINK_STRENGTH_WEAK
        self.add(people_pb2.IdentityLinked(a=a, b=b, strength=strength))

    def unlink(self) -> None:
        links = [(p, i) for p, _, i in self.made if isinstance(p, people_pb2.IdentityLinked)]
        if not links:
            return self.link()
        link, event_id = self.random.choice(links)
        a, b = (link.b, link.a) if self.random.random() < 0.5 else (link.a, link.b)
        if self.random.random() < 0.1:
            a, b = "people/a", "people/e"
        return self.add(people_pb2.IdentityUnlinked(a=a, b=b, ends=event_id))

    def describe(self) -> None:
        instant_us = self.random.choice((-US_PER_DAY, 0, 1, US_PER_DAY)) + RECORDED_US
        self.add(
            people_pb2.PartyDescribed(
                party=self.random.choice((self.person(), "organizations/x")),
                side=self.random.choice(people_pb2.Side.values()),
                team=self.random.choice(("", "red", "blue")),
                tier=self.random.choice(("", "a")),
            ),
            instant_us,
        )

    def adopt(self) -> None:
        day = self.random.choice(("2026-01-01", "2026-05-01", "2026-06-01", "2026-06-02"))
        self.add(
            practice_pb2.PolicyAdopted(
                policy_json=policy_json(self.random.randrange(2, 9), day, len(self.made) * 1000)
            )
        )

    def other(self) -> None:
        payloads: Sequence[Message] = (
            people_pb2.SubjectErased(subject=self.person()),
            people_pb2.FactLearned(person=self.person(), category="family"),
            people_pb2.AffiliationStarted(person=self.person(), organization="organizations/x"),
            people_pb2.AffiliationEnded(
                person=self.person(), organization="organizations/x", ends=self.any_id()
            ),
            practice_pb2.WatchListSaved(list="mine", parties=[self.person(), "people/z"]),
        )
        self.add(self.random.choice(payloads))

    def void(self) -> None:
        kind = self.random.choice(
            (
                None,
                people_pb2.IdentityLinked,
                people_pb2.IdentityUnlinked,
                people_pb2.PartyDescribed,
                practice_pb2.PolicyAdopted,
            )
        )
        self.add(touchpoint_pb2.Voided(target=self.any_id(kind)))


def mixed_events(seed: int, count: int) -> list[Delivered]:
    """`count` touchpoints, corrections and voids among three people, and as many other events
    about those and two more, shuffled: what points at another event may come before it.
    """
    world = _World(Random(seed))
    makers = (world.link, world.unlink, world.describe, world.adopt, world.other, world.void)
    for _ in range(count):
        world.random.choice(makers)()
    facts = history(seed, count)
    everything = [*world.made, *facts]
    world.random.shuffle(everything)
    shift_us = RECORDED_US - 150 * US_PER_DAY
    events = []
    for position, item in enumerate(everything, start=1):
        if isinstance(item, Touchpoint | Correction | Void):
            event = deliver_fact(_moved(item, shift_us), position)
        else:
            payload, occurred_at_us, event_id = item
            event = deliver(payload, position, event_id=event_id, occurred_at_us=occurred_at_us)
        events.append(event)
    return events


def _moved(fact: Fact, shift_us: int) -> Fact:
    """The same in the weeks before the day of the tests, now and then after it."""

    if isinstance(fact, Touchpoint):
        return fact._replace(instant_us=fact.instant_us + shift_us)
    if isinstance(fact, Correction):
        moved = fact.replacement._replace(instant_us=fact.replacement.instant_us + shift_us)
        return replace(fact, replacement=moved)
    return fact
