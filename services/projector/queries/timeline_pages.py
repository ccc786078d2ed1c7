"""Pages of timelines: from the index where everything recorded may be known, else by folding."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from services.projector.domain.facts import Pair
from services.projector.facts import canonical_id
from services.projector.queries.lines import read_rows
from services.projector.queries.occasions import FoldedPage, list_folded
from services.projector.queries.pages import within_bytes
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.stood import Stood, read_stood
from services.projector.queries.timelines import (
    TimelineAsked,
    TimelineRow,
    list_timeline,
    place_of,
)


async def read_timeline(
    snapshot: Snapshot, question: Question, asked: TimelineAsked, *, fold: bool, is_today: bool
) -> FoldedPage:
    """A page of a timeline as of a question; `fold`: the touchpoints of an occasion are one line.

    Raises LIST_TOO_WIDE for past knowledge of more than 10,000 relationships or 100,000
    touchpoints.
    """
    if not is_indexed(question, asked, is_today=is_today):
        return await _fold_page(snapshot, question, asked, fold=fold)
    if fold:
        return await list_folded(snapshot, question.policy, asked)
    page = await list_timeline(snapshot, question.policy, asked)
    return FoldedPage(page.rows, {}, page.next)


def is_indexed(question: Question, asked: TimelineAsked, *, is_today: bool) -> bool:
    """Whether the stored rows answer: they show how lines stand now, and the sides of today."""
    return question.newest and (is_today or not asked.side)


async def _fold_page(
    snapshot: Snapshot, question: Question, asked: TimelineAsked, *, fold: bool
) -> FoldedPage:
    found = await read_stood(snapshot, question, asked)
    folded: dict[UUID, tuple[Pair, ...]] = {}
    if fold:
        found, folded = _without_repetition(found)
    found = sorted(found, key=lambda each: _key(each, asked), reverse=True)
    if asked.before is not None:
        behind = asked.before.key, asked.before.event_id
        found = [each for each in found if _key(each, asked) < behind]
    rows = await _rows(snapshot, question, found[: asked.limit])
    kept = within_bytes(rows, lambda row: len(row.payload))
    more = len(kept) < len(found) and len(kept) > 0
    return FoldedPage(list(kept), folded, place_of(kept[-1], asked) if more else None)


def _key(stood: Stood, asked: TimelineAsked) -> tuple[int, UUID]:
    at = stood.touchpoint.position if asked.by_recorded else stood.touchpoint.instant_us
    return at, stood.event_id


def _without_repetition(
    found: Sequence[Stood],
) -> tuple[list[Stood], dict[UUID, tuple[Pair, ...]]]:
    """One line an occasion, that of its first pair; by its event id the other pairs, in order."""
    occasions: defaultdict[str, list[Stood]] = defaultdict(list)
    lines: list[Stood] = []
    for each in found:
        occasion = canonical_id(each.touchpoint.occasion_id)
        if occasion is None:
            lines.append(each)
        else:
            occasions[occasion].append(each)
    folded = {}
    for held in occasions.values():
        first = min(held, key=lambda each: (each.touchpoint.pair, each.event_id))
        lines.append(first)
        pairs = {each.touchpoint.pair for each in held} - {first.touchpoint.pair}
        folded[first.event_id] = tuple(sorted(pairs))
    return lines, folded


async def _rows(
    snapshot: Snapshot, question: Question, found: Sequence[Stood]
) -> list[TimelineRow]:
    rows = await read_rows(snapshot, question.policy, [each.touchpoint for each in found])
    return [
        replace(row, state=each.state, voided_by=UUID(each.voided_by) if each.voided_by else None)
        for row, each in zip(rows, found, strict=True)
    ]
