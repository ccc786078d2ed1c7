"""Touchpoints of a fold as timeline rows: as they stood then, with what was recorded of them."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from services.projector.domain.contact import mode_of
from services.projector.domain.facts import Touchpoint
from services.projector.facts import initiative_number
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.timelines import TimelineRow
from services.runtime.policy import Policy

# Of rapport.v1.LineState: a fold holds nothing that was taken back.
_EFFECTIVE: Final = 1
_CORRECTED: Final = 2


async def read_rows(
    snapshot: Snapshot, policy: Policy, touchpoints: Iterable[Touchpoint]
) -> list[TimelineRow]:
    """The rows of effective touchpoints, in their order, with the payloads that stand."""
    wanted = list(touchpoints)
    if not wanted:
        return []
    rows = await snapshot.fetch(
        "recorded_touchpoints",
        [UUID(touch.event_id) for touch in wanted],
        [UUID(touch.corrected_by) for touch in wanted if touch.corrected_by],
    )
    by_id = {str(row["event_id"]): row for row in rows}
    return [
        _row(touch, policy, by_id[touch.event_id], by_id[touch.corrected_by or touch.event_id])
        for touch in wanted
    ]


def _row(touch: Touchpoint, policy: Policy, original: Any, standing: Any) -> TimelineRow:
    return TimelineRow(
        event_id=original["event_id"],
        pair=touch.pair,
        position=original["position"],
        occurred_at_us=touch.instant_us,
        recorded_at_us=original["recorded_at_us"],
        recorded_by=original["recorded_by"],
        text_recorded_by=standing["recorded_by"],
        payload=bytes(standing["payload"]),
        state=_CORRECTED if touch.corrected_by else _EFFECTIVE,
        initiative=initiative_number(mode_of(touch, policy)),
        corrected_by=UUID(touch.corrected_by) if touch.corrected_by else None,
        voided_by=None,
    )
