"""`rapport links`, `link`, `unlink`, `watch` and `export bundle`: who is who, and whom to watch."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from rapport.building import linked, unlinked, watch_list_saved
from rapport.cli.append_commands import append_one, appended_document, appended_text
from rapport.cli.asking import (
    KnownAt,
    MinPosition,
    On,
    Policy,
    as_of_options,
    computed_text,
    word,
)
from rapport.cli.attention_commands import attention_document, attention_view
from rapport.cli.balance_commands import A, B, balances_view
from rapport.cli.command import Call, UsageProblem, add, group
from rapport.cli.config import default_principal
from rapport.cli.event_output import full_document, personal_text
from rapport.cli.output import counted, short, table
from rapport.cli.timeline_commands import timeline_view
from rapport.events.v1 import people_pb2
from rapport.ids import person
from rapport.v1 import people_service_pb2 as wire
from rapport.v1.attention_service_pb2 import ListAttentionResponse

EventId = Annotated[str | None, typer.Option(help="To repeat safely. Absent: a new one.")]


def register(app: typer.Typer) -> None:
    """Adds `links`, `link`, `unlink`, `watch {save,list,show}` and `export bundle`."""
    add(app, "links", links)
    add(app, "link", link)
    add(app, "unlink", unlink)
    watch = group(app, "watch", "Lists of people and organisations to keep an eye on.")
    add(watch, "save", save)
    add(watch, "list", list_)
    add(watch, "show", show)
    export = group(app, "export", "What can be taken along.")
    add(export, "bundle", bundle)


async def links(
    call: Call,
    of: Annotated[
        str | None, typer.Argument(metavar="[PERSON]", help="Only of people/x or x.")
    ] = None,
    proposals: Annotated[
        bool, typer.Option("--proposals", help="What weak evidence proposes and nobody linked.")
    ] = False,
    known_at: KnownAt = None,
    min_position: MinPosition = 0,
) -> None:
    """Which ids are one human, and what became of each link."""
    asked = as_of_options(None, known_at, "", min_position)
    if proposals and of is not None:
        raise UsageProblem("--proposals are those of everybody: leave out the person")
    async with call.client() as client:
        listed = client.link_proposals(**asked) if proposals else client.links(of, **asked)
        found = [each async for each in listed]
    call.answer([full_document(each) for each in found], lambda: links_view(found))


async def link(
    call: Call,
    a: A,
    b: B,
    weak: Annotated[bool, typer.Option("--weak", help="The evidence only proposes.")] = False,
    evidence: Annotated[str | None, typer.Option(help="What speaks for it; sealed.")] = None,
    event_id: EventId = None,
) -> None:
    """Say that A and B are one human: they share one timeline and one balance from now on."""
    event = linked(a, b, strong=not weak, evidence=evidence, event_id=event_id)
    async with call.client() as client:
        answer = await append_one(client, event)
    call.answer(appended_document(answer), lambda: appended_text(answer))


async def unlink(
    call: Call,
    target: Annotated[str, typer.Argument(metavar="EVENT_ID", help="The link: rapport links.")],
    event_id: EventId = None,
) -> None:
    """End a link: both sides are as they were before, to the bit."""
    async with call.client() as client:
        event = await client.event(target)
        if event.WhichOneof("payload") != "identity_linked":
            raise UsageProblem("that is no link; rapport links shows them with their ids")
        ids = event.identity_linked
        answer = await append_one(client, unlinked(target, ids.a, ids.b, event_id=event_id))
    call.answer(appended_document(answer), lambda: appended_text(answer))


async def save(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="LIST", help="Lower case.")],
    parties: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PARTY]...", help="people/x, x or organizations/x; none empty it."),
    ] = None,
    event_id: EventId = None,
) -> None:
    """Save a list of yours, in place of the one of that name."""
    named = [p if p.startswith("organizations/") else person(p) for p in parties or ()]
    async with call.client() as client:
        answer = await append_one(client, watch_list_saved(name, named, event_id=event_id))
    call.answer(appended_document(answer), lambda: appended_text(answer))


async def list_(call: Call, known_at: KnownAt = None, min_position: MinPosition = 0) -> None:
    """Your lists by name."""
    async with call.client() as client:
        found = await client.watch_lists(**as_of_options(None, known_at, "", min_position))
    call.answer([full_document(each) for each in found], lambda: lists_view(found))


async def show(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="LIST")],
    lines: Annotated[int, typer.Option(min=0, max=200, help="Of the timeline.")] = 20,
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """One of your lists: what to look after, what you have with its people, what happened last."""
    async with call.client() as client:
        asked = as_of_options(on, known_at, policy, min_position)
        answer = await client.watch_list(name, lines=lines, **asked)
        attention = await client.attention(watch_list=name, **asked)
    call.answer(
        full_document(answer) | {"attention": attention_document(attention)},
        lambda: watch_list_view(answer, attention),
    )


async def bundle(
    call: Call,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write.")],
    of: Annotated[
        str | None, typer.Option("--of", metavar="PERSON", help="Absent: who calls.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    min_position: MinPosition = 0,
) -> None:
    """Your own relationships to take along: JSON Lines, vCard and iCalendar, signed."""
    if file.exists() and not force:
        raise UsageProblem(f"{file} exists; --force overwrites it")
    whose = person(of or call.principal or default_principal())
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    size = 0
    try:
        async with call.client() as client:
            with part.open("xb") as archive:
                part.chmod(0o600)
                async for piece in client.export_bundle(whose, min_position=min_position):
                    size += archive.write(piece)
        part.replace(file)
    except OSError as error:
        raise UsageProblem(f"{file} cannot be written: {error.strerror}") from None
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    call.answer(
        {"file": str(file), "person": whose, "bytes": size},
        lambda: f"[green]written[/] {escape(str(file))}, {size:,} bytes, for {escape(whose)}",
    )


def links_view(found: list[wire.Link]) -> RenderableType:
    """Links for people."""
    if not found:
        return Text("no links", style="dim")
    listed = table("one", "other", "evidence", "", "", "id")
    for each in found:
        state = Text("holds", style="green")
        if each.ineffective_because:
            state = Text(each.ineffective_because.replace("_", " "), style="yellow")
        elif each.ended_by:
            state = Text("ended", style="dim")
        elif each.strength != people_pb2.LINK_STRENGTH_STRONG:
            state = Text("proposes", style="cyan")
        listed.add_row(
            escape(short(each.a)),
            escape(short(each.b)),
            escape(personal_text(each.evidence)),
            word(people_pb2.LinkStrength, each.strength),
            state,
            each.event_id,
        )
    return listed


def lists_view(found: list[wire.WatchList]) -> RenderableType:
    """Watch lists for people."""
    if not found:
        return Text("no lists; save one: rapport watch save LIST PARTY...", style="dim")
    listed = table("list", "", "parties", right=("",))
    for each in found:
        names = ", ".join(short(party) for party in each.parties[:8])
        more = f" and {len(each.parties) - 8} more" if len(each.parties) > 8 else ""
        listed.add_row(escape(each.list), str(len(each.parties)), escape(names + more))
    return listed


def watch_list_view(
    answer: wire.GetWatchListResponse, attention: ListAttentionResponse
) -> RenderableType:
    """One list for people."""
    watched = answer.list
    return Group(
        Text.from_markup(
            f"[bold]{escape(watched.list)}[/]  {counted(len(watched.parties), 'party', 'parties')}"
        ),
        attention_view(attention),
        Text(),
        balances_view(list(answer.balances)),
        Text(),
        timeline_view(list(answer.timeline)),
        Text(computed_text(answer.computed), style="dim"),
    )
