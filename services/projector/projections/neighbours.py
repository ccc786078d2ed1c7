"""What changed among the touchpoints of raw pairs, and the stored ones that have a say in it."""

from collections.abc import Iterable, Mapping
from typing import Any

import asyncpg

from services.projector.domain.calendar import US_PER_DAY, first_day_of_week
from services.projector.domain.changes import Change, Reach
from services.projector.domain.facts import Touchpoint
from services.projector.facts import standing_from, touchpoint_from
from services.projector.projections import touchpoints
from services.projector.projections.statements import SQL, PairKey, columns
from services.projector.projections.touchpoints import History

_US_PER_WEEK = 7 * US_PER_DAY


async def changes(
    conn: asyncpg.Connection,
    journal: str,
    fresh: Mapping[PairKey, Iterable[Touchpoint]],
    amended: Mapping[PairKey, Iterable[str]],
) -> dict[PairKey, Change]:
    """How the effective touchpoints of pairs differ from what they were before a batch.

    `fresh` are the touchpoints it brings, `amended` the ids of those, stored or fresh, that may
    stand otherwise: these are restated on the way.
    """
    found = {pair: Change(come=list(come)) for pair, come in fresh.items()}
    if not amended:
        return found
    keys = [(pair.tenant, event_id) for pair, ids in amended.items() for event_id in sorted(ids)]
    histories: dict[PairKey, History] = {}
    stood: dict[PairKey, dict[str, Touchpoint]] = {}
    for row in await conn.fetch(SQL["amended_touchpoints"], journal, *columns(keys, 2)):
        pair, name = PairKey(row["tenant"], row["a"], row["b"]), str(row["event_id"])
        history = histories.setdefault(pair, History())
        history.originals[name] = touchpoint_from(
            row["payload"],
            event_id=name,
            position=row["position"],
            occurred_at_us=row["occurred_at_us"],
        )
        if not row["voided"]:
            stood.setdefault(pair, {})[name] = _standing(row)
    for tenant, a, b, event_id, target, role, position, payload in await conn.fetch(
        SQL["amendments_of_touchpoints"], journal, *columns(keys, 2)
    ):
        amendment = touchpoints.amendment_from(str(event_id), str(target), role, position, payload)
        histories[PairKey(tenant, a, b)].amendments.append(amendment)
    await touchpoints.restate(conn, journal, amended, histories)
    for pair, history in histories.items():
        change = found.setdefault(pair, Change())
        new = {touchpoint.event_id for touchpoint in change.come}
        before = stood.get(pair, {})
        change.gone = [before[name] for name in before if name not in new]
        change.come = [each for each in change.come if each.event_id not in history.originals]
        change.come += history.effective()
    return found


async def others(
    conn: asyncpg.Connection,
    journal: str,
    changed: Mapping[PairKey, Change],
    reaches: Mapping[PairKey, Reach],
    amended: Mapping[PairKey, Iterable[str]],
) -> dict[PairKey, list[Touchpoint]]:
    """The stored effective touchpoints within the reach of changes, but for those that changed.

    After the amended ones were restated.
    """
    weeks = []
    recoveries = []
    for pair, reach in reaches.items():
        for week in sorted(reach.weeks):
            since_us = first_day_of_week(week) * US_PER_DAY
            weeks.append((*pair, since_us, since_us + _US_PER_WEEK))
        if reach.recovery:
            recoveries.append(pair)
    rows: list[Any] = []
    if weeks:
        rows += await conn.fetch(SQL["touchpoints_of_weeks"], journal, *columns(weeks, 5))
    if recoveries:
        rows += await conn.fetch(SQL["recoveries_of_pairs"], journal, *columns(recoveries, 3))
    seen = {
        (pair.tenant, name)
        for pair in reaches
        for name in (*(each.event_id for each in changed[pair].come), *amended.get(pair, ()))
    }
    found: dict[PairKey, list[Touchpoint]] = {}
    for row in rows:
        key = row["tenant"], str(row["event_id"])
        if key not in seen:
            seen.add(key)
            pair = PairKey(row["tenant"], row["a"], row["b"])
            found.setdefault(pair, []).append(_standing(row))
    return found


def _standing(row: asyncpg.Record) -> Touchpoint:
    """The touchpoint of a row as it stands; `correction` is the payload in force, if any."""
    corrected = row["correction"] is not None
    return standing_from(
        row["correction"] if corrected else row["payload"],
        corrected=corrected,
        event_id=str(row["event_id"]),
        position=row["position"],
        occurred_at_us=row["now_occurred_at_us"],
    )
