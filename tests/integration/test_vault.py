"""The key store on a real server, as the login a service has."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from services.runtime.names import InvalidName
from services.runtime.pg import create_pool, load_sql
from services.runtime.vault import (
    TENANT_SUBJECT,
    Erased,
    KeyMissing,
    MasterKeyError,
    MasterKeys,
    Vault,
    open_,
    seal,
)
from tests.support.databases import Database

A, B, ACME = "people/a", "people/b", "organizations/acme"
EVENT = UUID("5a9a1718-6f11-4742-8228-82dcc5848dc0")
FIELD = "touchpoint.note"
OLD, NEW = MasterKeys.generate_line("old"), MasterKeys.generate_line("new")


@pytest_asyncio.fixture
async def pool(database: Database) -> AsyncIterator[asyncpg.Pool]:
    made = await create_pool(
        database.vault_dsn,
        application_name="test-vault",
        size_min=1,
        size_max=8,
        statement_timeout_ms=10_000,
        lock_timeout_ms=10_000,
        idle_in_transaction_timeout_ms=10_000,
    )
    yield made
    await made.close()


@pytest.fixture
def vault(pool: asyncpg.Pool) -> Vault:
    return Vault(pool, MasterKeys.from_text(OLD))


async def seal_note(vault: Vault, *subjects: str, tenant: str = "demo") -> bytes:
    keys = await vault.keys_for(tenant, subjects, create=True)
    return seal(keys, subjects, tenant, EVENT, FIELD, "likes tea")


async def open_note(vault: Vault, sealed: bytes, *subjects: str, tenant: str = "demo") -> str:
    keys = await vault.keys_for(tenant, subjects, create=False)
    return open_(keys, subjects, tenant, EVENT, FIELD, sealed)


async def test_keys_are_made_once_and_found_again(vault: Vault) -> None:
    sealed = await seal_note(vault, A, ACME, TENANT_SUBJECT)
    assert await seal_note(vault, TENANT_SUBJECT, ACME, A, A) == sealed
    assert await open_note(vault, sealed, A, ACME, TENANT_SUBJECT) == "likes tea"


async def test_reading_makes_no_key(vault: Vault, pool: asyncpg.Pool) -> None:
    keys = await vault.keys_for("demo", [A], create=False)
    with pytest.raises(KeyMissing):
        keys.cipher([A])
    assert await pool.fetchval("SELECT count(*) FROM vault.subject_keys") == 0
    assert not (await vault.keys_for("demo", [], create=True)).has_all([A])


async def test_tenants_have_keys_of_their_own(vault: Vault) -> None:
    assert await seal_note(vault, A) != await seal_note(vault, A, tenant="other")


async def test_callers_that_make_the_same_keys_at_once_get_the_same(vault: Vault) -> None:
    people = [f"people/{n}" for n in range(40)]
    orders = [people, people[::-1], people[20:] + people[:20], people[::2]]
    found = await asyncio.gather(*[vault.keys_for("demo", each, create=True) for each in orders])
    notes = {seal(keys, people[::2], "demo", EVENT, FIELD, "likes tea") for keys in found}
    assert len(notes) == 1


async def test_an_erasure_takes_effect_at_once_for_every_replica(
    vault: Vault, pool: asyncpg.Pool
) -> None:
    replica = Vault(pool, MasterKeys.from_text(OLD))
    both, other = await seal_note(vault, A, B), await seal_note(vault, B)
    assert await open_note(replica, both, A, B) == "likes tea"
    result = await vault.erase("demo", A, EVENT)
    assert result.key_destroyed
    with pytest.raises(Erased) as erased:
        await open_note(replica, both, A, B)
    assert not isinstance(erased.value, KeyMissing)
    assert await open_note(replica, other, B) == "likes tea"


async def test_erasing_again_answers_with_the_first_erasure(vault: Vault) -> None:
    await seal_note(vault, A)
    first = await vault.erase("demo", A, EVENT)
    again = await vault.erase("demo", A, uuid4())
    assert again.erasure == first.erasure
    assert again.erasure.event_id == EVENT
    assert not again.key_destroyed


async def test_no_key_is_made_for_somebody_erased_even_before_the_first_text(
    vault: Vault, pool: asyncpg.Pool
) -> None:
    result = await vault.erase("demo", A, EVENT)
    assert not result.key_destroyed
    keys = await vault.keys_for("demo", [A, B], create=True)
    assert keys.erased_among([A, B]) == [A]
    assert keys.has_all([B])
    rows = await pool.fetch("SELECT subject FROM vault.subject_keys")
    assert [row["subject"] for row in rows] == [B]


async def test_keys_made_while_their_subject_is_erased_do_not_survive(
    vault: Vault, pool: asyncpg.Pool
) -> None:
    people = [f"people/{n}" for n in range(30)]
    work = [vault.keys_for("demo", people, create=True)]
    work += [vault.keys_for("demo", [each], create=True) for each in people]
    erasures = [vault.erase("demo", each, uuid4()) for each in people]
    await asyncio.gather(*work, *erasures)
    assert await pool.fetchval("SELECT count(*) FROM vault.subject_keys") == 0
    assert [each.subject async for each in vault.erased("demo")] == sorted(people)


async def test_making_a_key_waits_for_an_erasure_that_has_begun(
    vault: Vault, database: Database
) -> None:
    admin = await asyncpg.connect(database.admin_dsn)
    try:
        erasing = admin.transaction()
        await erasing.start()
        await admin.fetch("SELECT vault.erase_subject('demo', $1, $2)", A, EVENT)
        making = asyncio.create_task(vault.keys_for("demo", [A], create=True))
        while not making.done() and not await admin.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        ):
            pass
        assert not making.done()
        await erasing.commit()
        assert (await making).is_erased(A)
        assert await admin.fetchval("SELECT count(*) FROM vault.subject_keys") == 0
    finally:
        await admin.close()


async def test_erasures_are_listed_by_tenant_and_all_together(vault: Vault) -> None:
    for tenant, subject in (("b", A), ("a", B), ("a", A)):
        await vault.erase(tenant, subject, EVENT)
    assert [(e.tenant, e.subject) async for e in vault.erased()] == [("a", A), ("a", B), ("b", A)]
    assert [e.subject async for e in vault.erased("a")] == [A, B]
    assert [e async for e in vault.erased("c")] == []


async def test_long_lists_of_erasures_are_read_page_by_page(
    vault: Vault, database: Database
) -> None:
    admin = await asyncpg.connect(database.admin_dsn)
    try:
        await admin.execute(
            "INSERT INTO vault.erased_subjects (tenant, subject, event_id) "
            "SELECT 'demo', 'people/' || n, gen_random_uuid() FROM generate_series(1, 2000) n"
        )
    finally:
        await admin.close()
    assert len({e.subject async for e in vault.erased()}) == 2000
    assert len({e.subject async for e in vault.erased("demo")}) == 2000


async def test_an_older_key_store_brought_back_does_not_bring_an_erased_key_back(
    vault: Vault, database: Database
) -> None:
    sealed = await seal_note(vault, A)
    admin = await asyncpg.connect(database.admin_dsn)
    try:
        await admin.execute("CREATE TABLE backup AS TABLE vault.subject_keys")
        await vault.erase("demo", A, EVENT)
        await admin.execute("INSERT INTO vault.subject_keys SELECT * FROM backup")
        with pytest.raises(Erased):
            await open_note(vault, sealed, A)
        assert await vault.reapply_erasures() == 1
        assert await vault.reapply_erasures() == 0
        assert await admin.fetchval("SELECT count(*) FROM vault.subject_keys") == 0
    finally:
        await admin.close()


async def test_only_parties_are_erased_and_get_keys(vault: Vault) -> None:
    with pytest.raises(InvalidName):
        await vault.erase("demo", TENANT_SUBJECT, EVENT)
    with pytest.raises(InvalidName):
        await vault.keys_for("demo", ["services/x"], create=True)
    with pytest.raises(InvalidName):
        await vault.keys_for("Demo", [A], create=True)


async def test_rotation_wraps_every_key_again_and_every_text_still_opens(
    vault: Vault, pool: asyncpg.Pool
) -> None:
    people = [f"people/{n}" for n in range(25)]
    sealed = await seal_note(vault, *people)
    rotating = Vault(pool, MasterKeys.from_text(f"{NEW}\n{OLD}"))
    progress: list[int] = []
    report = await rotating.rotate(batch_keys=10, on_progress=progress.append)
    assert (report.rewrapped, report.unreadable, progress) == (25, {}, [10, 20, 25])
    assert (await rotating.rotate()).rewrapped == 0
    assert await open_note(Vault(pool, MasterKeys.from_text(NEW)), sealed, *people) == "likes tea"
    with pytest.raises(MasterKeyError, match="master key new"):
        await open_note(vault, sealed, *people)


async def test_a_rotation_that_was_interrupted_goes_on(vault: Vault, pool: asyncpg.Pool) -> None:
    people = [f"people/{n}" for n in range(25)]
    sealed = await seal_note(vault, *people)
    both = Vault(pool, MasterKeys.from_text(f"{NEW}\n{OLD}"))

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await both.rotate(batch_keys=10, on_progress=stop)
    assert await open_note(both, sealed, *people) == "likes tea"
    assert (await both.rotate(batch_keys=10)).rewrapped == 15


async def test_keys_of_an_unknown_master_key_are_counted_and_never_read_as_erased(
    vault: Vault, pool: asyncpg.Pool
) -> None:
    sealed = await seal_note(vault, A, B)
    stranger = Vault(pool, MasterKeys.from_text(NEW))
    assert (await stranger.rotate()).unreadable == {"old": 2}
    with pytest.raises(MasterKeyError, match="add its line"):
        await open_note(stranger, sealed, A, B)


async def test_a_wrapped_key_moved_to_another_person_is_refused(
    vault: Vault, database: Database
) -> None:
    await seal_note(vault, A, B)
    admin = await asyncpg.connect(database.admin_dsn)
    try:
        await admin.execute(
            "UPDATE vault.subject_keys SET wrapped_key = (SELECT wrapped_key "
            "FROM vault.subject_keys WHERE subject = $1)",
            A,
        )
    finally:
        await admin.close()
    with pytest.raises(MasterKeyError, match="does not open"):
        await vault.keys_for("demo", [B], create=False)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vault.subject_keys SET subject = 'people/x'",
        "UPDATE vault.erased_subjects SET subject = 'people/x'",
        "DELETE FROM vault.erased_subjects",
        "TRUNCATE vault.subject_keys",
        "TRUNCATE vault.erased_subjects",
        "DROP TABLE vault.subject_keys",
        "CREATE TABLE vault.x ()",
        "INSERT INTO vault.schema_migrations VALUES (99, 'x', 'x')",
    ],
)
async def test_the_service_may_neither_undo_an_erasure_nor_change_the_schema(
    pool: asyncpg.Pool, statement: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute(statement)


@pytest.mark.parametrize("schema", ["journal", "views"])
async def test_other_services_logins_see_nothing_of_the_key_store(
    database: Database, schema: str
) -> None:
    dsn = {"journal": database.journal_dsn, "views": database.views_dsn}[schema]
    conn = await asyncpg.connect(dsn)
    try:
        for statement in (
            "SELECT FROM vault.subject_keys",
            "SELECT FROM vault.erased_subjects",
            "SELECT FROM vault.erase_subject('demo', 'people/a', gen_random_uuid())",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute(statement)
    finally:
        await conn.close()


async def test_a_reader_may_open_texts_and_change_nothing(vault: Vault, database: Database) -> None:
    sealed = await seal_note(vault, A)
    admin = await asyncpg.connect(database.admin_dsn)
    try:
        await admin.execute("SET ROLE rapport_vault_reader")
        reader = Vault(admin, MasterKeys.from_text(OLD))
        assert await open_note(reader, sealed, A) == "likes tea"
        for refused in (
            reader.keys_for("demo", [B], create=True),
            reader.erase("demo", A, EVENT),
            reader.reapply_erasures(),
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await refused
    finally:
        await admin.close()


async def test_every_read_of_the_key_store_uses_its_index(database: Database) -> None:
    sql = load_sql("services.runtime.vault.sql")
    admin = await asyncpg.connect(database.admin_dsn)
    try:
        await admin.execute(
            "INSERT INTO vault.subject_keys (tenant, subject, wrapped_key, master_key_id) "
            "SELECT 'demo', 'people/' || n, $1, 'old' FROM generate_series(1, 20000) n",
            secrets.token_bytes(61),
        )
        await admin.execute(
            "INSERT INTO vault.erased_subjects (tenant, subject, event_id) "
            "SELECT 'demo', 'people/x' || n, gen_random_uuid() FROM generate_series(1, 20000) n"
        )
        await admin.execute("ANALYZE vault.subject_keys, vault.erased_subjects")
        for name, binds in {
            "read_keys": ("demo", [A, B]),
            "list_erased": ("", "", 1_000),
            "list_erased_of_tenant": ("demo", "", 1_000),
            "list_keys": ("new", "demo", "people/5", 1_000),
        }.items():
            plan = await admin.fetch(f"EXPLAIN {sql[name]}", *binds)
            text = "\n".join(row[0] for row in plan)
            assert "Index" in text, f"{name}:\n{text}"
            assert "Seq Scan" not in text, f"{name}:\n{text}"
    finally:
        await admin.close()
