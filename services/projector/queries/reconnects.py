"""Dormant relationships of a person that were strong once."""

from dataclasses import dataclass

from services.projector.domain.collective.reconnect import Reconnect, is_silent, reconnect
from services.projector.domain.measures.view import RelationshipView
from services.projector.queries.balances import relation_of
from services.projector.queries.people import read_identities
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.standings import Place
from services.projector.queries.wide import Wide, each_view, read_standings, read_wide, views_of


@dataclass(frozen=True, slots=True)
class ReconnectsAsked:
    """A page of a person's dormant relationships, after a place; the highest peak first."""

    person: str
    after: Place | None
    limit: int


@dataclass(frozen=True, slots=True)
class ReconnectsPage:
    """What is worth waking, each with its view; `human` is the canonical id of who was asked for.

    `next` is None at the end.
    """

    human: str
    found: list[tuple[Reconnect, RelationshipView]]
    next: Place | None


async def list_reconnects(
    snapshot: Snapshot, question: Question, asked: ReconnectsAsked
) -> ReconnectsPage:
    """A page of them. Where today's standings answer, only silent relationships are folded.

    Raises LIST_TOO_WIDE beyond 10,000 relationships.
    """
    wide = await _silent(snapshot, question, asked.person)
    worth: list[Reconnect] = []
    async for view in each_view(snapshot, question, wide, wide.relations):
        if (found := reconnect(view)) is not None:
            worth.append(found)
    worth.sort(key=lambda each: (-each.peak_mp, each.pair))
    if asked.after is not None:
        after = -asked.after.key, asked.after.pair
        worth = [each for each in worth if (-each.peak_mp, each.pair) > after]
    page = worth[: asked.limit]
    views = await views_of(snapshot, question, [each.pair for each in page], wide.people)
    last = page[-1] if page and len(worth) > len(page) else None
    return ReconnectsPage(
        wide.people.canonical(asked.person),
        list(zip(page, views, strict=True)),
        None if last is None else Place(last.peak_mp, last.pair),
    )


async def _silent(snapshot: Snapshot, question: Question, person: str) -> Wide:
    people = await read_identities(snapshot, [person], question.position)
    standings = await read_standings(snapshot, question, people.canonical(person))
    if standings is None:
        return await read_wide(snapshot, question, [person])
    pairs = [
        each.pair
        for each in standings
        if each.last_contact_day is not None
        and is_silent(each.last_contact_day, question.policy, question.on)
    ]
    everybody = {end for pair in pairs for end in pair} | {person}
    people = await read_identities(snapshot, everybody, question.position)
    return Wide(
        frozenset((people.canonical(person),)),
        people,
        tuple(relation_of(pair, people) for pair in pairs),
    )
