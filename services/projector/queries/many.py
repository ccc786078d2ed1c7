"""Many relationships at once: what they are worth, and who of ours they belong to.

Of some people, a team or the whole tenant; at most 10,000 relationships, for all of them may have
to be folded.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.projector.domain.collective.stake import Stake
from services.projector.domain.facts import Pair
from services.projector.domain.identity import Identities
from services.projector.domain.measures.view import Side
from services.projector.queries.balances import (
    Part,
    RelationBalance,
    read_parts,
    relation_of,
    rounded,
)
from services.projector.queries.described import Described, read_described
from services.projector.queries.people import read_identities
from services.projector.queries.question import Question
from services.projector.queries.relationships import people_of
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.standings import is_built
from services.projector.queries.wide import (
    Wide,
    read_standings,
    read_wide,
    relations_of,
    too_wide,
)
from services.runtime.limits import FOLDED_RELATIONSHIPS_MAX


@dataclass(frozen=True, slots=True)
class Humans:
    """People as of a question: who is whom, and how each id was described."""

    people: Identities
    described: Mapping[str, Described]

    def side(self, person: str) -> Side | None:
        """A human's side: that of his smallest id that has one."""
        found = (self.described.get(member) for member in self.people.members(person))
        return next((each.side for each in found if each and each.side is not None), None)

    def team(self, person: str) -> str:
        """A human's team, likewise; empty for none."""
        found = (self.described.get(member) for member in self.people.members(person))
        return next((each.team for each in found if each and each.team), "")


@dataclass(frozen=True, slots=True)
class Held:
    """Relationships with a touchpoint in effect by the day: as stakes, and as people see them."""

    stakes: tuple[Stake, ...]
    balances: Mapping[Pair, RelationBalance]


async def read_humans(snapshot: Snapshot, question: Question, persons: Collection[str]) -> Humans:
    """The humans behind some ids, described as of the question."""
    people = await read_identities(snapshot, persons, question.position)
    ids = {member for person in persons for member in people.members(person)}
    return Humans(people, await read_described(snapshot, ids, question.on, question.position))


async def read_ours(snapshot: Snapshot, question: Question, team: str | None) -> frozenset[str]:
    """The canonical ids of our people on the day of the question, of a team or (None) all of them.

    LIST_TOO_WIDE beyond 10,000 who ever were.
    """
    limits = question.position, FOLDED_RELATIONSHIPS_MAX + 1
    if team is None:
        rows = await snapshot.fetch("ever_ours", *limits)
    else:
        rows = await snapshot.fetch("ever_of_team", team, *limits)
    if len(rows) > FOLDED_RELATIONSHIPS_MAX:
        raise too_wide(len(rows))
    humans = await read_humans(snapshot, question, [row["party"] for row in rows])
    ours = {humans.people.canonical(row["party"]) for row in rows}
    return frozenset(
        person
        for person in ours
        if humans.side(person) is Side.INTERNAL and team in (None, humans.team(person))
    )


async def read_whole(snapshot: Snapshot, question: Question) -> Wide:
    """Every relationship of the tenant; LIST_TOO_WIDE beyond 10,000."""
    rows = await snapshot.fetch("pairs_of_tenant", FOLDED_RELATIONSHIPS_MAX + 1)
    if len(rows) > FOLDED_RELATIONSHIPS_MAX:
        raise await _whole_too_wide(snapshot, question)
    pairs: list[Pair] = [(row["a"], row["b"]) for row in rows]
    everybody = {person for pair in pairs for person in pair}
    people = await read_identities(snapshot, everybody, question.position)
    return Wide(frozenset(), people, relations_of(pairs, people))


async def read_parts_of(snapshot: Snapshot, question: Question, wide: Wide) -> dict[Pair, Part]:
    """What each relationship adds up to, of those with a touchpoint in effect by the day."""
    raw = [pair for relation in wide.relations for pair in relation.raw]
    parts = await read_parts(snapshot, question, raw)
    found = {}
    for relation in wide.relations:
        total = Part()
        for pair in relation.raw:
            total = total.plus(parts[pair])
        if total.in_effect:
            found[relation.pair] = total
    return found


async def read_held(
    snapshot: Snapshot, question: Question, persons: Collection[str] | None
) -> Held:
    """What the relationships of some people, or (None) all of the tenant, are worth.

    From today's standings where they answer, else from sums and by folding. LIST_TOO_WIDE beyond
    10,000 relationships.
    """
    balances = await _standing(snapshot, question, persons)
    if balances is None:
        if persons is None:
            wide = await read_whole(snapshot, question)
        else:
            wide = await read_wide(snapshot, question, persons)
        balances = [
            rounded(pair, part, question.on, question.policy)
            for pair, part in (await read_parts_of(snapshot, question, wide)).items()
        ]
    everybody = {person for balance in balances for person in balance.pair}
    humans = await read_humans(snapshot, question, everybody)
    return Held(
        tuple(stake_of_balance(balance, humans) for balance in balances),
        {balance.pair: balance for balance in balances},
    )


async def _standing(
    snapshot: Snapshot, question: Question, persons: Collection[str] | None
) -> list[RelationBalance] | None:
    """The standings asked for; None where they do not answer the question.

    The tenant's are not read one by one: see `queries.tenant_portfolios`.
    """
    if persons is None or not question.newest or not is_built(snapshot, question):
        return None
    people = await read_identities(snapshot, persons, question.position)
    by_pair: dict[Pair, RelationBalance] = {}
    for human in sorted({people.canonical(person) for person in persons}):
        for balance in await read_standings(snapshot, question, human) or ():
            by_pair[balance.pair] = balance
        if len(by_pair) > FOLDED_RELATIONSHIPS_MAX:
            raise too_wide(len(by_pair))
    return await _begun(snapshot, question, list(by_pair.values()))


async def _begun(
    snapshot: Snapshot, question: Question, balances: list[RelationBalance]
) -> list[RelationBalance]:
    """Those with a touchpoint in effect by the day: what is to come, or voided, has a standing too.

    Only those that stand at nothing are looked up.
    """
    empty = {each.pair for each in balances if not (each.contact_days or each.know_mp)}
    if not empty:
        return balances
    people = await read_identities(snapshot, people_of(empty), question.position)
    relations = tuple(relation_of(pair, people) for pair in sorted(empty))
    begun = await read_parts_of(snapshot, question, Wide(frozenset(), people, relations))
    return [each for each in balances if each.pair not in empty or each.pair in begun]


async def _whole_too_wide(snapshot: Snapshot, question: Question) -> Exception:
    row = await snapshot.fetch_row("count_relationships", question.on, question.policy.hash)
    assert row is not None, "an aggregate has a row"
    return too_wide(row["total"])


def stake_of_balance(balance: RelationBalance, humans: Humans) -> Stake:
    """A balance as a part of a sum, with the sides of its two humans."""
    a, b = balance.pair
    return Stake(
        a=a,
        b=b,
        know_mp=balance.know_mp,
        care_mp=balance.care_mp,
        buffer_mp=balance.buffer_mp,
        contact_days=balance.contact_days,
        a_side=humans.side(a),
        b_side=humans.side(b),
    )
