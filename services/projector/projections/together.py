"""What one batch asks and writes, in as few statements as its order allows.

Every statement costs a round trip, and a small batch hardly anything else. Writes that touch a
table each wait until something is read, and go as one statement; what a batch is sure to ask can
be asked before, as one statement as well. Who reads and writes through it notices nothing.
"""

import re
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, Final

import asyncpg

from services.projector.projections.statements import SQL, columns
from services.runtime.pg import begun

# These write one table each, with the journal first: in any order, and beside each other. Each
# with the questions whose answers it may change.
_TOGETHER: Final[dict[str, tuple[str, ...]]] = {
    "insert_touchpoints": (),
    "insert_other_facts": (),
    "insert_fulfilments": (),
    "insert_affiliations": (),
    "insert_parties": (),
    "put_balances": ("balances_of_pairs",),
    "put_standings": (),
    "insert_ticks": (),
    "move_checkpoint": ("read_checkpoint",),
}
_STEMS: Final = {SQL[stem]: stem for stem in _TOGETHER}
# Answers as one array each, in front of the rows of the last question, which has types that no
# array of rows can carry.
QUESTIONS: Final = ("read_checkpoint", "tenants_by_name", "identities_of_people", "amended_among")
ROWS_OF: Final = "balances_of_pairs"

_HEAD: Final = re.compile(r"\A(?:--[^\n]*\n)+")
_BIND: Final = re.compile(r"\$([0-9]+)")
_COMBINATIONS_MAX: Final = 256

# For each question, its keys: tuples of what it is asked by, in the order of its binds.
type Keys = Collection[Sequence[Any]]


class Together:
    """The connection of one batch, inside its transaction; whoever made it flushes it at the end.

    `conn` is asyncpg's, or one that behaves as that.
    """

    def __init__(self, conn: asyncpg.Connection) -> None:
        self._conn = conn
        self._writes: dict[str, tuple[Any, ...]] = {}
        self._answers: dict[str, tuple[frozenset[Any], list[Any]]] = {}

    async def ask(self, journal: str, keys: Mapping[str, Keys]) -> None:
        """Ask all QUESTIONS and ROWS_OF at once; each answer is given to who asks first.

        `keys`: of each question, none for the checkpoint's.
        """
        stems = (*QUESTIONS, ROWS_OF)
        binds: list[Any] = [journal]
        for stem in stems:
            if found := _width(stem):
                binds += columns(keys[stem], found)
        rows = await self._conn.fetch(_question(), *binds)
        for index, stem in enumerate(QUESTIONS):
            self._answers[SQL[stem]] = (frozenset(map(tuple, keys[stem])), rows[0][index])
        before = len(QUESTIONS) + 1  # the answers, and the number of the row
        told = [row[before:] for row in map(tuple, rows) if row[before] is not None]
        self._answers[SQL[ROWS_OF]] = (frozenset(map(tuple, keys[ROWS_OF])), told)

    async def fetch(self, query: str, *args: Any) -> Any:
        """As asyncpg's, after the writes so far; or what was asked before."""
        found = self._answers.pop(query, None)
        if found is not None and found[0] == frozenset(zip(*args[1:], strict=True)):
            return found[1]
        await self.flush()
        return await self._conn.fetch(query, *args)

    async def fetchrow(self, query: str, *args: Any) -> Any:
        """As asyncpg's, after the writes so far; or what was asked before."""
        found = self._answers.pop(query, None)
        if found is not None:
            return found[1][0] if found[1] else None
        await self.flush()
        return await self._conn.fetchrow(query, *args)

    async def fetchval(self, query: str, *args: Any) -> Any:
        """As asyncpg's, after the writes so far."""
        await self.flush()
        self._answers.clear()  # it may write
        return await self._conn.fetchval(query, *args)

    async def execute(self, query: str, *args: Any) -> None:
        """Write: soon, beside others, or at once when nobody knows what it changes."""
        stem = _STEMS.get(query)
        if stem is None:
            await self.flush()
            self._answers.clear()
            await self._conn.execute(query, *args)
            return
        if stem in self._writes:
            await self.flush()
        self._writes[stem] = args
        for spoilt in _TOGETHER[stem]:
            self._answers.pop(SQL[spoilt], None)

    async def copy_records_to_table(self, table_name: str, **more: Any) -> None:
        """As asyncpg's, after the writes so far."""
        await self.flush()
        await self._conn.copy_records_to_table(table_name, **more)

    async def flush(self) -> None:
        """Write what waits."""
        if not self._writes:
            return
        writes, self._writes = self._writes, {}
        journals = {args[0] for args in writes.values()}
        assert len(journals) == 1, "a batch is of one journal"
        binds = [*journals]
        for args in writes.values():
            binds += args[1:]
        await self._conn.execute(_written(tuple(writes)), *binds)


@asynccontextmanager
async def locked(
    conn: asyncpg.Connection, journal: str, *, plan_once: bool = False
) -> AsyncIterator[bool]:
    """A transaction that begins by locking the journal's checkpoint; whether there is one to lock.

    One round trip, and the snapshot of whatever comes next is younger than the lock. Savepoints
    need `conn.transaction()`. `plan_once`: PostgreSQL plans no statement for the values at hand.
    """
    quoted = journal.replace("'", "''")
    plans = "SET LOCAL plan_cache_mode = force_generic_plan;" if plan_once else ""
    opening = f"BEGIN; {plans} SELECT FROM views.checkpoints WHERE journal = '{quoted}' FOR UPDATE"
    async with begun(conn, opening) as status:
        yield status == "SELECT 1"


def _width(stem: str) -> int:
    """How many binds a statement has besides the journal."""
    return max(map(int, _BIND.findall(SQL[stem]))) - 1


def _shifted(stem: str, by: int) -> str:
    """A statement whose binds but the first have other numbers."""

    def number(match: re.Match[str]) -> str:
        found = int(match[1])
        return f"${found if found == 1 else found + by}"

    return _BIND.sub(number, _HEAD.sub("", SQL[stem]))


def _all_shifted(stems: Iterable[str]) -> dict[str, str]:
    """Statements by stem, with binds that follow on each other; $1 is the journal everywhere."""
    found, by = {}, 0
    for stem in stems:
        found[stem] = _shifted(stem, by)
        by += _width(stem)
    return found


@lru_cache(_COMBINATIONS_MAX)
def _written(stems: tuple[str, ...]) -> str:
    """One statement that does what some do."""
    *others, last = stems
    if not others:
        return SQL[last]
    bodies = _all_shifted(stems)
    parts = ",\n".join(f"{stem} AS (\n{bodies[stem]}\n)" for stem in others)
    return f"-- {__package__}.sql/{'+'.join(stems)}\nWITH {parts}\n{bodies[last]}"


@lru_cache(1)
def _question() -> str:
    bodies = _all_shifted((*QUESTIONS, ROWS_OF))
    # In the first row only: many rows would carry them all.
    arrays = ",\n".join(
        f"CASE WHEN told.row = 1 THEN ARRAY(SELECT q FROM (\n{bodies[stem]}\n) AS q) END"  # noqa: S608
        for stem in QUESTIONS
    )
    return (
        f"-- {__package__}.sql/{'+'.join((*QUESTIONS, ROWS_OF))}\n"
        f"SELECT {arrays},\ntold.*\nFROM (\n"
        f"SELECT row_number() OVER () AS row, last.*\nFROM (VALUES (1)) AS one (one)\n"
        f"LEFT JOIN (\n{bodies[ROWS_OF]}\n) AS last ON true\n) AS told"
    )
