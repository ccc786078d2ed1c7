"""Who is whom, as known at a position: reads the strong links that reach the people asked about."""

from collections.abc import Collection

from services.projector.domain.facts import Void
from services.projector.domain.identity import NO_LINKS, Identities, Link, Unlink, identities
from services.projector.queries.snapshot import Snapshot


async def read_identities(snapshot: Snapshot, people: Collection[str], known_at: int) -> Identities:
    """The humans behind some person names and everybody linked to them, directly or not."""
    if not snapshot.has_links or not people:
        return NO_LINKS
    links = await snapshot.fetch("links_of_people", sorted(set(people)), known_at)
    if not links:
        return NO_LINKS
    facts: list[Link | Unlink | Void] = []
    ends_of: dict[object, set[str]] = {}
    for row in links:
        ends_of[row["event_id"]] = {row["a"], row["b"]}
        facts.append(
            Link(
                event_id=str(row["event_id"]),
                position=row["position"],
                a=row["a"],
                b=row["b"],
                strong=True,
            )
        )
    for row in await snapshot.fetch("amendments_of_events", list(ends_of), known_at):
        event_id, target = str(row["event_id"]), row["target"]
        if row["role"] == "V":
            facts.append(Void(event_id=event_id, position=row["position"], target=str(target)))
        # An end that names other people than its link came before it, and has no effect.
        elif row["role"] == "E" and ends_of.get(target) == {row["a"], row["b"]}:
            facts.append(Unlink(event_id=event_id, position=row["position"], ends=str(target)))
    ends = {person for pair in ends_of.values() for person in pair}
    return identities(facts, known_at, await read_last_sides(snapshot, ends, known_at))


async def read_last_sides(
    snapshot: Snapshot, people: Collection[str], known_at: int
) -> dict[str, int]:
    """The numbers of rapport.events.v1.Side that people were last described with, whatever the day.

    What decides whether a link holds: links follow knowledge alone, and so must this.
    """
    rows = await snapshot.fetch("last_sides", sorted(people), known_at)
    return {row["party"]: row["side"] for row in rows}
