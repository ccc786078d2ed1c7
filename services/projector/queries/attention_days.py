"""A tenant's attention day worked out from the views: all relationships, one chunk at a time.

Nothing is held open between chunks: what was known at a position stays what it was.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.projector.domain.attention.case import Case
from services.projector.domain.attention.day import (
    items_of_relationship,
    items_of_tenant,
    reason_cleared,
)
from services.projector.domain.attention.items import Item, Reason
from services.projector.domain.attention.summaries import Summary, summary_of
from services.projector.domain.attention.surroundings import Surroundings, surroundings_of
from services.projector.domain.attention.tenant import Tenant
from services.projector.domain.attention.turn import OpenItem
from services.projector.domain.facts import Pair, Void
from services.projector.domain.identity import Identities
from services.projector.domain.measures.view import RelationshipView
from services.projector.domain.people.descriptions import (
    NO_DESCRIPTIONS,
    Description,
    Descriptions,
    descriptions,
)
from services.projector.domain.people.in_effect import in_effect
from services.projector.queries.balances import Relation
from services.projector.queries.described import SIDES
from services.projector.queries.known_of_people import KnownOfPeople, read_known_of_all
from services.projector.queries.people import read_identities
from services.projector.queries.question import Question
from services.projector.queries.relationships import read_relations
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.wide import chunks, relations_of, too_wide
from services.runtime.clock import US_PER_DAY

# Relationships read in one go.
CHUNK: Final = 50
_PAIRS_MAX: Final = 2**31 - 1

type Reading[T] = Callable[[Snapshot], Awaitable[T]]


class ViewsWentBack(Exception):  # noqa: N818 - the sentence reads without "Error"
    """The views are behind what the day is to know: they are being built again."""


@dataclass(frozen=True)
class Around:
    """What a day's relationships stand in, and which there are.

    `facts_used` is what the surroundings see as theirs; it fills as relationships are read.
    """

    question: Question
    surroundings: Surroundings
    people: Identities
    relations: tuple[Relation, ...]
    facts_used: dict[str, tuple[str, ...]]

    def case(self, view: RelationshipView) -> Case:
        """A relationship among its surroundings."""
        for touch in view.touchpoints:
            if touch.facts_used:
                self.facts_used[touch.event_id] = touch.facts_used
        return Case(view, self.surroundings)


@dataclass
class WorkedOut:
    """The items of a day, and why those open before are not among them."""

    items: list[Item] = field(default_factory=list)
    reasons: dict[str, Reason] = field(default_factory=dict)

    def reason(self, item: Item) -> Reason:
        """Why an item is gone."""
        return self.reasons[item.item]


async def read_around(
    snapshot: Snapshot, question: Question, *, pairs_max: int = _PAIRS_MAX
) -> Around:
    """What surrounds the relationships of a tenant, as of the first instant of the day.

    An answer about a day is the same whenever it is asked. LIST_TOO_WIDE beyond `pairs_max`.
    """
    rows = await snapshot.fetch("pairs_of_tenant", min(pairs_max + 1, _PAIRS_MAX))
    if len(rows) > pairs_max:
        raise too_wide(len(rows))
    pairs: list[Pair] = [(row["a"], row["b"]) for row in rows]
    known = await read_known_of_all(snapshot, question.position)
    told = await _read_descriptions(snapshot, question.position)
    everybody = {person for pair in pairs for person in pair} | _named(known, told)
    people = await read_identities(snapshot, everybody, question.position)
    facts_used: dict[str, tuple[str, ...]] = {}
    surroundings = surroundings_of(
        question.policy,
        question.on,
        at_us=question.on * US_PER_DAY,
        humans=people,
        dates=known.dates,
        facts=known.facts,
        signals=known.signals,
        affiliations=known.affiliations,
        descriptions=told,
        # Not a copy, though it is empty now.
        facts_used=facts_used,
    )
    assert surroundings.facts_used is facts_used, "what is read later must be seen"
    return Around(question, surroundings, people, relations_of(pairs, people), facts_used)


async def read_views(
    snapshot: Snapshot, around: Around, relations: Sequence[Relation]
) -> list[RelationshipView]:
    """The views of some relationships of the day."""
    if snapshot.position < around.question.position:
        raise ViewsWentBack
    read = await read_relations(snapshot, around.question, relations, around.people)
    return [each.view for each in read]


async def work_out(
    read: Callable[[Reading[list[RelationshipView]]], Awaitable[list[RelationshipView]]],
    around: Around,
    previous: Mapping[str, OpenItem],
    *,
    pause_s: float = 0.0,
) -> WorkedOut:
    """The items of a tenant's whole day; `previous` are those open before.

    `read` runs its argument on a snapshot of the views, any number of times. Between two
    relationships other calls have the loop, between two chunks for at least `pause_s`. Raises
    ViewsWentBack.
    """
    found = WorkedOut()
    waiting: defaultdict[Pair | None, list[Item]] = defaultdict(list)
    for kept in previous.values():
        waiting[kept.item.pair].append(kept.item)
    of_parties = waiting.pop(None, [])
    summaries: list[Summary] = []
    for some in chunks(around.relations, CHUNK):

        async def views(
            snapshot: Snapshot, some: Sequence[Relation] = some
        ) -> list[RelationshipView]:
            return await read_views(snapshot, around, some)

        for view in await read(views):
            case = around.case(view)
            items = items_of_relationship(case)
            found.items += items
            summaries.append(summary_of(case))
            before = waiting.pop(view.pair, [])
            _explain(found, before, items, around, case=case)
            await asyncio.sleep(0)
        await asyncio.sleep(pause_s)
    for gone in waiting.values():
        _explain(found, gone, (), around)
    tenant = Tenant.of(summaries, around.surroundings)
    items = items_of_tenant(tenant)
    found.items += items
    _explain(found, of_parties, items, around, tenant=tenant)
    return found


def _explain(
    found: WorkedOut,
    before: Sequence[Item],
    items: Sequence[Item],
    around: Around,
    *,
    case: Case | None = None,
    tenant: Tenant | None = None,
) -> None:
    there = {item.item for item in items}
    for item in before:
        if item.item not in there:
            found.reasons[item.item] = reason_cleared(
                item, around.surroundings, case=case, tenant=tenant
            )


async def _read_descriptions(snapshot: Snapshot, known_at: int) -> Descriptions:
    rows = await snapshot.fetch("descriptions_of_tenant", known_at)
    if not rows:
        return NO_DESCRIPTIONS
    told = [
        Description(
            event_id=str(row["event_id"]),
            position=row["position"],
            instant_us=row["occurred_at_us"],
            party=row["party"],
            side=SIDES.get(row["side"]),
            team=row["team"],
            tier=row["tier"],
        )
        for row in rows
    ]
    events = [row["event_id"] for row in rows]
    voids = [
        Void(event_id=str(row["event_id"]), position=row["position"], target=str(row["target"]))
        for row in await snapshot.fetch("amendments_of_events", events, known_at)
        if row["role"] == "V"
    ]
    return descriptions(in_effect(told, voids))


def _named(known: KnownOfPeople, told: Descriptions) -> set[str]:
    """Everybody that facts name; organisations among them are linked to nobody."""
    return {
        *(fact.person for fact in known.facts),
        *(date.person for date in known.dates),
        *(signal.about for signal in known.signals),
        *(place.person for place in known.affiliations.everything),
        *told.parties,
    }
