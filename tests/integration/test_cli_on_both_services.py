"""The command line against the real ledger and projector: many relationships, people, policies."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rapport import new_event_id
from rapport.bundle import Bundle
from rapport.cli.event_json import parse_event

from deploy.local.nats import NatsServer
from services.runtime.policy import default_policy
from tests.support.both import Both, both_on
from tests.support.databases import Database

OCCURRED = "2026-01-12T10:00:00Z"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Cli:
    both: Both
    folder: Path

    async def __call__(self, *arguments: str | Path, code: int = 0, given: str = "") -> Said:
        """`rapport …` as people/me, in a process and folder of its own."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "rapport.cli",
            *(str(argument) for argument in arguments),
            "--as",
            "people/me",
            cwd=self.folder,
            env={
                **os.environ,
                "RAPPORT_LEDGER_TARGET": self.both.ledger,
                "RAPPORT_PROJECTOR_TARGET": self.both.projector,
            },
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(given.encode())
        said = Said(process.returncode or 0, out.decode(), err.decode())
        assert said.code == code, said
        return said

    async def asked(self, *arguments: str | Path, code: int = 0) -> Any:
        """The JSON it answers."""
        return (await self(*arguments, "--json", code=code)).json


@pytest.fixture
async def both(database: Database, private_nats: NatsServer) -> AsyncIterator[Both]:
    async with both_on(database, private_nats.url) as made:
        await made.create_tenant("default")
        yield made


@pytest.fixture
def cli(both: Both, tmp_path: Path) -> Cli:
    return Cli(both, tmp_path)


async def told(both: Both) -> int:
    """A small history; the position after it."""
    documents: list[dict[str, Any]] = [
        {"type": "PartyDescribed", "party": "people/me", "side": "INTERNAL", "team": "red"},
        {"type": "PartyDescribed", "party": "people/eve", "side": "EXTERNAL", "tier": "wide"},
        {"type": "PartyDescribed", "party": "people/eve2", "side": "EXTERNAL"},
        {
            "type": "AffiliationStarted",
            "person": "people/eve",
            "organization": "organizations/acme",
            "role": "buyer",
        },
        {
            "type": "DateNoted",
            "person": "people/eve",
            "label": "birthday",
            "month": 3,
            "day": 26,
        },
        {
            "type": "Touchpoint",
            "initiator": "people/me",
            "counterpart": "people/eve",
            "kind": "call",
            "note": "about the boat",
        },
        {
            "type": "Touchpoint",
            "initiator": "people/eve2",
            "counterpart": "people/me",
            "kind": "meeting.in_person",
            "note": "theirs alone",
            "visibility": "PRIVATE",
        },
    ]
    async with both.client("default", "services/importer") as client:
        for document in documents:
            envelope = {"event_id": new_event_id(), "occurred_at": OCCURRED}
            answer = await client.append(parse_event(envelope | document))
        return answer.last_position


async def test_many_relationships_for_people_and_for_programs(both: Both, cli: Cli) -> None:
    position = await told(both)
    seen = ("--min-position", str(position))
    portfolio = await cli.asked("portfolio", *seen)
    assert portfolio["sums"]["relationships"] == 2
    assert [each["party"] for each in portfolio["by_internal"]] == ["people/me"]
    assert (await cli.asked("portfolio", "teams/red"))["sums"] == portfolio["sums"]
    assert (await cli.asked("portfolio", "all"))["sums"] == portfolio["sums"]
    account = await cli.asked("account", "acme")
    assert account["sums"]["relationships"] == 1
    assert (account["single_thread"], account["affiliations"][0]["role"]) == ("people/me", "buyer")
    assert account["affiliations"][0]["from"] == "2026-01-12"
    assert len((await cli.asked("programme"))["weeks"]) == 12
    assert (await cli.asked("builders"))["withheld_because"] == "not_enabled"
    assert (await cli.asked("parity"))["withheld_because"] == "group_too_small"
    for command, text in {
        "portfolio": "held by ours",
        "account": "single-threaded",
        "programme": "weeks kept",
        "builders": "Not for decisions about employment",
        "parity": "too small",
    }.items():
        arguments = [command, "acme"] if command == "account" else [command]
        assert text in (await cli(*arguments)).out
    wrong = await cli("portfolio", "tenants/other", "--json", code=1)
    assert "FIELD_MALFORMED" in wrong.err


