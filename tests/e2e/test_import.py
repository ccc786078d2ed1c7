"""Real files through `rapport import csv`, with the ledger killed in the middle."""

import csv
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from rapport import Rapport
from rapport.v1 import capital_service_pb2 as capital

from tests.e2e.running import ROOT, Books, RunningStack, finish, until

# Minutes on busy cores: the usual timeout is for tests of seconds.
pytestmark = pytest.mark.timeout(900)

COLLEGE = ROOT / "examples" / "college-messages.yaml"
TWEETS = ROOT / "examples" / "support-tweets.yaml"
SLICE = 8_000
MESSAGES, RELATIONSHIPS, PEOPLE = 59_835, 13_838, 1_899
# Columns of support-tweets.csv.
TWEET_ID, TEXT = 1, 5
COUNTS = ("rows", "appended", "replayed", "rejected")


async def test_every_message_is_imported_once_although_the_ledger_is_killed_meanwhile(
    books: Books, college_messages: str, tmp_path: Path
) -> None:
    command = ("import", "csv", college_messages, "--mapping", COLLEGE)
    async with books.client() as client:
        with books.begin(*command) as importing:
            await _until_head(books, 20_000)
            await books.stack.killed_and_back("ledger")
            said = finish(importing)
        assert said.code == 0, said.err
        done = said.json
        # What was recorded and not answered when the ledger died was sent again.
        assert (done["rows"], done["rejected"]) == (MESSAGES, 0)
        assert done["appended"] + done["replayed"] == MESSAGES
        assert done["last_position"] == MESSAGES
        _check_counts(books.clean())

        assert await _recorded(books, client) == Counter(map(tuple, _lines(college_messages)))
        balances = await _balances(client, MESSAGES)
        assert len({balance.relationship for balance in balances}) == RELATIONSHIPS
        assert len(_people(balances)) == PEOPLE

    # Rows are told apart by their numbers: a file that begins alike brings nothing new.
    part = _first_lines(college_messages, tmp_path)
    again = books.rapport("import", "csv", part, "--mapping", COLLEGE)
    assert [again[name] for name in COUNTS] == [SLICE, 0, SLICE, 0]
    _check_counts(books.clean("--quick"))


async def test_an_import_cut_short_and_repeated_ends_as_one_that_was_not(
    stack: RunningStack, college_messages: str, tmp_path: Path
) -> None:
    part = _first_lines(college_messages, tmp_path)
    command = ("import", "csv", part, "--mapping", COLLEGE, "--batch", "100")
    smooth, rough = stack.open_books(), stack.open_books()
    assert smooth.rapport(*command)["appended"] == SLICE

    async with rough.client() as client:
        with rough.begin(*command) as importing:
            reached = await _until_head(rough, 2_000)
            importing.kill()
            await stack.killed_and_back("ledger")
            finish(importing)
        kept = await rough.head()
        assert reached <= kept < SLICE
        assert rough.clean()["journal"]["head"] == kept
        done = rough.rapport(*command)
        assert [done[name] for name in COUNTS] == [SLICE, SLICE - kept, kept, 0]
        assert rough.clean()["journal"]["head"] == SLICE
        async with smooth.client() as other:
            assert await _contents(rough, client) == await _contents(smooth, other)
            found, expected = await _balances(client, SLICE), await _balances(other, SLICE)
    assert len(expected) > 1_000
    assert [balance.SerializeToString() for balance in found] == [
        balance.SerializeToString() for balance in expected
    ]


