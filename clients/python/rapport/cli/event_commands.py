"""`rapport tail`: the journal as it grows."""

from typing import Annotated

import typer
from rich.markup import escape

from rapport.cli.command import Call, add
from rapport.cli.event_output import event_document, personal_text
from rapport.cli.output import short, write_json
from rapport.client import Rapport
from rapport.times import instant
from rapport.v1 import ledger_service_pb2 as ledger


def register(app: typer.Typer) -> None:
    """Adds `tail`."""
    add(app, "tail", tail)


async def tail(
    call: Call,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="The last so many.")] = 10,
    from_position: Annotated[
        int | None, typer.Option("--from", min=1, help="From this position instead.")
    ] = None,
    follow: Annotated[bool, typer.Option(help="Go on with what comes, until Ctrl-C.")] = True,
    type_: Annotated[list[str] | None, typer.Option("--type", help="Only this type.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind.")] = None,
) -> None:
    """Print the journal's last events, then every new one. With --json: one event a line."""
    types, kinds = type_ or [], kind or []
    async with call.client() as client:
        start = from_position
        if start is None:
            start = 1 + await _last(call, client, lines, types, kinds)
        elif not follow:
            async for event in client.read_journal(from_position=start, types=types, kinds=kinds):
                show(call, event)
        if follow:
            async for event in client.subscribe(start, types=types, kinds=kinds):
                show(call, event)


async def _last(call: Call, client: Rapport, lines: int, types: list[str], kinds: list[str]) -> int:
    """Prints the last events and answers the head they were read at."""
    # One is read even when none is to be shown: it says where the journal ends.
    request = ledger.ReadEventsRequest(
        direction=ledger.DIRECTION_BACKWARDS, limit=max(lines, 1), types=types, kinds=kinds
    )
    found: list[ledger.Event] = []
    head = 0
    async for message in client.read_messages(request):
        head = max(head, message.head_position)
        found.extend(message.events)
    for event in reversed(found[:lines]):
        show(call, event)
    return head


def show(call: Call, event: ledger.Event) -> None:
    """One event on a line."""
    if call.as_json:
        write_json(event_document(event))
        return
    when = instant(event.occurred_at).strftime("%Y-%m-%d %H:%M")
    name = event.type.rpartition(".")[2]
    call.console.print(
        f"[dim]{event.position:>8}[/] {when} [bold]{escape(name)}[/] {_words(event)}"
        f" [dim]{event.event_id}[/]",
        highlight=False,
        soft_wrap=True,
    )


def _words(event: ledger.Event) -> str:
    payload = event.WhichOneof("payload")
    if payload == "touchpoint":
        what = event.touchpoint
        arrow = "↔" if what.mutual else "→"
        words = f"{short(what.initiator)} {arrow} {short(what.counterpart)} {what.kind}"
        note = personal_text(what.note)
        return escape(f"{words} “{note}”" if note else words)
    if payload == "voided":
        return escape(event.voided.target)
    if payload == "corrected":
        return escape(f"{event.corrected.replaces} {event.corrected.touchpoint.kind}")
    return escape(event.home)