async def test_links_are_made_ended_and_listed(both: Both, cli: Cli) -> None:
    await told(both)
    linked = await cli.asked("link", "eve", "eve2", "--evidence", "same phone")
    weak = await cli.asked("link", "eve", "evelyn", "--weak")
    seen = ("--min-position", str(weak["position"]))
    assert (await cli.asked("portfolio", *seen))["sums"]["relationships"] == 1
    (proposal,) = await cli.asked("links", "--proposals")
    assert proposal["event_id"] == weak["event_id"]
    ended = await cli.asked("unlink", linked["event_id"])
    seen = ("--min-position", str(ended["position"]))
    found = await cli.asked("links", "eve", *seen)
    assert [each["ended_by"] for each in found] == [ended["event_id"], ""]
    assert (await cli.asked("portfolio"))["sums"]["relationships"] == 2
    text = (await cli("links")).out
    assert "same phone" in text
    assert "ended" in text
    assert "proposes" in text
    no_link = await cli("unlink", ended["event_id"], code=2)
    assert "no link" in no_link.err


async def test_watch_lists_are_saved_and_shown(both: Both, cli: Cli) -> None:
    await told(both)
    saved = await cli.asked("watch", "save", "top", "eve2", "organizations/acme")
    seen = ("--min-position", str(saved["position"]))
    assert [each["list"] for each in await cli.asked("watch", "list", *seen)] == ["top"]
    shown = await cli.asked("watch", "show", "top")
    assert [each["relationship"] for each in shown["balances"]] == [
        "relationships/eve2~me",
        "relationships/eve~me",
    ]
    assert len(shown["timeline"]) == 2
    assert "about the boat" in (await cli("watch", "show", "top")).out
    assert "acme" in (await cli("watch", "list")).out
    unknown = await cli("watch", "show", "nope", code=1)
    assert "rapport watch list" in unknown.err


async def test_a_policy_is_linted_compared_and_adopted(both: Both, cli: Cli) -> None:
    await told(both)
    document = json.loads(default_policy().canonical_json)
    document |= {"policy": "ours", "version": 2, "effective_from": "2026-01-01"}
    document["kinds"]["call"]["care"] = 8000
    file = cli.folder / "ours.json"
    file.write_text(json.dumps(document))
    assert (await cli.asked("policy", "lint", file))["policy"].startswith("ours@2#")
    found = await cli.asked("policy", "diff", file)
    assert (found["relationships"], found["moved"]) == (2, 1)
    assert list(found["moves"][0]["by_kind"]) == ["call"]
    assert "eve ~ me" in (await cli("policy", "diff", file)).out
    adopted = await cli.asked("policy", "adopt", file)
    assert adopted["policy"].startswith("ours@2#")
    listed = await cli.asked("policy", "list", "--min-position", str(adopted["position"]))
    assert [each["in_force"] for each in listed] == [False, True]
    shown = await cli.asked("policy", "show")
    assert shown["document"]["kinds"]["call"]["care"] == 8000
    back = await cli.asked("policy", "diff", "default@1")
    assert (back["moved"], back["computed"]["policy"]) == (1, shown["policy"])
    assert "in force" in (await cli("policy", "list")).out
    document["incident"]["severity"]["2"] = [-1, -1]
    file.write_text(json.dumps(document))
    assert "fatal" in (await cli("policy", "lint", file, code=1)).out
    await cli("policy", "adopt", file, code=1)
    refused = await cli("policy", "diff", file, "--json", code=1)
    assert "policy_json.incident" in refused.err
    await cli("policy", "lint", "nowhere.yaml", code=2)


async def test_a_bundle_holds_what_its_person_may_see_and_is_signed(both: Both, cli: Cli) -> None:
    position = await told(both)
    file = cli.folder / "me.zip"
    written = await cli.asked("export", "bundle", file, "--min-position", str(position))
    assert written["bytes"] == file.stat().st_size
    with Bundle(file) as bundle:
        events = [event for _, event in bundle.events()]
        assert bundle.manifest.person == "people/me"
    by_kind = {event.get("kind"): event for event in events if event["type"] == "Touchpoint"}
    assert by_kind["call"]["note"] == "about the boat"
    assert "note" not in by_kind["meeting.in_person"]
    assert {event["type"] for event in events} == {
        "PartyDescribed",
        "AffiliationStarted",
        "DateNoted",
        "Touchpoint",
    }
    await cli("export", "bundle", file, code=2)
    refused = await cli("export", "bundle", "eve.zip", "--of", "eve", code=1)
    assert "CALLER_REQUIRED" in refused.err
    assert not list(cli.folder.glob("eve*"))
