"""Every read of the journal goes by key, whatever the size of the tables when it was planned."""

import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from services.ledger.journal.appending import _columns
from services.ledger.journal.reading import plan_by_key
from services.runtime.pg import load_sql
from tests.support.batches import batch, event_id, open_journal, record
from tests.support.databases import Background, Database, DatabaseFactory

SQL = load_sql("services.ledger.journal.sql")
STATES = ("empty", "filled", "analyzed")
EVENTS = 24_000
PARTITION_POSITIONS = 8_000
HOMES = 100

PARTITION = "partition"
# Of each statement: its arguments, and which columns it must find by which index, table by table.
READS: dict[str, tuple[str, dict[str, tuple[str, set[str]]]]] = {
    "read_journal_forwards": (
        "'main', 7500, 8500, NULL, NULL, NULL, 1000000",
        {PARTITION: ("pkey", {"journal", "position"})},
    ),
    "read_journal_backwards": (
        "'main', 7500, 8500, 'acme', '{a,b}', '{c}', 1000000",
        {PARTITION: ("pkey", {"journal", "position"})},
    ),
    "read_home_forwards": (
        "'main', 'acme', 'people/p7', 3, 90, NULL, NULL, 1000000",
        {
            "event_keys": ("event_keys_home_revision", {"journal", "tenant", "home", "revision"}),
            PARTITION: ("pkey", {"journal", "position"}),
        },
    ),
    "read_home_backwards": (
        "'main', 'acme', 'people/p7', 3, 90, '{a}', '{b}', 1000000",
        {
            "event_keys": ("event_keys_home_revision", {"journal", "tenant", "home", "revision"}),
            PARTITION: ("pkey", {"journal", "position"}),
        },
    ),
    "read_home_revision": (
        "'main', 'acme', 'people/p7'",
        {"event_keys": ("event_keys_home_revision", {"journal", "tenant", "home"})},
    ),
    "read_event_at": ("'main', 9000", {PARTITION: ("pkey", {"journal", "position"})}),
    "read_events_by_id": (
        f"'main', 'acme', '{{{event_id(5)},{event_id(9000)}}}'",
        {
            "event_keys": ("event_keys_pkey", {"journal", "tenant", "event_id"}),
            PARTITION: ("pkey", {"journal", "position"}),
        },
    ),
    "read_archived_by_id": (
        f"'main', 'acme', '{{{event_id(5)},{event_id(9000)}}}'",
        {
            "journals": ("journals_pkey", {"journal"}),
            "event_keys": ("event_keys_pkey", {"journal", "tenant", "event_id"}),
        },
    ),
    "read_home_position": (
        "'main', 'acme', 'people/p7', 3",
        {
            "journals": ("journals_pkey", {"journal"}),
            "event_keys": ("event_keys_home_revision", {"journal", "tenant", "home", "revision"}),
        },
    ),
    "read_erasures": ("'main', 0, 100", {PARTITION: ("", {"journal", "position"})}),
    "read_journal_row": ("'main'", {"journals": ("journals_pkey", {"journal"})}),
    "list_journals": ("'a', 10", {"journals": ("journals_pkey", {"journal"})}),
    "read_tenant": ("'acme'", {"tenants": ("tenants_pkey", {"tenant"})}),
    "list_tenants": ("'a', 10", {"tenants": ("tenants_pkey", {"tenant"})}),
}


@pytest.fixture(scope="module")
def filled(databases: DatabaseFactory, background: Background) -> Iterator[Any]:
    """A database that went through all states, with the plans made in each."""
    database = databases.create()
    yield database, background.run(_plans(database))
    databases.drop(database)


