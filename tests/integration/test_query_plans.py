"""The plans of the queries on a filled database: index scans, and no sort of everything."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest

from services.projector.queries.snapshot import SQL, plan_by_index
from tests.support.databases import Background, Database, DatabaseFactory
from tests.support.views import JOURNAL

# 5,000 pairs with 4 touchpoints each, a tenth of another tenant's, 300 people on one end.
FILL: Final = """
INSERT INTO views.checkpoints VALUES ('main', gen_random_uuid(), 20000, 0);
INSERT INTO views.ticks SELECT 'main', n * 1000, n FROM generate_series(1, 20000) AS n;
INSERT INTO views.tenants VALUES ('main', 'acme', 9000, 'h', true), ('main', 'b', 9000, 'h', true);
INSERT INTO views.touchpoints
SELECT 'main', CASE WHEN n % 10 = 0 THEN 'b' ELSE 'acme' END,
       ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
       'people/a' || lpad((n % 5000 % 300)::text, 4, '0'),
       'people/b' || lpad((n % 5000)::text, 4, '0'),
       n, n::bigint * 7919 % 100000 * 1000000, n * 1000, 'services/importer', '\\x0a0161', 1,
       n::bigint * 7919 % 100000 * 1000000, 'people/a' || lpad((n % 5000 % 300)::text, 4, '0'),
       CASE n % 7 WHEN 0 THEN 'incident' ELSE 'call' END, '', 0,
       CASE WHEN n % 50 = 1
           THEN ('00000000-0000-4000-8000-' || lpad(to_hex(n - 1), 12, '0'))::uuid END,
       NULL, NULL
FROM generate_series(1, 20000) AS n;
INSERT INTO views.amendments
SELECT 'main', 'acme', ('00000000-0000-4000-9000-' || lpad(to_hex(n), 12, '0'))::uuid,
       ('00000000-0000-4000-8000-' || lpad(to_hex(n * 7), 12, '0'))::uuid,
       CASE n % 2 WHEN 0 THEN 'V' ELSE 'C' END, 20000 + n, 0, 0, 'services/importer',
       CASE n % 2 WHEN 1 THEN 'people/a' || lpad((n % 300)::text, 4, '0') END,
       CASE n % 2 WHEN 1 THEN 'people/b' || lpad(n::text, 4, '0') END, '\\x'
FROM generate_series(1, 2500) AS n;
INSERT INTO views.balances
SELECT DISTINCT ON (tenant, a, b) 'main', tenant, a, b, 'h', '{}', 0, '{}'::integer[]
FROM views.touchpoints;
INSERT INTO views.standings
SELECT 'main', s.tenant, s.a, s.b, 9000, 'h', hashtext(s.b) % 9999, hashtext(s.a || s.b) % 9999,
       hashtext(s.b || s.a) % 9999, 3, 8000, 8500 + abs(hashtext(s.a || s.b)) % 500
FROM views.balances s;
INSERT INTO views.parties
SELECT DISTINCT 'main', t.tenant, p.person, 1, 1, '', '', NULL::uuid, false
FROM views.touchpoints t, LATERAL (VALUES (t.a), (t.b)) AS p (person);
INSERT INTO views.descriptions
SELECT 'main', p.tenant, p.party, d * 1000, d,
       md5(p.tenant || p.party || d)::uuid, 0, 'services/importer', 1, '', '', '\\x'
FROM views.parties p, generate_series(1, 3) AS d;
UPDATE views.parties p SET described_by = md5(p.tenant || p.party || 3)::uuid;
INSERT INTO views.links
SELECT 'main', 'acme', gen_random_uuid(), n, 0, 'people/b' || lpad(n::text, 4, '0'),
       'people/b' || lpad((n + 1)::text, 4, '0'), true, '\\x'
FROM generate_series(1, 4000, 3) AS n;
INSERT INTO views.policies
SELECT 'main', CASE WHEN n % 200 = 0 THEN 'acme' ELSE 't' || n % 200 END, n,
       gen_random_uuid(), 0, 'p', n, 'h' || n, n, repeat('{}', 2000), '\\x'
FROM generate_series(1, 600) AS n;
INSERT INTO views.other_facts
SELECT 'main', 'acme', 'people/b' || lpad((n % 4000)::text, 4, '0'), n, md5('fact' || n)::uuid,
       'rapport.events.v1.FactLearned', 0, 0, 'services/importer', '\\x'
FROM generate_series(1, 8000) AS n;
INSERT INTO views.fulfilments
SELECT 'main', 'acme', ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n,
       gen_random_uuid()
