"""Lists of relationships: today's from a table in order, everything else by folding."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from services.projector.domain.facts import Pair
from services.projector.queries.balances import (
    Part,
    Relation,
    RelationBalance,
    read_parts,
    relation_of,
    rounded,
)
from services.projector.queries.people import read_identities
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.runtime.errors import RapportError, Reason
from services.runtime.limits import FOLDED_RELATIONSHIPS_MAX

# What a relationship without contact is ordered by: as if it was the longest ago.
NO_CONTACT_DAY: Final = -(2**31)

_KEY_MIN: Final = -(2**63)
_KEY_MAX: Final = 2**63 - 1
_DAY_MAX: Final = 2**31 - 1
# Beyond every name: they begin with `people/`.
_NAME_MAX: Final = "q"


class Order(IntEnum):
    """What a list is ordered by; the numbers of rapport.v1.BalanceOrder."""

    BUFFER = 1
    CARE = 2
    KNOW = 3
    LAST_CONTACT = 4


@dataclass(frozen=True, slots=True)
class Place:
    """Where a relationship stands in a list: what it is ordered by, then its two people."""

    key: int
    pair: Pair


@dataclass(frozen=True, slots=True)
class ListAsked:
    """A page of a list: of one person or (None) of the whole tenant, after a place, `limit` long.

    Ascending is exactly the reverse of descending.
    """

    person: str | None
    order: Order
    ascending: bool
    after: Place | None
    limit: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and the place to go on from; None at the end."""

    balances: list[RelationBalance]
    next: Place | None


async def list_balances(
    snapshot: Snapshot, question: Question, asked: ListAsked, *, is_today: bool
) -> Page:
    """A page of relationships in order.

    `is_today`: it is today's list, at the newest position, that is asked for. Raises VIEW_BUILDING
    while that is being computed, and LIST_TOO_WIDE for every other list without a person, or of a
    person with more than 10,000 relationships.
    """
    if is_today and is_built(snapshot, question):
        return await _standing(snapshot, question, asked)
    if asked.person is None:
        raise await (_building if is_today else _too_wide)(snapshot, question)
    people = await read_identities(snapshot, [asked.person], question.position)
    members = list(people.members(asked.person))
    rows = await snapshot.fetch("pairs_of_people", members, FOLDED_RELATIONSHIPS_MAX + 1)
    if len(rows) > FOLDED_RELATIONSHIPS_MAX:
        if is_today:
            raise await _building(snapshot, question)
        raise await _too_wide(snapshot, question, members)
    pairs: list[Pair] = sorted({(row["a"], row["b"]) for row in rows})
    return await _folded(snapshot, question, asked, pairs)


def place_of(balance: RelationBalance, order: Order) -> Place:
    """Where a balance stands in a list."""
    last = balance.last_contact_day
    keys = {
        Order.BUFFER: balance.buffer_mp,
        Order.CARE: balance.care_mp,
        Order.KNOW: balance.know_mp,
        Order.LAST_CONTACT: NO_CONTACT_DAY if last is None else last,
    }
    return Place(keys[order], balance.pair)


def is_built(snapshot: Snapshot, question: Question) -> bool:
    """Whether the standings hold for the question's day and policy, all of them."""
    state = snapshot.standings
    if state is None:
        return True  # no event of the tenant yet: an empty list
    return state.built and (state.day, state.policy_hash) == (question.on, question.policy.hash)


async def _building(snapshot: Snapshot, question: Question) -> RapportError:
    row = await _count(snapshot, question)
    return RapportError(
        Reason.VIEW_BUILDING,
        "the list is being computed for a new day or policy; retry",
        metadata={"done": str(row["done"]), "total": str(row["total"])},
    )


async def _too_wide(
    snapshot: Snapshot, question: Question, members: Sequence[str] | None = None
) -> RapportError:
    if members is None:
        count = (await _count(snapshot, question))["total"]
    else:
        row = await snapshot.fetch_row("count_pairs_of_people", members)
        assert row is not None, "an aggregate has a row"
        count = row["pairs"]
    return RapportError(
        Reason.LIST_TOO_WIDE,
        f"another day, known_at or policy needs a person with at most {FOLDED_RELATIONSHIPS_MAX} "
        "relationships",
        metadata={"count": str(count), "limit": str(FOLDED_RELATIONSHIPS_MAX)},
    )


async def _count(snapshot: Snapshot, question: Question) -> Any:
    row = await snapshot.fetch_row("count_relationships", question.on, question.policy.hash)
    assert row is not None, "an aggregate has a row"
    return row


