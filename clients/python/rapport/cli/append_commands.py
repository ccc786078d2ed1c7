"""`rapport touch` and `rapport append`: recording."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.markup import escape

from rapport.cli.command import EXIT_OK, EXIT_REFUSED, Call, UsageProblem, add
from rapport.cli.event_json import EventJsonError, parse_event
from rapport.cli.loading import Load, Reject, Row
from rapport.cli.output import short
from rapport.client import Rapport
from rapport.errors import RapportError
from rapport.ids import new_event_id, person
from rapport.v1 import ledger_service_pb2 as ledger

A = Annotated[str, typer.Argument(metavar="A", help="Who gave: people/x or x.")]
B = Annotated[str, typer.Argument(metavar="B", help="To whom: people/x or x.")]
Kind = Annotated[str, typer.Argument(help="The kind; see `rapport kinds`.")]

Channel = Annotated[str | None, typer.Option(help="email, phone, in_person, x …")]
Note = Annotated[str | None, typer.Option(help="Sealed before it is stored.")]
Minutes = Annotated[int | None, typer.Option(min=0, help="Minutes together.")]
Prep = Annotated[int | None, typer.Option(min=0, help="Minutes of preparation.")]
FollowUp = Annotated[int | None, typer.Option(min=0, help="Minutes of follow-up.")]
When = Annotated[str | None, typer.Option(help="When: 2026-01-12T10:00:00Z. Absent: now.")]
Mutual = Annotated[bool, typer.Option("--mutual", help="Both gave: a meeting.")]
Sentiment = Annotated[int | None, typer.Option(min=-2, max=2)]
Initiative = Annotated[str | None, typer.Option(help="PROACTIVE, RESPONSIVE, REACTIVE, AUTOMATED.")]
Audience = Annotated[str | None, typer.Option(help="ONE, FEW, MANY.")]
Depth = Annotated[int | None, typer.Option(min=0, max=3)]
Topic = Annotated[str | None, typer.Option(help="BUSINESS, PERSONAL, MIXED.")]
Severity = Annotated[int | None, typer.Option(help="Of an incident, 1 to 4.")]
Attribution = Annotated[
    str | None, typer.Option(help="Of an incident: OURS, SHARED, EXTERNAL, UNKNOWN.")
]
Category = Annotated[str | None, typer.Option(help="Of an incident.")]
Resolves = Annotated[str | None, typer.Option(help="Of a recovery: the incident's id.")]
RecoveryStep = Annotated[
    str | None, typer.Option("--step", help="APOLOGY, FIX, COMPENSATION, FOLLOW_UP.")
]
DueOn = Annotated[str | None, typer.Option("--due", help="Of a promise: 2026-01-31.")]
Fulfils = Annotated[str | None, typer.Option(help="The promise's or need's id.")]
Visibility = Annotated[str | None, typer.Option(help="PRIVATE, PARTIES, TENANT.")]
ExternalId = Annotated[str | None, typer.Option(help="The source's own id.")]
NewId = Annotated[str | None, typer.Option(help="To repeat safely. Absent: a new one.")]
ExpectedRevision = Annotated[
    int | None, typer.Option("--expect", help="Revision the relationship must be at.")
]


def register(app: typer.Typer) -> None:
    """Adds `touch` and `append`."""
    add(app, "touch", touch)
    add(app, "append", append)


async def touch(
    call: Call,
    a: A,
    b: B,
    kind: Kind,
    channel: Channel = None,
    note: Note = None,
    minutes: Minutes = None,
    prep: Prep = None,
    follow_up: FollowUp = None,
    at: When = None,
    mutual: Mutual = False,
    sentiment: Sentiment = None,
    initiative: Initiative = None,
    audience: Audience = None,
    depth: Depth = None,
    topic: Topic = None,
    severity: Severity = None,
    attribution: Attribution = None,
    category: Category = None,
    resolves: Resolves = None,
    recovery_step: RecoveryStep = None,
    due_on: DueOn = None,
    fulfils: Fulfils = None,
    visibility: Visibility = None,
    external_id: ExternalId = None,
    event_id: NewId = None,
    expected_revision: ExpectedRevision = None,
) -> None:
    """Record a touchpoint: A did KIND for B."""
    document: dict[str, Any] = {
        "type": "Touchpoint",
        "event_id": event_id or new_event_id(),
        "initiator": person(a),
        "counterpart": person(b),
        "kind": kind,
        "occurred_at": at,
        "expected_revision": expected_revision,
        "channel": channel,
        "note": note,
        "mutual": mutual or None,
        "sentiment": sentiment,
        "initiative": initiative,
        "audience": audience,
        "depth": depth,
        "topic": topic,
        "severity": severity,
        "attribution": attribution,
        "category": category,
        "resolves": resolves,
        "recovery_step": recovery_step,
        "due_on": due_on,
        "fulfils": fulfils,
        "visibility": visibility,
        "external_id": external_id,
    }
    given = {"live": minutes, "prep": prep, "follow_up": follow_up}
    if any(value is not None for value in given.values()):
        document["minutes"] = given
    event = parse_event(document)
    async with call.client() as client:
        answer = await append_one(client, event)
    call.answer(appended_document(answer), lambda: appended_text(answer))


async def append_one(client: Rapport, event: ledger.NewEvent) -> ledger.AppendEventsResponse:
    """Appends one event; an unknown outcome names the id with which the command can be repeated."""
    try:
        return await client.append(event)
    except RapportError as error:
        raise named(error, event.event_id) from None


def named(error: RapportError, event_id: str) -> RapportError:
    """The error; of an unknown outcome with what to do about it."""
    if error.is_definite:
        return error
    return RapportError(
        error.reason,
        f"{error.message}; to repeat it safely add --event-id {event_id}",
        code=error.code,
        metadata={**error.metadata, "event_id": event_id},
        retry_after_s=error.retry_after_s,
    )


def appended_document(answer: ledger.AppendEventsResponse) -> dict[str, Any]:
    """Where one appended event stands, for programs."""
    event = answer.events[0]
    return {
        "journal": answer.journal,
        "event_id": event.event_id,
        "position": event.position,
        "home": event.home,
        "revision": event.revision,
        "replayed": event.replayed,
    }


def appended_text(answer: ledger.AppendEventsResponse) -> str:
    """The same for people."""
    event = answer.events[0]
    word = "[yellow]was recorded before[/]" if event.replayed else "[green]recorded[/]"
    return (
        f"{word} [bold]{event.event_id}[/]\n"
        f"position {event.position} of journal {escape(answer.journal)},"
        f" revision {event.revision} of {escape(short(event.home))}"
    )


async def append(
    call: Call,
    file: Annotated[Path, typer.Argument(help="JSON Lines, one event a line; - for stdin.")],
) -> int:
    """Record the events of a JSON Lines file. What is refused is named; the rest goes on."""
    rejects: list[Reject] = []
    try:
        opened: IO[str] = sys.stdin if str(file) == "-" else file.open(encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"{file} cannot be read: {error.strerror}") from error
    with opened:
        async with call.client() as client:
            totals = await Load(client, rejects.append).run(_rows(opened))
    rejects.sort(key=lambda reject: reject.line)
    document = asdict(totals) | {"rejects": [asdict(reject) for reject in rejects]}
    call.answer(
        document,
        lambda: (
            f"[green]{totals.appended} recorded[/], {totals.replayed} were there before,"
            f" {totals.rejected} refused; last position {totals.last_position}"
        ),
    )
    if not call.as_json:
        for reject in rejects:
            where = f"line {reject.line}" + (f", {reject.field}" if reject.field else "")
            sys.stderr.write(f"{where}: {reject.reason}\n")
    return EXIT_REFUSED if rejects else EXIT_OK


def _rows(lines: IO[str]) -> Iterator[Row | Reject]:
    record = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        record += 1
        try:
            yield Row(number, record, parse_event(json.loads(line)))
        except json.JSONDecodeError as error:
            yield Reject(number, record, "", f"not JSON: {error.msg} (column {error.colno})")
        except EventJsonError as error:
            yield Reject(number, record, error.field, error.description)