async def _plans(database: Database) -> dict[tuple[str, str], Any]:
    owner = await asyncpg.connect(database.admin_dsn)
    await owner.execute("UPDATE journal.settings SET partition_positions = $1", PARTITION_POSITIONS)
    plans = {}
    async with open_journal(database.journal_dsn) as journal:
        for state in STATES:
            if state == "filled":
                for start in range(0, EVENTS, 1_000):
                    numbers = range(start, start + 1_000)
                    records = [record(n, home=f"people/p{n % HOMES}") for n in numbers]
                    await journal.append(batch(*records))
            if state == "analyzed":
                await owner.execute("ANALYZE")
            connection = await asyncpg.connect(database.journal_dsn)
            await plan_by_key(connection)
            for name, (arguments, _) in READS.items():
                await connection.execute(f"PREPARE {name} AS {SQL[name]}")
                explained = await connection.fetchval(
                    f"EXPLAIN (FORMAT JSON) EXECUTE {name} ({arguments})"
                )
                plans[state, name] = json.loads(explained)[0]["Plan"]
            await connection.close()
    await owner.close()
    return plans


def nodes(plan: Any) -> Iterator[Any]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", READS)
def test_every_read_finds_its_rows_by_index_and_sorts_nothing(
    filled: Any, name: str, state: str
) -> None:
    _, plans = filled
    found = list(nodes(plans[state, name]))
    types = {node["Node Type"] for node in found}
    assert not types & {"Seq Scan", "Sort", "Incremental Sort", "Bitmap Heap Scan", "Hash Join"}
    expected = READS[name][1]
    seen = set()
    for node in found:
        if "Relation Name" not in node:
            continue
        relation = node["Relation Name"]
        relation = PARTITION if relation.startswith("events_from_") else relation
        index, columns = expected[relation]
        assert node["Node Type"] in ("Index Scan", "Index Only Scan")
        assert node["Index Name"].endswith(index)
        for column in columns:
            assert f"{column} " in node["Index Cond"].replace('"', ""), (
                f"{column} is not looked up in {relation}"
            )
        seen.add(relation)
    assert seen == set(expected)


def test_every_statement_that_reads_is_among_them() -> None:
    others = {"append_group", "create_journal", "create_tenant", "ensure_partitions", "plan_by_key"}
    assert set(SQL) == set(READS) | others


async def test_a_range_of_positions_touches_only_its_partitions(filled: Any) -> None:
    database, _ = filled
    connection = await asyncpg.connect(database.journal_dsn)
    await plan_by_key(connection)
    name = "read_journal_forwards"
    await connection.execute(f"PREPARE {name} AS {SQL[name]}")
    explained = await connection.fetchval(
        f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {name} ({READS[name][0]})"
    )
    scans = [node for node in nodes(json.loads(explained)[0]["Plan"]) if "Relation Name" in node]
    assert [scan["Relation Name"] for scan in scans] == [
        "events_from_000000000001",
        "events_from_000000008001",
    ]
    assert sum(scan["Actual Rows"] for scan in scans) == 1_001
    await connection.close()


async def test_what_an_append_touches_does_not_grow_with_the_journal(filled: Any) -> None:
    database, _ = filled

    async def blocks_an_event(name: str, start: int, tenant: str) -> float:
        # Of an own tenant, whose part of every index is empty at first; on one connection, so that
        # its plans are those made then.
        records = [record(n, home=f"people/p{n % HOMES}") for n in range(start, start + 500)]
        sent = batch(*records, tenant=tenant, unknown_targets=frozenset({event_id(10**9)}))
        explained = await connection.fetchval(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {SQL['append_group']}",
            *_columns(name, [sent]),
        )
        plan = json.loads(explained)[0]["Plan"]
        blocks: int = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return blocks / len(records)

    async with open_journal(database.journal_dsn, tenants=()) as journal:
        await journal.create_journal("second")
        connection = await asyncpg.connect(database.journal_dsn)
        first = await blocks_an_event("second", 0, "grows")
        for start in range(1_000, 9_000, 1_000):
            records = [record(n, home=f"people/p{n % HOMES}") for n in range(start, start + 1_000)]
            await journal.append(batch(*records, journal="second", tenant="grows"))
        assert await blocks_an_event("second", 10_000, "grows") < first + 10
        # Replays are compared one by one; they are looked up by key as well.
        assert await blocks_an_event("second", 10_000, "grows") < first + 10
        await connection.close()
