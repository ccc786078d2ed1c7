"""Open attention items and the log of their changes: written together, a day of a tenant at a time.

The log is its own outbox: what is committed here is published, under its number. Views may be
thrown away and built again, this is not: what subscribers were told stays told.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from services.projector.attention_messages import change_message
from services.projector.domain.attention.turn import ChangeKind, OpenItem, Turn
from services.projector.projections import checkpoint
from services.projector.projections.statements import SQL, columns
from services.projector.stored_items import open_item_of, row_of
from services.runtime.clock import US_PER_DAY


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a turn knows: everything up to a position, of one incarnation of the journal."""

    incarnation: str
    position: int
    policy_hash: str


async def behind(conn: asyncpg.Connection, journal: str, today: int) -> list[tuple[str, int]]:
    """The tenants not turned through a day yet, by name, and the day they are turned through.

    A tenant's days begin with the one on which its first touchpoint was recorded.
    """
    found = []
    for tenant, day in await conn.fetch(SQL["attention_behind"], journal, today):
        if day is None:
            day = await conn.fetchval(SQL["attention_begin"], journal, tenant, US_PER_DAY)
        if day is not None and day < today:
            found.append((tenant, day))
    return found


async def read_open(conn: asyncpg.Connection, journal: str, tenant: str) -> dict[str, OpenItem]:
    """A tenant's open items as of the day it is turned through, by id."""
    rows = await conn.fetch(SQL["attention_open_items"], journal, tenant)
    return {row["item"]: open_item_of(row) for row in rows}


async def keep(
    conn: asyncpg.Connection,
    journal: str,
    tenant: str,
    turn: Turn,
    known: Knowledge,
    *,
    previous: Mapping[str, OpenItem],
    now_us: int,
) -> bool:
    """Write a turn, all of it or nothing; whether it was still to be done.

    Not done when the tenant is not turned through the very day before (somebody else was there),
    or when the views are not what the turn was worked out from any more (they are built again).
    """
    async with conn.transaction():
        day = await conn.fetchval(SQL["attention_lock_tenant"], journal, tenant)
        found = await checkpoint.read(conn, journal)
        if day != turn.on - 1 or found is None:
            return False
        if found.incarnation != known.incarnation or found.position < known.position:
            return False
        await _write_changes(conn, journal, tenant, turn, now_us)
        gone = [item for item in previous if item not in turn.open_items]
        if gone:
            await conn.execute(SQL["attention_close_items"], journal, tenant, gone)
        rows = [
            row_of(kept) for item, kept in turn.open_items.items() if previous.get(item) != kept
        ]
        if rows:
            await conn.execute(SQL["attention_put_items"], journal, tenant, *columns(rows, 14))
        moved = turn.on, known.position, known.policy_hash
        await conn.execute(SQL["attention_move_tenant"], journal, tenant, *moved)
    return True


async def _write_changes(
    conn: asyncpg.Connection, journal: str, tenant: str, turn: Turn, now_us: int
) -> None:
    if not turn.changes:
        return
    last = await conn.fetchval(SQL["attention_take_numbers"], journal, len(turn.changes))
    first = last - len(turn.changes) + 1
    rows = [
        (
            number,
            change.item.item,
            change.kind is ChangeKind.RAISED,
            change.item.rule.value,
            change.item.person,
            change_message(change, number, now_us).SerializeToString(deterministic=True),
        )
        for number, change in enumerate(turn.changes, start=first)
    ]
    await conn.execute(
        SQL["attention_insert_changes"], journal, tenant, turn.on, now_us, *columns(rows, 6)
    )
