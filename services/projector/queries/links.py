"""Identity links as recorded, and what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from services.projector.domain.identity import crosses
from services.projector.queries.people import read_identities, read_last_sides
from services.projector.queries.snapshot import Snapshot

VOIDED: Final = "voided"
INTERNAL_WITH_EXTERNAL: Final = "internal_with_external"


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link; `payload` is the stored one, its evidence sealed.

    `ended_by` is the end in force with the lowest position, `ineffective` why it has no effect
    though nobody ended it; empty for neither.
    """

    event_id: UUID
    position: int
    a: str
    b: str
    strong: bool
    payload: bytes
    ended_by: str
    ineffective: str


@dataclass(frozen=True, slots=True)
class LinkPage:
    """A page of links by position, and the position to go on after; None at the end."""

    rows: list[LinkRow]
    next: int | None


async def list_links(
    snapshot: Snapshot, person: str | None, after: int, limit: int, known_at: int
) -> LinkPage:
    """A page of links as known at a position, of one id or (None) all, weak ones too."""
    more = limit + 1
    if person is None:
        rows = await snapshot.fetch("links_in_order", after, more, known_at)
    else:
        rows = await snapshot.fetch("links_of_person", person, after, more, known_at)
    page = await _links(snapshot, rows[:limit], known_at)
    return LinkPage(page, page[-1].position if page and len(rows) > limit else None)


async def list_proposals(snapshot: Snapshot, after: int, limit: int, known_at: int) -> LinkPage:
    """A page of weak links in force between ids that are not one human yet, and could be.

    As known at a position.
    """
    found: list[LinkRow] = []
    while True:
        rows = await snapshot.fetch("links_proposed", after, limit + 1, known_at)
        page = await _links(snapshot, rows, known_at)
        ends = {end for link in page for end in (link.a, link.b)}
        people = await read_identities(snapshot, ends, known_at)
        found += [
            link
            for link in page
            if not link.ended_by and not link.ineffective and not people.same_human(link.a, link.b)
        ]
        if len(found) > limit:
            return LinkPage(found[:limit], found[limit - 1].position if limit else None)
        if len(rows) <= limit:
            return LinkPage(found, None)
        after = rows[-1]["position"]


async def _links(snapshot: Snapshot, rows: Sequence[Any], known_at: int) -> list[LinkRow]:
    if not rows:
        return []
    amended: dict[object, list[Any]] = {}
    ids = [row["event_id"] for row in rows]
    for row in await snapshot.fetch("amendments_of_events", ids, known_at):
        amended.setdefault(row["target"], []).append(row)
    ends = {end for row in rows for end in (row["a"], row["b"])}
    sides = await read_last_sides(snapshot, ends, known_at)
    found = []
    for row in rows:
        voided, ended_by = _fate(row, amended)
        across = INTERNAL_WITH_EXTERNAL if crosses(row["a"], row["b"], sides) else ""
        found.append(
            LinkRow(
                event_id=row["event_id"],
                position=row["position"],
                a=row["a"],
                b=row["b"],
                strong=row["strong"],
                payload=bytes(row["payload"]),
                ended_by=ended_by,
                ineffective=VOIDED if voided else across,
            )
        )
    return found


def _fate(row: Any, amended: dict[object, list[Any]]) -> tuple[bool, str]:
    """Whether a link was taken back, and what ends it; an end of other people ends nothing."""
    pointing = amended.get(row["event_id"], [])
    voided = any(each["role"] == "V" for each in pointing)
    ends = [
        each
        for each in pointing
        if each["role"] == "E"
        and (each["a"], each["b"]) == (row["a"], row["b"])
        and not any(above["role"] == "V" for above in amended.get(each["event_id"], ()))
    ]
    first = min(ends, key=lambda each: each["position"], default=None)
    return voided, "" if first is None else str(first["event_id"])
