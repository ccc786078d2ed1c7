"""What was said about people: nowhere on a disk before an erasure, nowhere to be read after it."""

import re
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from rapport import Rapport
from rapport.events.v1.common_pb2 import PersonalText

from deploy.local.config import LocalConfig
from deploy.local.postgres_binaries import find_binaries, server_user
from services.runtime.vault import MasterKeys
from tests.e2e.running import TIMEOUT_S, Books, RunningStack
from tests.e2e.stories import (
    BOB,
    OF_BOB,
    OF_OTHERS,
    Story,
    bytes_of,
    every_answer,
    openable,
    published,
    tell,
    texts_of,
    worth,
)

# Minutes on busy cores: the usual timeout is for tests of seconds.
pytestmark = pytest.mark.timeout(900)


async def test_no_text_about_anybody_is_in_any_file_of_the_servers(books: Books) -> None:
    began_s = time.time()
    async with books.client("people/ann") as client:
        story = await tell(client)
        shown = {text.text for text in _all(texts_of(await every_answer(client, story)))}
        assert shown >= {*OF_BOB, *OF_OTHERS}
    # What the services were asked for goes through their logs and, refused, through messages.
    books.rapport("touch", BOB, BOB, "call", "--note", OF_BOB[0], expect=1)
    books.rapport("timeline", BOB)
    await published(books, story.position)
    await _checkpoint(books.stack)
    files = list(_files(books.stack, began_s - 1))

    # Ids are opaque and in the clear: that they are found shows that the search would find a text.
    event_id = story.events["met"].encode()
    if books.stack.embedded:
        assert _holding(files, [BOB.encode()]).keys() >= {"base", "pg_wal", "store"}
        assert "store" in _holding(files, [event_id])
    assert _holding(files, _traces((*OF_BOB, *OF_OTHERS))) == {}


async def test_after_an_erasure_every_answer_shows_a_tombstone_and_balances_stay(
    books: Books,
) -> None:
    async with books.client("people/ann") as client:
        story = await tell(client)
        before = texts_of(await every_answer(client, story))
        for call, texts in before.items():
            assert texts, call
            assert not any(text.erased or text.withheld for text in texts), call
        balances = await worth(client, story.position)
        messages = await published(books, story.position)
        assert await openable(books, messages) == {*OF_BOB, *OF_OTHERS}

        story = Story(story.events, _erase(books))
        await _check_forgotten(books, client, story)
        assert await worth(client, story.position) == balances
        assert (await client.party(BOB)).erased
        assert await openable(books, await published(books, story.position)) == {*OF_OTHERS}
    again = books.rapport("erase", BOB, "--yes")
    assert (again["position"], again["replayed"]) == (story.position, True)
    books.clean()


async def test_neither_new_master_keys_nor_new_views_nor_a_new_stream_bring_a_text_back(
    books: Books,
) -> None:
    stack = books.stack
    async with books.client("people/ann") as client:
        story = await tell(client)
        balances = await worth(client, story.position)
        story = Story(story.events, _erase(books))
        await worth(client, story.position)

    _add_master_key(stack, "newer")
    stack.down()
    stack.up()
    rotated = stack.rapport("keys", "rotate")
    assert (rotated["current"], rotated["unreadable"]) == ("newer", {})
    stack.rapport("views", "rebuild", "--journal", books.name)
    stack.rapport("stream", "rebuild", "--journal", books.name)
    books.clean()
    async with books.client("people/ann") as client:
        await _check_forgotten(books, client, story)
        assert await worth(client, story.position) == balances
        assert await openable(books, await published(books, story.position)) == {*OF_OTHERS}


async def test_a_backup_of_the_journal_from_before_does_not_bring_a_text_back(
    books: Books, tmp_path: Path
) -> None:
    stack, backup = books.stack, tmp_path / "journal.dump"
    programs = await _programs(stack)
    async with books.client("people/ann") as client:
        story = await tell(client)
        balances = await worth(client, story.position)
        dsn = stack.state.env["RAPPORT_POSTGRES_DSN"]
        dump = ("--format=custom", "--compress=0", "--schema=journal", f"--file={backup}")
        _run(programs / "pg_dump", *dump, dsn)
        _erase(books)
    assert not any(trace in backup.read_bytes() for trace in _traces((*OF_BOB, *OF_OTHERS)))

    # As docs/operations.md has it for `rapport up`: nobody writes, restore, `restored`, down, up.
    sql = _run(programs / "pg_restore", "--file=-", backup)
    options = ("--single-transaction", "--set=ON_ERROR_STOP=1", "--quiet", "--no-psqlrc")
    drop = "DROP SCHEMA IF EXISTS journal CASCADE;\n"
    _run(programs / "psql", *options, dsn, stdin=drop + sql)
    restored = stack.rapport("journal", "restored")
    assert len(restored["recorded"]) == 1
    stack.down()
    stack.up()
    stack.rapport("stream", "rebuild")
    stack.rapport("views", "rebuild")
    books.clean()
    async with books.client("people/ann") as client:
        story = Story(story.events, await books.head())
        await _check_forgotten(books, client, story)
        assert await worth(client, story.position) == balances
        assert await openable(books, await published(books, story.position)) == {*OF_OTHERS}


