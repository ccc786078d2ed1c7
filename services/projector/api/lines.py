"""Lines of a timeline: the touchpoint as it stands, its texts opened for those who may see."""

from collections.abc import Sequence

from rapport.events.v1 import people_pb2, touchpoint_pb2
from rapport.v1 import timeline_service_pb2 as timeline

from services.projector.api.answers import relationship_name, timestamp_message
from services.projector.api.calls import Call, Keys
from services.projector.api.texts import Sealed, may_see, open_all
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.timelines import TimelineRow, read_internal


async def read_lines(snapshot: Snapshot, call: Call, rows: Sequence[TimelineRow]) -> list["Line"]:
    """The lines of some rows, each told whether the caller may see its texts."""
    lines = [Line(row) for row in rows]
    asked = _asked_for_side(lines, call)
    internal = await read_internal(snapshot, asked, people_pb2.SIDE_INTERNAL)
    for line in lines:
        line.visible = may_see(
            line.touchpoint,
            line.row.text_recorded_by,
            call.caller.principal,
            internal=call.caller.principal in internal,
        )
    return lines


async def line_messages(
    keys: Keys, call: Call, lines: Sequence["Line"]
) -> list[timeline.TimelineLine]:
    """The messages of some lines, texts opened; outside the snapshot, for it reads keys."""
    await open_all(keys, call.tenant, [line.sealed() for line in lines])
    return [line.message() for line in lines]


class Line:
    """A line on its way out: its row, and the touchpoint as it stands."""

    def __init__(self, row: TimelineRow) -> None:
        self.row = row
        self.visible = False
        self._corrected: touchpoint_pb2.Corrected | None = None
        if row.corrected_by is None:
            self.touchpoint = touchpoint_pb2.Touchpoint()
            self.touchpoint.ParseFromString(row.payload)
        else:
            self._corrected = touchpoint_pb2.Corrected()
            self._corrected.ParseFromString(row.payload)
            self.touchpoint = self._corrected.touchpoint

    def sealed(self) -> Sealed:
        """What holds the texts: sealed for their place in the payload that was stored."""
        return Sealed(
            message=self.touchpoint if self._corrected is None else self._corrected,
            event_id=str(self.row.corrected_by or self.row.event_id),
            named=(self.touchpoint.initiator, self.touchpoint.counterpart),
            visible=self.visible,
        )

    def message(self) -> timeline.TimelineLine:
        """The line, its texts opened."""
        row = self.row
        return timeline.TimelineLine(
            event_id=str(row.event_id),
            relationship=relationship_name(row.pair),
            occurred_at=timestamp_message(row.occurred_at_us),
            recorded_at=timestamp_message(row.recorded_at_us),
            position=row.position,
            recorded_by=row.recorded_by,
            state=row.state,  # type: ignore[arg-type]
            touchpoint=self.touchpoint,
            corrected_by=str(row.corrected_by or ""),
            voided_by=str(row.voided_by or ""),
            initiative=row.initiative,  # type: ignore[arg-type]
        )


def _asked_for_side(lines: Sequence[Line], call: Call) -> list[str]:
    """The caller, when some line shows its texts only to the internal ones of its two people."""
    principal = call.caller.principal
    for line in lines:
        if (
            line.touchpoint.visibility == touchpoint_pb2.VISIBILITY_PARTIES
            and line.row.text_recorded_by != principal
            and principal in (line.touchpoint.initiator, line.touchpoint.counterpart)
        ):
            return [principal]
    return []
