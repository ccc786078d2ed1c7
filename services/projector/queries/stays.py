"""Whose touchpoints the timelines of teams, organisations and watch lists hold, and since when."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from services.projector.domain.identity import Identities
from services.projector.queries.known_of_people import read_affiliations_at
from services.projector.queries.many import read_ours
from services.projector.queries.people import read_identities
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.timelines import BEGIN_US, Stay
from services.runtime.clock import US_PER_DAY
from services.runtime.names import is_person

# (from, until) by person.
type _Spans = Mapping[str, Collection[tuple[int, int]]]


async def read_team_stays(snapshot: Snapshot, question: Question, team: str) -> tuple[Stay, ...]:
    """All time up to the day of the question of the internal people that a team has then."""
    people = await read_ours(snapshot, question, team)
    span = BEGIN_US, end_of(question)
    return await _stays(snapshot, question, {person: [span] for person in people})


def end_of(question: Question) -> int:
    """The instant at which the day of a question is over, in microseconds since 2000-01-01."""
    return (question.on + 1) * US_PER_DAY


async def read_watched_stays(
    snapshot: Snapshot, question: Question, parties: Collection[str]
) -> tuple[Stay, ...]:
    """All time of the people among some parties, and that of their organisations' people there.

    Whole days: affiliated that day is affiliated all day. The last day is that of the question.
    """
    spans: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    end_us = end_of(question)
    for party in parties:
        if is_person(party):
            spans[party].append((BEGIN_US, end_us))
            continue
        held = await read_affiliations_at(snapshot, party, question.position)
        for each in held.everything:
            if each.organization == party:
                until_us = end_us if each.end_day is None else each.end_day * US_PER_DAY
                spans[each.person].append((each.first_day * US_PER_DAY, min(until_us, end_us)))
    return await _stays(snapshot, question, spans)


async def _stays(snapshot: Snapshot, question: Question, spans: _Spans) -> tuple[Stay, ...]:
    people = await read_identities(snapshot, spans.keys(), question.position)
    return stays_of(spans, people)


def stays_of(spans: _Spans, people: Identities) -> tuple[Stay, ...]:
    """The stays of every id of the humans that were somewhere, apart from each other, by person."""
    of_ids: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for person, held in spans.items():
        for member in people.members(person):
            of_ids[member] += held
    return tuple(
        Stay(person, *span) for person in sorted(of_ids) for span in _apart(of_ids[person])
    )


def _apart(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same time without overlaps, and without what is empty, ascending."""
    found: list[tuple[int, int]] = []
    for begin, end in sorted(span for span in spans if span[0] < span[1]):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((begin, end))
    return found
