"""Who of ours knows a person or an organisation best and could bring bad news."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.projector.domain.collective.stake import Stake
from services.projector.domain.collective.who_knows import Knows, who_knows
from services.projector.domain.identity import Identities
from services.projector.domain.measures.view import RelationshipView, Side
from services.projector.queries.balances import Part, Relation, read_parts
from services.projector.queries.described import Described, read_described
from services.projector.queries.known_of_people import read_affiliated
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.standings import Place
from services.projector.queries.wide import Wide, read_wide, views_of
from services.runtime.names import is_person


@dataclass(frozen=True, slots=True)
class AcquaintancesAsked:
    """A page of who knows a party, after a place; the highest buffer first.

    The pair of a place is the person's own id twice: each is there once.
    """

    party: str
    severity: int
    after: Place | None
    limit: int


@dataclass(frozen=True, slots=True)
class AcquaintancesPage:
    """Who knows the party, each with the relationship that says so; None at the end."""

    found: list[tuple[Knows, RelationshipView]]
    next: Place | None


async def list_acquaintances(
    snapshot: Snapshot, question: Question, asked: AcquaintancesAsked
) -> AcquaintancesPage:
    """A page of those whose relationship with the party survives the severity.

    An organisation's people are those affiliated on the day. From buckets where they answer; only
    the page is folded. Raises LIST_TOO_WIDE beyond 10,000 relationships of the party.
    """
    persons: Collection[str] = [asked.party]
    if not is_person(asked.party):
        persons = await read_affiliated(snapshot, asked.party, question.on, question.position)
    wide = await read_wide(snapshot, question, persons)
    stakes = await _stakes(snapshot, question, wide)
    found = who_knows(stakes, wide.of, question.policy, asked.severity)
    if asked.after is not None:
        after = -asked.after.key, asked.after.pair[0]
        found = tuple(k for k in found if (-k.stake.buffer_mp, k.person) > after)
    page = found[: asked.limit]
    views = await views_of(snapshot, question, [each.stake.pair for each in page], wide.people)
    last = page[-1] if page and len(found) > len(page) else None
    return AcquaintancesPage(
        list(zip(page, views, strict=True)),
        None if last is None else Place(last.stake.buffer_mp, (last.person, last.person)),
    )


async def _stakes(snapshot: Snapshot, question: Question, wide: Wide) -> list[Stake]:
    raw = [pair for relation in wide.relations for pair in relation.raw]
    parts = await read_parts(snapshot, question, raw)
    ids = {
        member
        for relation in wide.relations
        for person in relation.pair
        for member in wide.people.members(person)
    }
    described = await read_described(snapshot, ids, question.on, question.position)
    stakes = []
    for relation in wide.relations:
        total = Part()
        for pair in relation.raw:
            total = total.plus(parts[pair])
        if total.touched:
            stakes.append(_stake(relation, total, question, wide.people, described))
    return stakes


def _stake(
    relation: Relation,
    total: Part,
    question: Question,
    people: Identities,
    described: Mapping[str, Described],
) -> Stake:
    a, b = relation.pair
    buffer = total.balance.buffer(question.policy)
    return Stake(
        a=a,
        b=b,
        know_mp=total.balance.know_mp,
        care_mp=total.balance.care_mp,
        buffer_mp=total.balance.buffer_mp(question.policy),
        contact_days=len(total.days),
        a_side=_side(a, people, described),
        b_side=_side(b, people, described),
        exact_buffer=buffer,
    )


def _side(human: str, people: Identities, described: Mapping[str, Described]) -> Side | None:
    """What is said under any of a human's ids, the smallest first."""
    for member in people.members(human):
        said = described.get(member)
        if said is not None and said.side is not None:
            return said.side
    return None
