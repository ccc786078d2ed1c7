"""What one batch asks and writes in a statement, and in which order."""

from collections.abc import Sequence
from typing import Any, Final

import pytest

from services.projector.projections.statements import SQL
from services.projector.projections.together import QUESTIONS, ROWS_OF, Together

JOURNAL: Final = "main"
PAIR: Final = ("acme", "people/a", "people/b")
BALANCE: Final[tuple[Any, ...]] = (*PAIR, "hash", "{}", 0, [])
PARTY: Final = (["acme"], ["people/a"], [1])
KEYS: Final[dict[str, Sequence[Sequence[Any]]]] = {
    "read_checkpoint": (),
    "tenants_by_name": [("acme",)],
    "identities_of_people": [("acme", "people/a"), ("acme", "people/b")],
    "amended_among": [("acme", "id")],
    "balances_of_pairs": [PAIR],
}


class Recording:
    """A connection that notes what it is told, and answers with what it was given."""

    def __init__(self, rows: Sequence[Sequence[Any]] = ()) -> None:
        self.rows = list(rows)
        self.told: list[tuple[str, tuple[Any, ...]]] = []

    async def fetch(self, query: str, *args: Any) -> Any:
        """The rows."""
        self.told.append((query, args))
        return self.rows

    async def fetchval(self, query: str, *args: Any) -> Any:
        """Nothing."""
        self.told.append((query, args))

    async def execute(self, query: str, *args: Any) -> None:
        """Nothing."""
        self.told.append((query, args))

    async def copy_records_to_table(self, table_name: str, **_: Any) -> None:
        """Nothing."""
        self.told.append((f"COPY {table_name}", ()))

    @property
    def names(self) -> list[str]:
        """The names of the statements."""
        return [query.split("\n")[0].rpartition("/")[2] for query, _ in self.told]


async def test_writes_wait_for_the_end_and_go_as_one_statement() -> None:
    conn = Recording()
    together = Together(conn)
    await together.execute(SQL["insert_parties"], JOURNAL, *PARTY)
    await together.execute(SQL["insert_ticks"], JOURNAL, [7], [1])
    await together.execute(SQL["move_checkpoint"], JOURNAL, 1, 7)
    assert conn.told == []

    await together.flush()
    await together.flush()

    assert conn.names == ["insert_parties+insert_ticks+move_checkpoint"]
    query, binds = conn.told[0]
    assert binds == (JOURNAL, *PARTY, [7], [1], 1, 7)
    assert "position = $7, recorded_at_us = $8 WHERE journal = $1" in query


async def test_a_write_alone_is_the_statement_itself() -> None:
    conn = Recording()
    together = Together(conn)
    await together.execute(SQL["insert_parties"], JOURNAL, *PARTY)
    await together.flush()
    assert conn.told == [(SQL["insert_parties"], (JOURNAL, *PARTY))]


@pytest.mark.parametrize("what", ["fetch", "fetchrow", "fetchval", "execute", "copy"])
async def test_what_is_written_is_written_before_anything_else_happens(what: str) -> None:
    conn = Recording()
    together = Together(conn)
    await together.execute(SQL["insert_parties"], JOURNAL, *PARTY)
    if what == "copy":
        await together.copy_records_to_table("touchpoints")
    elif what == "fetchrow":
        with pytest.raises(AttributeError):  # the recording has none
            await together.fetchrow("SELECT", JOURNAL)
    else:
        await getattr(together, what)("SELECT", JOURNAL)
    assert conn.told[0][0] == SQL["insert_parties"]


async def test_the_same_table_is_not_written_twice_by_a_statement() -> None:
    conn = Recording()
    together = Together(conn)
    await together.execute(SQL["insert_parties"], JOURNAL, *PARTY)
    await together.execute(SQL["insert_parties"], JOURNAL, *PARTY)
    await together.flush()
    assert conn.names == ["insert_parties", "insert_parties"]


async def test_what_was_asked_before_is_answered_once_to_who_asks_the_same() -> None:
    checkpoint, tenant, identity, amended = ("i", 1, 2, 0), ("acme", 9, "hash", True), (), ()
    conn = Recording([([checkpoint], [tenant], [identity], [amended], 1, *BALANCE)])
    together = Together(conn)
    await together.ask(JOURNAL, KEYS)
    assert conn.names == ["+".join((*QUESTIONS, ROWS_OF))]
    assert conn.told[0][1] == (
        JOURNAL,
        ["acme"],
        ["acme", "acme"],
        ["people/a", "people/b"],
        ["acme"],
        ["id"],
        ["acme"],
        ["people/a"],
        ["people/b"],
    )

    assert await together.fetchrow(SQL["read_checkpoint"], JOURNAL) == checkpoint
    assert await together.fetch(SQL["tenants_by_name"], JOURNAL, ["acme"]) == [tenant]
    found = await together.fetch(SQL["balances_of_pairs"], JOURNAL, *([end] for end in PAIR))
    assert found == [BALANCE]
    assert len(conn.told) == 1

    await together.fetch(SQL["tenants_by_name"], JOURNAL, ["acme"])
    assert conn.names[1:] == ["tenants_by_name"]


async def test_no_balance_is_no_row() -> None:
    conn = Recording([([], [], [], [], 1, *(None for _ in BALANCE))])
    together = Together(conn)
    await together.ask(JOURNAL, KEYS)
    assert await together.fetch(SQL["balances_of_pairs"], JOURNAL, *([end] for end in PAIR)) == []


async def test_who_asks_for_others_is_not_answered_with_what_was_asked_before() -> None:
    conn = Recording([([], [], [], [], 1, *(None for _ in BALANCE))])
    together = Together(conn)
    await together.ask(JOURNAL, KEYS)
    await together.fetch(SQL["tenants_by_name"], JOURNAL, ["other"])
    assert conn.names[1:] == ["tenants_by_name"]


@pytest.mark.parametrize(
    ("write", "binds", "asked", "keys"),
    [
        ("put_balances", ([],) * 7, "balances_of_pairs", [[end] for end in PAIR]),
        ("put_tenants", ([],) * 4, "tenants_by_name", [["acme"]]),
        ("insert_amendments", ([],) * 11, "amended_among", [["acme"], ["id"]]),
        ("insert_identities", ([],) * 3, "identities_of_people", [["acme"] * 2, list(PAIR[1:])]),
    ],
)
async def test_what_a_write_may_change_is_asked_again(
    write: str, binds: Sequence[Any], asked: str, keys: Sequence[Any]
) -> None:
    conn = Recording([([], [], [], [], 1, *(None for _ in BALANCE))])
    together = Together(conn)
    await together.ask(JOURNAL, KEYS)
    await together.execute(SQL[write], JOURNAL, *binds)
    await together.fetch(SQL[asked], JOURNAL, *keys)
    assert conn.names[1:] == [write, asked]
