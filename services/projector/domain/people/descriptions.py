"""What parties were said to be, by the day. Source: the domain contract, section 3."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from services.projector.domain.calendar import day_of
from services.projector.domain.measures.view import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A PartyDescribed without its texts; it replaces the earlier one as a whole."""

    event_id: str
    position: int
    instant_us: int
    party: str
    side: Side | None = None
    team: str = ""
    tier: str = ""


@dataclass(frozen=True)
class Descriptions:
    """All descriptions in effect, in any order."""

    everything: tuple[Description, ...] = ()

    @cached_property
    def _by_party(self) -> dict[str, list[Description]]:
        found: defaultdict[str, list[Description]] = defaultdict(list)
        for description in self.everything:
            found[description.party].append(description)
        for held in found.values():
            held.sort(key=lambda d: (d.instant_us, d.position), reverse=True)
        return found

    @property
    def parties(self) -> tuple[str, ...]:
        """Everybody ever described, ascending."""
        return tuple(sorted(self._by_party))

    def on(self, party: str, day: int) -> Description | None:
        """The one in force on a day: the highest (occurred_at, position) not after it."""
        held = self._by_party.get(party, ())
        return next((d for d in held if day_of(d.instant_us) <= day), None)

    def side(self, ids: Iterable[str], day: int) -> Side | None:
        """The side of a human on a day, given all its ids, ascending: the first that says one."""
        found = (self.on(party, day) for party in ids)
        return next((d.side for d in found if d is not None and d.side is not None), None)

    def team(self, ids: Iterable[str], day: int) -> str:
        """The team of a human on a day, likewise; empty for none."""
        found = (self.on(party, day) for party in ids)
        return next((d.team for d in found if d is not None and d.team), "")


NO_DESCRIPTIONS = Descriptions()


def descriptions(facts: Iterable[Description]) -> Descriptions:
    """Descriptions of effective facts, duplicates allowed."""
    return Descriptions(tuple({fact.event_id: fact for fact in facts}.values()))
