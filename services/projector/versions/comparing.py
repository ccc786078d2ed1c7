"""Compare the version being built with the live one, as both are at one position of every journal.

For a moment the live version is held where it is, the one beside is brought there, and a snapshot
is taken of both; what takes long is read from the snapshot while the live version goes on.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from services.projector.projections.tables import TABLES, Table
from services.projector.versions.beside import LIVE, NEXT
from services.projector.versions.building import Builder
from services.projector.versions.schema import SQL

KEYS_MAX: Final = 20
# A turn of the day under way makes standings differ for a while.
_TRIES: Final = 120
_AGAIN_S: Final = 1.0
_LOCK_MS: Final = 2_000


class NotComparable(Exception):  # noqa: N818 - says what is
    """The two versions cannot be brought to one position; says why."""


@dataclass(frozen=True, slots=True)
class TableCompared:
    """One table in both versions: rows, and a hash of 128 bits over them, whatever their order.

    `differing`: the keys of the first rows that differ, `<` live only, `>` beside only, `≠` both.
    """

    table: str
    rows: tuple[int, int]
    hashes: tuple[str, str]
    differing: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether both hold the same."""
        return self.rows[0] == self.rows[1] and self.hashes[0] == self.hashes[1]


@dataclass(frozen=True, slots=True)
class Compared:
    """Both versions at the positions of the journals."""

    positions: dict[str, int]
    tables: list[TableCompared]

    @property
    def equal(self) -> bool:
        """Whether all tables hold the same."""
        return all(table.equal for table in self.tables)


async def compare(
    live: asyncpg.Connection,
    holder: asyncpg.Connection,
    builder: Builder,
    *,
    keys_max: int = KEYS_MAX,
) -> Compared:
    """Compare all read models. `live` and `holder`: two plain connections of the owner's.

    What comes out is noted for the switch. Raises NotComparable, and what building raises.
    """
    for _ in range(_TRIES):
        # What takes long first, while nobody waits.
        await bring_along(live, builder)
        # A writer may stay inside for longer than others are to be kept waiting for.
        with suppress(asyncpg.LockNotAvailableError):
            async with _one_moment(live, holder, builder) as positions:
                if positions is not None:
                    tables = [await _table(live, table, keys_max) for table in TABLES]
                    found = Compared(positions, tables)
                    break
        await asyncio.sleep(_AGAIN_S)
    else:
        raise NotComparable(
            "the live version is behind, or on its way to another day or policy, all the time"
        )
    note = "equal" if found.equal else "different"
    await builder.conn.execute(f"UPDATE {NEXT}.build SET compared = $1", note)  # noqa: S608
    return found


@asynccontextmanager
async def _one_moment(
    live: asyncpg.Connection, holder: asyncpg.Connection, builder: Builder
) -> AsyncIterator[dict[str, int] | None]:
    """A transaction of `live` whose snapshot has both versions at the same positions.

    None when tenants are on their way to another day or policy just now.
    """
    async with live.transaction(isolation="repeatable_read", readonly=True):
        async with holder.transaction():
            await holder.execute(f"SET LOCAL lock_timeout = {_LOCK_MS}")
            # Nobody moves a checkpoint, or turns a day; who reads goes on.
            await holder.execute(f"LOCK TABLE {LIVE}.checkpoints IN EXCLUSIVE MODE")
            positions = await bring_along(holder, builder)
            unsettled = await holder.fetchval(SQL["terms_differ"])
            await live.execute("SELECT 1")  # the snapshot
        yield None if unsettled else positions


async def bring_along(conn: asyncpg.Connection, builder: Builder) -> dict[str, int] | None:
    """Bring the version beside to where the live one is, seen by `conn`; where that is.

    None when it is beyond that in some journal. Events that are parked beside and in the live
    version no more are tried again. Left out are journals that were restored: what the live version
    says of them is of a history that is gone.
    """
    positions: dict[str, int] = {}
    live = await conn.fetch(SQL["live_checkpoints"])
    infos = {info.journal: info for info in await builder.ledger.journals()}
    # In what the live version has not begun, the one beside is beyond it already.
    beside = dict(await builder.conn.fetch(SQL["beside_positions"]))
    beyond = any(beside[journal] for journal in beside.keys() - {row["journal"] for row in live})
    for journal, incarnation, position in live:
        info = infos.get(journal)
        if info is None or info.incarnation != incarnation:
            continue
        if await builder.reach(info, position):
            positions[journal] = position
        else:
            beyond = True
    # What the live version could take after all, the one beside takes as well, if it can.
    for journal, position, beside in await conn.fetch(SQL["parked_differently"]):
        if beside:
            await builder.retry(journal, position)
    return None if beyond else positions


async def _table(conn: asyncpg.Connection, table: Table, keys_max: int) -> TableCompared:
    """Count and hash in the server; keys only where these differ."""
    values = "t::text"
    if table.passing:
        values = f"(to_jsonb(t) - '{{{','.join(table.passing)}}}'::text[])::text"
    # Names come from TABLES alone.
    counted = (
        "SELECT count(*) AS rows, coalesce(sum(hashtextextended(v, 0)::numeric), 0)::text"
        " || ':' || coalesce(sum(hashtextextended(v, 1)::numeric), 0)::text AS hash FROM "
    )
    found = [
        await conn.fetchrow(f"{counted} (SELECT {values} AS v FROM {name}.{table.name} t) AS s")  # noqa: S608
        for name in (LIVE, NEXT)
    ]
    compared = TableCompared(
        table.name, (found[0]["rows"], found[1]["rows"]), (found[0]["hash"], found[1]["hash"])
    )
    if not compared.equal:
        key = ("journal", *table.key)
        left, right = (values.replace("t::", f"{x}::").replace("(t)", f"({x})") for x in "ln")
        rows = await conn.fetch(
            f"SELECT CASE WHEN n.journal IS NULL THEN '<' WHEN l.journal IS NULL THEN '>'"  # noqa: S608
            f" ELSE '≠' END || ' ' || concat_ws(' ', {', '.join(key)}) AS key"
            f" FROM {LIVE}.{table.name} l FULL JOIN {NEXT}.{table.name} n"
            f" USING ({', '.join(key)}) WHERE {left} IS DISTINCT FROM {right}"
            f" ORDER BY {', '.join(key)} LIMIT $1",
            keys_max,
        )
        compared.differing.extend(row["key"] for row in rows)
    return compared
