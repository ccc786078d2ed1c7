"""Random histories of one tenant, told to a projector event by event."""

import json
from random import Random
from typing import Any, Final

from google.protobuf.message import Message
from rapport.events.v1 import people_pb2, touchpoint_pb2

from services.runtime.clock import US_PER_DAY, iso_from_instant
from services.runtime.policy import default_policy
from tests.support.views import (
    JOURNAL,
    Running,
    adopt,
    correct,
    described,
    fact,
    link,
    noted,
    touch,
    unlink,
    void,
)

PEOPLE: Final = ("ann", "bob", "bob2", "me", "peer")
KINDS: Final = (
    "call",
    "meeting.in_person",
    "social.like",
    "social.comment",
    "greeting.written",
    "common_ground.found",
    "support.hard_time",
    "proposal",
    "ask",
    "channel.accepted",
    "email.one_to_one",
    "transaction",
    "need.stated",
    "promise.made",
)
SETTLING: Final = ("promise.kept", "promise.broken", "need.met")
CHANNELS: Final = ("", "email", "linkedin", "x", "phone")


class AnyTenant:
    """Every tenant exists."""

    async def journal_of(self, tenant: str) -> str:
        """The one journal."""
        return JOURNAL


class History:
    """One tenant's random history, told event by event."""

    def __init__(self, projector: Running, seed: int) -> None:
        self.projector = projector
        self.random = Random(seed)
        self.tenant = f"t-{seed}"
        self.touches: list[tuple[str, touchpoint_pb2.Touchpoint]] = []
        self.incidents: list[str] = []
        self.duties: list[str] = []
        self.facts: list[str] = []
        self.links: list[tuple[str, str, str]] = []
        self.places: list[tuple[str, str]] = []
        self.others: list[str] = []

    async def add(self, message: Message) -> str:
        """Append something that happened up to a year ago, up to now."""
        ago = self.random.choice((0, 1, 2, 5, 20, 60, 200, 365)) * US_PER_DAY
        jitter = self.random.randrange(US_PER_DAY)
        at = iso_from_instant(self.projector.clock.now_us() - ago - jitter)
        return await self.projector.add(message, at, tenant=self.tenant)

    def touchpoint(self, kind: str, pair: tuple[str, str] | None = None, **more: Any) -> Any:
        """A touchpoint between two of them."""
        a, b = self.random.sample(pair or PEOPLE, 2)
        depth = self.random.choice((None, 0, 1, 2, 3))
        return touch(
            a,
            b,
            kind,
            mutual=self.random.random() < 0.3,
            channel=self.random.choice(CHANNELS),
            depth=depth,
            note=self.random.choice((None, "said something")),
            visibility=self.random.choice((0, 1, 2, 3)),
            **more,
        )

    async def tell(self) -> None:
        """One random event."""
        choice = self.random.random()
        if choice < 0.55:
            await self.happen()
        elif choice < 0.65:
            await self.amend()
        elif choice < 0.75:
            await self.identify()
        elif choice < 0.8:
            await self.describe()
        elif choice < 0.95:
            await self.learn()
        else:
            await self.legislate()

    async def happen(self) -> None:
        choice = self.random.random()
        if choice < 0.15:
            severity = self.random.randint(1, 4)
            made = self.touchpoint("incident", severity=severity, attribution=severity)
        elif choice < 0.3 and self.incidents:
            target = self.random.choice(self.incidents)
            of = next(message for event_id, message in self.touches if event_id == target)
            pair = tuple(each.removeprefix("people/") for each in (of.initiator, of.counterpart))
            step = self.random.randint(1, 4)
            made = self.touchpoint("recovery", pair, resolves=target, recovery_step=step)  # type: ignore[arg-type]
        elif choice < 0.45 and self.duties:
            kind = self.random.choice(SETTLING)
            made = self.touchpoint(kind, fulfils=self.random.choice(self.duties))
        else:
            used = self.random.sample(self.facts, min(len(self.facts), 1))
            made = self.touchpoint(self.random.choice(KINDS), facts_used=used)
        event_id = await self.add(made)
        self.touches.append((event_id, made))
        if made.kind == "incident":
            self.incidents.append(event_id)
        if made.kind in ("promise.made", "need.stated"):
            self.duties.append(event_id)

    async def amend(self) -> None:
        if not self.touches:
            return
        event_id, message = self.random.choice(self.touches)
        if self.random.random() < 0.5:
            pool = [*self.others, event_id]
            await self.add(void(self.random.choice(pool)))
            return
        changed = touchpoint_pb2.Touchpoint()
        changed.CopyFrom(message)
        changed.kind = self.random.choice(KINDS)
        for name in ("severity", "attribution", "resolves", "recovery_step"):
            changed.ClearField(name)
        if self.duties and self.random.random() < 0.5:
            changed.fulfils = self.random.choice(self.duties)
        self.others.append(await self.add(correct(event_id, changed)))

    async def identify(self) -> None:
        if self.links and self.random.random() < 0.4:
            event_id, a, b = self.random.choice(self.links)
            self.others.append(await self.add(unlink(event_id, a, b)))
            return
        a, b = self.random.choice((("bob", "bob2"), ("bob", "bob2"), ("me", "peer")))
        self.links.append((await self.add(link(a, b)), a, b))

    async def describe(self) -> None:
        name = self.random.choice(PEOPLE)
        ours = name in ("me", "peer")
        side = people_pb2.SIDE_INTERNAL if ours else people_pb2.SIDE_EXTERNAL
        tier = self.random.choice(("", "inner", "close", "wide"))
        self.others.append(
            await self.add(described(f"people/{name}", side=side, tier=tier, name=name))
        )

    async def learn(self) -> None:
        name = self.random.choice(PEOPLE)
        choice = self.random.random()
        if choice < 0.3:
            self.facts.append(await self.add(fact(name, "something")))
            self.others.append(self.facts[-1])
        elif choice < 0.5:
            month, day = self.random.randint(1, 12), self.random.randint(1, 28)
            self.others.append(await self.add(noted(name, "a day", month, day)))
        elif choice < 0.6:
            about = f"people/{name}"
            self.others.append(await self.add(people_pb2.SignalObserved(about=about)))
        elif choice < 0.8 or not self.places:
            made = people_pb2.AffiliationStarted(
                person=f"people/{name}", organization="organizations/acme"
            )
            self.places.append((await self.add(made), name))
        else:
            event_id, name = self.random.choice(self.places)
            made_end = people_pb2.AffiliationEnded(
                person=f"people/{name}", organization="organizations/acme", ends=event_id
            )
            self.others.append(await self.add(made_end))

    async def legislate(self) -> None:
        document = json.loads(default_policy().canonical_json)
        document["version"] = self.random.randint(2, 9)
        document["effective_from"] = self.random.choice(("2000-01-01", "2026-01-10", "2026-02-20"))
        document["kinds"]["call"]["care"] = self.random.randrange(1000, 9000)
        self.others.append(await self.add(adopt(json.dumps(document))))