FROM generate_series(1, 5000) AS n;
INSERT INTO views.affiliations
SELECT 'main', 'acme', 'organizations/o' || n % 500, n, 'people/b' || lpad(n::text, 4, '0'),
       gen_random_uuid()
FROM generate_series(1, 5000) AS n;
INSERT INTO views.attention_journals VALUES ('main', gen_random_uuid(), 5000);
INSERT INTO views.attention_tenants VALUES ('main', 'acme', 9000, 20000, 'h');
INSERT INTO views.attention_items
SELECT 'main', 'acme', 'overdue-' || n, 'people/a' || lpad((n % 300)::text, 4, '0'), 'overdue',
       'organizations/o1', NULL, NULL, 9000, n, '', '{}', '{}', 0, NULL, 'h'
FROM generate_series(1, 5000) AS n;
INSERT INTO views.attention_log
SELECT 'main', n, CASE WHEN n % 10 = 0 THEN 'b' ELSE 'acme' END, 'overdue-' || n % 1000, true,
       'overdue', 'people/a' || lpad((n % 300)::text, 4, '0'), n, 0, '\\x'
FROM generate_series(1, 5000) AS n;
"""

A: Final = ["people/a0001", "people/a0001"]
B: Final = ["people/b0001", "people/b0301"]
EVENTS: Final = [UUID(f"00000000-0000-4000-8000-{n:012x}") for n in (7, 14, 21)]
LAST_ID: Final = UUID(int=2**128 - 1)
FILTERS: Final[tuple[object, ...]] = (False, None, None, None, [], False, 0)
STAYS: Final[tuple[object, ...]] = ([A[0], B[1]], [0, 0], [10**16, 10**16])
NARROW: Final[tuple[object, ...]] = (True, ["call"], ["x"], [1, 2], ["call"], True, 1)

BINDS: Final[Mapping[str, tuple[object, ...]]] = {
    "open": (),
    "policies": (10**6,),
    "policy_documents": ([200, 400],),
    "links_of_people": ([*A, *B], 10**6),
    "amendments_of_events": (EVENTS, 10**6),
    "corrections_of_pairs": (A, B, 10**6),
    "touchpoints_of_pairs": (A, B, 10**6),
    "touchpoints_by_id": (EVENTS, 10**6),
    "balances_of_pairs": (A, B),
    "open_with_balances_of_pairs": (A, B),
    "pairs_of_people": (A[:1], 10_001),
    "count_pairs_of_people": (A[:1],),
    "count_relationships": (9000, "h"),
    **{
        f"standings_by_{order}_{direction}": (0, "people/a0001", "people/b0001", 51)
        for order in ("buffer", "care", "know", "last_contact")
        for direction in ("ascending", "descending")
    },
    **{
        f"standings_of_person_{direction}": (A[0], 1, 0, "people/a0001", "people/b0001", 51)
        for direction in ("ascending", "descending")
    },
    "timeline_of_pairs_occurred": (A, B, 10**16, LAST_ID, 51, *FILTERS),
    "timeline_of_pairs_recorded": (A, B, 10**16, 51, 10**16, *FILTERS),
    "timeline_of_stays_occurred": (*STAYS, 10**16, LAST_ID, 51, *FILTERS),
    "timeline_of_stays_recorded": (*STAYS, 10**16, 51, *FILTERS),
    "touchpoints_of_occasions": (EVENTS,),
    "bundle_touchpoints": (A, B, 100_001),
    "bundle_descriptions": ([*A, *B],),
    "links_in_order": (0, 51, 10**6),
    "links_proposed": (0, 51, 10**6),
    "links_of_person": (B[0], 0, 51, 10**6),
    "timeline_of_incident": (EVENTS[1], A[:1], None, False, 10**16, LAST_ID, 51, *NARROW),
    "payloads": (EVENTS, EVENTS),
    "sides": ([*A, *B],),
    "last_sides": ([*A, *B], 10**6),
    "tiers_of_people": ([*A, *B], 10**16, 10**6),
    "ever_ours": (10**6, 10_001),
    "ever_of_team": ("", 10**6, 10_001),
    "pairs_of_tenant": (10_001,),
    "tenant_not_begun": (10**16,),
    "tenant_sums": (A, B, 5, 10_000),
    "tenant_holdings": (A, B, 100),
    "tenant_extremes": (A, B, 10),
    "party": (A[0], 10**16, 10**6),
    "parties": ("people/a0001", "people0", 0, "", "", 51),
    "parties_described": ("people/a0001", "people0", 0, "", "", 51, 10**16, 10**6),
    "descriptions": (EVENTS,),
    "described_on": ([*A, *B], 10**16, 10**6),
    "fulfilments_of": (EVENTS, 10**6),
    "facts_of_homes": (B, ["rapport.events.v1.FactLearned"], 10**6),
    "affiliated_with": ("organizations/o1", 10**6),
    "incidents_of_people": (A[:1], 10**16, LAST_ID, 51),
    "recorded_touchpoints": (EVENTS, EVENTS),
    "facts_of_tenant": (["rapport.events.v1.FactLearned"], 10**6),
    "descriptions_of_tenant": (10**6,),
    "attention_day": (),
    "attention_last_number": (),
    "attention_of_person": (A[0],),
    "attention_raised_on": (["overdue-1", "overdue-2"], 9000),
    "pairs_touched_since": (A[:1], 19_000),
    "pairs_in_touch": (A[:1], 0, 10**9),
    "watch_attention": (4_900, None, 201),
}
WITHOUT_TENANT: Final[Mapping[str, tuple[object, ...]]] = {
    "checkpoint": (JOURNAL,),
    "position_at": (JOURNAL, 5_000_000),
    "plan_by_index": (),
}
# Tables of few rows by nature.
SMALL: Final = {"checkpoints", "tenants", "attention_journals", "attention_tenants"}
# Looks whether a tenant has any row.
FIRST_ROW: Final = {"open", "open_with_balances_of_pairs"}
# Counts everything of a tenant, for a refusal, or reads it up to a limit.
# The day of attention is of everybody; the sums of a tenant are of all its relationships.
WHOLE: Final = {
    "count_relationships",
    "ever_ours",
    "pairs_of_tenant",
    "tenant_not_begun",
    "tenant_sums",
    "tenant_holdings",
    "tenant_extremes",
    "facts_of_tenant",
    "descriptions_of_tenant",
}


@pytest.fixture(scope="module", params=["analyzed", "new"])
def filled(
    databases: DatabaseFactory, background: Background, request: pytest.FixtureRequest
) -> Iterator[Database]:
    """A database with 20,000 touchpoints, with statistics and before there are any."""
    database = databases.create()
    background.run(_fill(database.admin_dsn, analyze=request.param == "analyzed"))
    yield database
    databases.drop(database)


async def _fill(dsn: str, *, analyze: bool) -> None:
    conn = await asyncpg.connect(dsn)
    try:
        await conn.execute(FILL)
        if analyze:
            await conn.execute("VACUUM ANALYZE")
    finally:
        await conn.close()


@pytest.fixture
async def conn(filled: Database) -> AsyncIterator[asyncpg.Connection]:
    """A read of the filled database, as a snapshot begins it."""
    conn = await asyncpg.connect(filled.views_dsn)
    try:
        async with conn.transaction(readonly=True):
            await conn.fetch(SQL["open"], JOURNAL, "acme")
            yield conn
    finally:
        await conn.close()


def literal(value: object, type_name: str) -> str:
    """A bind as SQL."""
    if value is None:
        return f"NULL::{type_name}"
    if isinstance(value, list):
        items = ", ".join(literal(item, type_name.removesuffix("[]")) for item in value)
        return f"ARRAY[{items}]::{type_name}"
    return f"'{value}'::{type_name}"


async def plan_of(conn: asyncpg.Connection, stem: str, *, generic: bool) -> dict[str, Any]:
    """The plan for these binds, or the one that Postgres keeps for all."""
    binds = WITHOUT_TENANT[stem] if stem in WITHOUT_TENANT else (JOURNAL, "acme", *BINDS[stem])
    statement = await conn.prepare(SQL[stem])
    types = [
        f"{each.name}[]" if each.kind == "array" and not each.name.endswith("[]") else each.name
        for each in statement.get_parameters()
    ]
    await conn.execute("DEALLOCATE ALL")
    mode = "force_generic_plan" if generic else "force_custom_plan"
    await conn.execute(f"SET plan_cache_mode = {mode}")
    await conn.execute(f"PREPARE asked AS {SQL[stem]}")
    values = ", ".join(literal(value, name) for value, name in zip(binds, types, strict=True))
    asked = f"asked({values})" if values else "asked"
    text = await conn.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE {asked}")
    await conn.execute("DEALLOCATE ALL")
    plan: dict[str, Any] = json.loads(text)[0]["Plan"]
    return plan


def nodes(
    plan: dict[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[dict[str, Any], Any]]:
    """Every node with the types of those above it, the nearest first."""
    yield plan, above
    for child in plan.get("Plans", ()):
        yield from nodes(child, (plan["Node Type"], *above))


def test_every_statement_has_its_plan_looked_at() -> None:
    assert set(BINDS) | set(WITHOUT_TENANT) == set(SQL)


@pytest.mark.parametrize("generic", [False, True])
@pytest.mark.parametrize("stem", sorted(SQL.keys() - WHOLE))
async def test_a_query_reads_by_index(conn: asyncpg.Connection, stem: str, generic: bool) -> None:
    plan = await plan_of(conn, stem, generic=generic)
    whole = [
        node["Relation Name"]
        for node, _ in nodes(plan)
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] not in SMALL
    ]
    assert not whole, json.dumps(plan, indent=1)
    for node, _ in nodes(plan):
        # An index read by tenant alone is read whole.
        if "Index Cond" in node and stem not in FIRST_ROW and node["Relation Name"] not in SMALL:
            columns = set(re.findall(r'([a-z_]+)"?\)?(?:::text)?,? [<>=]', node["Index Cond"]))
            assert columns - {"journal", "tenant"}, json.dumps(plan, indent=1)


async def test_sessions_of_the_query_pool_plan_as_an_opened_read_does(filled: Database) -> None:
    settings = "SELECT name, setting FROM pg_settings WHERE name LIKE 'enable_%' ORDER BY name"
    conn = await asyncpg.connect(filled.views_dsn)
    try:
        async with conn.transaction():
            await conn.fetch(SQL["open"], JOURNAL, "acme")
            opened = await conn.fetch(settings)
        before = await conn.fetch(settings)
        await plan_by_index(conn)
        assert await conn.fetch(settings) == opened != before
    finally:
        await conn.close()


@pytest.mark.parametrize("generic", [False, True])
async def test_a_balance_read_on_opening_is_looked_up_by_its_pair(
    conn: asyncpg.Connection, generic: bool
) -> None:
    plan = await plan_of(conn, "open_with_balances_of_pairs", generic=generic)
    (scan,) = (node for node, _ in nodes(plan) if node.get("Relation Name") == "balances")
    assert scan["Node Type"] == "Index Scan"
    assert {"a", "b"} <= set(re.findall(r"\b([ab]) [=<>]", scan["Index Cond"])), scan["Index Cond"]


@pytest.mark.parametrize("generic", [False, True])
@pytest.mark.parametrize("stem", sorted(stem for stem in SQL if stem.startswith("standings_by_")))
async def test_a_page_of_the_whole_tenant_is_not_sorted(
    conn: asyncpg.Connection, stem: str, generic: bool
) -> None:
    plan = await plan_of(conn, stem, generic=generic)
    types = [node["Node Type"] for node, _ in nodes(plan)]
    assert types == ["Limit", "Index Scan"], types


@pytest.mark.parametrize("generic", [False, True])
@pytest.mark.parametrize(
    "stem",
    sorted(s for s in SQL if s.startswith(("timeline_of_p", "incidents_of_p"))),
)
async def test_a_page_of_a_timeline_stops_reading_at_its_limit(
    conn: asyncpg.Connection, stem: str, generic: bool
) -> None:
    plan = await plan_of(conn, stem, generic=generic)
    scans = [above for node, above in nodes(plan) if node.get("Relation Name") == "touchpoints"]
    assert scans
    for above in scans:
        # What is sorted above is a page of each scan at most.
        assert above[0] == "Limit", json.dumps(plan, indent=1)


@pytest.mark.parametrize("stem", ["parties", "parties_described"])
async def test_parties_are_read_in_order(conn: asyncpg.Connection, stem: str) -> None:
    plan = await plan_of(conn, stem, generic=False)
    scans = [above for node, above in nodes(plan) if node.get("Relation Name") == "parties"]
    assert scans
    for above in scans:
        # Descriptions are looked up party by party, until the page is full.
        assert next(node for node in above if node != "Nested Loop") == "Limit"


@pytest.mark.parametrize("generic", [False, True])
async def test_what_the_tenants_sums_leave_out_is_looked_up_pair_by_pair(
    conn: asyncpg.Connection, generic: bool
) -> None:
    plan = await plan_of(conn, "tenant_not_begun", generic=generic)
    scans = [node for node, _ in nodes(plan) if node.get("Relation Name") == "touchpoints"]
    assert scans
    for node in scans:
        assert "touchpoints_by_pair" in node.get("Index Name", ""), json.dumps(plan, indent=1)
