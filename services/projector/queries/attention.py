"""What a person is shown on a day, and the log of what was raised and cleared.

Today's list is what the turn of the day found, with the relationships touched since brought up to
now: who was called is off the list at once. Under a policy that the turn did not know, and on a
tenant's first day, of which it knew nothing, small tenants are worked out anew. So is any other
question: the answer about a day, as known then, is the same whenever it is asked.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from rapport.events.v1 import common_pb2, practice_pb2

from services.projector.domain.attention.case import Case
from services.projector.domain.attention.day import items_of_relationship, most_at_stake_first
from services.projector.domain.attention.items import Item
from services.projector.domain.attention.ration import Answer, ration
from services.projector.domain.facts import Pair
from services.projector.domain.measures.view import RelationshipView
from services.projector.domain.people.in_effect import in_effect
from services.projector.facts import ATTENTION_ANSWERED, void_from
from services.projector.queries.attention_days import Reading, read_around, work_out
from services.projector.queries.briefs import surroundings
from services.projector.queries.known_of_people import read_known
from services.projector.queries.people import read_identities
from services.projector.queries.question import Question
from services.projector.queries.relationships import people_of, read_relations
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.wide import relations_of
from services.projector.stored_items import open_item_of
from services.runtime.clock import day_from_date
from services.runtime.errors import RapportError, Reason
from services.runtime.limits import FOLDED_RELATIONSHIPS_MAX

# Changes read in one go.
CHANGES_MAX: Final = 200
# Pairs of a tenant, at most, whose list of today is worked out anew where the turn is out of date.
ANEW_PAIRS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Listed:
    """An item: when it was raised (None: by no turn yet), and until when it sleeps."""

    item: Item
    raised_on: int | None
    snoozed_until: int | None


@dataclass(frozen=True, slots=True)
class AttentionList:
    """A person's day, what is lost by waiting first; `left_out` are beyond the ration."""

    listed: tuple[Listed, ...] = ()
    left_out: tuple[Item, ...] = ()


async def list_attention(
    snapshot: Snapshot,
    question: Question,
    person: str,
    *,
    is_today: bool,
    everything: bool,
    watched: Collection[str] | None = None,
) -> AttentionList:
    """A human's items, asked for by any of his ids; with `everything` also beyond the ration and
    snoozed. Of those about `watched` parties alone, by any of their ids, where they are given.

    `is_today`: the question is of today, as it stands, under the policy in force. LIST_TOO_WIDE
    when another question is asked of a tenant with more than 10,000 relationships.
    """
    people = await read_identities(snapshot, [person], question.position)
    human, members = people.canonical(person), people.members(person)
    found = await _today(snapshot, question, human, members) if is_today else None
    if found is None:
        found = await _worked_out(snapshot, question, human)
    if watched is not None:
        found = await _about(snapshot, question, found, human, watched)
    answers = await _read_answers(snapshot, members, question.position)
    shown = ration(found, answers, question.policy, question.on).get(human)
    if shown is None:
        return AttentionList()
    asleep = {item.item: until for item, until in shown.asleep}
    items: Sequence[Item] = shown.items
    if everything:
        items = most_at_stake_first(
            [*shown.items, *shown.left_out, *(item for item, _ in shown.asleep)]
        )
    raised_on = await _raised_on(snapshot, items, question.on)
    return AttentionList(
        tuple(Listed(i, raised_on.get(i.item), asleep.get(i.item)) for i in items),
        () if everything else shown.left_out,
    )


async def _today(
    snapshot: Snapshot, question: Question, human: str, members: Sequence[str]
) -> list[Item] | None:
    """Today's items from those open; None when today is not turned (yet)."""
    turned = await snapshot.fetch_row("attention_day")
    if turned is None or turned["day"] != question.on:
        return None
    found: list[Item] | None = None
    if turned["policy_hash"] != question.policy.hash:
        # The turn knew another policy, or, on a tenant's first day, nothing at all.
        found = await _worked_out_if_few(snapshot, question, human)
    if found is None:
        rows = await snapshot.fetch("attention_of_person", human)
        found = [open_item_of(row).item for row in rows]
    rows = await snapshot.fetch("pairs_touched_since", list(members), turned["position"])
    if not rows:
        return found
    touched, fresh = await _now(snapshot, question, [(row["a"], row["b"]) for row in rows])
    kept = [item for item in found if item.pair not in touched]
    return [*kept, *(item for item in fresh if item.person == human)]


