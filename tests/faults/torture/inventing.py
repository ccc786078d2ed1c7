"""The events of a run: touchpoints at random, and voids and corrections of them."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.message import Message
from rapport import corrected, derived_event_id, relationship, voided
from rapport import touchpoint as made_touchpoint
from rapport.v1.ledger_service_pb2 import AppendEventsResponse, NewEvent

from services.runtime.clock import instant_from_timestamp
from tests.faults.torture.records import Sent

_KINDS: Final = ("call", "meal_or_social", "email.one_to_one", "social.like", "thanks.given")
_SINCE: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
_PEOPLE: Final = 8


@dataclass(frozen=True, slots=True)
class Made:
    """An event to be sent, and the pair it is about."""

    event: NewEvent
    pair: tuple[str, str]

    @property
    def sent(self) -> Sent:
        """As the history has it."""
        event = self.event
        payload: Message = getattr(event, str(event.WhichOneof("payload")))
        is_touchpoint = event.HasField("touchpoint")
        at = event.occurred_at
        body = payload.SerializeToString(deterministic=True)
        sealed = is_touchpoint and event.touchpoint.note
        return Sent(
            event_id=event.event_id,
            home=relationship(*self.pair),
            event_type=payload.DESCRIPTOR.full_name,
            kind=event.touchpoint.kind if is_touchpoint else None,
            occurred_at_us=instant_from_timestamp(at.seconds, at.nanos)
            if event.HasField("occurred_at")
            else None,
            sha256=None if sealed else hashlib.sha256(body).hexdigest(),
            expected_revision=event.expected_revision
            if event.HasField("expected_revision")
            else None,
        )


class Inventor:
    """Makes the events of one writer: touchpoints, and voids and corrections of its own ones."""

    def __init__(self, name: str, dice: random.Random) -> None:
        self._name, self._dice = name, dice
        self._made = 0
        self._known: dict[str, Made] = {}
        # Touchpoints that are surely recorded, and the newest revision seen of each pair.
        self._targets: list[str] = []
        self._revisions: dict[tuple[str, str], int] = {}

    def batch(self, size: int) -> list[Made]:
        """The next events."""
        return [self._event() for _ in range(size)]

    def expecting(self) -> list[Made]:
        """One event that wants its relationship at the revision last seen, right or wrong."""
        made = self._touchpoint()
        made.event.expected_revision = self._revisions.get(made.pair, 0)
        return [made]

    def recorded(self, batch: Sequence[Made], answer: AppendEventsResponse) -> None:
        """They are in the journal: they may be taken back or corrected."""
        for made, event in zip(batch, answer.events, strict=True):
            self._revisions[made.pair] = max(self._revisions.get(made.pair, 0), event.revision)
            if made.event.HasField("touchpoint"):
                self._known[event.event_id] = made
                self._targets.append(event.event_id)

    def _event(self) -> Made:
        chance = self._dice.random()
        if chance > 0.15 or not self._targets:
            return self._touchpoint()
        target = self._dice.choice(self._targets)
        original = self._known[target]
        event_id = self._next_id()
        if chance < 0.05:
            return Made(voided(target, event_id=event_id), original.pair)
        changed = original.event.touchpoint.__class__()
        changed.CopyFrom(original.event.touchpoint)
        changed.ClearField("note")
        changed.kind = self._dice.choice(_KINDS)
        return Made(corrected(target, changed, event_id=event_id), original.pair)

    def _touchpoint(self) -> Made:
        dice = self._dice
        a, b = dice.sample(range(_PEOPLE), 2)
        event = made_touchpoint(
            f"p{a}",
            f"p{b}",
            dice.choice(_KINDS),
            event_id=self._next_id(),
            occurred_at=_SINCE + timedelta(hours=dice.randint(0, 24 * 90)),
            note="met by chance" if dice.random() < 0.05 else None,
        )
        return Made(event, (f"people/p{min(a, b)}", f"people/p{max(a, b)}"))

    def _next_id(self) -> str:
        self._made += 1
        return derived_event_id(self._name, str(self._made))
