"""Fixtures that every kind of test may use: real servers, and a database of one's own.

With RAPPORT_POSTGRES_DSN or RAPPORT_NATS_URL set, the shared servers are those; the private ones,
which tests crash and wipe, are always started here.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from deploy.local.nats import NatsServer
from deploy.local.postgres import PostgresServer
from tests.support.databases import Background, Database, DatabaseFactory, forget
from tests.support.servers import NatsEndpoint, TestRun

# An example may take as long as it does: what is busy is the machine.
settings.register_profile(
    "patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")

_RUN = pytest.StashKey[TestRun]()
_RUN_INPUT = "rapport_run"


def pytest_configure(config: pytest.Config) -> None:
    """Begins the run, or, in a worker of pytest-xdist, joins the one it belongs to."""
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    config.stash[_RUN] = TestRun.begin() if worker is None else TestRun(Path(worker[_RUN_INPUT]))


def pytest_collection_modifyitems(items: list[pytest.Item], config: pytest.Config) -> None:
    """What is given more time than other tests comes first, so that no worker ends alone with it.

    Otherwise the order stays; unit tests, which are short and need nothing, come last.
    """
    usual_s = float(config.getini("timeout"))

    def allowed_s(item: pytest.Item) -> float:
        mark = item.get_closest_marker("timeout")
        return float(mark.args[0]) if mark is not None and mark.args else usual_s

    items.sort(key=lambda item: -allowed_s(item))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a worker of pytest-xdist which run it belongs to."""
    node.workerinput[_RUN_INPUT] = str(node.config.stash[_RUN].directory)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the run where it began, after all workers have left."""
    run = config.stash.get(_RUN, None)
    if run is None or hasattr(config, "workerinput"):
        return
    if run.config.postgres_dsn is not None and any(run.directory.glob("template-*.json")):
        asyncio.run(forget(run.config.postgres_dsn, run))
    run.end()


@pytest.fixture(scope="session")
def test_run(request: pytest.FixtureRequest) -> TestRun:
    """The run this test belongs to."""
    return request.config.stash[_RUN]


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    """An event loop in a thread, for fixtures and sync code that must await something."""
    loop = Background()
    yield loop
    loop.close()


@pytest.fixture(scope="session")
def postgres_dsn(test_run: TestRun) -> str:
    """The admin DSN of the shared PostgreSQL (fsync off unless it is a given one)."""
    return test_run.postgres_dsn()


@pytest.fixture(scope="session")
def databases(postgres_dsn: str, test_run: TestRun, background: Background) -> DatabaseFactory:
    """Makes databases on the shared PostgreSQL, for tests that need several or longer-lived ones.

    Who creates one drops it.
    """
    return DatabaseFactory(postgres_dsn, test_run, background)


@pytest.fixture
def database(databases: DatabaseFactory) -> Iterator[Database]:
    """A fresh, migrated database on the shared PostgreSQL."""
    made = databases.create()
    yield made
    databases.drop(made)


@pytest.fixture(scope="session")
def nats_server(test_run: TestRun) -> NatsEndpoint:
    """The shared NATS. Name journals and streams uniquely; leave no stream behind."""
    return test_run.nats()


@pytest.fixture
def private_postgres(test_run: TestRun) -> Iterator[PostgresServer]:
    """A PostgreSQL of this test's own, fsync on: stop, kill, start; the port stays."""
    with test_run.private_postgres() as server:
        yield server


@pytest.fixture
def private_database(
    private_postgres: PostgresServer, test_run: TestRun, background: Background
) -> Database:
    """A migrated database on this test's own PostgreSQL; goes with its server."""
    return DatabaseFactory(private_postgres.dsn, test_run, background).create()


@pytest.fixture
def private_nats(test_run: TestRun) -> Iterator[NatsServer]:
    """A NATS of this test's own: stop, kill, wipe, start; the port stays."""
    with test_run.private_nats() as server:
        yield server