async def _check_forgotten(books: Books, client: Rapport, story: Story) -> None:
    """Every answer has tombstones where Bob's texts were, and the texts of others."""
    answers = await every_answer(client, story)
    assert not any(trace in bytes_of(answers) for trace in _traces(OF_BOB))
    for call, texts in texts_of(answers).items():
        assert any(text.erased for text in texts), call
        assert all(text.erased != bool(text.text) for text in texts), call
        assert {text.text for text in texts} - {""} <= {*OF_OTHERS}, call
        assert not any(text.sealed or text.withheld for text in texts), call
    assert {text.text for text in _all(texts_of(answers))} >= {*OF_OTHERS}
    said = books.rapport("timeline", BOB)
    assert {line["touchpoint"]["note"]["erased"] for line in said} == {True}


def _erase(books: Books) -> int:
    """`rapport erase`; the position of its proof."""
    done = books.rapport("erase", BOB, "--yes")
    assert done["replayed"] is False
    position: int = done["position"]
    return position


def _all(texts: dict[str, list[PersonalText]]) -> Iterator[PersonalText]:
    return (text for found in texts.values() for text in found)


def _traces(texts: Iterable[str]) -> list[bytes]:
    """What would give a text away: both ends of each of its longer words, in UTF-8, UTF-16, hex."""
    words = {word for text in texts for word in re.findall(r"\w{9,}", text)}
    parts = {part for word in words for part in (word[: len(word) // 2 + 2], word[-8:])}
    encoded = {form for part in parts for form in (part.encode(), part.encode("utf-16-le"))}
    return sorted(encoded | {part.encode().hex().encode() for part in parts})


def _files(stack: RunningStack, since_s: float) -> Iterator[Path]:
    """Every file of the servers and the services that was written to since then: data, WAL, stream
    store, logs, settings. Of servers that are named, their files are out of reach here."""
    roots = [stack.directory]
    if stack.embedded:
        assert stack.state.postgres_home is not None
        roots.append(Path(stack.state.postgres_home))
    for path in (path for root in roots for path in root.rglob("*")):
        with suppress(FileNotFoundError):  # PostgreSQL takes files away meanwhile
            if path.is_file() and path.stat().st_mtime >= since_s:
                yield path


def _holding(files: Iterable[Path], traces: list[bytes]) -> dict[str, str]:
    """The folders among `files` in which one of the traces is found, with one file of each."""
    found = {}
    for path in files:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        if any(trace in content for trace in traces):
            names = [name for name in path.parts if name in ("base", "pg_wal", "store")]
            found[names[-1] if names else path.parent.name] = str(path)
    return found


async def _checkpoint(stack: RunningStack) -> None:
    """All that PostgreSQL holds in memory is in its files. NATS writes before it acknowledges."""
    conn = await asyncpg.connect(stack.state.env["RAPPORT_POSTGRES_DSN"])
    try:
        await conn.execute("CHECKPOINT")
    finally:
        await conn.close()


def _add_master_key(stack: RunningStack, name: str) -> None:
    """A new first line: what is sealed from the next start on is wrapped by it."""
    file = Path(stack.state.env["RAPPORT_MASTER_KEY_FILE"])
    file.write_text(f"{MasterKeys.generate_line(name)}\n{file.read_text()}")


async def _programs(stack: RunningStack) -> Path:
    """The folder of pg_dump and the like, of the server's own version."""
    programs = find_binaries(LocalConfig.from_env(stack.env).postgres_bin, server_user())
    conn = await asyncpg.connect(stack.state.env["RAPPORT_POSTGRES_DSN"])
    try:
        server = conn.get_server_version().major
    finally:
        await conn.close()
    if f" {server}." not in (said := _run(programs / "pg_dump", "--version")):
        pytest.skip(f"the server is of version {server}, and there is only {said.strip()}")
    return programs


def _run(program: Path, *arguments: Any, stdin: str | None = None) -> str:
    done = subprocess.run(
        [str(program), *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
