"""Balances of relationships: from stored sums where those answer, by folding everywhere else."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.projector.domain.balance import Balance
from services.projector.domain.buckets import Buckets
from services.projector.domain.contact import contact_days
from services.projector.domain.entries import fold
from services.projector.domain.facts import Pair
from services.projector.domain.identity import Identities
from services.projector.queries.history import read_histories
from services.projector.queries.people import read_identities
from services.projector.queries.question import AsOf, Question
from services.projector.queries.snapshot import Ahead, Snapshot
from services.projector.stored import THROUGH_DAY_NONE, buckets_from_text
from services.runtime.policy import Policy

# Pairs read and folded in one go: bounds memory, and lets other calls have the loop in between.
_CHUNK_PAIRS: Final = 200
_STORED: Final = "balances_of_pairs"


@dataclass(frozen=True, slots=True)
class Relation:
    """A relationship as asked for: its canonical pair, and the raw pairs that it sums up.

    When both ends are one human there is nothing to sum up, and the pair is the one asked for.
    """

    pair: Pair
    raw: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class RelationBalance:
    """A relationship's balance on a day, rounded; amounts in mp, days since 2000-01-01."""

    pair: Pair
    on: int
    know_mp: int
    care_mp: int
    buffer_mp: int
    contact_days: int
    first_contact_day: int | None
    last_contact_day: int | None


@dataclass(slots=True)
class Part:
    """What one raw pair, or several, contribute: the exact balance, and the days of contact."""

    balance: Balance = field(default_factory=Balance)
    days: frozenset[int] = frozenset()
    # Whether anything was recorded that happened up to the day asked, in effect or not.
    touched: bool = False
    # Whether any of that is in effect: not voided, nor corrected to a later day.
    in_effect: bool = False

    def plus(self, other: "Part") -> "Part":
        """Both together: balances add, contact-days unite."""
        return Part(
            self.balance + other.balance,
            self.days | other.days,
            touched=self.touched or other.touched,
            in_effect=self.in_effect or other.in_effect,
        )


def relation_of(pair: Pair, people: Identities) -> Relation:
    """The relationship that a pair of ids stands for."""
    canonical = people.canonical_pair(pair)
    if canonical is None:
        return Relation(pair, ())
    return Relation(canonical, people.raw_pairs(*pair))


async def read_balances(
    snapshot: Snapshot, question: Question, pairs: Sequence[Pair]
) -> list[RelationBalance]:
    """The balances of the relationships that pairs of ids stand for, in their order."""
    everybody = {person for pair in pairs for person in pair}
    people = await read_identities(snapshot, everybody, question.position)
    relations = [relation_of(pair, people) for pair in pairs]
    raw = dict.fromkeys(pair for relation in relations for pair in relation.raw)
    parts = await read_parts(snapshot, question, list(raw))
    return [summed(relation, parts, question) for relation in relations]


def balances_ahead(as_of: AsOf, pairs: Sequence[Pair]) -> Ahead | None:
    """What `read_balances` asks for where nobody has several ids and stored sums answer."""
    if as_of != AsOf() or len(pairs) > _CHUNK_PAIRS:
        return None
    some = list(dict.fromkeys(pairs))
    return Ahead(_STORED, ([a for a, _ in some], [b for _, b in some]))


def summed(relation: Relation, parts: dict[Pair, Part], question: Question) -> RelationBalance:
    """The balance of a relationship from those of its raw pairs."""
    total = Part()
    for pair in relation.raw:
        total = total.plus(parts[pair])
    return rounded(relation.pair, total, question.on, question.policy)


def rounded(pair: Pair, total: Part, on: int, policy: Policy) -> RelationBalance:
    """An exact sum as it is answered: each number rounded once."""
    days = total.days
    return RelationBalance(
        pair=pair,
        on=on,
        know_mp=total.balance.know_mp,
        care_mp=total.balance.care_mp,
        buffer_mp=total.balance.buffer_mp(policy),
        contact_days=len(days),
        first_contact_day=min(days) if days else None,
        last_contact_day=max(days) if days else None,
    )


async def read_parts(
    snapshot: Snapshot, question: Question, pairs: Sequence[Pair], *, at: int | None = None
) -> dict[Pair, Part]:
    """What each raw pair contributes; a pair nobody has touched contributes nothing.

    `at`: the balance of that day, not before the question's, without contact in between.
    """
    at = question.on if at is None else at
    parts: dict[Pair, Part] = {}
    for some in _chunks(pairs):
        if question.newest:
            parts |= await _stored_parts(snapshot, question, some, at)
        folded = [pair for pair in some if pair not in parts]
        if folded:
            parts |= await _folded_parts(snapshot, question, folded, at)
        if len(pairs) > _CHUNK_PAIRS:
            await asyncio.sleep(0)
    return parts


async def _stored_parts(
    snapshot: Snapshot, question: Question, pairs: Sequence[Pair], at: int
) -> dict[Pair, Part]:
    """Those that stored sums answer: of the question's policy, and of no later day than it asks."""
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    parts: dict[Pair, Part] = {}
    for row in await snapshot.fetch(_STORED, a, b):
        through_day = row["through_day"]
        if row["policy_hash"] != question.policy.hash or through_day > question.on:
            continue
        if through_day == THROUGH_DAY_NONE:
            continue  # nothing posted: sums do not tell whether it was touched by that day
        buckets = buckets_from_text(row["buckets"], through_day)
        days = frozenset(day for day in row["contact_days"] if day <= question.on)
        parts[row["a"], row["b"]] = Part(buckets.balance(at), days, touched=True, in_effect=True)
    return parts


async def _folded_parts(
    snapshot: Snapshot, question: Question, pairs: Sequence[Pair], at: int
) -> dict[Pair, Part]:
    parts: dict[Pair, Part] = {}
    histories = await read_histories(snapshot, pairs, question.position)
    for pair, history in histories.items():
        touchpoints = history.effective().touchpoints
        parts[pair] = Part(
            Buckets(fold(touchpoints, question.policy, question.on).entries).balance(at),
            frozenset(contact_days(touchpoints, question.policy, question.on)),
            touched=any(each.day <= question.on for each in (*history.recorded, *touchpoints)),
            in_effect=any(each.day <= question.on for each in touchpoints),
        )
    return parts


def _chunks(pairs: Sequence[Pair]) -> Iterator[Sequence[Pair]]:
    for start in range(0, len(pairs), _CHUNK_PAIRS):
        yield pairs[start : start + _CHUNK_PAIRS]
