"""`rapport balance` and `rapport balances`: what relationships are worth."""

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from rapport.cli.command import Call, UsageProblem, add
from rapport.cli.event_output import message_document
from rapport.cli.output import coloured, counted, day_text, points, short, table
from rapport.times import day_of, instant
from rapport.v1 import capital_service_pb2 as capital

A = Annotated[str, typer.Argument(metavar="A", help="people/x or x.")]
B = Annotated[str, typer.Argument(metavar="B", help="people/x or x.")]
On = Annotated[str | None, typer.Option(help="The day, past or future: 2026-01-31. Absent: today.")]
KnownAt = Annotated[
    str | None, typer.Option(help="Only what was recorded up to a time or position.")
]
Policy = Annotated[str, typer.Option(help="name@version. Absent: the one in force.")]
MinPosition = Annotated[
    int, typer.Option(min=0, help="Wait for this position: read your own writes.")
]


def register(app: typer.Typer) -> None:
    """Adds `balance` and `balances`."""
    add(app, "balance", balance)
    add(app, "balances", balances)


class Order(StrEnum):
    """What a list is ordered by."""

    BUFFER = "buffer"
    CARE = "care"
    KNOW = "know"
    LAST_CONTACT = "last-contact"


def day_of_option(text: str | None) -> date | None:
    """The day of `--on`."""
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise UsageProblem("--on takes a day like 2026-01-31") from None


def known_at_of_option(text: str | None) -> datetime | int | None:
    """The position or instant of `--known-at`; a time without a zone is UTC."""
    if text is None:
        return None
    if re.fullmatch(r"\d+", text):
        return int(text)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise UsageProblem("--known-at takes a position or a time like 2026-01-31T12:00Z") from None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


async def balance(
    call: Call,
    a: A,
    b: B,
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
    explain: Annotated[bool, typer.Option("--explain", help="With the receipt.")] = False,
) -> None:
    """What the relationship of A and B is worth on a day, line by line with --explain."""
    asked: dict[str, Any] = {
        "on": day_of_option(on),
        "known_at": known_at_of_option(known_at),
        "policy": policy,
        "min_position": min_position,
    }
    async with call.client() as client:
        if explain:
            receipt = await client.explain(a, b, **asked)
            call.answer(receipt_document(receipt), lambda: receipt_view(receipt))
        else:
            answer = await client.balance(a, b, **asked)
            call.answer(
                balance_document(answer.balance) | computed_document(answer.computed),
                lambda: balance_view(answer.balance, answer.computed),
            )


