"""The plans of the projections: one index probe a key, with the statistics they gather."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from random import Random
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest

from services.projector.projections.statements import SQL
from tests.integration.test_query_plans import FILL
from tests.support.databases import Background, Database, DatabaseFactory

# What each statement may read each table of the views by.
INDEXES: Final[Mapping[str, Mapping[str, str]]] = {
    "touchpoints_of_pairs": {"touchpoints": "touchpoints_by_pair touchpoints_by_pair_recorded"},
    "amendments_of_pairs": {
        "touchpoints": "touchpoints_by_pair touchpoints_by_pair_recorded",
        "amendments": "amendments_by_target",
    },
    # A week of one person's costs the same, as long as that is no more than a row or so.
    "touchpoints_of_weeks": {
        "touchpoints": "touchpoints_by_pair touchpoints_by_a touchpoints_by_b",
        "amendments": "amendments_pkey",
    },
    "recoveries_of_pairs": {
        "touchpoints": "touchpoints_recoveries",
        "amendments": "amendments_pkey",
    },
    "amended_touchpoints": {"touchpoints": "touchpoints_pkey", "amendments": "amendments_pkey"},
    "amendments_of_touchpoints": {
        "touchpoints": "touchpoints_pkey",
        "amendments": "amendments_by_target",
    },
    "amended_among": {"amendments": "amendments_by_target"},
    "amended_by": {"amendments": "amendments_pkey", "touchpoints": "touchpoints_pkey"},
    "restate_touchpoints": {"touchpoints": "touchpoints_pkey"},
    "balances_of_pairs": {"balances": "balances_pkey balances_by_b"},
    "pairs_of_people": {"balances": "balances_pkey balances_by_b"},
    "delete_standings": {"standings": "standings_pkey standings_by_b"},
    "identities_of_people": {"identities": "identities_pkey"},
    "members_of_humans": {"identities": "identities_by_canonical"},
    "delete_identities": {"identities": "identities_pkey"},
    "described_by": {"descriptions": "descriptions_by_event"},
    "redescribe_parties": {
        "parties": "parties_pkey",
        "descriptions": "descriptions_pkey",
        "amendments": "amendments_by_target",
    },
    "erase_parties": {"parties": "parties_pkey"},
    "lower_first_positions": {"parties": "parties_pkey"},
    "links_ended_by": {"amendments": "amendments_pkey", "links": "links_pkey"},
    "links_around": {"links": "links_by_a links_by_b links_of_a links_of_b"},
    "amendments_of_links": {"links": "links_pkey", "amendments": "amendments_by_target"},
    "stale_standings": {"standings": "standings_stale"},
}
# By the name of the bind in the head of the file: enough elements to tempt into reading everything.
_ELEMENTS: Final = 500


@pytest.fixture(scope="module")
def filled_database(databases: DatabaseFactory, background: Background) -> Iterator[Database]:
    made = databases.create()
    background.run(_fill(made))
    yield made
    databases.drop(made)


async def _fill(database: Database) -> None:
    owner = await asyncpg.connect(database.admin_dsn)
    await owner.execute(FILL)
    await owner.execute(
        """
        INSERT INTO views.identities
        SELECT 'main', 'acme', 'people/b' || n, 'people/b' || n % 1000
        FROM generate_series(1, 3000) AS n
        """
    )
    await owner.close()
    conn = await asyncpg.connect(database.views_dsn)
    assert await conn.fetchval(SQL["gather_statistics"])
    await conn.close()


@pytest.fixture
async def connect() -> AsyncIterator[Any]:
    made = []

    async def connected(dsn: str) -> asyncpg.Connection:
        made.append(await asyncpg.connect(dsn))
        return made[-1]

    yield connected
    for conn in made:
        await conn.close()


async def plan_of(conn: asyncpg.Connection, stem: str, *, generic: bool) -> list[dict[str, Any]]:
    """The nodes of a statement's plan that read something."""
    types = [
        row[0]
        for row in await conn.fetch(
            "SELECT unnest(parameter_types)::text FROM pg_prepared_statements WHERE name = $1",
            await _prepared(conn, stem),
        )
    ]
    mode = "force_generic_plan" if generic else "force_custom_plan"
    await conn.execute(f"SET plan_cache_mode = {mode}")
    values = ", ".join(_literal(type_name) for type_name in types)
    (row,) = await conn.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE {stem} ({values})")
    return list(_scans(json.loads(row[0])[0]["Plan"]))


async def _prepared(conn: asyncpg.Connection, stem: str) -> str:
    await conn.execute(f"PREPARE {stem} AS {SQL[stem]}")
    return stem


def _literal(type_name: str) -> str:
    random = Random(0)
    if type_name == "text":
        return "'main'"
    if not type_name.endswith("[]"):
        return "9000"
    match type_name.removesuffix("[]"):
        case "uuid":
            elements = [str(UUID(int=random.getrandbits(120))) for _ in range(_ELEMENTS)]
        case "text":
            elements = ["default"] * _ELEMENTS
        case _:
            elements = ["1"] * _ELEMENTS
    return f"'{{{','.join(elements)}}}'::{type_name}"


def _scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "Scan" in node["Node Type"]:
        yield node
    for child in node.get("Plans", ()):
        yield from _scans(child)


def check(stem: str, nodes: list[dict[str, Any]]) -> None:
    for node in nodes:
        kind, table = node["Node Type"], node.get("Relation Name", "")
        index = node.get("Index Name", "")
        if kind in ("Function Scan", "CTE Scan", "WorkTable Scan", "Subquery Scan", "Tid Scan"):
            continue
        if kind == "Bitmap Index Scan":
            assert any(index in allowed for allowed in INDEXES[stem].values()), (stem, index)
            continue
        if kind == "Bitmap Heap Scan":
            continue
        assert kind in ("Index Scan", "Index Only Scan"), (stem, kind, table)
        assert index in INDEXES[stem].get(table, "").split(), (stem, table, index)


@pytest.mark.parametrize("generic", [True, False], ids=["generic", "custom"])
@pytest.mark.parametrize("stem", INDEXES)
async def test_the_statistics_that_the_projector_gathers_lead_to_the_right_index(
    filled_database: Database, connect: Any, stem: str, generic: bool
) -> None:
    conn = await connect(filled_database.views_dsn)

    check(stem, await plan_of(conn, stem, generic=generic))


async def test_only_the_projector_gathers_statistics(
    filled_database: Database, connect: Any
) -> None:
    conn = await connect(filled_database.vault_dsn)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await conn.fetchval("SELECT views.gather_statistics()")
