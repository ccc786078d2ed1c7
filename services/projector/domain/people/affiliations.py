"""Who is where: dated places in organisations. Source: the domain contract, sections 1 and 3.

The person keeps the relationship, the old organisation keeps its past: what counts for an
organisation on a day is who was affiliated with it on that day.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from services.projector.domain.calendar import day_of
from services.projector.domain.facts import Void
from services.projector.domain.people.in_effect import in_effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A person's place in an organisation, from the instant on (us since 2000-01-01)."""

    event_id: str
    position: int
    instant_us: int
    person: str
    organization: str
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The end of the affiliation that `ends` names by its event id; may arrive before it."""

    event_id: str
    position: int
    instant_us: int
    person: str
    organization: str
    ends: str


@dataclass(frozen=True, slots=True)
class Affiliation:
    """A place from `first_day` to the day before `end_day` (None: still open).

    One that ends on the day it began or before was never in force. `ended_by` is the event id of
    the end that counts.
    """

    event_id: str
    person: str
    organization: str
    role: str
    first_day: int
    end_day: int | None = None
    ended_by: str = ""

    def in_force(self, day: int) -> bool:
        """Whether the person was there on the day."""
        return self.first_day <= day and (self.end_day is None or day < self.end_day)

    def over(self, day: int) -> bool:
        """Whether the person had been there once and is no longer, as of the day."""
        return self.end_day is not None and self.first_day < self.end_day and self.end_day <= day


@dataclass(frozen=True)
class Affiliations:
    """All affiliations, by event id; under the ids they were recorded with."""

    everything: tuple[Affiliation, ...] = ()

    @cached_property
    def _by_person(self) -> dict[str, tuple[Affiliation, ...]]:
        found: defaultdict[str, list[Affiliation]] = defaultdict(list)
        for affiliation in self.everything:
            found[affiliation.person].append(affiliation)
        return {person: tuple(sorted(held, key=_begin)) for person, held in found.items()}

    @cached_property
    def _by_organization(self) -> dict[str, tuple[Affiliation, ...]]:
        found: defaultdict[str, list[Affiliation]] = defaultdict(list)
        for affiliation in self.everything:
            found[affiliation.organization].append(affiliation)
        return {place: tuple(sorted(held, key=_begin)) for place, held in found.items()}

    @property
    def organizations(self) -> tuple[str, ...]:
        """Every organisation anybody was ever at, ascending."""
        return tuple(sorted(self._by_organization))

    def ever(self, people: Iterable[str]) -> tuple[Affiliation, ...]:
        """Those of a human, given all ids it has, by (first day, event id)."""
        held = [a for person in people for a in self._by_person.get(person, ())]
        return tuple(sorted(held, key=_begin))

    def of(self, people: Iterable[str], day: int) -> tuple[Affiliation, ...]:
        """Where a human is on a day, given all ids it has, by (first day, event id)."""
        return tuple(a for a in self.ever(people) if a.in_force(day))

    def at(self, organization: str, day: int) -> tuple[str, ...]:
        """The person ids affiliated with an organisation on a day, ascending, each once."""
        held = self._by_organization.get(organization, ())
        return tuple(sorted({a.person for a in held if a.in_force(day)}))


NO_AFFILIATIONS = Affiliations()


def affiliations(
    started: Iterable[Started],
    ended: Iterable[Ended] = (),
    voids: Iterable[Void] = (),
    known_at: int | None = None,
) -> Affiliations:
    """The affiliations that facts in any order make, duplicates allowed.

    An end of other people or another organisation than its start names has no effect. Of several
    ends the earliest by (occurred_at, event_id) counts: who has left cannot leave again. Voiding
    an end opens the affiliation again, voiding the start takes it back whole.
    """
    voids = tuple(voids)
    starts = {start.event_id: start for start in in_effect(started, voids, known_at)}
    ends: dict[str, Ended] = {}
    for end in in_effect(ended, voids, known_at):
        start = starts.get(end.ends)
        if start is None or (start.person, start.organization) != (end.person, end.organization):
            continue
        first = ends.get(end.ends)
        if first is None or (end.instant_us, end.event_id) < (first.instant_us, first.event_id):
            ends[end.ends] = end
    return Affiliations(
        tuple(_affiliation(start, ends.get(event_id)) for event_id, start in starts.items())
    )


def _affiliation(start: Started, end: Ended | None) -> Affiliation:
    return Affiliation(
        event_id=start.event_id,
        person=start.person,
        organization=start.organization,
        role=start.role,
        first_day=day_of(start.instant_us),
        end_day=None if end is None else day_of(end.instant_us),
        ended_by="" if end is None else end.event_id,
    )


def _begin(affiliation: Affiliation) -> tuple[int, str]:
    return affiliation.first_day, affiliation.event_id
