"""Timelines with every group meeting folded into one line."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from services.projector.domain.facts import Pair
from services.projector.facts import canonical_id, initiative_number, standing_touchpoint
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.timelines import (
    Before,
    TimelineAsked,
    TimelineRow,
    is_within,
    list_timeline,
    place_of,
    raw_pairs_asked,
    read_humans_asked,
    with_stays,
)
from services.runtime.policy import Initiative, Policy

# A folded meeting of a thousand pairs may be behind every line: a page gives up being full.
_READS_MAX: Final = 20
_VOIDED: Final = 3


@dataclass(frozen=True, slots=True)
class FoldedPage:
    """A page of lines; by event id of a line the other raw pairs of its occasion, in order."""

    rows: list[TimelineRow]
    folded: dict[UUID, tuple[Pair, ...]]
    next: Before | None


async def list_folded(snapshot: Snapshot, policy: Policy, asked: TimelineAsked) -> FoldedPage:
    """A page of a timeline in which the touchpoints of one occasion are one line.

    The line is that of the occasion's first pair (by a, b, event id) in this timeline, under its
    filters, at that touchpoint's own place. So it does not depend on where pages begin.
    """
    if not asked.limit:
        return FoldedPage([], {}, None)
    asked = await with_stays(snapshot, asked, snapshot.position)
    matches = await _matcher(snapshot, policy, asked)
    rows: list[TimelineRow] = []
    folded: dict[UUID, tuple[Pair, ...]] = {}
    before = asked.before
    for _ in range(_READS_MAX):
        page = await list_timeline(snapshot, policy, replace(asked, before=before))
        members = await _members(snapshot, page.rows, asked.side, matches)
        for index, row in enumerate(page.rows):
            others = members.get(row.event_id)
            if others and others[0][1] != row.event_id:
                continue
            rows.append(row)
            if others:
                pairs = {pair for pair, _ in others} - {row.pair}
                folded[row.event_id] = tuple(sorted(pairs))
            if len(rows) == asked.limit:
                more = index + 1 < len(page.rows) or page.next is not None
                return FoldedPage(rows, folded, place_of(row, asked) if more else None)
        before = page.next
        if before is None:
            break
    return FoldedPage(rows, folded, before)


async def _members(
    snapshot: Snapshot, rows: Sequence[TimelineRow], side: int, matches: Callable[[Any], bool]
) -> dict[UUID, list[tuple[Pair, UUID]]]:
    """By event id: the touchpoints of its occasion in this timeline, the first pair first."""
    occasion_of: dict[UUID, UUID] = {}
    for row in rows:
        touchpoint = standing_touchpoint(row.payload, row.corrected_by is not None)
        found = canonical_id(touchpoint.occasion_id)
        if found is not None:
            occasion_of[row.event_id] = UUID(found)
    if not occasion_of:
        return {}
    members: defaultdict[UUID, list[tuple[Pair, UUID]]] = defaultdict(list)
    wanted = sorted(set(occasion_of.values()))
    found_rows = await snapshot.fetch("touchpoints_of_occasions", wanted)
    sides: dict[str, int] = {}
    if side:
        initiators = sorted({row["now_initiator"] for row in found_rows})
        sides = {row["party"]: row["side"] for row in await snapshot.fetch("sides", initiators)}
    for row in found_rows:
        if matches(row) and (not side or sides.get(row["now_initiator"]) == side):
            members[row["occasion"]].append(((row["a"], row["b"]), row["event_id"]))
    for held in members.values():
        held.sort()
    return {event_id: members[occasion] for event_id, occasion in occasion_of.items()}


async def _matcher(
    snapshot: Snapshot, policy: Policy, asked: TimelineAsked
) -> Callable[[Any], bool]:
    """Whether a touchpoint is in the timeline asked for, page aside: as its statement decides."""
    pairs: set[Pair] = set()
    if asked.stays is None:
        people = await read_humans_asked(snapshot, asked, snapshot.position)
        pairs = set(raw_pairs_asked(asked, people))

    def inside(row: Any) -> bool:
        pair = row["a"], row["b"]
        return (asked.stays is not None or pair in pairs) and is_within(
            asked, pair, row["now_occurred_at_us"]
        )

    return lambda row: inside(row) and _passes(row, policy, asked)


def _passes(row: Any, policy: Policy, asked: TimelineAsked) -> bool:
    if row["state"] == _VOIDED and not asked.include_voided:
        return False
    if asked.kinds is not None and row["now_kind"] not in asked.kinds:
        return False
    if asked.channels is not None and row["now_channel"] not in asked.channels:
        return False
    if asked.incident is not None and asked.incident not in (row["event_id"], row["now_resolves"]):
        return False
    return asked.modes is None or _mode(row, policy) in {
        initiative_number(mode) for mode in asked.modes
    }


def _mode(row: Any, policy: Policy) -> int:
    if row["now_initiative"]:
        return int(row["now_initiative"])
    kind = policy.kinds.get(row["now_kind"])
    return initiative_number(Initiative.PROACTIVE if kind is None else kind.initiative)
