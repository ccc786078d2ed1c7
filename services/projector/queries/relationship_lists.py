"""Lists of relationships by their measures, of one person."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from services.projector.domain.facts import Pair
from services.projector.domain.measures.care_share import care_share
from services.projector.domain.measures.quadrant import Quadrant, quadrant, quadrant_of
from services.projector.domain.measures.reciprocity import reciprocity
from services.projector.domain.measures.rhythm import Overdue, rhythm
from services.projector.domain.measures.stage import Stage, stage
from services.projector.domain.measures.velocity import velocity
from services.projector.domain.measures.view import RelationshipView
from services.projector.queries.balances import Relation, RelationBalance, relation_of
from services.projector.queries.people import read_identities
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.standings import Place
from services.projector.queries.wide import (
    Wide,
    each_view,
    read_standings,
    read_wide,
    views_of,
)
from services.runtime.policy import Policy

# What a relationship without the value is ordered by: behind all others, in either direction.
ABSENT: Final = 2**62

_OVERDUE_RANKS: Final = {Overdue.NO: 1, Overdue.AMBER: 2, Overdue.RED: 3}
_STAGE_RANKS: Final = {stage: rank for rank, stage in enumerate((None, *Stage))}


class Order(IntEnum):
    """What a list is ordered by; the numbers of rapport.v1.RelationshipOrder."""

    BUFFER = 1
    VELOCITY_AHEAD = 2
    SILENCE = 3
    CARE_SHARE = 4
    RECIPROCITY = 5
    STAGE = 6


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter: empty collections, 0 and False let everything through.

    `overdue_from` is the rank it must have at least: 1 in time, 2 amber, 3 red.
    """

    stages: Collection[Stage | None] = ()
    quadrants: Collection[Quadrant] = ()
    overdue_from: int = 0
    know_only: bool = False


@dataclass(frozen=True, slots=True)
class RelationshipsAsked:
    """A page of a person's relationships, after a place."""

    person: str
    wanted: Wanted
    order: Order
    ascending: bool
    after: Place | None
    limit: int


@dataclass(frozen=True, slots=True)
class RelationshipsPage:
    """The views of a page, and the place to go on from; None at the end."""

    views: list[RelationshipView]
    next: Place | None


async def list_relationships(
    snapshot: Snapshot, question: Question, asked: RelationshipsAsked
) -> RelationshipsPage:
    """A page of the relationships in which something happened by the day and that pass the filter.

    Where today's standings answer, they leave out what cannot pass before anything is folded, and
    where the order is theirs too, only the page is. Raises LIST_TOO_WIDE beyond 10,000.
    """
    wide, standings = await _candidates(snapshot, question, asked)
    if standings is not None and asked.order in (Order.BUFFER, Order.SILENCE):
        ordered = _after([_place(each, asked.order) for each in standings], asked)
        return await _in_order(snapshot, question, asked, wide, [place.pair for place in ordered])
    places, kept = [], {}
    keep = len(wide.relations) <= max(asked.limit, 1)
    async for view in each_view(snapshot, question, wide, wide.relations):
        if passes(view, asked.wanted):
            places.append(Place(_key(view, asked.order), view.pair))
            if keep:
                kept[view.pair] = view
    found = _after(places, asked)
    page = [place.pair for place in found[: asked.limit]]
    if keep:
        views = [kept[pair] for pair in page]
    else:
        views = await views_of(snapshot, question, page, wide.people)
    more = len(found) > asked.limit
    return RelationshipsPage(views, found[asked.limit - 1] if more and page else None)


def passes(view: RelationshipView, wanted: Wanted) -> bool:
    """Whether a relationship passes a filter."""
    if wanted.stages and stage(view).stage not in wanted.stages:
        return False
    if wanted.quadrants and quadrant(view).quadrant not in wanted.quadrants:
        return False
    if wanted.overdue_from and _OVERDUE_RANKS[rhythm(view).overdue] < wanted.overdue_from:
        return False
    return not wanted.know_only or bool(care_share(view).know_only)


def may_pass(standing: RelationBalance, wanted: Wanted, policy: Policy) -> bool:
    """Whether a relationship can pass a filter, as far as its standing tells; never wrongly no."""
    measures = policy.measures
    evident = standing.contact_days >= measures.evidence_contact_days
    if wanted.stages and not _may_be_at(standing, wanted.stages, policy):
        return False
    if wanted.quadrants:
        found = quadrant_of(standing.know_mp, standing.care_mp, measures.quadrant_mp)
        if not evident or found not in wanted.quadrants:
            return False
    if wanted.overdue_from > _OVERDUE_RANKS[Overdue.NO] and (
        standing.last_contact_day is None or standing.last_contact_day == standing.on
    ):
        return False
    return not wanted.know_only or evident