async def _standing(snapshot: Snapshot, question: Question, asked: ListAsked) -> Page:
    after = asked.after or _beginning(asked)
    found: list[RelationBalance] = []
    # One more than asked for tells whether there is a next page.
    wanted = asked.limit + 1
    while len(found) < wanted:
        rows = await _rows(snapshot, question, asked, after, wanted)
        balances = [standing_of(row, question.on) for row in rows]
        found += await _begun(snapshot, question, balances)
        if len(rows) < wanted:
            break
        after = place_of(balances[-1], asked.order)
    return _page(found[:wanted], asked)


async def _rows(
    snapshot: Snapshot, question: Question, asked: ListAsked, after: Place, limit: int
) -> list[Any]:
    direction = "ascending" if asked.ascending else "descending"
    place = after.key, *after.pair
    if asked.person is None:
        stem = f"standings_by_{asked.order.name.lower()}_{direction}"
        return await snapshot.fetch(stem, *place, limit)
    people = await read_identities(snapshot, [asked.person], question.position)
    person = people.canonical(asked.person)
    stem = f"standings_of_person_{direction}"
    return await snapshot.fetch(stem, person, int(asked.order), *place, limit)


async def _begun(
    snapshot: Snapshot, question: Question, balances: list[RelationBalance]
) -> list[RelationBalance]:
    """Those in which something happened by the day: what is recorded for later has a standing, too.

    Only those that stand at nothing are looked up.
    """
    empty = [
        each.pair
        for each in balances
        if not (each.contact_days or each.know_mp or each.care_mp or each.buffer_mp)
    ]
    if not empty:
        return balances
    everybody = {person for pair in empty for person in pair}
    people = await read_identities(snapshot, everybody, question.position)
    relations = {pair: relation_of(pair, people) for pair in empty}
    raw = [pair for relation in relations.values() for pair in relation.raw]
    parts = await read_parts(snapshot, question, raw)
    begun = {
        pair
        for pair, relation in relations.items()
        if any(parts[each].touched for each in relation.raw)
    }
    return [each for each in balances if each.pair in begun or each.pair not in relations]


def _beginning(asked: ListAsked) -> Place:
    if asked.order is Order.LAST_CONTACT:
        low, high = NO_CONTACT_DAY, _DAY_MAX
    else:
        low, high = _KEY_MIN, _KEY_MAX
    return Place(low, ("", "")) if asked.ascending else Place(high, (_NAME_MAX, ""))


def standing_of(row: Any, on: int) -> RelationBalance:
    """The balance of a row of standings."""
    return RelationBalance(
        pair=(row["a"], row["b"]),
        on=on,
        know_mp=row["know_mp"],
        care_mp=row["care_mp"],
        buffer_mp=row["buffer_mp"],
        contact_days=row["contact_days"],
        first_contact_day=row["first_contact_day"],
        last_contact_day=row["last_contact_day"],
    )


async def _folded(
    snapshot: Snapshot, question: Question, asked: ListAsked, pairs: Sequence[Pair]
) -> Page:
    """Every relationship of the pairs on the day asked, sorted, and the page of them.

    Left out are those in which nothing had happened by that day, as far as was known.
    """
    everybody = {person for pair in pairs for person in pair}
    people = await read_identities(snapshot, everybody, question.position)
    relations: dict[Pair, Relation] = {}
    for pair in pairs:
        relation = relation_of(pair, people)
        if relation.raw:  # not between two ids of one human
            relations[relation.pair] = relation
    # Of the raw pairs that two humans could have, only those that exist.
    existing = set(pairs)
    parts = await read_parts(snapshot, question, pairs)
    balances = []
    for relation in relations.values():
        total = Part()
        for pair in relation.raw:
            if pair in existing:
                total = total.plus(parts[pair])
        if total.touched:
            balances.append(rounded(relation.pair, total, question.on, question.policy))
    places = {balance.pair: place_of(balance, asked.order) for balance in balances}

    def sort_key(balance: RelationBalance) -> tuple[int, Pair]:
        place = places[balance.pair]
        return place.key, place.pair

    balances.sort(key=sort_key, reverse=not asked.ascending)
    if asked.after is not None:
        after = asked.after.key, asked.after.pair
        balances = [
            balance
            for balance in balances
            if (sort_key(balance) > after if asked.ascending else sort_key(balance) < after)
        ]
    return _page(balances[: asked.limit + 1], asked)


def _page(found: list[RelationBalance], asked: ListAsked) -> Page:
    balances = found[: asked.limit]
    more = len(found) > asked.limit
    return Page(balances, place_of(balances[-1], asked.order) if more and balances else None)
