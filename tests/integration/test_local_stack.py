"""`up` and `down` as a whole, on stand-ins for the services: secrets, crashes, adoption."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

from deploy.local.config import LocalConfig
from deploy.local.errors import StackError
from deploy.local.postgres import remove_home
from deploy.local.process import Process
from deploy.local.stack import Stack
from deploy.local.state import StackState
from tests.support.databases import DatabaseFactory, present_parts
from tests.support.fake_stack import SERVICES
from tests.support.servers import NatsEndpoint, TestRun

PARTS = ("postgres", "nats", "ledger", "projector")


@pytest.fixture
def folder(test_run: TestRun) -> Iterator[Path]:
    """A folder for one stack; whatever runs from it afterwards is ended."""
    parent = Path(tempfile.mkdtemp(prefix="stack-", dir=test_run.directory))
    parent.chmod(0o711)
    directory = parent / "d"
    yield directory
    asyncio.run(embedded(directory).down())
    state = StackState.load(directory)
    if state is not None and state.postgres_home is not None:
        remove_home(Path(state.postgres_home))


def embedded(directory: Path, say: Callable[[str], None] = lambda _: None) -> Stack:
    """A stack on embedded servers, whatever the environment of the tests says."""
    return Stack(
        directory,
        LocalConfig.from_env({**kept_env()}),
        services=SERVICES,
        schemas=present_parts(),
        say=say,
    )


def kept_env() -> dict[str, str]:
    """The environment without the servers it may name."""
    named = ("RAPPORT_POSTGRES_DSN", "RAPPORT_NATS_URL", "RAPPORT_NATS_ADMIN_URL")
    return {key: value for key, value in os.environ.items() if key not in named}


@asynccontextmanager
async def up_process(directory: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`up` in a process of its own, once it says that it is up; killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.fake_stack", str(directory)),
        stdout=subprocess.PIPE,
        env=kept_env(),
    )
    try:
        await until_said(process, "up")
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def until_said(process: asyncio.subprocess.Process, wanted: str) -> None:
    """Reads its output up to a line that begins so."""
    assert process.stdout is not None
    said = []
    async with asyncio.timeout(60):
        async for line in process.stdout:
            said.append(line.decode().strip())
            if said[-1].startswith(wanted):
                return
    raise AssertionError(f"it ended without saying {wanted!r}: {said}")


def identities(directory: Path) -> dict[str, int]:
    """The pids of the parts that run."""
    state = StackState.load(directory)
    assert state is not None
    return {
        name: identity.pid
        for name, identity in state.processes.items()
        if Process.adopt(name, identity) is not None
    }


async def test_up_starts_everything_and_down_leaves_nothing_running(folder: Path) -> None:
    stack = embedded(folder)
    with stack.locked():
        state = await stack.up()
        assert tuple(identities(folder)) == PARTS
        assert (folder / "run/tenants").read_text() == "services/stack default\n"
        conn = await asyncpg.connect(state.env["RAPPORT_VAULT_DSN"])
        assert await conn.fetchval("SELECT pg_has_role('rapport_vault', 'MEMBER')")
        assert not await conn.fetchval("SELECT pg_has_role('rapport_ledger', 'MEMBER')")
        await conn.close()
        await stack.stop_parts()
    assert identities(folder) == {}
    assert {line.state for line in embedded(folder).status()} == {"stopped"}


async def test_secrets_are_the_owners_alone_and_no_service_gets_the_admins(folder: Path) -> None:
    stack = embedded(folder)
    with stack.locked():
        state = await stack.up()
        for path in (folder / "stack.json", folder / "master.key", folder / "nats/nats.conf"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for name in ("ledger", "projector"):
            given = json.loads((folder / f"run/{name}.given").read_text())
            assert "RAPPORT_POSTGRES_DSN" not in given
            assert "RAPPORT_NATS_ADMIN_URL" not in given
            assert "RAPPORT_MASTER_KEY_FILE" in given
        assert state.postgres_home is not None
        assert stat.S_IMODE(os.stat(state.postgres_home).st_mode) == 0o700
        await stack.stop_parts()


async def test_a_second_up_finds_its_data_ports_and_secrets_again(folder: Path) -> None:
    stack = embedded(folder)
    with stack.locked():
        first = await stack.up()
        conn = await asyncpg.connect(first.env["RAPPORT_POSTGRES_DSN"])
        await conn.execute("CREATE TABLE public.kept AS SELECT 7 AS n")
        await conn.close()
        await stack.stop_parts()
    again = embedded(folder)
    with again.locked():
        second = await again.up()
        assert second.env == first.env
        assert second.endpoints == first.endpoints | {
            "nats_monitoring": second.endpoints["nats_monitoring"]
        }
        conn = await asyncpg.connect(second.env["RAPPORT_POSTGRES_DSN"])
        assert await conn.fetchval("SELECT n FROM public.kept") == 7
        await conn.close()
        await again.stop_parts()


@pytest.mark.parametrize("part", PARTS)
async def test_a_killed_part_is_started_again_at_its_old_address(folder: Path, part: str) -> None:
    async with up_process(folder) as process:
        before = identities(folder)
        endpoints = StackState.load(folder)
        os.kill(before[part], signal.SIGKILL)
        await until_said(process, f"{part}: running again")
        after = identities(folder)
        assert {name for name in PARTS if after[name] != before[name]} == {part}
        found = StackState.load(folder)
        assert endpoints is not None
        assert found is not None
        assert found.endpoints[part] == endpoints.endpoints[part]
        process.send_signal(signal.SIGINT)
        await process.wait()
        assert process.returncode == 0
    assert identities(folder) == {}


async def test_what_a_killed_up_left_running_is_adopted_by_the_next(folder: Path) -> None:
    async with up_process(folder) as process:
        before = identities(folder)
        process.kill()
        await process.wait()
        assert identities(folder) == before
        async with up_process(folder) as second:
            assert identities(folder) == before
            second.send_signal(signal.SIGTERM)
            await second.wait()
    assert identities(folder) == {}


async def test_down_ends_an_up_in_another_process_and_what_a_killed_one_left(folder: Path) -> None:
    async with up_process(folder):
        assert await embedded(folder).down()
        assert identities(folder) == {}
    async with up_process(folder) as process:
        process.kill()
        await process.wait()
        assert await embedded(folder).down()
        assert identities(folder) == {}


async def test_named_servers_replace_the_embedded_ones_and_stay_up(
    folder: Path, databases: DatabaseFactory, nats_server: NatsEndpoint
) -> None:
    database = databases.create(migrated=False)
    env = kept_env() | {
        "RAPPORT_POSTGRES_DSN": database.admin_dsn,
        "RAPPORT_NATS_URL": nats_server.url,
        "RAPPORT_NATS_ADMIN_URL": nats_server.admin_url,
    }
    config = LocalConfig.from_env(env)
    stack = Stack(folder, config, services=SERVICES, schemas=present_parts())
    with stack.locked():
        state = await stack.up()
        assert tuple(identities(folder)) == ("ledger", "projector")
        assert state.env["RAPPORT_NATS_URL"] == nats_server.url
        conn = await asyncpg.connect(state.env["RAPPORT_VIEWS_DSN"])
        assert await conn.fetchval("SELECT current_database()") == database.name
        await conn.close()
        lines = {line.name: line.state for line in stack.status()}
        assert (lines["postgres"], lines["nats"]) == ("external", "external")
        await stack.stop_parts()
    conn = await asyncpg.connect(database.admin_dsn)
    for row in await conn.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE $1", f"rapport_{state.installation}_%"
    ):
        await conn.execute(f"REVOKE ALL ON DATABASE {database.name} FROM {row['rolname']}")
        await conn.execute(f"DROP ROLE {row['rolname']}")
    await conn.close()
    databases.drop(database)


async def test_two_ups_on_one_folder_are_refused(folder: Path) -> None:
    with (
        embedded(folder).locked(),
        pytest.raises(StackError, match="already up"),
        embedded(folder).locked(),
    ):
        pass


async def test_a_lost_master_key_is_never_replaced(folder: Path) -> None:
    stack = embedded(folder)
    with stack.locked():
        await stack.up()
        await stack.stop_parts()
        (folder / "master.key").unlink()
        with pytest.raises(StackError, match="put it back"):
            await embedded(folder).up()


async def test_down_where_nothing_was_ever_up_touches_nothing(tmp_path: Path) -> None:
    assert not await embedded(tmp_path / "none").down()
    assert not (tmp_path / "none").exists()
