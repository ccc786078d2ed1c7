"""What many relationships are worth together, on a day, as known then."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.projector.domain.collective.account import Account, account
from services.projector.domain.collective.builders import (
    Builders,
    Withheld,
    builders,
    parts_of,
    withheld,
)
from services.projector.domain.collective.parity import Parity, parity, parity_part
from services.projector.domain.collective.portfolio import Portfolio, portfolio
from services.projector.domain.collective.programme import (
    Cadence,
    Programme,
    TierHistory,
    programme,
    tier_on,
)
from services.projector.domain.collective.survival import BuilderPart
from services.projector.domain.facts import Pair
from services.projector.domain.people.affiliations import Affiliation
from services.projector.queries.balances import RelationBalance
from services.projector.queries.known_of_people import read_affiliations_at
from services.projector.queries.many import (
    read_held,
    read_humans,
    read_ours,
    read_parts_of,
    read_whole,
)
from services.projector.queries.people import read_identities
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.tenant_portfolios import read_tenant_portfolio
from services.projector.queries.wide import each_view, read_wide
from services.runtime.clock import US_PER_DAY, day_of


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose relationships: of a person, a team, or (both None) the tenant."""

    person: str | None = None
    team: str | None = None


async def read_portfolio(
    snapshot: Snapshot, question: Question, whose: Whose
) -> tuple[Portfolio, Mapping[Pair, RelationBalance]]:
    """The sums of a portfolio, with the balances of those of its relationships that it names.

    Today's of the tenant has no limit; every other one, LIST_TOO_WIDE beyond 10,000.
    """
    if whose == Whose():
        today = await read_tenant_portfolio(snapshot, question)
        if today is not None:
            return today
    people = await _people(snapshot, question, whose)
    held = await read_held(snapshot, question, people)
    return portfolio(held.stakes, question.policy, people), held.balances


async def read_account(
    snapshot: Snapshot, question: Question, organization: str
) -> tuple[Account, list[Affiliation]]:
    """An organisation through who is affiliated that day, with those affiliations by start."""
    found = await read_affiliations_at(snapshot, organization, question.position)
    there = [
        each
        for each in found.everything
        if each.organization == organization and each.in_force(question.on)
    ]
    there.sort(key=lambda each: (each.first_day, each.event_id))
    persons = {each.person for each in there}
    people = await read_identities(snapshot, persons, question.position)
    held = await read_held(snapshot, question, persons)
    affiliated = {people.canonical(person) for person in persons}
    return account(held.stakes, affiliated, question.policy), there


async def read_programme(snapshot: Snapshot, question: Question, whose: Whose) -> Programme:
    """The weeks that a person, or the people of a team together, kept."""
    people = await _people(snapshot, question, whose)
    assert people is not None, "a programme is of a person or a team"
    wide = await read_wide(snapshot, question, people)
    parts = await read_parts_of(snapshot, question, wide)
    everybody = {person for pair in parts for person in pair}
    ids = {member for person in everybody for member in wide.people.members(person)}
    recorded = await _read_tiers(snapshot, question, ids)
    tiers = {
        person: human_tiers([recorded.get(each, ()) for each in wide.people.members(person)])
        for person in everybody
    }
    cadences = [
        Cadence(*pair, tuple(sorted(part.days)), {end: tiers[end] for end in pair})
        for pair, part in parts.items()
    ]
    return programme(cadences, people, question.policy, question.on)


async def read_builders(snapshot: Snapshot, question: Question, team: str | None) -> Builders:
    """The builders of a team, or (None) among all our people; withheld before anything is read."""
    if withheld(question.policy, ()) is Withheld.NOT_ENABLED:
        return Builders((), Withheld.NOT_ENABLED, 0)
    group = await read_ours(snapshot, question, team)
    if withheld(question.policy, group) is not None:
        return builders((), group, {}, question.policy)
    wide = await read_wide(snapshot, question, group)
    parts: list[BuilderPart] = []
    async for view in each_view(snapshot, question, wide, wide.relations):
        parts += parts_of([view], group)
    counterparts = {part.counterpart for part in parts}
    humans = await read_humans(snapshot, question, counterparts)
    teams = {person: humans.team(person) for person in counterparts}
    return builders(parts, group, teams, question.policy)


async def read_parity(snapshot: Snapshot, question: Question) -> Parity:
    """Internal against external relationships of the tenant."""
    wide = await read_whole(snapshot, question)
    parts = []
    async for view in each_view(snapshot, question, wide, wide.relations):
        if (part := parity_part(view)) is not None:
            parts.append(part)
    return parity(parts, question.policy)


def human_tiers(of_ids: Collection[TierHistory]) -> TierHistory:
    """The tiers of a human, given those of each id, ascending: the first that has one says it."""
    days = sorted({day for history in of_ids for day, _ in history})
    found = []
    for day in days:
        said = (tier_on(history, day) for history in of_ids)
        found.append((day, next((tier for tier in said if tier is not None), None)))
    return tuple(found)


async def _people(snapshot: Snapshot, question: Question, whose: Whose) -> frozenset[str] | None:
    """The canonical ids asked about; None for everybody."""
    if whose.person is not None:
        people = await read_identities(snapshot, [whose.person], question.position)
        return frozenset((people.canonical(whose.person),))
    if whose.team is not None:
        return await read_ours(snapshot, question, whose.team)
    return None


async def _read_tiers(
    snapshot: Snapshot, question: Question, ids: Collection[str]
) -> dict[str, TierHistory]:
    before_us = (question.on + 1) * US_PER_DAY
    rows = await snapshot.fetch("tiers_of_people", sorted(ids), before_us, question.position)
    found: defaultdict[str, list[tuple[int, str | None]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["occurred_at_us"], row["position"])):
        found[row["party"]].append((day_of(row["occurred_at_us"]), row["tier"] or None))
    return {party: tuple(history) for party, history in found.items()}
