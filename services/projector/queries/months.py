"""A timeline by month: read from its newest end until the months asked for are full."""

import asyncio
from dataclasses import replace

from services.projector.domain.facts import Touchpoint
from services.projector.domain.months import Done, Month, Months
from services.projector.facts import standing_touchpoint
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.stood import read_stood
from services.projector.queries.timelines import TimelineAsked, TimelineRow, list_timeline
from services.runtime.clock import day_of
from services.runtime.errors import RapportError, Reason
from services.runtime.limits import SUMMARIZED_TOUCHPOINTS_MAX


async def summarize_timeline(
    snapshot: Snapshot, question: Question, asked: TimelineAsked, limit: int
) -> list[Month]:
    """The newest `limit` months with a touchpoint in force, newest first.

    `asked` says whose and how long a page is. Raises LIST_TOO_WIDE beyond 100,000 touchpoints, and
    for past knowledge beyond 10,000 relationships.
    """
    months, read = Months(), 0
    if not question.newest:
        months.add(_did(each.touchpoint) for each in await read_stood(snapshot, question, asked))
        return months.newest(limit)
    before = asked.before
    # A month is complete once an older one has begun.
    while len(months) <= limit:
        page = await list_timeline(snapshot, question.policy, replace(asked, before=before))
        months.add(_done(row) for row in page.rows)
        read += len(page.rows)
        before = page.next
        if before is None:
            break
        if read >= SUMMARIZED_TOUCHPOINTS_MAX:
            raise RapportError(
                Reason.LIST_TOO_WIDE,
                "these months have too many touchpoints; ask for fewer",
                metadata={"count": str(read), "limit": str(SUMMARIZED_TOUCHPOINTS_MAX)},
            )
        await asyncio.sleep(0)
    return months.newest(limit)


def _did(touchpoint: Touchpoint) -> Done:
    return Done(
        day=touchpoint.day,
        kind=touchpoint.kind,
        live_minutes=touchpoint.live_minutes or 0,
        occasion=touchpoint.occasion_id,
    )


def _done(row: TimelineRow) -> Done:
    touchpoint = standing_touchpoint(row.payload, row.corrected_by is not None)
    return Done(
        day=day_of(row.occurred_at_us),
        kind=touchpoint.kind,
        live_minutes=touchpoint.minutes.live,
        occasion=touchpoint.occasion_id,
    )
