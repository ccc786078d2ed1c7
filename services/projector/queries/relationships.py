"""Relationships as the measures take them: read from the views as of a day, as known then."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from services.projector.domain.facts import Pair, Touchpoint
from services.projector.domain.identity import NO_LINKS, Identities
from services.projector.domain.measures.view import RelationshipView, view_of
from services.projector.queries.balances import Relation, relation_of
from services.projector.queries.described import Described, read_described
from services.projector.queries.history import History, read_histories
from services.projector.queries.people import read_identities
from services.projector.queries.question import Question
from services.projector.queries.settling import read_settling
from services.projector.queries.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Read:
    """A relationship that was read: its view, and the raw pairs it sums up.

    No raw pairs: both ends are one human; the view is of the pair asked for, and empty.
    """

    view: RelationshipView
    raw: tuple[Pair, ...]


async def read_relationship(snapshot: Snapshot, question: Question, pair: Pair) -> Read:
    """The relationship that a pair of ids stands for; an empty one when nobody has touched it."""
    people = await read_identities(snapshot, pair, question.position)
    (read,) = await read_relations(snapshot, question, [relation_of(pair, people)], people)
    return read


async def read_relations(
    snapshot: Snapshot, question: Question, relations: Sequence[Relation], people: Identities
) -> list[Read]:
    """Relationships, in their order: a handful of statements, whatever their number.

    All of their histories are in memory at once: ask in chunks.
    """
    raw = list(dict.fromkeys(chain.from_iterable(each.raw for each in relations)))
    histories = await read_histories(snapshot, raw, question.position)
    touchpoints = {pair: _effective(histories[pair]) for pair in raw}
    settling = await read_settling(
        snapshot, chain.from_iterable(touchpoints.values()), question.position
    )
    everybody = {
        person for relation in relations for end in relation.pair for person in people.members(end)
    }
    described = await read_described(snapshot, everybody, question.on, question.position)
    return [
        Read(_view(question, relation, people, touchpoints, described, settling), relation.raw)
        for relation in relations
    ]


def _view(
    question: Question,
    relation: Relation,
    people: Identities,
    touchpoints: Mapping[Pair, Sequence[Touchpoint]],
    described: Mapping[str, Described],
    settling: Sequence[Touchpoint],
) -> RelationshipView:
    if not relation.raw:
        return nobody(question, relation.pair)
    mine = [touch for pair in relation.raw for touch in touchpoints[pair]]
    events = {touch.event_id for touch in mine}
    return view_of(
        mine,
        question.policy,
        question.on,
        relation.pair,
        sides={person: each.side for person, each in described.items()},
        tiers={person: each.tier or None for person, each in described.items()},
        humans=people,
        settling=[touch for touch in settling if touch.fulfils in events],
    )


def nobody(question: Question, pair: Pair) -> RelationshipView:
    """The empty relationship of two ids, which may be those of one human."""
    return RelationshipView(
        on=question.on,
        policy=question.policy,
        a=pair[0],
        b=pair[1],
        touchpoints=(),
        sides={},
        tiers={},
        humans=NO_LINKS,
    )


def _effective(history: History) -> Sequence[Touchpoint]:
    return history.effective().touchpoints


def people_of(pairs: Iterable[Pair]) -> set[str]:
    """Everybody in some pairs."""
    return {person for pair in pairs for person in pair}
