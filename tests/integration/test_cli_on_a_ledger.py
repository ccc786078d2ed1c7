"""The command line against a real ledger: recording, amending, importing, reading the journal."""

import asyncio
import csv
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.databases import Database
from tests.support.ledger import LedgerUnderTest, ledger_on

MAPPING = """
source: test
event:
  kind: {column: kind}
  initiator: {column: a, template: "people/{}"}
  counterpart: {column: b, template: "people/{}"}
  occurred_at: {column: at, time: iso}
"""


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Cli:
    target: str
    folder: Path

    async def __call__(self, *arguments: str | Path, given: str = "") -> Said:
        """`rapport …` in a process and folder of its own, with --json."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "rapport.cli",
            *(str(argument) for argument in arguments),
            "--json",
            cwd=self.folder,
            env={**os.environ, "RAPPORT_LEDGER_TARGET": self.target},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(given.encode())
        assert process.returncode is not None
        return Said(process.returncode, out.decode(), err.decode())


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[LedgerUnderTest]:
    async with ledger_on(database) as made:
        await made.create_tenant("default")
        yield made


@pytest.fixture
def cli(ledger: LedgerUnderTest, tmp_path: Path) -> Cli:
    return Cli(f"127.0.0.1:{ledger.process.port}", tmp_path)


async def test_a_touch_is_recorded_corrected_voided_and_seen_by_tail(cli: Cli) -> None:
    first = await cli("touch", "ann", "people/bob", "call", "--minutes", "15", "--note", "hello")
    assert first.code == 0, first.err
    event_id = first.json["event_id"]
    assert (first.json["position"], first.json["home"]) == (1, "relationships/ann~bob")

    again = await cli("touch", "ann", "bob", "call", "--event-id", event_id, "--note", "hello")
    assert (again.code, "EVENT_ID_TAKEN" in again.err) == (1, True), "the minutes are missing"

    corrected = await cli("correct", event_id, "--kind", "meeting.video", "--set", "topic=BUSINESS")
    assert corrected.code == 0, corrected.err
    swapped = await cli("correct", event_id, "--swap", "--at", "2026-01-12T10:00:00Z")
    voided = await cli("void", swapped.json["event_id"], "--reason", "no swap after all")
    once_more = await cli("correct", event_id, "--sentiment", "2")
    assert (voided.code, once_more.code) == (0, 0)

    events = (await cli("tail", "--no-follow")).lines
    assert [event["position"] for event in events] == [1, 2, 3, 4, 5]
    assert [event["type"] for event in events] == [
        "Touchpoint",
        "Corrected",
        "Corrected",
        "Voided",
        "Corrected",
    ]
    last = events[-1]["touchpoint"]
    assert (last["kind"], last["topic"], last["sentiment"]) == ("meeting.video", "BUSINESS", 2)
    assert (last["initiator"], last["minutes"], last["note"]) == (
        "people/ann",
        {"live": 15},
        "hello",
    )


async def test_a_refusal_is_said_in_json_with_its_fields(cli: Cli) -> None:
    said = await cli("touch", "ann", "bob", "nap")
    assert said.code == 1
    error = json.loads(said.err)["error"]
    assert (error["reason"], error["definite"]) == ("KIND_UNKNOWN", True)
    assert error["violations"][0]["field"] == "events[0].touchpoint.kind"


async def test_lines_that_are_refused_are_named_and_the_rest_is_appended(cli: Cli) -> None:
    def line(number: int, **more: Any) -> str:
        event = {
            "type": "Touchpoint",
            "event_id": f"78afd2c1-0d0b-5b8e-b19d-{number:012}",
            "initiator": "people/a",
            "counterpart": "people/b",
            "kind": "call",
            "occurred_at": "2026-01-12T10:00:00Z",
        }
        return json.dumps(event | more)

    lines = [line(1), "{", line(3, kind="nap"), "", line(5, counterpart="people/a"), line(6)]
    said = await cli("append", "-", given="\n".join(lines))
    assert said.code == 1
    assert (said.json["appended"], said.json["rejected"], said.json["last_position"]) == (2, 3, 2)
    refused = {reject["line"]: reject["reason"].split(":")[0] for reject in said.json["rejects"]}
    assert refused == {2: "not JSON", 3: "KIND_UNKNOWN", 5: "SAME_PERSON"}
    again = await cli("append", "-", given="\n".join(lines))
    assert (again.json["appended"], again.json["replayed"]) == (0, 2)


async def test_an_import_goes_on_past_bad_rows_and_adds_nothing_when_repeated(cli: Cli) -> None:
    rows = [["a", "b", "kind", "at"]]
    rows += [["ann", f"b{number % 50}", "call", "2026-01-12T10:00:00Z"] for number in range(1_200)]
    rows[7][2] = "nap"
    rows[700][0] = "Ann"
    rows[701][1] = "ann"
    rows[900][3] = "2999-01-01T00:00:00Z"
    rows[1_000] = ["ann", "b1"]
    table, mapping = cli.folder / "rows.csv", cli.folder / "m.yaml"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    mapping.write_text(MAPPING)

    first = await cli("import", "csv", table, "--mapping", mapping)
    assert first.code == 0, first.err
    counts = ("rows", "appended", "replayed", "rejected")
    assert [first.json[name] for name in counts] == [1_200, 1_195, 0, 5]
    with (cli.folder / "rows.rejects.csv").open(newline="") as file:
        rejects = {int(row["line"]): row for row in csv.DictReader(file)}
    assert {line: (row["field"], row["reason"].split(":")[0]) for line, row in rejects.items()} == {
        8: ("touchpoint.kind", "KIND_UNKNOWN"),
        701: ("touchpoint.initiator", "FIELD_MALFORMED"),
        702: ("touchpoint.counterpart", "SAME_PERSON"),
        901: ("occurred_at", "TIME_AHEAD"),
        1_001: ("", "2 columns instead of 4"),
    }
    second = await cli("import", "csv", table, "--mapping", mapping)
    assert [second.json[name] for name in counts] == [1_200, 0, 1_195, 5]


async def test_an_import_for_an_unknown_tenant_is_refused_as_a_whole(cli: Cli) -> None:
    (cli.folder / "rows.csv").write_text("a,b,kind,at\nx,y,call,2026-01-12T10:00:00Z\n")
    (cli.folder / "m.yaml").write_text(MAPPING)
    said = await cli("import", "csv", "rows.csv", "--mapping", "m.yaml", "--tenant", "nobody")
    assert (said.code, json.loads(said.err)["error"]["reason"]) == (1, "TENANT_UNKNOWN")


async def test_tenants_and_journals_are_made_and_listed(cli: Cli) -> None:
    assert (await cli("journal", "create", "second")).code == 0
    assert (await cli("journal", "create", "second")).code == 1
    assert (await cli("tenant", "create", "acme", "--journal", "second")).json["created"]
    assert not (await cli("tenant", "create", "acme", "--journal", "second")).json["created"]
    tenants = {item["tenant"]: item["journal"] for item in (await cli("tenant", "list")).json}
    assert (tenants["acme"], tenants["default"]) == ("second", "main")
    journals = {item["journal"] for item in (await cli("journal", "list")).json}
    assert {"main", "second"} <= journals
    said = await cli("tenant", "list", "--as", "people/ann")
    assert json.loads(said.err)["error"]["reason"] == "SERVICE_PRINCIPAL_REQUIRED"


async def test_what_was_erased_is_shown_as_erased(cli: Cli) -> None:
    await cli("touch", "ann", "bob", "call", "--note", "about bob")
    asked = await cli("erase", "bob")
    assert (asked.code, "--yes" in asked.err) == (2, True)
    erased = await cli("erase", "bob", "--yes")
    assert erased.code == 0, erased.err
    events = (await cli("tail", "--no-follow")).lines
    assert events[0]["note"] == {"erased": True}
    assert events[1]["type"] == "SubjectErased"
