"""How people were described on a day, as known at a position."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from rapport.events.v1 import people_pb2

from services.projector.domain.measures.view import Side
from services.projector.queries.snapshot import Snapshot
from services.runtime.clock import US_PER_DAY

SIDES: Final[Mapping[int, Side]] = {
    people_pb2.SIDE_INTERNAL: Side.INTERNAL,
    people_pb2.SIDE_EXTERNAL: Side.EXTERNAL,
}


@dataclass(frozen=True, slots=True)
class Described:
    """What the description in force says of a person; empty texts say nothing."""

    side: Side | None
    team: str
    tier: str
    event_id: UUID


async def read_described(
    snapshot: Snapshot, people: Collection[str], on: int, known_at: int
) -> Mapping[str, Described]:
    """The descriptions in force at the end of a day, by person; who was never described is out.

    `people` are raw ids: a human has the description of each of his ids.
    """
    if not people:
        return {}
    before_us = (on + 1) * US_PER_DAY
    rows = await snapshot.fetch("described_on", sorted(set(people)), before_us, known_at)
    return {
        row["party"]: Described(SIDES.get(row["side"]), row["team"], row["tier"], row["event_id"])
        for row in rows
    }