async def _now(
    snapshot: Snapshot, question: Question, pairs: Sequence[Pair]
) -> tuple[set[Pair], list[Item]]:
    """The relationships that some raw pairs belong to, and what they ask for as of now."""
    people = await read_identities(snapshot, people_of(pairs), question.position)
    relations = relations_of(pairs, people)
    # A relationship's other raw pairs count too.
    raw = [pair for r in relations for pair in people.raw_pairs(*r.pair)]
    relations = relations_of(raw, people)
    known = await read_known(
        snapshot,
        {member for r in relations for end in r.pair for member in people.members(end)},
        question.position,
    )
    items: list[Item] = []
    for read in await read_relations(snapshot, question, relations, people):
        items += items_of_relationship(Case(read.view, surroundings(read.view, known)))
    return {relation.pair for relation in relations}, items


async def _worked_out_if_few(
    snapshot: Snapshot, question: Question, human: str
) -> list[Item] | None:
    """As `_worked_out`; None for a tenant of too many relationships to do it for today's list."""
    try:
        return await _worked_out(snapshot, question, human, pairs_max=ANEW_PAIRS_MAX)
    except RapportError as error:
        if error.reason is not Reason.LIST_TOO_WIDE:
            raise
        return None


async def _worked_out(
    snapshot: Snapshot,
    question: Question,
    human: str,
    *,
    pairs_max: int = FOLDED_RELATIONSHIPS_MAX,
) -> list[Item]:
    """The items of any day, from everything known as of the question."""
    around = await read_around(snapshot, question, pairs_max=pairs_max)

    async def read(work: Reading[list[RelationshipView]]) -> list[RelationshipView]:
        return await work(snapshot)

    found = await work_out(read, around, {})
    return [item for item in found.items if item.person == human]


async def _about(
    snapshot: Snapshot,
    question: Question,
    items: Sequence[Item],
    human: str,
    watched: Collection[str],
) -> list[Item]:
    """The items about some parties: the other one of a relationship, else the party itself."""
    people = await read_identities(snapshot, watched, question.position)
    wanted = {people.canonical(party) for party in watched}
    return [
        item
        for item in items
        if any(end in wanted and end != human for end in item.pair or (item.about,))
    ]


async def _read_answers(
    snapshot: Snapshot, members: Sequence[str], known_at: int
) -> tuple[Answer, ...]:
    """What a human made of items, under any of his ids: nobody answers for somebody else."""
    rows = await snapshot.fetch("facts_of_homes", list(members), [ATTENTION_ANSWERED], known_at)
    answers = [answer for row in rows if (answer := _answer(row)) is not None]
    if not answers:
        return ()
    voids = [
        void_from(bytes(row["payload"]), event_id=str(row["event_id"]), position=row["position"])
        for row in await snapshot.fetch(
            "amendments_of_events", [row["event_id"] for row in rows], known_at
        )
        if row["role"] == "V"
    ]
    return in_effect(answers, voids)


def _answer(row: Any) -> Answer | None:
    """The answer of a stored AttentionAnswered; None for one that says nothing known here."""
    message = practice_pb2.AttentionAnswered.FromString(bytes(row["payload"]))
    until: int | None = None
    if message.response == practice_pb2.ATTENTION_RESPONSE_SNOOZED:
        until = _day(message.until)
        if until is None:
            return None
    elif message.response != practice_pb2.ATTENTION_RESPONSE_NOT_RELEVANT:
        return None
    return Answer(
        event_id=str(row["event_id"]),
        position=row["position"],
        instant_us=row["occurred_at_us"],
        item=message.item,
        until=until,
    )


def _day(given: common_pb2.Date) -> int | None:
    try:
        return day_from_date(date(given.year, given.month, given.day))
    except ValueError:
        return None


async def _raised_on(snapshot: Snapshot, items: Sequence[Item], on: int) -> Mapping[str, int]:
    """When items were raised that were open on a day, by the log."""
    if not items:
        return {}
    rows = await snapshot.fetch("attention_raised_on", [item.item for item in items], on)
    return {row["item"]: row["on_day"] for row in rows}


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes in order, as (number, stored message), read through a number of the log."""

    changes: tuple[tuple[int, bytes], ...]
    through: int


async def read_changes(snapshot: Snapshot, from_number: int, person: str | None) -> Changes:
    """The next changes of the tenant's items from a number on, or of one human's."""
    last = await last_number(snapshot)
    if last < from_number:
        return Changes((), last)
    members = None
    if person is not None:
        people = await read_identities(snapshot, [person], snapshot.position)
        members = list(people.members(person))
    rows = await snapshot.fetch("watch_attention", from_number, members, CHANGES_MAX)
    changes = tuple((row["number"], bytes(row["payload"])) for row in rows)
    return Changes(changes, changes[-1][0] if len(changes) == CHANGES_MAX else last)


async def last_number(snapshot: Snapshot) -> int:
    """The last number of the journal's log; 0 for none."""
    row = await snapshot.fetch_row("attention_last_number")
    assert row is not None, "the statement always has one row"
    return row["number"] or 0
