"""The relationships of a person, all of them: read in chunks, so that a wide list stays small."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from services.projector.domain.facts import Pair
from services.projector.domain.identity import Identities
from services.projector.domain.measures.view import RelationshipView
from services.projector.queries.balances import Relation, RelationBalance, relation_of
from services.projector.queries.people import read_identities
from services.projector.queries.question import Question
from services.projector.queries.relationships import read_relations
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.standings import is_built, standing_of
from services.runtime.errors import RapportError, Reason
from services.runtime.limits import FOLDED_RELATIONSHIPS_MAX

# Relationships folded in one go: bounds memory, and lets other calls have the loop in between.
CHUNK: Final = 100
# The highest order by buffer there is, for a scan from the top.
_FROM_THE_TOP: Final[tuple[object, ...]] = (1, 2**63 - 1, "q", "")


@dataclass(frozen=True, slots=True)
class Wide:
    """The relationships of some people, with who is whom.

    `of` are the canonical ids of who was asked about. Of a relationship's raw pairs only those
    that exist are there; a pair of two ids of one human is no relationship.
    """

    of: frozenset[str]
    people: Identities
    relations: tuple[Relation, ...]


async def read_wide(snapshot: Snapshot, question: Question, persons: Collection[str]) -> Wide:
    """Every relationship that one of some people was ever in; LIST_TOO_WIDE beyond 10,000."""
    people = await read_identities(snapshot, persons, question.position)
    members = sorted({member for person in persons for member in people.members(person)})
    pairs = await read_pairs(snapshot, members)
    people = await read_identities(
        snapshot, {person for pair in pairs for person in pair} | set(persons), question.position
    )
    of = frozenset(people.canonical(person) for person in persons)
    return Wide(of, people, relations_of(pairs, people))


async def read_pairs(snapshot: Snapshot, ids: Sequence[str]) -> list[Pair]:
    """Every raw pair that one of some ids was ever in, ascending; LIST_TOO_WIDE beyond 10,000."""
    if not ids:
        return []
    rows = await snapshot.fetch("pairs_of_people", ids, FOLDED_RELATIONSHIPS_MAX + 1)
    if len(rows) > FOLDED_RELATIONSHIPS_MAX:
        counted = await snapshot.fetch_row("count_pairs_of_people", ids)
        assert counted is not None, "an aggregate has a row"
        raise too_wide(counted["pairs"])
    return sorted({(row["a"], row["b"]) for row in rows})


def relations_of(pairs: Iterable[Pair], people: Identities) -> tuple[Relation, ...]:
    """The relationships that raw pairs make, by canonical pair; none of one human's two ids."""
    by_pair: dict[Pair, list[Pair]] = {}
    for pair in pairs:
        canonical = people.canonical_pair(pair)
        if canonical is not None:
            by_pair.setdefault(canonical, []).append(pair)
    return tuple(Relation(pair, tuple(raw)) for pair, raw in sorted(by_pair.items()))


def too_wide(count: int) -> RapportError:
    """The refusal of a list that would fold too much."""
    return RapportError(
        Reason.LIST_TOO_WIDE,
        f"the list needs a party with at most {FOLDED_RELATIONSHIPS_MAX} relationships",
        metadata={"count": str(count), "limit": str(FOLDED_RELATIONSHIPS_MAX)},
    )


async def read_standings(
    snapshot: Snapshot, question: Question, person: str
) -> list[RelationBalance] | None:
    """The standings of a human by its canonical id; None where they do not answer the question.

    They are exact where they do: built for the question's day and policy, nothing newer known.
    LIST_TOO_WIDE beyond 10,000.
    """
    if not question.newest or not is_built(snapshot, question):
        return None
    limit = FOLDED_RELATIONSHIPS_MAX + 1
    order, *after = _FROM_THE_TOP
    rows = await snapshot.fetch("standings_of_person_descending", person, order, *after, limit)
    if len(rows) == limit:
        raise too_wide(len(rows))
    return [standing_of(row, question.on) for row in rows]


async def views_of(
    snapshot: Snapshot, question: Question, pairs: Sequence[Pair], people: Identities
) -> list[RelationshipView]:
    """The views of canonical pairs, in their order."""
    relations = [relation_of(pair, people) for pair in pairs]
    return [read.view for read in await read_relations(snapshot, question, relations, people)]


async def each_view(
    snapshot: Snapshot, question: Question, wide: Wide, relations: Iterable[Relation]
) -> AsyncIterator[RelationshipView]:
    """The views of relationships in which something happened by the day, in the order given."""
    for some in chunks(tuple(relations)):
        for read in await read_relations(snapshot, question, some, wide.people):
            if read.view.touchpoints:
                yield read.view
            # Folding happens where the view is looked at: other calls have the loop in between.
            await asyncio.sleep(0)


def chunks[T](items: Sequence[T], size: int = CHUNK) -> Iterable[Sequence[T]]:
    """The items in runs of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
