"""The time one person gave and received over all relationships, on a day, as known then."""

from services.projector.domain.facts import Pair
from services.projector.domain.measures.effort import (
    EffortPart,
    PersonEffort,
    effort_part,
    person_effort,
)
from services.projector.queries.people import read_identities
from services.projector.queries.question import Question
from services.projector.queries.relationships import people_of
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.wide import Wide, each_view, read_wide, relations_of, too_wide
from services.runtime.clock import US_PER_DAY
from services.runtime.limits import FOLDED_RELATIONSHIPS_MAX


async def read_effort(snapshot: Snapshot, question: Question, person: str) -> PersonEffort:
    """A person's effort of the policy's window; LIST_TOO_WIDE beyond 10,000 relationships in it."""
    days = question.policy.measures.proactivity_window_days
    wide = await _in_touch(snapshot, question, person, days)
    human = wide.people.canonical(person)
    parts: list[EffortPart] = []
    async for view in each_view(snapshot, question, wide, wide.relations):
        parts.append(effort_part(human, view, days))
    return person_effort(parts, days)


async def _in_touch(snapshot: Snapshot, question: Question, person: str, days: int) -> Wide:
    """The relationships that may have a touchpoint in the window, of whatever else they hold.

    Only what is in effect now is stored by its instant: a question about past knowledge looks at
    all of the person's.
    """
    if not question.newest:
        return await read_wide(snapshot, question, [person])
    people = await read_identities(snapshot, [person], question.position)
    members = list(people.members(person))
    window_us = (question.on - days + 1) * US_PER_DAY, (question.on + 1) * US_PER_DAY
    rows = await snapshot.fetch("pairs_in_touch", members, *window_us)
    pairs: list[Pair] = sorted({(row["a"], row["b"]) for row in rows})
    if len(pairs) > FOLDED_RELATIONSHIPS_MAX:
        raise too_wide(len(pairs))
    people = await read_identities(snapshot, people_of(pairs) | {person}, question.position)
    return Wide(frozenset((people.canonical(person),)), people, relations_of(pairs, people))
