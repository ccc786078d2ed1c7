"""The commands that ask about relationships, as people and programs see them."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from rapport.events.v1 import people_pb2

from tests.support.databases import Database
from tests.support.views import Running, described, fact, noted, running_projector, touch

OURS = 1


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What a program reads."""
        return json.loads(self.out)


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    """A good day with bob and an incident, an old friendship with zoe."""
    async with running_projector(database) as running:
        started = "2024-01-01T00:00:00Z"
        ours, theirs = people_pb2.SIDE_INTERNAL, people_pb2.SIDE_EXTERNAL
        await running.add(described("people/me", side=ours), started)
        await running.add(described("people/bob", side=theirs, name="Bob [of] Acme"), started)
        await running.add(touch("me", "bob", "support.hard_time"), "2026-05-29T09:00:00Z")
        await running.add(
            touch("bob", "me", "incident", severity=1, attribution=OURS, note="late"),
            "2026-05-30T09:00:00Z",
            event_id="00000000-0000-4000-8000-000000000111",
        )
        await running.add(touch("bob", "me", "need.stated", note="a quote"), "2026-05-31T09:00:00Z")
        await running.add(fact("bob", "sails"), "2026-05-01T09:00:00Z")
        await running.add(noted("bob", "birthday", 6, 3), "2026-05-01T09:00:00Z")
        for _ in range(2):
            await running.add(touch("me", "zoe", "meeting.in_person"), "2025-06-06T09:00:00Z")
        await running.settle()
        yield running


async def rapport(projector: Running, *arguments: str) -> Said:
    """`rapport …` in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rapport.cli",
        *arguments,
        *("--tenant", "acme", "--as", "people/me"),
        env={
            **os.environ,
            "RAPPORT_LEDGER_TARGET": projector.target,
            "RAPPORT_PROJECTOR_TARGET": projector.target,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), err.decode())


ON = ("--on", "2026-06-01")
COMMANDS = [
    (
        ("relationship", "me", "bob"),
        ["bob ~ me", "stage", "too little to tell shares", "trust: credibility", "a quote"],
        lambda said: (
            said["relationship"]["balance"]["contact_days"] == 3
            and said["relationship"]["care_share"]["per_mille"] is None
            and said["relationship"]["care_share"]["said"] == "TOO_LITTLE_EVIDENCE"
        ),
    ),
    (
        ("compare", "me", "bob", "2026-05-29"),
        ["difference", "decay", "new", "12.000"],
        lambda said: said["first"]["care_mp"] == 12000 and len(said["lines"]) == 3,
    ),
    (
        ("forecast", "me", "bob", "--severity", "2", "--plan", "support.hard_time@2026-06-01"),
        ["as it is", "no", "short by", "with the plan", "yes", "through 2027-08-05"],
        lambda said: (
            said["without_plan"]["short_by_mp"] > 0
            and said["forecast"]["survives_through"] > "2026-06-01"
        ),
    ),
    (
        ("forecast", "me", "--severity", "3", "--day", "2026-07-01"),
        ["bob ~ me", "me ~ zoe", "short by"],
        lambda said: (
            [each["relationship"] for each in said]
            == ["relationships/me~zoe", "relationships/bob~me"]
        ),
    ),
    (
        ("incidents", "me", "--open"),
        ["bob ~ me", "missed, due 2026-05-31 09:00", "open"],
        lambda said: said[0]["sla"] == "MISSED" and said[0]["open"] is True,
    ),
    (
        ("incident", "00000000-0000-4000-8000-000000000111"),
        ["late", "before", "incident", "█"],
        lambda said: [point["moment"] for point in said["curve"]] == ["before", "incident"],
    ),
    (
        ("brief", "me", "bob"),
        ["Bob [of] Acme", "what to do", "incident unanswered", "sails", "birthday", "2 days"],
        lambda said: (
            said["facts"][0]["text"] == "sails"
            and said["last_touches"][0]["touchpoint"]["kind"] == "need.stated"
        ),
    ),
    (
        ("reconnect", "me"),
        ["me ~ zoe", "20.000", "360"],
        lambda said: said[0]["peak_mp"] == 20000 and said[0]["silent_days"] == 360,
    ),
    (
        ("who-knows", "bob", "--severity", "1"),
        ["me", "internal", "contact"],
        lambda said: said[0]["person"] == "people/me" and said[0]["side"] == "INTERNAL",
    ),
]


COMMAND_IDS = [" ".join(command) for command, *_ in COMMANDS]


@pytest.mark.parametrize(("command", "seen", "_"), COMMANDS, ids=COMMAND_IDS)
async def test_people_read_what_a_command_tells(
    projector: Running, command: tuple[str, ...], seen: list[str], _: object
) -> None:
    said = await rapport(projector, *command, *ON)
    assert said.code == 0, said.err
    for text in seen:
        assert text in said.out, said.out


@pytest.mark.parametrize(("command", "_", "holds"), COMMANDS, ids=COMMAND_IDS)
async def test_programs_read_the_same_as_json(
    projector: Running, command: tuple[str, ...], _: object, holds: Any
) -> None:
    said = await rapport(projector, *command, *ON, "--json")
    assert said.code == 0, said.err
    assert holds(said.json), said.out


@pytest.mark.parametrize(
    "command",
    [
        ("relationship", "x", "y"),
        ("compare", "x", "y", "2026-01-01"),
        ("forecast", "x", "y"),
        ("forecast", "x"),
        ("incidents", "x"),
        ("brief", "x", "y"),
        ("reconnect", "x"),
        ("who-knows", "organizations/x"),
    ],
)
async def test_nobody_has_an_empty_answer(projector: Running, command: tuple[str, ...]) -> None:
    said = await rapport(projector, *command)
    assert said.code == 0, said.err
    # Nobody touched is not silent for 0 days.
    assert "days silent" not in said.out or command[0] == "reconnect"


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (("forecast", "me", "bob", "--plan", "dance@2027-01-01"), 1, "plan[0].touchpoint.kind"),
        (("forecast", "me", "bob", "--plan", "call@2099-01-01"), 1, "plan[0].on"),
        (("forecast", "me", "bob", "--plan", "call"), 2, "KIND@DAY"),
        (("forecast", "me", "--plan", "call@2027-01-01"), 2, "--plan is for a relationship"),
        (("forecast", "me", "bob", "--severity", "5"), 2, "severity"),
        (("compare", "me", "bob", "2026-06-02", *ON), 1, "the window ends before it starts"),
        (("compare", "me", "bob", "yesterday"), 2, "DAY takes a day"),
        (("incident", "00000000-0000-4000-8000-00000000ffff"), 1, "EVENT_UNKNOWN"),
        (("brief", "me", "bob", "--about", "eve"), 1, "about"),
    ],
)
async def test_what_is_wrong_is_said(
    projector: Running, command: tuple[str, ...], code: int, told: str
) -> None:
    said = await rapport(projector, *command)
    assert said.code == code
    assert told in said.err
