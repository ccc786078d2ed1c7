"""`rapport attention`, `digest`, `snooze` and `dismiss`: what to look after today."""

from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from rapport.building import not_relevant, snoozed
from rapport.cli.append_commands import append_one, appended_document, appended_text
from rapport.cli.balance_commands import (
    KnownAt,
    MinPosition,
    On,
    Policy,
    day_of_option,
    known_at_of_option,
)
from rapport.cli.command import Call, UsageProblem, add
from rapport.cli.event_json import enum_words
from rapport.cli.event_output import message_document
from rapport.cli.output import coloured, day_text, short, table
from rapport.client import Rapport
from rapport.times import day_of
from rapport.v1 import attention_service_pb2 as wire

Person = Annotated[
    str | None, typer.Argument(metavar="PERSON", help="people/x or x. Absent: who calls.")
]
Item = Annotated[str, typer.Argument(metavar="ITEM", help="The item's id, as listed.")]
NewId = Annotated[str | None, typer.Option(help="To repeat safely. Absent: a new one.")]

_CHANGES = enum_words(wire.AttentionChange.DESCRIPTOR)


def register(app: typer.Typer) -> None:
    """Adds `attention`, `digest`, `snooze` and `dismiss`."""
    add(app, "attention", attention)
    add(app, "digest", digest)
    add(app, "snooze", snooze)
    add(app, "dismiss", dismiss)


async def attention(
    call: Call,
    person: Person = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Beyond the day's ration, and those snoozed, too.")
    ] = False,
    watched: Annotated[
        str, typer.Option("--list", metavar="LIST", help="Only about those of this list of yours.")
    ] = "",
    follow: Annotated[
        bool, typer.Option("--follow", help="Changes as they come, until Ctrl-C.")
    ] = False,
    from_number: Annotated[
        int | None, typer.Option(min=1, help="With --follow: the first number. Absent: new ones.")
    ] = None,
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """What a person should look after today, why, and what clears it; most at stake first."""
    if follow:
        if watched:
            raise UsageProblem("--follow is of everything: leave out --list")
        await _follow(call, person, from_number or 0)
        return
    if from_number is not None:
        raise UsageProblem("--from-number goes with --follow")
    async with call.client() as client:
        answer = await client.attention(
            person,
            everything=everything,
            watch_list=watched,
            on=day_of_option(on),
            known_at=known_at_of_option(known_at),
            policy=policy,
            min_position=min_position,
        )
    call.answer(attention_document(answer), lambda: attention_view(answer))


def attention_document(answer: wire.ListAttentionResponse) -> dict[str, Any]:
    """A day's items for programs."""
    return {
        "items": [message_document(item) for item in answer.items],
        "left_out": answer.left_out,
        "left_out_by_rule": dict(sorted(answer.left_out_by_rule.items())),
        "left_out_in_debt": answer.left_out_in_debt,
        "computed": message_document(answer.computed),
    }


async def digest(
    call: Call,
    person: Person = None,
    on: On = None,
    known_at: KnownAt = None,
    min_position: MinPosition = 0,
) -> None:
    """A person's day as plain text, to be sent or read aloud."""
    async with call.client() as client:
        answer = await client.digest(
            person,
            on=day_of_option(on),
            known_at=known_at_of_option(known_at),
            min_position=min_position,
        )
    call.answer(
        {"text": answer.text, "items": [message_document(item) for item in answer.items]},
        lambda: Text(answer.text.rstrip("\n")),
    )


async def snooze(
    call: Call,
    item: Item,
    until: Annotated[str, typer.Option(metavar="DAY", help="Shown again on it: 2026-01-31.")],
    event_id: NewId = None,
) -> None:
    """Put an item off until a day. Counts when said as the person it is for."""
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise UsageProblem("--until takes a day like 2026-01-31") from None
    today = datetime.now(UTC).date()
    if day < today and event_id is None:
        raise UsageProblem(f"--until takes today ({today}, UTC) or a later day, not {day}")
    async with call.client() as client:
        if event_id is None:
            await _must_be_open(client, item)
        answer = await append_one(client, snoozed(item, day, event_id=event_id))
    call.answer(appended_document(answer), lambda: appended_text(answer))


async def dismiss(call: Call, item: Item, event_id: NewId = None) -> None:
    """Say that an item is not relevant: it is not shown again while its cause lasts."""
    async with call.client() as client:
        if event_id is None:
            await _must_be_open(client, item)
        answer = await append_one(client, not_relevant(item, event_id=event_id))
    call.answer(appended_document(answer), lambda: appended_text(answer))


async def _must_be_open(client: Rapport, item: str) -> None:
    """Refuses an answer to nothing. A repetition is not asked: its answer may have closed it."""
    asked = await client.attention(everything=True)
    if all(each.item != item for each in asked.items):
        raise UsageProblem(
            f"ITEM: {item!r} is none of your open items, so there is nothing to answer; "
            "rapport attention --all lists them"
        )


async def _follow(call: Call, person: str | None, from_number: int) -> None:
    async with call.client() as client:
        async for change in client.watch_attention(person, from_number=from_number):
            call.answer(change_document(change), partial(change_text, change))


def change_document(change: wire.WatchAttentionResponse) -> dict[str, Any]:
    """A change for programs."""
    return {**message_document(change), "change": _CHANGES.get(change.change, "")}


def change_text(change: wire.WatchAttentionResponse) -> RenderableType:
    """A change in a line."""
    item, what = change.item, _CHANGES.get(change.change, "").lower()
    why = f"({change.reason})" if change.reason else item.why
    return Text(
        f"{change.number} {day_text(day_of(change.on))} {what} {item.rule} "
        f"{short(item.person)}: {_about(item)} {why}  {item.item}"
    )


def _about(item: wire.AttentionItem) -> str:
    """Whom it is about, for the person it is for."""
    if not item.about.startswith("relationships/"):
        return short(item.about)
    a, _, b = item.about.removeprefix("relationships/").partition("~")
    return b if a == short(item.person) else a


def attention_view(answer: wire.ListAttentionResponse) -> RenderableType:
    """A day's items for people, and what did not fit."""
    if not answer.items:
        return Text("nothing asks for attention", style="dim")
    listed = table("rule", "about", "why", "what clears it", "at stake", "since", "item")
    for item in answer.items:
        until = day_of(item.snoozed_until)
        listed.add_row(
            escape(item.rule.replace("_", " ")),
            escape(_about(item)),
            escape(item.why),
            escape(item.cleared_by),
            coloured(item.at_stake_mp),
            day_text(day_of(item.raised_on)),
            escape(item.item) + (f" (until {until})" if until else ""),
            style="dim" if until else "",
        )
    if answer.left_out:
        return Group(listed, Text(_left_out(answer), style="dim"))
    return listed


def _left_out(answer: wire.ListAttentionResponse) -> str:
    by_rule = sorted(answer.left_out_by_rule.items(), key=lambda each: (-each[1], each[0]))
    rules = ", ".join(f"{number} {rule.replace('_', ' ')}" for rule, number in by_rule)
    debt = f", {answer.left_out_in_debt} of them in debt" if answer.left_out_in_debt else ""
    return f"{answer.left_out} more did not fit into the day ({rules}{debt}): --all shows them"
