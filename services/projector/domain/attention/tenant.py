"""A tenant's day for the rules that look at several relationships."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from services.projector.domain.attention.items import (
    EVENTS_MAX,
    Item,
    Reason,
    Rule,
    Trace,
    item_id,
)
from services.projector.domain.attention.summaries import Summary
from services.projector.domain.attention.surroundings import Surroundings


@dataclass(frozen=True, eq=False)
class Tenant:
    """All relationships of a day in short, by pair, and what surrounds them."""

    summaries: tuple[Summary, ...]
    surroundings: Surroundings

    @staticmethod
    def of(summaries: Iterable[Summary], surroundings: Surroundings) -> "Tenant":
        """Of summaries in any order, each once."""
        return Tenant(tuple(sorted(summaries, key=lambda s: s.pair)), surroundings)

    @cached_property
    def by_person(self) -> dict[str, tuple[Summary, ...]]:
        """Whose relationships are which, by canonical id."""
        found: defaultdict[str, list[Summary]] = defaultdict(list)
        for summary in self.summaries:
            for person in summary.pair:
                found[person].append(summary)
        return {person: tuple(held) for person, held in found.items()}

    def people_at(self, organization: str) -> set[str]:
        """The humans affiliated with an organisation on the day, by canonical id."""
        around = self.surroundings
        return {
            around.humans.canonical(person)
            for person in around.affiliations.at(organization, around.on)
        }

    def threads(self, organization: str) -> list[Summary]:
        """The relationships of ours with external people of an organisation that day."""
        return [
            summary
            for person in sorted(self.people_at(organization))
            for summary in self.by_person.get(person, ())
            if summary.theirs == (person,) and summary.ours
        ]

    def item(
        self,
        rule: Rule,
        person: str,
        about: str,
        why: str,
        *,
        cause: Iterable[str | int] = (),
        events: Sequence[str] = (),
        at_stake_mp: int,
        **numbers: int,
    ) -> Item:
        """An item about a party; `events` in order, the newest last."""
        return Item(
            item=item_id(rule, person, about, cause),
            rule=rule,
            person=person,
            about=about,
            pair=None,
            why=why,
            numbers=tuple(sorted(numbers.items())),
            event_ids=tuple(events)[-EVENTS_MAX:],
            at_stake_mp=at_stake_mp,
            trace=Trace(0, None, self.surroundings.policy.hash),
        )


@dataclass(frozen=True, slots=True)
class TenantRule:
    """A rule about parties; `items` and `settled` as those of a rule about a relationship."""

    rule: Rule
    items: Callable[[Tenant], Iterator[Item]]
    settled: Callable[[Item, Tenant], Reason | None]
