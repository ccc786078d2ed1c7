"""One relationship as of one day: what every measure of it is computed from.

A view is made of effective touchpoints up to its day and of nothing else, so later facts cannot
change what is derived of it. What several measures share (entries, buckets, contact-days) is
computed when first asked for, and once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from functools import cached_property

from services.projector.domain import contact as contacts
from services.projector.domain.balance import Balance
from services.projector.domain.buckets import Buckets
from services.projector.domain.entries import Entry, Folded, fold
from services.projector.domain.facts import Pair, Touchpoint
from services.projector.domain.identity import NO_LINKS, Identities
from services.projector.domain.rounding import round_half_even
from services.runtime.policy import Initiative, Policy


class Side(StrEnum):
    """Whether a person is ours. A person nobody described has none (None)."""

    INTERNAL = "INTERNAL"
    EXTERNAL = "EXTERNAL"


@dataclass(frozen=True, eq=False)
class RelationshipView:
    """Two different humans and what happened between them up to a day.

    `a` < `b` are canonical ids. `touchpoints` are those of all raw pairs, with day <= `on`, by
    (occurred_at, event_id), under the raw ids they were recorded with: `givers` and `initiator`
    tell the humans. `sides` and `tiers` are those in force on the day, by canonical id; who is
    not in them has none. `settling` are touchpoints of other relationships up to the day that
    fulfil something, in the same order: a colleague may keep what one promised. They are for
    obligations alone. Not to be changed; make it with `view_of`.
    """

    on: int
    policy: Policy
    a: str
    b: str
    touchpoints: tuple[Touchpoint, ...]
    sides: Mapping[str, Side]
    tiers: Mapping[str, str]
    humans: Identities = NO_LINKS
    settling: tuple[Touchpoint, ...] = ()

    # Who they are.

    @property
    def pair(self) -> Pair:
        """The canonical ids, the smaller first."""
        return self.a, self.b

    @cached_property
    def internal(self) -> tuple[str, ...]:
        """Those of the two that are ours, ascending."""
        return tuple(person for person in self.pair if self.side(person) is Side.INTERNAL)

    @cached_property
    def external(self) -> tuple[str, ...]:
        """Those of the two that are not ours, ascending."""
        return tuple(person for person in self.pair if self.side(person) is Side.EXTERNAL)

    @cached_property
    def sideless(self) -> tuple[str, ...]:
        """Those of the two that nobody described, ascending."""
        return tuple(person for person in self.pair if self.side(person) is None)

    def side(self, person: str) -> Side | None:
        """The side of a canonical id; None for a person nobody described."""
        return self.sides.get(person)

    def tier(self, person: str) -> str | None:
        """The tier of a canonical id, if it has one."""
        return self.tiers.get(person)

    def other(self, person: str) -> str:
        """The other of the two humans."""
        return self.b if person == self.a else self.a

    def initiator(self, touchpoint: Touchpoint) -> str:
        """The human who initiated a touchpoint of this relationship."""
        return self.humans.canonical(touchpoint.initiator)

    def givers(self, touchpoint: Touchpoint) -> tuple[str, ...]:
        """The humans who gave: its initiator, or both when it was mutual."""
        return self.pair if touchpoint.mutual else (self.initiator(touchpoint),)

    def outbound(self, touchpoint: Touchpoint) -> bool | None:
        """Whether one of ours gave it: an internal initiator, or a mutual touch with one of ours.

        None when that takes the side of a person nobody described.
        """
        if touchpoint.mutual and self.internal:
            return True
        givers = self.givers(touchpoint)
        if any(self.side(person) is None for person in givers):
            return None
        return self.side(givers[0]) is Side.INTERNAL

    # What happened.

    def window(self, days: int) -> tuple[Touchpoint, ...]:
        """The touchpoints of the `days` days that end today: on - days + 1 .. on."""
        first = self.on - days + 1
        return tuple(touch for touch in self.touchpoints if touch.day >= first)

    @cached_property
    def by_id(self) -> Mapping[str, Touchpoint]:
        """The touchpoints by event id; not to be changed."""
        return {touch.event_id: touch for touch in self.touchpoints}

    def mode(self, touchpoint: Touchpoint) -> Initiative:
        """Its initiative: as told, else the kind's default."""
        return contacts.mode_of(touchpoint, self.policy)

    def is_counted(self, touchpoint: Touchpoint) -> bool:
        """Whether it is counted contact."""
        return contacts.is_counted_contact(touchpoint, self.policy)

    @cached_property
    def counted(self) -> tuple[Touchpoint, ...]:
        """The counted contacts, by (occurred_at, event_id)."""
        return tuple(touch for touch in self.touchpoints if self.is_counted(touch))

    @cached_property
    def contact_days(self) -> tuple[int, ...]:
        """The days with at least one counted contact, ascending."""
        return tuple(sorted({touch.day for touch in self.counted}))

    # What it is worth.

    @cached_property
    def folded(self) -> Folded:
        """What the touchpoints post under the policy, and those of kinds it does not have."""
        return fold(self.touchpoints, self.policy)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries of the day, all of them effective, by (occurred_at, event_id)."""
        return self.folded.entries

    @cached_property
    def entry_of(self) -> Mapping[str, Entry]:
        """The entries by event id; a touchpoint that posts nothing has none. Not to be changed."""
        return {entry.event_id: entry for entry in self.entries}

    @cached_property
    def buckets(self) -> Buckets:
        """The sums of the entries; not to be changed."""
        return Buckets(self.entries)

    @cached_property
    def balance(self) -> Balance:
        """The exact balance of the day."""
        return self.buckets.balance(self.on)

    @cached_property
    def buffer(self) -> Fraction:
        """The exact buffer of the day, in mp."""
        return self.balance.buffer(self.policy)

    @property
    def buffer_mp(self) -> int:
        """The buffer of the day, rounded."""
        return round_half_even(self.buffer)

    def balance_on(self, day: int) -> Balance:
        """The exact balance on any day, under the policy of this one.

        A later day is the projection without further contact; for an earlier day only touchpoints
        up to it count.
        """
        if day == self.on:
            return self.balance
        if day > self.on:
            return self.buckets.balance(day)
        return Buckets(fold(self.touchpoints, self.policy, day).entries).balance(day)

    def buffer_on(self, day: int) -> Fraction:
        """The exact buffer on any day, in mp; see `balance_on`."""
        return self.balance_on(day).buffer(self.policy)

    def as_of(self, day: int) -> "RelationshipView":
        """This relationship on another day: an earlier one, or a later one without contact since.

        The policy, sides, tiers and links stay those of the view it is made from.
        """
        if day == self.on:
            return self
        if day > self.on:
            return replace(self, on=day)
        return replace(
            self,
            on=day,
            touchpoints=tuple(touch for touch in self.touchpoints if touch.day <= day),
            settling=tuple(touch for touch in self.settling if touch.day <= day),
        )


def view_of(
    touchpoints: Iterable[Touchpoint],
    policy: Policy,
    on: int,
    pair: tuple[str, str],
    *,
    sides: Mapping[str, Side | None] | None = None,
    tiers: Mapping[str, str | None] | None = None,
    humans: Identities = NO_LINKS,
    settling: Iterable[Touchpoint] = (),
) -> RelationshipView:
    """The relationship of two humans as of a day.

    `touchpoints` are effective ones, each once, in any order; those of other people, of one human
    with himself and of later days are left out. `pair` names the humans by any of their ids, in
    either order; ValueError when they are one. `sides` and `tiers` are those in force on `on`, by
    any id: a human has those of his canonical id, else of his smallest id that has one.
    `settling` are effective touchpoints that fulfil promises or needs of this relationship,
    wherever they are; those already among `touchpoints` are left out.
    """
    canonical = humans.canonical_pair(pair)
    if canonical is None:
        raise ValueError("a relationship is between two different humans")
    kept = [
        touch
        for touch in touchpoints
        if touch.day <= on and humans.canonical_pair(touch.pair) == canonical
    ]
    kept.sort(key=lambda touch: touch.order)
    known = {touch.event_id for touch in kept}
    elsewhere = [
        touch
        for touch in settling
        if touch.fulfils and touch.day <= on and touch.event_id not in known
    ]
    elsewhere.sort(key=lambda touch: touch.order)
    return RelationshipView(
        on=on,
        policy=policy,
        a=canonical[0],
        b=canonical[1],
        touchpoints=tuple(kept),
        sides=_by_human(sides or {}, canonical, humans),
        tiers=_by_human(tiers or {}, canonical, humans),
        humans=humans,
        settling=tuple(elsewhere),
    )


def _by_human[T](given: Mapping[str, T | None], pair: Pair, humans: Identities) -> dict[str, T]:
    """What is said of each human, under any of his ids (ascending: the canonical one first)."""
    found: dict[str, T] = {}
    for human in pair:
        for person in humans.members(human):
            if (said := given.get(person)) is not None:
                found[human] = said
                break
    return found
