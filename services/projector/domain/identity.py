"""Who is whom: ids that are one human. Source: the domain contract, sections 3 and 5."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

from services.projector.domain.facts import Pair, Touchpoint, Void, pair_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Two person ids said to be one human. A weak link only proposes."""

    event_id: str
    position: int
    a: str
    b: str
    strong: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlink:
    """The end of a link, named by its event id; may arrive before it."""

    event_id: str
    position: int
    ends: str


@dataclass(frozen=True, slots=True)
class Identities:
    """The humans behind person ids: canonical id by id, members by canonical id.

    Both hold linked ids only; any other is a human of its own. Not to be changed.
    """

    canonical_of: Mapping[str, str]
    members_of: Mapping[str, tuple[str, ...]]

    def canonical(self, person: str) -> str:
        """The smallest of the ids that are this human."""
        return self.canonical_of.get(person, person)

    def members(self, person: str) -> tuple[str, ...]:
        """All ids that are this human, ascending."""
        return self.members_of.get(self.canonical(person), (person,))

    def same_human(self, a: str, b: str) -> bool:
        """Whether two ids are one human; a pair of them posts nothing."""
        return self.canonical(a) == self.canonical(b)

    def canonical_pair(self, pair: Pair) -> Pair | None:
        """The relationship that a raw pair is read as; None when both ends are one human."""
        a, b = self.canonical(pair[0]), self.canonical(pair[1])
        return None if a == b else pair_of(a, b)

    def raw_pairs(self, a: str, b: str) -> tuple[Pair, ...]:
        """The raw pairs whose sums make up the relationship of two humans; none if they are one."""
        if self.same_human(a, b):
            return ()
        return tuple(sorted(pair_of(x, y) for x in self.members(a) for y in self.members(b)))

    def posting(self, touchpoints: Iterable[Touchpoint]) -> list[Touchpoint]:
        """Those between two different humans."""
        return [t for t in touchpoints if not self.same_human(t.initiator, t.counterpart)]


NO_LINKS = Identities({}, {})


def crosses(a: str, b: str, sides: Mapping[str, Hashable]) -> bool:
    """Whether two ids are on different sides, both known: then they are not one human."""
    side, other = sides.get(a), sides.get(b)
    return side is not None and other is not None and side != other


def identities(
    facts: Iterable[Link | Unlink | Void],
    known_at: int | None = None,
    sides: Mapping[str, Hashable] | None = None,
) -> Identities:
    """The humans that strong links make, given in any order with what ends or voids them.

    A link counts while it is neither voided nor ended by an Unlink that is not voided itself, and
    its two ids are not on different sides. `sides` are those last described, whatever the day; who
    has none is not in it. Facts of a position beyond `known_at` are as if they had not been
    recorded; so must the sides be.
    """
    sides = sides or {}
    links: dict[str, Link] = {}
    unlinks: dict[str, Unlink] = {}
    voids: dict[str, Void] = {}
    for fact in facts:
        if known_at is not None and fact.position > known_at:
            continue
        if isinstance(fact, Link):
            links[fact.event_id] = fact
        elif isinstance(fact, Unlink):
            unlinks[fact.event_id] = fact
        else:
            voids[fact.event_id] = fact
    voided = {void.target for void in voids.values()}
    ended = {unlink.ends for unlink in unlinks.values() if unlink.event_id not in voided}
    parents: dict[str, str] = {}

    def root(person: str) -> str:
        while (parent := parents.setdefault(person, person)) != person:
            parents[person] = parents[parent]
            person = parents[person]
        return person

    for link in links.values():
        if not link.strong or link.event_id in voided or link.event_id in ended:
            continue
        if not crosses(link.a, link.b, sides):
            smaller, larger = sorted((root(link.a), root(link.b)))
            parents[larger] = smaller
    canonical_of = {person: root(person) for person in list(parents)}
    members: dict[str, list[str]] = {}
    for person in sorted(canonical_of):
        members.setdefault(canonical_of[person], []).append(person)
    return Identities(canonical_of, {human: tuple(ids) for human, ids in members.items()})
