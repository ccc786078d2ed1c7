"""What settles promises and needs, also elsewhere: a colleague may keep what one promised."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from services.projector.domain.effective import effective
from services.projector.domain.facts import Fact, Touchpoint
from services.projector.domain.measures.obligations import OPENING
from services.projector.queries.history import amendment_facts, touchpoint_of_row
from services.projector.queries.snapshot import Snapshot


async def read_settling(
    snapshot: Snapshot, touchpoints: Iterable[Touchpoint], known_at: int
) -> Sequence[Touchpoint]:
    """The effective touchpoints that fulfil a promise or need among some, wherever they are.

    Those among `touchpoints` themselves are there too.
    """
    targets = [UUID(touch.event_id) for touch in touchpoints if touch.kind in OPENING]
    if not targets:
        return ()
    rows = await snapshot.fetch("fulfilments_of", targets, known_at)
    events = [row["event_id"] for row in rows]
    return await read_touchpoints(snapshot, events, known_at)


async def read_touchpoints(
    snapshot: Snapshot, events: Sequence[UUID], known_at: int
) -> Sequence[Touchpoint]:
    """Those of some touchpoints that are in effect, as known at a position."""
    if not events:
        return ()
    facts: list[Fact] = [
        touchpoint_of_row(row)
        for row in await snapshot.fetch("touchpoints_by_id", events, known_at)
    ]
    for row in await snapshot.fetch("amendments_of_events", events, known_at):
        facts += amendment_facts(row)
    return effective(facts).touchpoints
