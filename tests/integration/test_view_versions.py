"""Versions of the read models: built beside, compared, switched, dropped."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from services.projector.door import one_version
from services.projector.projections.content import content
from services.projector.projections.rebuild import rebuild_pair
from services.projector.projections.statements import PairKey
from services.projector.projections.tables import CHECKPOINTS, READ_MODELS
from services.projector.queries.snapshot import SQL as QUERIES
from services.projector.queries.snapshot import plan_by_index
from services.projector.versions import building, comparing, folding, schema
from services.projector.versions.beside import LIVE, NEXT, beside
from services.projector.versions.reading import apply_whole
from services.projector.versions.schema import Occupied, Phase, alone
from services.projector.versions.switching import SwitchRefused, drop, switch, versions
from tests.support.databases import Database
from tests.support.deliveries import JOURNAL, TODAY, mixed_events
from tests.support.view_sites import Killed, Site, site_on

KEPT = {"attention_journals", "attention_tenants", "attention_items", "attention_log"} | {
    "discarded",
    "schema_migrations",
}


@pytest.fixture
async def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr("services.projector.versions.comparing._TRIES", 3)
    async with site_on(database) as made:
        yield made


async def described(conn: asyncpg.Connection, name: str) -> list[Any]:
    """Columns, indexes, constraints, rights and storage of the read models in a schema."""
    columns = await conn.fetch(
        "SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name"
        " FROM information_schema.columns WHERE table_schema = $1 AND table_name = ANY ($2)"
        " ORDER BY table_name, ordinal_position",
        name,
        list(READ_MODELS),
    )
    indexes = await conn.fetch(
        "SELECT tablename, indexname, replace(indexdef, $1 || '.', '') FROM pg_indexes"
        " WHERE schemaname = $1 AND tablename = ANY ($2) ORDER BY 1, 2",
        name,
        list(READ_MODELS),
    )
    constraints = await conn.fetch(
        "SELECT c.relname, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k"
        " JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = $1 AND c.relname = ANY ($2) ORDER BY 1, 2",
        name,
        list(READ_MODELS),
    )
    rights = await conn.fetch(
        "SELECT table_name, grantee, privilege_type FROM information_schema.role_table_grants"
        " WHERE table_schema = $1 AND table_name = ANY ($2) ORDER BY 1, 2, 3",
        name,
        list(READ_MODELS),
    )
    storage = await conn.fetch(
        "SELECT c.relname, c.reloptions FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = $1 AND c.relname = ANY ($2) AND c.reloptions IS NOT NULL ORDER BY 1",
        name,
        list(READ_MODELS),
    )
    assert storage, "balances have room for more"
    return [tuple(row) for row in (*columns, *indexes, *constraints, *rights, *storage)]


async def test_every_table_of_the_views_is_a_read_model_or_is_kept(site: Site) -> None:
    rows = await site.live.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'views'")
    assert {row["tablename"] for row in rows} == set(READ_MODELS) | KEPT


def test_only_read_models_are_looked_for_beside() -> None:
    assert beside("SELECT 'x' FROM views.parked JOIN views.discarded") == (
        "SELECT 'x' FROM views_next.parked JOIN views.discarded"
    )
    assert beside("-- services.projector.views.sql\nSELECT reviews.parked") == (
        "-- services.projector.views.sql\nSELECT reviews.parked"
    )


async def test_a_version_built_beside_is_the_live_one_again_and_can_be_switched(
    site: Site,
) -> None:
    await site.project(250)
    before = await described(site.live, LIVE)
    await site.builder.build()
    assert await described(site.live, NEXT) == before
    await site.project(380)  # the live version is behind the one built, then catches up
    await site.project(400)
    found = await site.compared()
    assert [table for table in found.tables if not table.equal] == []
    assert found.positions == {JOURNAL: 400}
    switched = await switch(site.live, site.builder, by="test")
    assert switched.positions == {JOURNAL: 400}
    assert [each.state for each in await versions(site.live)] == ["live", "old"]
    assert await described(site.live, LIVE) == before
    await site.live.execute("SELECT views.gather_statistics()")
    assert await drop(site.live, None) == [switched.old]
    with pytest.raises(SwitchRefused, match="no version that can be dropped"):
        await drop(site.live, LIVE)


async def test_a_journal_that_the_live_version_has_not_begun_is_waited_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.builder.build()
    bring_along, calls = comparing.bring_along, 0

    async def begun_before_the_second_try(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:  # each try asks once while nobody waits, and once inside
            await site.project(400)
        return await bring_along(*given)

    monkeypatch.setattr(comparing, "bring_along", begun_before_the_second_try)
    found = await site.compared()
    assert [table for table in found.tables if not table.equal] == []
    assert found.positions == {JOURNAL: 400}


@pytest.mark.parametrize("seed", range(6))
async def test_rows_folded_once_are_those_of_the_live_projection(site: Site, seed: int) -> None:
    site.ledger.events = mixed_events(seed, 120)[:120]
    for through in (*range(11, 120, 11), 120):
        await site.project(through)
    await site.builder.build()
    found = await site.compared()
    assert [table for table in found.tables if not table.equal] == []
    assert sum(table.rows[0] for table in found.tables) > 100


@pytest.mark.parametrize("moment", ["read", "index", "fold", "stand", "finish", "follow"])
async def test_a_build_that_is_killed_goes_on_where_it_was(
    site: Site, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.projector.versions.reading.BATCH_EVENTS", 20)
    monkeypatch.setattr(folding, "CHUNK_PAIRS", 1)
    await site.project(400)
    await killed(site, moment, monkeypatch)
    phase = await schema.phase_of(site.builder.conn)
    reached = await site.builder.conn.fetchval("SELECT max(position) FROM views.checkpoints")
    assert phase is not None
    if moment == "read":
        assert 0 < reached < 400
    await site.builder.build()
    found = await site.compared()
    assert [table for table in found.tables if not table.equal] == []


async def killed(site: Site, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin a build and end it in the middle of a phase."""
    calls = 0

    def dying(function: Any, after: int) -> Any:
        async def called(*args: Any, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > after:
                raise Killed
            return await function(*args, **more)

        return called

    with monkeypatch.context() as patch:
        if moment == "read":
            site.ledger.parts_left = 20
        elif moment in ("index", "finish"):
            patch.setattr(schema, "enter", dying(schema.enter, 1 if moment == "index" else 3))
        elif moment == "fold":
            patch.setattr(folding, "fold_pairs", dying(folding.fold_pairs, 1))
        elif moment == "stand":
            patch.setattr(folding, "stand_linked", dying(folding.stand_linked, 0))
        else:
            patch.setattr(building, "apply_whole", dying(apply_whole, 0))
            events, site.ledger.events = site.ledger.events, site.ledger.events[:300]
            await site.builder.build()
            site.ledger.events = events
        with pytest.raises(Killed):
            await site.builder.build()
    site.ledger.parts_left = None


@pytest.mark.parametrize(
    ("plant", "table", "sign"),
    [
        ("UPDATE views.balances SET through_day = 1 WHERE ctid = '(0,1)'", "balances", "≠"),
        ("DELETE FROM views.parties WHERE ctid = '(0,1)'", "parties", ">"),
        (
            "INSERT INTO views.ticks VALUES ('main', 77, 3)",
            "ticks",
            "<",
        ),
    ],
)
async def test_a_planted_difference_is_named_and_refuses_the_switch(
    site: Site, plant: str, table: str, sign: str
) -> None:
    await site.project(400)
    await site.live.execute("VACUUM FULL views.balances; ")
    await site.live.execute("VACUUM FULL views.parties")
    assert (await site.live.execute(plant)).endswith("1")
    await site.builder.build()
    found = await site.compared()
    assert [each.table for each in found.tables if not each.equal] == [table]
    (different,) = [each for each in found.tables if not each.equal]
    assert len(different.differing) == 1
    assert different.differing[0].startswith(f"{sign} {JOURNAL}")
    with pytest.raises(SwitchRefused, match="differs"):
        await switch(site.live, site.builder, by="test")
    done = await switch(site.live, site.builder, by="test", why="the live one was damaged")
    (_, old) = await versions(site.live)
    assert (old.schema, old.note["forced"]) == (done.old, "the live one was damaged")


async def test_what_is_not_built_or_not_compared_is_not_switched(site: Site) -> None:
    await site.project(400)
    with pytest.raises(SwitchRefused, match="built whole"):
        await switch(site.live, site.builder, by="test")
    await site.builder.build()
    with pytest.raises(SwitchRefused, match="not compared"):
        await switch(site.live, site.builder, by="test")


async def test_a_switch_that_breaks_off_leaves_the_live_version_live(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.project(400)
    await site.builder.build()
    await site.compared()

    async def dying(_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("services.projector.versions.switching.versions", dying)
        with pytest.raises(Killed):
            await switch(site.live, site.builder, by="test")
    assert await schema.phase_of(site.builder.conn) is Phase.FOLLOW
    assert (await switch(site.live, site.builder, by="test")).positions == {JOURNAL: 400}


async def test_facts_that_cannot_be_folded_in_bulk_are_taken_one_after_another(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def poisoned(*_: Any) -> int:
        raise ValueError("no fold")

    await site.project(400)
    with monkeypatch.context() as patch:
        patch.setattr(folding, "fold_pairs", poisoned)
        await site.builder.build()
    assert (await site.compared()).equal


async def test_one_command_at_a_time_is_at_work_on_versions(site: Site) -> None:
    async with alone(site.live):
        with pytest.raises(Occupied):
            async with alone(site.holder):
                pass
    async with alone(site.holder):
        pass


async def test_one_relationship_is_written_anew_from_its_events(site: Site) -> None:
    await site.project(400)
    before = (await content(site.live, JOURNAL)).tables
    pairs = await site.live.fetch("SELECT tenant, a, b FROM views.balances")
    corrections = "SELECT position FROM views.amendments WHERE (a, b) = ($1, $2) AND role = 'C'"
    for tenant, a, b in pairs:
        touched = "SELECT position FROM views.touchpoints WHERE (tenant, a, b) = ($1, $2, $3)"
        positions = {row[0] for row in await site.live.fetch(touched, tenant, a, b)}
        positions |= {row[0] for row in await site.live.fetch(corrections, a, b)}
        await site.live.execute("DELETE FROM views.touchpoints WHERE (a, b) = ($1, $2)", a, b)
        await site.live.execute(
            "UPDATE views.balances SET buckets = '{}' WHERE (a, b) = ($1, $2)", a, b
        )
        await site.live.execute(
            "UPDATE views.standings SET know_mp = 7 WHERE (a, b) = ($1, $2)", a, b
        )
        events = [site.ledger.events[position - 1] for position in sorted(positions)]
        done = await rebuild_pair(site.live, JOURNAL, PairKey(tenant, a, b), events, today=TODAY)
        assert done == len(events)
    assert len(pairs) > 1
    assert (await content(site.live, JOURNAL)).tables == before


async def test_building_on_takes_back_what_was_compared_before(site: Site) -> None:
    await site.project(400)
    await site.builder.build()
    assert (await site.compared()).equal
    await site.builder.build()
    with pytest.raises(SwitchRefused, match="not compared"):
        await switch(site.live, site.builder, by="test")


async def test_a_switch_waits_for_who_reads_and_who_comes_meanwhile_waits_for_it(
    site: Site,
) -> None:
    await site.project(400)
    await site.builder.build()
    assert (await site.compared()).equal
    oid = "SELECT 'views.touchpoints'::regclass::oid"
    waiting = (
        "SELECT count(*) FROM pg_locks"
        " WHERE relation = 'views.checkpoints'::regclass AND NOT granted"
    )
    readers = [await asyncpg.connect(site.dsn) for _ in range(3)]
    inside, late, looking = readers

    async def read_late() -> int:
        async with one_version(late):
            found: int = await late.fetchval(oid)
            return found

    async with one_version(inside):
        before = await inside.fetchval(oid)
        switching = asyncio.create_task(switch(site.live, site.builder, by="test"))
        coming = None
        async with asyncio.timeout(60):
            while (at_the_door := await looking.fetchval(waiting)) < 2:
                # Only behind the switch is there anything to wait for; now and then it steps back.
                if at_the_door and (coming is None or coming.done()):
                    coming = asyncio.create_task(read_late())
        assert await inside.fetchval(oid) == before
    await switching
    assert coming is not None
    after = await looking.fetchval(oid)
    assert (await coming, after != before) == (after, True)
    for reader in readers:
        await reader.close()


@pytest.mark.parametrize("asked_before", [True, False])
async def test_a_read_of_one_statement_that_comes_during_a_switch_is_of_the_new_version(
    database: Database, asked_before: bool
) -> None:
    fill = (
        "INSERT INTO {0}.checkpoints VALUES ('main', gen_random_uuid(), {1}, 0);"
        "INSERT INTO {0}.tenants VALUES ('main', 'acme', {1}, 'h', true);"
        "INSERT INTO {0}.balances VALUES ('main', 'acme', 'people/a', 'people/b', 'h', '{{}}',"
        " {1}, '{{}}')"
    )
    waiting = (
        "SELECT count(*) FROM pg_locks"
        " WHERE relation = 'views.checkpoints'::regclass AND NOT granted"
    )
    ahead = QUERIES["open_with_balances_of_pairs"], JOURNAL, "acme", ["people/a"], ["people/b"]
    live, looking = [await asyncpg.connect(database.admin_dsn) for _ in range(2)]
    reader = await asyncpg.connect(database.views_dsn)
    await plan_by_index(reader)
    await live.execute(fill.format(LIVE, 3))
    await schema.create(live, Phase.FOLLOW)
    await live.execute(fill.format(NEXT, 4))
    if asked_before:
        for _ in range(2):
            assert (await reader.fetchrow(*ahead))["through_day"] == 3
    async with live.transaction():
        await live.execute(f"LOCK TABLE {LIVE}.{CHECKPOINTS} IN ACCESS EXCLUSIVE MODE")
        coming = asyncio.create_task(reader.fetchrow(*ahead))
        async with asyncio.timeout(20):
            while not await looking.fetchval(waiting):
                pass
        await live.execute("CREATE SCHEMA views_old_1")
        for table in READ_MODELS:
            await live.execute(f"ALTER TABLE {LIVE}.{table} SET SCHEMA views_old_1")
            await live.execute(f"ALTER TABLE {NEXT}.{table} SET SCHEMA {LIVE}")
    row = await coming
    assert (row["position"], row["day"], row["through_day"]) == (4, 4, 4)
    for conn in (live, looking, reader):
        await conn.close()