async def test_tweets_are_imported_and_what_names_nobody_is_rejected_with_its_reason(
    books: Books, support_tweets: str, tmp_path: Path
) -> None:
    rejects = tmp_path / "rejects.csv"
    command = ("import", "csv", support_tweets, "--mapping", TWEETS, "--rejects", rejects)
    done = books.rapport(*command)
    assert [done[name] for name in COUNTS] == [5_002, 4_879, 0, 123]
    assert done["rejects_file"] == str(rejects)
    facts = books.clean()
    assert facts["journal"]["events"] == facts["stream"]["messages"] == 4_879
    assert facts["read models"]["standings"] == 1_920

    with rejects.open(newline="") as file:
        found = list(csv.DictReader(file))
    broken = [reject for reject in found if re.match(r"\d+ columns instead of 8", reject["reason"])]
    nameless = [reject for reject in found if reject["field"] == "counterpart"]
    assert (len(broken), len(nameless), len(found)) == (3, 120, 123)
    assert {int(reject["record"]) for reject in found} == _expected_rejects(support_tweets)

    async with books.client() as client:
        tweets = await _notes(books, client)
    assert tweets == _expected_notes(support_tweets)
    again = books.rapport(*command)
    assert [again[name] for name in COUNTS] == [5_002, 0, 4_879, 123]
    assert books.clean("--quick")["journal"]["head"] == 4_879


def _check_counts(facts: dict[str, dict[str, Any]]) -> None:
    assert facts["journal"]["events"] == facts["journal"]["head"] == MESSAGES
    assert facts["stream"]["messages"] == facts["read models"]["touchpoints"] == MESSAGES
    assert facts["read models"]["standings"] == RELATIONSHIPS
    assert facts["read models"]["parties"] == PEOPLE


async def _until_head(books: Books, position: int) -> int:
    head = 0

    async def reached() -> bool:
        nonlocal head
        head = await books.head()
        return head >= position

    await until(reached, f"position {position} is recorded")
    return head


async def _recorded(books: Books, client: Rapport) -> "Counter[tuple[str, ...]]":
    """The lines of the file, made of the events again."""
    found: Counter[tuple[str, ...]] = Counter()
    async for event in books.events(client):
        what = event.touchpoint
        sender, receiver = (
            name.removeprefix("people/") for name in (what.initiator, what.counterpart)
        )
        assert what.kind == "message.personal"
        found[sender, receiver, str(event.occurred_at.seconds)] += 1
    return found


async def _contents(books: Books, client: Rapport) -> dict[str, bytes]:
    """Every event by its id, as it was hashed."""
    return {event.event_id: event.payload_sha256 async for event in books.events(client)}


async def _balances(client: Rapport, position: int) -> list[capital.Balance]:
    """Every relationship on one day, in one order."""
    listed = client.balances(min_position=position, page_size=1_000)
    found = [balance async for balance in listed]
    return sorted(found, key=lambda balance: balance.relationship)


def _people(balances: Iterable[capital.Balance]) -> set[str]:
    names = (balance.relationship.removeprefix("relationships/") for balance in balances)
    return {person for name in names for person in name.split("~")}


async def _notes(books: Books, client: Rapport) -> dict[str, str]:
    """The text of every tweet by its id, opened."""
    return {
        event.touchpoint.external_id.removeprefix("tweet:"): event.touchpoint.note.text
        async for event in books.events(client)
    }


def _lines(path: str) -> list[list[str]]:
    """The words of every line."""
    return [line.split() for line in Path(path).read_text().splitlines()]


def _first_lines(path: str, folder: Path) -> Path:
    """A file of the first SLICE lines."""
    part = folder / "messages.txt"
    part.write_text("".join(" ".join(line) + "\n" for line in _lines(path)[:SLICE]))
    return part


def _records(path: str) -> list[list[str]]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]


def _expected_rejects(path: str) -> set[int]:
    """Records, from 1, that are broken or name nobody."""
    return {
        number
        for number, record in enumerate(_records(path), start=1)
        if len(record) != 8 or re.search(r"@\w", record[TEXT]) is None
    }


def _expected_notes(path: str) -> dict[str, str]:
    """The text of every tweet that names somebody, by its id."""
    rejected = _expected_rejects(path)
    return {
        record[TWEET_ID]: record[TEXT]
        for number, record in enumerate(_records(path), start=1)
        if number not in rejected
    }
