"""`rapport correct`, `rapport void` and `rapport erase`: what was recorded wrongly, or must go."""

import sys
from typing import Annotated, Any

import typer

from rapport.cli.append_commands import append_one, appended_document, appended_text, named
from rapport.cli.command import Call, UsageProblem, add
from rapport.cli.event_json import parse_event
from rapport.cli.event_output import message_document
from rapport.client import Rapport
from rapport.errors import RapportError
from rapport.events.v1 import touchpoint_pb2
from rapport.ids import new_event_id, person
from rapport.v1 import ledger_service_pb2 as ledger

EventId = Annotated[str, typer.Argument(metavar="EVENT_ID", help="The event's id.")]


def register(app: typer.Typer) -> None:
    """Adds `correct`, `void` and `erase`."""
    add(app, "correct", correct)
    add(app, "void", void)
    add(app, "erase", erase)


async def correct(
    call: Call,
    target: EventId,
    kind: Annotated[str | None, typer.Option(help="What it really was.")] = None,
    at: Annotated[str | None, typer.Option(help="When it really happened.")] = None,
    channel: Annotated[str | None, typer.Option()] = None,
    note: Annotated[str | None, typer.Option(help="The whole new note.")] = None,
    minutes: Annotated[int | None, typer.Option(min=0, help="Minutes together.")] = None,
    sentiment: Annotated[int | None, typer.Option(min=-2, max=2)] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Any other field; empty: take it out."),
    ] = None,
    swap: Annotated[bool, typer.Option("--swap", help="The other one gave.")] = False,
    event_id: Annotated[
        str | None, typer.Option(help="To repeat safely. Absent: a new one.")
    ] = None,
) -> None:
    """Correct a touchpoint: what it says now, with these changes, takes its place."""
    changes: dict[str, Any] = {
        "kind": kind,
        "channel": channel,
        "note": note,
        "sentiment": sentiment,
    }
    changes = {key: value for key, value in changes.items() if value is not None}
    for item in set_ or ():
        key, equals, value = item.partition("=")
        if not equals:
            raise UsageProblem("--set takes FIELD=VALUE")
        changes[key] = int(value) if value.lstrip("-").isdigit() else value or None
    async with call.client() as client:
        standing = await _standing(client, target)
        document = message_document(standing)
        _check_texts(document, changes)
        if minutes is not None:
            document["minutes"] = {**document.get("minutes", {}), "live": minutes}
        if swap:
            document["initiator"], document["counterpart"] = (
                document["counterpart"],
                document["initiator"],
            )
        touchpoint = {**document, **changes} | ({"occurred_at": at} if at else {})
        event = parse_event(
            {
                "type": "Corrected",
                "event_id": event_id or new_event_id(),
                "replaces": target,
                "touchpoint": touchpoint,
            }
        )
        answer = await append_one(client, event)
    call.answer(appended_document(answer), lambda: appended_text(answer))


async def _standing(client: Rapport, target: str) -> touchpoint_pb2.Touchpoint:
    """The touchpoint as it stands: the original, or its newest correction that was not voided."""
    original = await client.event(target)
    if original.WhichOneof("payload") != "touchpoint":
        raise UsageProblem("only a touchpoint can be corrected, by its own event id")
    standing, voided = original.touchpoint, set()
    amendments = client.read_home(original.home, backwards=True, types=["Corrected", "Voided"])
    async for event in amendments:
        if event.WhichOneof("payload") == "voided":
            voided.add(event.voided.target)
        elif event.corrected.replaces == target and event.event_id not in voided:
            standing = event.corrected.touchpoint
            break
    return standing


def _check_texts(document: dict[str, Any], changes: dict[str, Any]) -> None:
    """A text that cannot be read cannot be carried over; a new one may take its place."""
    texts = {"note": document.get("note"), **document.get("attributes", {})}
    for key, text in texts.items():
        if isinstance(text, dict) and (text.get("erased") or text.get("withheld")):
            if key not in changes:
                raise UsageProblem(f"the {key} cannot be read by you; give a new one to replace it")
            document.pop(key, None)


async def void(
    call: Call,
    target: EventId,
    reason: Annotated[str | None, typer.Option(help="Why; sealed.")] = None,
    event_id: Annotated[
        str | None, typer.Option(help="To repeat safely. Absent: a new one.")
    ] = None,
) -> None:
    """Take an event back. It stays in the journal and counts for nothing."""
    event = parse_event(
        {
            "type": "Voided",
            "event_id": event_id or new_event_id(),
            "target": target,
            "reason": reason,
        }
    )
    async with call.client() as client:
        answer = await append_one(client, event)
    call.answer(appended_document(answer), lambda: appended_text(answer))


async def erase(
    call: Call,
    subject: Annotated[str, typer.Argument(help="people/x, x or organizations/x.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    event_id: Annotated[
        str | None, typer.Option(help="To repeat safely. Absent: a new one.")
    ] = None,
) -> None:
    """Destroy for ever every text about somebody. Balances stay. It cannot be undone."""
    name = subject if subject.startswith("organizations/") else person(subject)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageProblem("erasing cannot be undone: say --yes")
        typer.confirm(f"Destroy every text about {name}, for ever?", abort=True)
    proof = event_id or new_event_id()
    async with call.client() as client:
        try:
            answer = await client.erase(name, event_id=proof)
        except RapportError as error:
            raise named(error, proof) from None
    document = appended_document(
        ledger.AppendEventsResponse(journal=answer.journal, events=[answer.event])
    )
    call.answer(
        document,
        lambda: f"[green]erased[/] {name}; the proof stands at position {answer.event.position}",
    )
