"""The embedded servers: started, stopped, crashed, and found again by somebody else."""

import os

import asyncpg
import nats.errors
import pytest
from nats.js.errors import NotFoundError
from rapport.events.connecting import connect

from deploy.local.nats import NatsServer
from deploy.local.postgres import PostgresServer
from tests.support.databases import Database, DatabaseFactory


async def test_a_database_is_reached_by_its_owner_and_by_its_logins(
    database: Database,
) -> None:
    for dsn, group in (
        (database.journal_dsn, "rapport_ledger"),
        (database.vault_dsn, "rapport_vault"),
        (database.vault_reader_dsn, "rapport_vault_reader"),
        (database.views_dsn, "rapport_projector"),
    ):
        conn = await asyncpg.connect(dsn)
        try:
            assert await conn.fetchval("SELECT current_database()") == database.name
            assert await conn.fetchval("SELECT pg_has_role($1, 'MEMBER')", group)
            assert not await conn.fetchval(
                "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles "
                "WHERE rolname = current_user"
            )
        finally:
            await conn.close()


async def test_two_databases_do_not_see_each_other(
    database: Database, databases: DatabaseFactory
) -> None:
    other = databases.create()
    try:
        conn = await asyncpg.connect(other.admin_dsn)
        await conn.execute("CREATE TABLE public.mine ()")
        await conn.close()
        conn = await asyncpg.connect(database.admin_dsn)
        assert await conn.fetchval("SELECT to_regclass('public.mine')") is None
        await conn.close()
    finally:
        databases.drop(other)


async def test_postgres_keeps_port_password_and_data_through_a_crash(
    private_postgres: PostgresServer,
) -> None:
    dsn = private_postgres.dsn
    conn = await asyncpg.connect(dsn)
    assert await conn.fetchval("SHOW fsync") == "on"
    assert await conn.fetchval("SHOW listen_addresses") == "127.0.0.1"
    await conn.execute("CREATE TABLE kept AS SELECT 7 AS n")
    private_postgres.kill()
    conn.terminate()
    private_postgres.start()
    assert private_postgres.dsn == dsn
    conn = await asyncpg.connect(dsn)
    assert await conn.fetchval("SELECT n FROM kept") == 7
    await conn.close()


async def test_postgres_wants_its_password(private_postgres: PostgresServer) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(private_postgres.dsn_of("postgres", password="guess"))


def test_a_second_starter_finds_the_running_postgres(private_postgres: PostgresServer) -> None:
    other = PostgresServer(private_postgres.home)
    other.start()
    assert other.process is not None
    assert private_postgres.process is not None
    assert other.process.identity == private_postgres.process.identity
    assert other.dsn == private_postgres.dsn
    other.stop()
    assert not private_postgres.alive()


def test_a_lock_file_that_names_a_stranger_neither_stops_postgres_nor_hurts_the_stranger(
    private_postgres: PostgresServer,
) -> None:
    private_postgres.kill()
    lock = private_postgres.data / "postmaster.pid"
    lines = lock.read_text().splitlines()
    lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert private_postgres.find() is None
    private_postgres.start()
    assert private_postgres.alive()


async def test_nats_keeps_port_secrets_and_streams_through_a_restart(
    private_nats: NatsServer,
) -> None:
    url = private_nats.admin_url
    client = await connect(url)
    await client.jetstream().add_stream(name="kept", subjects=["kept"])
    await client.close()
    private_nats.restart()
    assert private_nats.admin_url == url
    client = await connect(url)
    assert (await client.jetstream().stream_info("kept")).config.name == "kept"
    await client.close()
    private_nats.kill()
    private_nats.wipe()
    private_nats.start()
    client = await connect(url)
    with pytest.raises(NotFoundError):
        await client.jetstream().stream_info("kept")
    await client.close()


async def test_only_the_admin_of_nats_deletes_streams(private_nats: NatsServer) -> None:
    refusals: list[str] = []

    async def refused(error: Exception) -> None:
        refusals.append(str(error))

    client = await connect(private_nats.url, error_cb=refused)
    stream, unanswered = client.jetstream(timeout=30), client.jetstream(timeout=0.5)
    await stream.add_stream(name="mine", subjects=["mine"])
    with pytest.raises(nats.errors.TimeoutError):
        await unanswered.delete_stream("mine")
    with pytest.raises(nats.errors.TimeoutError):
        await unanswered.purge_stream("mine")
    # Asked on the same connection: what was said of the two came before the answer.
    assert (await stream.stream_info("mine")).config.name == "mine"
    assert all("permissions violation" in text for text in refusals)
    assert len(refusals) == 2
    await client.close()
    admin = await connect(private_nats.admin_url)
    assert await admin.jetstream().delete_stream("mine")
    await admin.close()


def test_a_second_starter_finds_the_running_nats_and_a_stranger_is_not_taken_for_it(
    private_nats: NatsServer,
) -> None:
    other = NatsServer(private_nats.home)
    other.start()
    assert other.process is not None
    assert private_nats.process is not None
    assert other.process.identity == private_nats.process.identity
    private_nats.kill()
    (private_nats.home / "nats.pid").write_text(str(os.getpid()))
    assert NatsServer(private_nats.home).find() is None
