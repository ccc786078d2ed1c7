"""One installation a module, as `rapport up --detach` leaves it, and fresh books for every test."""

from collections.abc import Iterator
from contextlib import ExitStack

import nats
import pytest

from tests.e2e.running import DATA, Books, RunningStack, folder, named_env, plain_env
from tests.support.databases import Background, Database, DatabaseFactory
from tests.support.servers import TestRun


@pytest.fixture(scope="module")
def stack(
    test_run: TestRun, background: Background, request: pytest.FixtureRequest
) -> Iterator[RunningStack]:
    """With embedded servers, or with those that the environment names.

    A named PostgreSQL gives it a database of its own. A named NATS it has to itself while it runs:
    every installation has a journal `main`, and so a stream of that name.
    """
    named = named_env()
    with ExitStack() as context:
        database: Database | None = None
        if "RAPPORT_POSTGRES_DSN" in named:
            factory: DatabaseFactory = request.getfixturevalue("databases")
            database = factory.create(migrated=False)
            named["RAPPORT_POSTGRES_DSN"] = database.admin_dsn
            context.callback(factory.drop, database)
        if "RAPPORT_NATS_URL" in named:
            context.enter_context(test_run.locked("named-nats"))
        directory = context.enter_context(folder(test_run))
        made = RunningStack(directory, plain_env() | named)
        made.up()
        yield made
        if "RAPPORT_NATS_URL" in named:
            made.rapport("down")
            background.run(_forget_streams(made.state.env["RAPPORT_NATS_ADMIN_URL"]))
        made.down()
        if database is not None:
            background.run(made.forget_logins())


@pytest.fixture
def books(stack: RunningStack) -> Books:
    """A tenant in a journal of its own."""
    return stack.open_books()


@pytest.fixture(scope="session")
def college_messages() -> str:
    """The path of college-messages.txt."""
    return _sample("college-messages.txt")


@pytest.fixture(scope="session")
def support_tweets() -> str:
    """The path of support-tweets.csv."""
    return _sample("support-tweets.csv")


def _sample(name: str) -> str:
    if not (DATA / name).exists():
        pytest.skip(f"no {name} in {DATA}: set RAPPORT_SAMPLE_DATA to the folder that has it")
    return str(DATA / name)


async def _forget_streams(admin_url: str) -> None:
    client = await nats.connect(admin_url)
    try:
        jetstream = client.jetstream()
        for info in await jetstream.streams_info():
            name = info.config.name or ""
            if name == "rapport-events-main" or name.startswith("rapport-events-t-"):
                await jetstream.delete_stream(name)
    finally:
        await client.close()
