"""A relationship among its surroundings: what the rules look at."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from services.projector.domain.attention.held import Silence, Stretch, silence_of, stretches
from services.projector.domain.attention.items import (
    EVENTS_MAX,
    Item,
    Reason,
    Rule,
    Trace,
    item_id,
    relationship_name,
)
from services.projector.domain.attention.surroundings import Surroundings
from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.velocity import lost_by_waiting_mp
from services.projector.domain.measures.view import RelationshipView


@dataclass(frozen=True, eq=False)
class Case:
    """One relationship on a day, and everything around it; both of the same day and policy."""

    view: RelationshipView
    surroundings: Surroundings

    def __post_init__(self) -> None:
        assert self.view.on == self.surroundings.on, "a case is of one day"
        assert self.view.policy == self.surroundings.policy, "a case is under one policy"

    @property
    def on(self) -> int:
        """The day."""
        return self.view.on

    @property
    def about(self) -> str:
        """The relationship's name."""
        return relationship_name(self.view.pair)

    @property
    def last_contact(self) -> Touchpoint | None:
        """The latest counted contact, by either."""
        return self.view.counted[-1] if self.view.counted else None

    @property
    def quiet_since(self) -> int | None:
        """The day of the latest counted contact, else of the first touchpoint; None for none.

        Since then nobody did anything that could clear an item.
        """
        if self.view.contact_days:
            return self.view.contact_days[-1]
        return self.view.touchpoints[0].day if self.view.touchpoints else None

    @cached_property
    def silence(self) -> Silence:
        """The relationship since then, by the days on which machines posted; empty for none."""
        return () if self.quiet_since is None else silence_of(self.view, self.quiet_since)

    @cached_property
    def silent_stretches(self) -> list[Stretch]:
        """Its balance over the silence."""
        return stretches(self.silence, self.on, lambda view: view.buckets)

    @cached_property
    def at_stake_mp(self) -> int:
        """Bf(t) - Bf(t + 14), in the policy's days."""
        return lost_by_waiting_mp(
            self.view, self.surroundings.policy.attention.buffer_falls_within_days
        )

    @cached_property
    def trace(self) -> Trace:
        """What an item of today is computed with."""
        last = self.last_contact
        return Trace(
            contacts=len(self.view.counted),
            last_us=None if last is None else last.instant_us,
            policy_hash=self.view.policy.hash,
        )

    def item(
        self,
        rule: Rule,
        person: str,
        why: str,
        *,
        cause: Iterable[str | int] = (),
        events: Iterable[str] = (),
        **numbers: int,
    ) -> Item:
        """An item about this relationship; `events` in order, the newest last."""
        return Item(
            item=item_id(rule, person, self.about, cause),
            rule=rule,
            person=person,
            about=self.about,
            pair=self.view.pair,
            why=why,
            numbers=tuple(sorted(numbers.items())),
            event_ids=tuple(events)[-EVENTS_MAX:],
            at_stake_mp=self.at_stake_mp,
            trace=self.trace,
        )

    def contact_since(self, trace: Trace) -> bool:
        """Whether counted contact came to be known since an item was computed.

        A later one, or one more of an earlier day that was recorded late.
        """
        now = self.trace
        if now.contacts > trace.contacts:
            return True
        return now.last_us is not None and (trace.last_us is None or now.last_us > trace.last_us)


@dataclass(frozen=True, slots=True)
class RelationshipRule:
    """A rule about one relationship.

    `items` are what it finds on the day, in any order; `settled` says which of the things that
    clear an item has come about, None for none: it is asked only of items that are there no more.
    """

    rule: Rule
    items: Callable[[Case], Iterator[Item]]
    settled: Callable[[Item, Case], Reason | None]


def settled_by_contact(item: Item, case: Case) -> Reason | None:
    """Of a rule that contact clears."""
    return Reason.CONTACT if case.contact_since(item.trace) else None
