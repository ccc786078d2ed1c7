"""The brief: what to read before a contact."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.projector.domain.attention.case import Case
from services.projector.domain.attention.day import items_of_relationship
from services.projector.domain.attention.suggestions import Suggestion, suggestions
from services.projector.domain.attention.surroundings import Surroundings, surroundings_of
from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.view import RelationshipView
from services.projector.domain.people.affiliations import Affiliation
from services.projector.domain.people.learned import LearnedFact, uses
from services.projector.queries.known_of_people import KnownOfPeople, read_known
from services.projector.queries.parties import PartyRow, get_party
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.runtime.clock import US_PER_DAY

LAST_TOUCHES_MAX: Final = 10
COMMON_GROUND_MAX: Final = 10
FACTS_MAX: Final = 20
DATES_MAX: Final = 10
# A date is near within a month.
DATES_NEAR_DAYS: Final = 31
COMMON_GROUND: Final = "common_ground.found"


@dataclass(frozen=True, slots=True)
class FactToUse:
    """A fact, and how often it was used in the relationship."""

    fact: LearnedFact
    times_used: int


@dataclass(frozen=True, slots=True)
class DateNear:
    """A day near, by the event id of the date or of the fact that expects it.

    `days_until` is below 0 where an expectation has come and nobody came back to it.
    """

    event_id: str
    next_on: int
    days_until: int


@dataclass(frozen=True, slots=True)
class Brief:
    """What is known of whom it is about; `known` holds the texts, sealed.

    Touches newest first, facts the least used first, dates the next first.
    """

    party: PartyRow
    affiliations: Sequence[Affiliation]
    last_touches: Sequence[Touchpoint]
    common_ground: Sequence[Touchpoint]
    facts: Sequence[FactToUse]
    dates: Sequence[DateNear]
    suggestions: Sequence[Suggestion]
    known: KnownOfPeople


async def read_brief(
    snapshot: Snapshot, question: Question, view: RelationshipView, about: str
) -> Brief:
    """The brief for meeting `about`, a canonical id of one of the two."""
    humans = view.humans
    both = {member for person in view.pair for member in humans.members(person)}
    known = await read_known(snapshot, both | {about}, question.position)
    around = surroundings(view, known)
    case = Case(view, around)
    me = view.other(about)
    items = [item for item in items_of_relationship(case) if item.person == me]
    newest = tuple(reversed(view.touchpoints))
    return Brief(
        party=await _party(snapshot, question, view, about),
        affiliations=known.affiliations.of(humans.members(about), view.on),
        last_touches=newest[:LAST_TOUCHES_MAX],
        common_ground=common_ground(view)[:COMMON_GROUND_MAX],
        facts=facts_to_use(view, around, about)[:FACTS_MAX],
        dates=_dates_near(around, view, about)[:DATES_MAX],
        suggestions=suggestions(case, items, about),
        known=known,
    )


def surroundings(view: RelationshipView, known: KnownOfPeople) -> Surroundings:
    """What is known around one relationship on its day.

    As of the first instant of the day, as the attention lists of that day are: an answer about a
    day is the same whenever it is asked.
    """
    return surroundings_of(
        view.policy,
        view.on,
        at_us=view.on * US_PER_DAY,
        humans=view.humans,
        dates=known.dates,
        facts=known.facts,
        signals=known.signals,
        affiliations=known.affiliations,
        facts_used={touch.event_id: touch.facts_used for touch in view.touchpoints},
    )


def common_ground(view: RelationshipView) -> tuple[Touchpoint, ...]:
    """The common ground that was found, newest first."""
    return tuple(touch for touch in reversed(view.touchpoints) if touch.kind == COMMON_GROUND)


def facts_to_use(view: RelationshipView, around: Surroundings, about: str) -> list[FactToUse]:
    """The facts known of a person on the day, the least used first, then the newest."""
    found = [
        FactToUse(fact, len(uses(fact.event_id, view.counted, around.facts_used)))
        for fact in around.facts.get(about, ())
    ]
    found.sort(key=lambda each: (each.times_used, -each.fact.instant_us, each.fact.event_id))
    return found


def _dates_near(around: Surroundings, view: RelationshipView, about: str) -> list[DateNear]:
    found = []
    for date in around.dates.get(about, ()):
        next_on = date.next_on(view.on)
        if next_on is not None and next_on - view.on <= DATES_NEAR_DAYS:
            found.append(DateNear(date.event_id, next_on, next_on - view.on))
    for fact in around.facts.get(about, ()):
        expected = fact.expect_on
        if expected is None or expected - view.on > DATES_NEAR_DAYS:
            continue
        used = uses(fact.event_id, view.counted, around.facts_used)
        if expected >= view.on or not any(touch.day >= expected for touch in used):
            found.append(DateNear(fact.event_id, expected, expected - view.on))
    return sorted(found, key=lambda date: (date.next_on, date.event_id))


async def _party(
    snapshot: Snapshot, question: Question, view: RelationshipView, about: str
) -> PartyRow:
    """Who they are, by the first of their ids that was described; somebody nobody named is bare."""
    first: PartyRow | None = None
    for member in view.humans.members(about):
        row = await get_party(snapshot, member, (question.on + 1) * US_PER_DAY, question.position)
        if row is not None and row.described_by is not None:
            return row
        first = first or row
    return first or PartyRow(about, False, None, None)
