"""The touchpoints of a timeline as they stood, from what was recorded up to a position."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.projector.domain.contact import mode_of
from services.projector.domain.facts import Pair, Touchpoint, Void
from services.projector.domain.measures.view import Side
from services.projector.queries.described import SIDES, Described, read_described
from services.projector.queries.history import History, read_histories
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.timelines import (
    TimelineAsked,
    is_within,
    raw_pairs_asked,
    read_humans_asked,
    with_stays,
)
from services.projector.queries.wide import chunks, read_pairs
from services.runtime.errors import RapportError, Reason
from services.runtime.limits import FOLDED_TOUCHPOINTS_MAX

# Of rapport.v1.LineState.
_EFFECTIVE: Final = 1
_CORRECTED: Final = 2
VOIDED: Final = 3


@dataclass(frozen=True, slots=True)
class Stood:
    """A touchpoint as it stood; a voided one as recorded, with the void of the lowest position.

    `state` is a number of rapport.v1.LineState.
    """

    event_id: UUID
    touchpoint: Touchpoint
    state: int
    voided_by: str


async def read_stood(snapshot: Snapshot, question: Question, asked: TimelineAsked) -> list[Stood]:
    """Every touchpoint of the timeline, its filters applied and its page not, in no order.

    Raises LIST_TOO_WIDE beyond 10,000 relationships or 100,000 touchpoints.
    """
    asked = await with_stays(snapshot, asked, question.position)
    pairs = await _pairs(snapshot, question, asked)
    found: list[Stood] = []
    read = 0
    for some in chunks(pairs):
        histories = await read_histories(snapshot, some, question.position)
        read += sum(len(history.recorded) for history in histories.values())
        if read > FOLDED_TOUCHPOINTS_MAX:
            raise RapportError(
                Reason.LIST_TOO_WIDE,
                "past knowledge of this timeline has too many touchpoints; ask for fewer people",
                metadata={"count": str(read), "limit": str(FOLDED_TOUCHPOINTS_MAX)},
            )
        everything = [each for history in histories.values() for each in _stood(history)]
        passes = await _filter(snapshot, question, asked, everything)
        found += filter(passes, everything)
        await asyncio.sleep(0)
    return found


async def _pairs(snapshot: Snapshot, question: Question, asked: TimelineAsked) -> Sequence[Pair]:
    if asked.stays is None:
        people = await read_humans_asked(snapshot, asked, question.position)
        return raw_pairs_asked(asked, people)
    return await read_pairs(snapshot, sorted({stay.person for stay in asked.stays}))


def _stood(history: History) -> list[Stood]:
    standing = {touch.event_id: touch for touch in history.effective().touchpoints}
    voids = [fact for fact in history.facts if isinstance(fact, Void)]
    voids.sort(key=lambda void: void.position, reverse=True)
    voided_by = {void.target: void.event_id for void in voids}
    found = []
    for recorded in history.recorded:
        touch, state = standing.get(recorded.event_id), VOIDED
        if touch is not None:
            state = _CORRECTED if touch.corrected_by else _EFFECTIVE
        found.append(
            Stood(
                UUID(recorded.event_id),
                touch or recorded,
                state,
                voided_by.get(recorded.event_id, ""),
            )
        )
    return found


async def _filter(
    snapshot: Snapshot, question: Question, asked: TimelineAsked, stood: Sequence[Stood]
) -> Callable[[Stood], bool]:
    """Whether a touchpoint is in the timeline asked for: as the statements of the index decide."""
    described: Mapping[str, Described] = {}
    side: Side | None = None
    if asked.side:
        side = SIDES[asked.side]
        initiators = {each.touchpoint.initiator for each in stood}
        described = await read_described(snapshot, initiators, question.on, question.position)

    def passes(each: Stood) -> bool:
        touch = each.touchpoint
        if each.state == VOIDED and not asked.include_voided:
            return False
        initiator = described.get(touch.initiator)
        return (
            is_within(asked, touch.pair, touch.instant_us)
            and (asked.kinds is None or touch.kind in asked.kinds)
            and (asked.channels is None or touch.channel in asked.channels)
            and (asked.modes is None or mode_of(touch, question.policy) in asked.modes)
            and (asked.incident is None or str(asked.incident) in (touch.event_id, touch.resolves))
            and (side is None or (initiator is not None and initiator.side is side))
        )

    return passes
