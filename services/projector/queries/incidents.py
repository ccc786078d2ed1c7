"""Incidents of a relationship or a person, and one by its event id."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.projector.domain.facts import Pair
from services.projector.domain.measures.incidents import (
    IncidentMeasure,
    IncidentState,
    incidents,
)
from services.projector.domain.measures.view import RelationshipView
from services.projector.queries.people import read_identities
from services.projector.queries.question import Question
from services.projector.queries.relationships import read_relationship
from services.projector.queries.settling import read_touchpoints
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.wide import each_view, read_wide, views_of
from services.runtime.clock import US_PER_DAY
from services.runtime.policy import INCIDENT


@dataclass(frozen=True, slots=True)
class Newest:
    """Where a page of incidents ends: when the last one happened, and its event id."""

    instant_us: int
    event_id: str


@dataclass(frozen=True, slots=True)
class IncidentsAsked:
    """A page of incidents of a pair or (`second` is None) of one person, newest first."""

    first: str
    second: str | None
    open_only: bool
    after: Newest | None
    limit: int


@dataclass(frozen=True, slots=True)
class Found:
    """An incident, and the relationship it is of."""

    view: RelationshipView
    incident: IncidentMeasure

    @property
    def place(self) -> Newest:
        """Where it stands."""
        return Newest(self.incident.touchpoint.instant_us, self.incident.event_id)


@dataclass(frozen=True, slots=True)
class IncidentsPage:
    """A page of incidents, and the place to go on from; None at the end."""

    found: list[Found]
    next: Newest | None


async def list_incidents(
    snapshot: Snapshot, question: Question, asked: IncidentsAsked
) -> IncidentsPage:
    """A page of incidents up to the day.

    Of a person at the newest position they come from an index; else every relationship of the
    person is folded, and LIST_TOO_WIDE raised beyond 10,000.
    """
    found: list[Found] = []
    if asked.second is not None:
        read = await read_relationship(snapshot, question, (asked.first, asked.second))
        found = _passing([read.view], asked)
    elif question.newest:
        async for some in _from_index(snapshot, question, asked):
            found += some
            if len(found) > asked.limit:
                break
    else:
        wide = await read_wide(snapshot, question, [asked.first])
        async for view in each_view(snapshot, question, wide, wide.relations):
            found += _passing([view], asked)
        found.sort(key=_newest_first, reverse=True)
    page = found[: asked.limit]
    more = bool(page) and len(found) > len(page)
    return IncidentsPage(page, page[-1].place if more else None)


async def find_incident(snapshot: Snapshot, question: Question, event_id: UUID) -> Found | None:
    """An incident in effect by the day, as known; None for anything else."""
    touchpoints = await read_touchpoints(snapshot, [event_id], question.position)
    if not touchpoints or touchpoints[0].kind != INCIDENT:
        return None
    read = await read_relationship(snapshot, question, touchpoints[0].pair)
    measured = {each.event_id: each for each in incidents(read.view)}
    incident = measured.get(str(event_id))
    return None if incident is None else Found(read.view, incident)


async def _from_index(
    snapshot: Snapshot, question: Question, asked: IncidentsAsked
) -> AsyncIterator[list[Found]]:
    """The incidents of a person that pass, newest first, in runs of about a page."""
    people = await read_identities(snapshot, [asked.first], question.position)
    members = list(people.members(asked.first))
    after = asked.after
    before_us, before_id = (question.on + 1) * US_PER_DAY, UUID(int=0)
    if after is not None:
        before_us, before_id = after.instant_us, UUID(after.event_id)
    while True:
        rows = await snapshot.fetch(
            "incidents_of_people", members, before_us, before_id, asked.limit + 1
        )
        if not rows:
            return
        raw: list[Pair] = sorted({(row["a"], row["b"]) for row in rows})
        humans = await read_identities(
            snapshot, {person for pair in raw for person in pair}, question.position
        )
        pairs = sorted({pair for each in raw if (pair := humans.canonical_pair(each))})
        views = await views_of(snapshot, question, pairs, humans)
        wanted = {str(row["event_id"]) for row in rows}
        yield [each for each in _passing(views, asked) if each.incident.event_id in wanted]
        if len(rows) <= asked.limit:
            return
        before_us, before_id = rows[-1]["now_occurred_at_us"], rows[-1]["event_id"]


def _passing(views: Sequence[RelationshipView], asked: IncidentsAsked) -> list[Found]:
    """The incidents of some relationships behind the place asked for, newest first."""
    found = [
        Found(view, incident)
        for view in views
        for incident in incidents(view)
        if not asked.open_only or incident.state is not IncidentState.RESOLVED
    ]
    if asked.after is not None:
        after = asked.after.instant_us, asked.after.event_id
        found = [each for each in found if _newest_first(each) < after]
    return sorted(found, key=_newest_first, reverse=True)


def _newest_first(found: Found) -> tuple[int, str]:
    return found.place.instant_us, found.place.event_id
