"""The texts of touchpoints that an answer shows beside its figures."""

from collections.abc import Iterable, Mapping, Sequence

from rapport.events.v1 import touchpoint_pb2

from services.projector.api.calls import Call
from services.projector.api.lines import Line, read_lines
from services.projector.domain.measures.view import RelationshipView
from services.projector.queries.lines import read_rows
from services.projector.queries.snapshot import Snapshot


async def read_notes(
    snapshot: Snapshot, call: Call, view: RelationshipView, event_ids: Iterable[str]
) -> Sequence[Line]:
    """The lines of some touchpoints of a relationship, their texts still sealed."""
    touchpoints = [view.by_id[event_id] for event_id in event_ids]
    return await read_lines(snapshot, call, await read_rows(snapshot, view.policy, touchpoints))


def by_event(lines: Iterable[Line]) -> Mapping[str, touchpoint_pb2.Touchpoint]:
    """The touchpoints of opened lines by event id."""
    return {str(line.row.event_id): line.touchpoint for line in lines}
