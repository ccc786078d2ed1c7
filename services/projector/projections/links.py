"""Identity links, and the humans they make of person ids."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import asyncpg
from rapport.events.v1 import people_pb2

from services.projector.domain.facts import Void, pair_of
from services.projector.domain.identity import Link, Unlink, identities
from services.projector.projections.arrivals import END, VOID, Arrivals
from services.projector.projections.statements import SQL, Named, PairKey, columns


@dataclass(frozen=True, slots=True)
class Changed:
    """Whom a batch made another human, by the ids that are one: the canonical id before, by person.

    Also those who keep their canonical id while another id joins or leaves them: what stood for
    all of them stands for others now. Itself for who had none.
    """

    canonical_before: Mapping[Named, str]


async def insert(conn: asyncpg.Connection, journal: str, arrivals: Arrivals) -> None:
    """Add the links of a batch."""
    if not arrivals.links:
        return
    rows = [
        (
            event.tenant,
            event.event_id,
            event.position,
            event.recorded_at_us,
            *pair_of(linked.a, linked.b),
            linked.strength == people_pb2.LINK_STRENGTH_STRONG,
            event.payload,
        )
        for event, linked in arrivals.links
    ]
    await conn.execute(SQL["insert_links"], journal, *columns(rows, 8))


async def update(conn: asyncpg.Connection, journal: str, arrivals: Arrivals) -> Changed:
    """Bring `identities` to what a batch links and unlinks; whose canonical id changed.

    After `insert`, the amendments and the descriptions, which say whether a link holds. Looks at
    all strong links that reach the people concerned.
    """
    return await settle(conn, journal, await _concerned(conn, journal, arrivals))


async def settle(conn: asyncpg.Connection, journal: str, concerned: Collection[Named]) -> Changed:
    """Bring `identities` to the links that reach some people; whose canonical id changed."""
    people = set(concerned)
    if not people:
        return Changed({})
    rows = await conn.fetch(SQL["links_around"], journal, *columns(sorted(people), 2))
    links: dict[str, list[Link]] = {}
    for tenant, event_id, position, a, b in rows:
        link = Link(event_id=str(event_id), position=position, a=a, b=b, strong=True)
        links.setdefault(tenant, []).append(link)
        people |= {Named(tenant, a), Named(tenant, b)}
    after = await _canonical_ids(conn, journal, links) if links else {}
    before = await canonical_ids(conn, journal, people)
    renamed = [person for person in sorted(people) if before.get(person) != after.get(person)]
    if renamed:
        gone = [person for person in renamed if person in before]
        await conn.execute(SQL["delete_identities"], journal, *columns(gone, 2))
        come = [(*person, after[person]) for person in renamed if person in after]
        await conn.execute(SQL["insert_identities"], journal, *columns(come, 3))
    together_before, together_after = _together(people, before), _together(people, after)
    return Changed(
        {
            person: before.get(person, person.name)
            for person in people
            if together_before[person] != together_after[person]
        }
    )


def _together(
    people: Collection[Named], canonical: Mapping[Named, str]
) -> dict[Named, frozenset[Named]]:
    """The ids that are one human with each of some people, itself among them."""
    humans: dict[Named, set[Named]] = {}
    for person in people:
        human = Named(person.tenant, canonical.get(person, person.name))
        humans.setdefault(human, set()).add(person)
    return {person: frozenset(ids) for ids in humans.values() for person in ids}


async def canonical_ids(
    conn: asyncpg.Connection, journal: str, people: Collection[Named]
) -> dict[Named, str]:
    """The canonical ids of people, of those who are linked to somebody."""
    rows = await conn.fetch(SQL["identities_of_people"], journal, *columns(people, 2))
    return {Named(tenant, person): canonical for tenant, person, canonical in rows}


async def members(
    conn: asyncpg.Connection, journal: str, humans: Collection[Named]
) -> dict[Named, list[str]]:
    """All ids of humans, by canonical id, of those who have several."""
    rows = await conn.fetch(SQL["members_of_humans"], journal, *columns(sorted(humans), 2))
    found: dict[Named, list[str]] = {}
    for tenant, person, canonical in rows:
        found.setdefault(Named(tenant, canonical), []).append(person)
    return found


def humans(canonical: Mapping[Named, str]) -> set[Named]:
    """The canonical ids of people who are linked to somebody, from `canonical_ids`."""
    return {Named(person.tenant, found) for person, found in canonical.items()}


def canonical_pair(canonical: Mapping[Named, str], pair: PairKey) -> PairKey | None:
    """The pair that a raw pair is read as; None when both ends are one human."""
    a = canonical.get(Named(pair.tenant, pair.a), pair.a)
    b = canonical.get(Named(pair.tenant, pair.b), pair.b)
    return None if a == b else PairKey(pair.tenant, *pair_of(a, b))


async def _concerned(conn: asyncpg.Connection, journal: str, arrivals: Arrivals) -> set[Named]:
    people: set[Named] = set()
    for event, linked in arrivals.links:
        if linked.strength == people_pb2.LINK_STRENGTH_STRONG:
            people |= {Named(event.tenant, linked.a), Named(event.tenant, linked.b)}
    # A link of ours with an outsider has no effect: who is on which side decides, too.
    people |= {Named(event.tenant, said.party) for event, said in arrivals.descriptions}
    voids = [(item.event.tenant, item.target) for item in arrivals.of_role(VOID)]
    if voids:
        rows = await conn.fetch(SQL["described_by"], journal, *columns(voids, 2))
        people |= {Named(*row) for row in rows}
    targets = [(item.event.tenant, item.target) for item in arrivals.of_role(VOID, END)]
    if targets:
        rows = await conn.fetch(SQL["links_ended_by"], journal, *columns(targets, 2))
        for tenant, a, b in rows:
            people |= {Named(tenant, a), Named(tenant, b)}
    return people


async def _canonical_ids(
    conn: asyncpg.Connection, journal: str, links: Mapping[str, list[Link]]
) -> dict[Named, str]:
    """The canonical ids that links make, of the people who are linked to somebody."""
    wanted = [(tenant, link.event_id) for tenant, of_tenant in links.items() for link in of_tenant]
    rows = await conn.fetch(SQL["amendments_of_links"], journal, *columns(wanted, 2))
    facts: dict[str, list[Link | Unlink | Void]] = {t: list(found) for t, found in links.items()}
    for tenant, event_id, target, role, position in rows:
        if role == VOID:
            void = Void(event_id=str(event_id), position=position, target=str(target))
            facts[tenant].append(void)
        else:
            unlink = Unlink(event_id=str(event_id), position=position, ends=str(target))
            facts[tenant].append(unlink)
    ends = {
        Named(t, end) for t, found in links.items() for link in found for end in (link.a, link.b)
    }
    sides: dict[str, dict[str, int]] = {}
    for tenant, person, side in await conn.fetch(
        SQL["last_sides"], journal, *columns(sorted(ends), 2)
    ):
        sides.setdefault(tenant, {})[person] = side
    return {
        Named(tenant, person): canonical
        for tenant, found in facts.items()
        for person, canonical in identities(found, sides=sides.get(tenant)).canonical_of.items()
    }
