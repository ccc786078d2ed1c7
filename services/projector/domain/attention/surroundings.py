"""What surrounds relationships on a day: the policy, and what is known of people."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from services.projector.domain.calendar import US_PER_DAY
from services.projector.domain.identity import NO_LINKS, Identities
from services.projector.domain.people.affiliations import NO_AFFILIATIONS, Affiliations
from services.projector.domain.people.dates import NotedDate
from services.projector.domain.people.descriptions import NO_DESCRIPTIONS, Descriptions
from services.projector.domain.people.learned import LearnedFact
from services.projector.domain.people.signals import Signal
from services.runtime.policy import Policy


@dataclass(frozen=True)
class Surroundings:
    """A tenant's day, relationships apart. Make it with `surroundings_of`; not to be changed.

    `at_us` is the instant asked, for what counts in hours. People are under their canonical ids;
    dates, facts and signals are those known on the day, each list by event id. `facts_used` says
    for the event id of a touchpoint which facts and dates it used.
    """

    on: int
    at_us: int
    policy: Policy
    humans: Identities
    dates: Mapping[str, tuple[NotedDate, ...]]
    facts: Mapping[str, tuple[LearnedFact, ...]]
    signals: Mapping[str, tuple[Signal, ...]]
    affiliations: Affiliations
    descriptions: Descriptions
    facts_used: Mapping[str, tuple[str, ...]]

    @cached_property
    def event_ids(self) -> frozenset[str]:
        """Every event here that an item may rest on."""
        held = (self.dates, self.facts, self.signals)
        ids = {fact.event_id for facts in held for group in facts.values() for fact in group}
        ids.update(a.ended_by for a in self.affiliations.everything if a.over(self.on))
        return frozenset(ids)


def surroundings_of(
    policy: Policy,
    on: int,
    *,
    at_us: int | None = None,
    humans: Identities = NO_LINKS,
    dates: Iterable[NotedDate] = (),
    facts: Iterable[LearnedFact] = (),
    signals: Iterable[Signal] = (),
    affiliations: Affiliations = NO_AFFILIATIONS,
    descriptions: Descriptions = NO_DESCRIPTIONS,
    facts_used: Mapping[str, tuple[str, ...]] | None = None,
) -> Surroundings:
    """The surroundings of a day, of effective facts in any order, each once; later ones left out.

    Without `at_us` the whole day counts. The turn of a day gives its first instant, an answer
    about today the present one, so that nothing is called late before it is.
    """
    return Surroundings(
        on=on,
        at_us=(on + 1) * US_PER_DAY if at_us is None else at_us,
        policy=policy,
        humans=humans,
        dates=_by_party(dates, humans, on, lambda date: (date.person, date.noted_on)),
        facts=_by_party(facts, humans, on, lambda fact: (fact.person, fact.learned_on)),
        signals=_by_party(signals, humans, on, lambda signal: (signal.about, signal.day)),
        affiliations=affiliations,
        descriptions=descriptions,
        facts_used={} if facts_used is None else facts_used,
    )


def _by_party[F: (NotedDate, LearnedFact, Signal)](
    facts: Iterable[F], humans: Identities, on: int, whom_and_when: Callable[[F], tuple[str, int]]
) -> dict[str, tuple[F, ...]]:
    found: defaultdict[str, list[F]] = defaultdict(list)
    for fact in facts:
        whom, day = whom_and_when(fact)
        if day <= on:
            found[humans.canonical(whom)].append(fact)
    return {
        whom: tuple(sorted(group, key=lambda fact: fact.event_id)) for whom, group in found.items()
    }