def _may_be_at(standing: RelationBalance, stages: Collection[Stage | None], policy: Policy) -> bool:
    """Every bound of a stage but the depth is in the standing."""
    first, last = standing.first_contact_day, standing.last_contact_day
    if first is None or last is None:
        return None in stages
    bounds = policy.measures.stages
    top = Stage.CONTACT
    for reached, rule in (
        (Stage.ACQUAINTANCE, bounds.acquaintance),
        (Stage.ENGAGED, bounds.engaged),
        (Stage.PARTNER, bounds.partner),
    ):
        buffer_mp = getattr(rule, "buffer", None)
        if (
            standing.contact_days >= rule.contact_days
            and last - first >= rule.over_days
            and (buffer_mp is None or standing.buffer_mp >= buffer_mp)
        ):
            top = reached
    ranks = {_STAGE_RANKS[each] for each in stages if each is not None}
    return any(rank <= _STAGE_RANKS[top] for rank in ranks)


async def _candidates(
    snapshot: Snapshot, question: Question, asked: RelationshipsAsked
) -> tuple[Wide, list[RelationBalance] | None]:
    people = await read_identities(snapshot, [asked.person], question.position)
    human = people.canonical(asked.person)
    standings = await read_standings(snapshot, question, human)
    if standings is None:
        return await read_wide(snapshot, question, [asked.person]), None
    standings = [each for each in standings if may_pass(each, asked.wanted, question.policy)]
    everybody = {person for each in standings for person in each.pair}
    people = await read_identities(snapshot, everybody | {asked.person}, question.position)
    relations = tuple(relation_of(each.pair, people) for each in standings)
    return Wide(frozenset((human,)), people, relations), standings


async def _in_order(
    snapshot: Snapshot,
    question: Question,
    asked: RelationshipsAsked,
    wide: Wide,
    pairs: Sequence[Pair],
) -> RelationshipsPage:
    """The first that pass, of pairs in the order asked for."""
    views: list[RelationshipView] = []
    relations: list[Relation] = [relation_of(pair, wide.people) for pair in pairs]
    if asked.limit == 0:
        return RelationshipsPage([], None)
    async for view in each_view(snapshot, question, wide, relations):
        if not passes(view, asked.wanted):
            continue
        if len(views) == asked.limit:
            last = views[-1]
            return RelationshipsPage(views, Place(_key(last, asked.order), last.pair))
        views.append(view)
    return RelationshipsPage(views, None)


def _after(places: Sequence[Place], asked: RelationshipsAsked) -> list[Place]:
    """The places in order, behind the one a page ended with; absent values last either way."""

    def rank(place: Place) -> tuple[bool, int, Pair]:
        return place.key == ABSENT, place.key, place.pair

    present = sorted((p for p in places if p.key != ABSENT), key=rank, reverse=not asked.ascending)
    absent = sorted((p for p in places if p.key == ABSENT), key=rank)
    after = asked.after
    if after is None:
        return [*present, *absent]
    if after.key == ABSENT:
        return [place for place in absent if place.pair > after.pair]
    here = rank(after)
    behind = [p for p in present if (rank(p) > here if asked.ascending else rank(p) < here)]
    return [*behind, *absent]


def _place(standing: RelationBalance, order: Order) -> Place:
    if order is Order.BUFFER:
        return Place(standing.buffer_mp, standing.pair)
    last = standing.last_contact_day
    return Place(ABSENT if last is None else standing.on - last, standing.pair)


def _key(view: RelationshipView, order: Order) -> int:
    value: int | None
    match order:
        case Order.BUFFER:
            value = view.buffer_mp
        case Order.VELOCITY_AHEAD:
            value = velocity(view).projected_mp
        case Order.SILENCE:
            value = view.on - view.contact_days[-1] if view.contact_days else None
        case Order.CARE_SHARE:
            value = care_share(view).share.per_mille
        case Order.RECIPROCITY:
            value = reciprocity(view).share.per_mille
        case Order.STAGE:
            value = _STAGE_RANKS[stage(view).stage]
    return ABSENT if value is None else value