async def balances(
    call: Call,
    person: Annotated[str | None, typer.Option(help="Only of people/x or x. Absent: all.")] = None,
    by: Annotated[Order, typer.Option(help="The order.")] = Order.BUFFER,
    ascending: Annotated[bool, typer.Option("--ascending", help="The lowest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """Relationships in an order, strongest first."""
    order = capital.BalanceOrder.Value(f"BALANCE_ORDER_{by.name}")
    found: list[capital.Balance] = []
    async with call.client() as client:
        listed = client.balances(
            person,
            order_by=order,
            ascending=ascending,
            on=day_of_option(on),
            known_at=known_at_of_option(known_at),
            policy=policy,
            min_position=min_position,
            page_size=min(limit, 1000),
        )
        async for item in listed:
            found.append(item)
            if len(found) == limit:
                break
    call.answer([balance_document(item) for item in found], lambda: balances_view(found))


def balance_document(item: capital.Balance) -> dict[str, Any]:
    """A balance for programs: milli-points, absent dates and ages as null."""
    last_contact, on = day_of(item.last_contact_on), day_of(item.on)
    return {
        "relationship": item.relationship,
        "on": on.isoformat() if on else None,
        "know_mp": item.know_mp,
        "care_mp": item.care_mp,
        "buffer_mp": item.buffer_mp,
        "contact_days": item.contact_days,
        "last_contact_on": last_contact.isoformat() if last_contact else None,
        "age_days": item.age_days if item.HasField("age_days") else None,
    }


def computed_document(computed: capital.Computed) -> dict[str, Any]:
    """What an answer was computed with, for programs."""
    return {
        "policy": computed.policy,
        "journal": computed.journal,
        "position": computed.position,
    }


def receipt_document(receipt: capital.ExplainBalanceResponse) -> dict[str, Any]:
    """A receipt for programs; numbers that are 0 stand there as 0."""
    lines = []
    for line in receipt.lines:
        numbers = {
            field.name: getattr(line, field.name)
            for field in line.DESCRIPTOR.fields
            if field.name.endswith("_mp")
        }
        lines.append({**numbers, **message_document(line)})
    return (
        balance_document(receipt.balance)
        | computed_document(receipt.computed)
        | {
            "lines": lines,
            "ineffective": [message_document(item) for item in receipt.ineffective],
            "know_exact": receipt.know_exact,
            "care_exact": receipt.care_exact,
        }
    )


def balance_view(item: capital.Balance, computed: capital.Computed) -> RenderableType:
    """A balance for people, in points."""
    head = Text.from_markup(
        f"[bold]{pair_text(item.relationship)}[/]  on {day_text(day_of(item.on))}"
    )
    accounts = table("", "points", "", right=("points",))
    widest = max(abs(item.know_mp), abs(item.care_mp), abs(item.buffer_mp), 1)
    for name, mp in (("KNOW", item.know_mp), ("CARE", item.care_mp), ("buffer", item.buffer_mp)):
        accounts.add_row(name, coloured(mp), bar(mp, widest))
    age = f"{counted(item.age_days, 'day')} old" if item.HasField("age_days") else "no contact yet"
    foot = Text(
        f"{counted(item.contact_days, 'contact-day')}, "
        f"last {day_text(day_of(item.last_contact_on))}, {age}\n"
        f"{computed.policy}, journal {computed.journal} up to position {computed.position}",
        style="dim",
    )
    return Group(head, accounts, foot)


def balances_view(found: list[capital.Balance]) -> RenderableType:
    """A list for people, in points."""
    if not found:
        return Text("no relationships", style="dim")
    numbers = ("KNOW", "CARE", "buffer", "contact-days")
    listed = table("relationship", *numbers, "last contact", right=numbers)
    for item in found:
        listed.add_row(
            pair_text(item.relationship),
            coloured(item.know_mp),
            coloured(item.care_mp),
            coloured(item.buffer_mp),
            str(item.contact_days),
            day_text(day_of(item.last_contact_on)),
        )
    return listed


def receipt_view(receipt: capital.ExplainBalanceResponse) -> RenderableType:
    """The receipt for people: every line, and a sum that is the balance."""
    right = ("KNOW", "CARE", "KNOW left", "CARE left", "H")
    lines = table("when", "who", "kind", "factors ‰", *right[:2], "H", *right[2:4], right=right)
    for line in receipt.lines:
        lines.add_row(
            instant(line.occurred_at).strftime("%Y-%m-%d %H:%M"),
            escape(short(line.initiator)),
            escape(line.kind),
            _factors(line),
            points(line.know_mp),
            points(line.care_mp),
            str(line.half_life_days),
            coloured(line.know_left_mp),
            coloured(line.care_left_mp),
        )
    lines.add_section()
    know = sum(line.know_left_mp for line in receipt.lines)
    care = sum(line.care_left_mp for line in receipt.lines)
    lines.add_row("", "", "[bold]sum[/]", "", "", "", "", points(know), points(care), style="bold")
    parts: list[RenderableType] = [balance_view(receipt.balance, receipt.computed), lines]
    if receipt.ineffective:
        weightless = table("event", "counts for nothing because")
        for item in receipt.ineffective:
            weightless.add_row(item.event_id, escape(item.reason.replace("_", " ")))
        parts.append(weightless)
    return Group(*parts)


def _factors(line: capital.ReceiptLine) -> str:
    shown = []
    for factor in line.factors:
        know, care = factor.know_per_mille, factor.care_per_mille
        if (know, care) != (1000, 1000):
            shown.append(f"{factor.name} {know}" + (f"/{care}" if care != know else ""))
    return escape(", ".join(shown))


def pair_text(relationship: str) -> str:
    """`ann ~ bob` of `relationships/ann~bob`."""
    return escape(relationship.removeprefix("relationships/").replace("~", " ~ "))


def bar(mp: int, widest: int, width: int = 30) -> Text:
    """A bar as long as the amount beside the widest; red below 0."""
    length = round(abs(mp) * width / widest)
    return Text("█" * length, style="red" if mp < 0 else "green")
