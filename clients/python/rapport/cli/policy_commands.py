"""`rapport policy`: which policies there are, what is wrong with one, what one would change."""

import json
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.syntax import Syntax
from rich.text import Text

from rapport.building import policy_adopted
from rapport.cli.append_commands import append_one, appended_document, appended_text
from rapport.cli.asking import (
    KnownAt,
    Limit,
    MinPosition,
    On,
    Policy,
    as_of_options,
    computed_text,
    day_cell,
)
from rapport.cli.balance_commands import pair_text
from rapport.cli.command import EXIT_OK, EXIT_REFUSED, Call, UsageProblem, add, group
from rapport.cli.event_output import full_document
from rapport.cli.output import coloured, table
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import policy_service_pb2 as wire

_BYTES_MAX: Final = 128 * 1024
_NAME: Final = re.compile(r"[a-z0-9_.-]+@[0-9]+(#[0-9a-f]{16})?")

File = Annotated[Path, typer.Argument(metavar="FILE", help="JSON or YAML; - for stdin.")]


def register(app: typer.Typer) -> None:
    """Adds `policy {show,list,lint,diff,adopt}`."""
    policies = group(app, "policy", "Policies: the numbers, to be argued with.")
    add(policies, "show", show)
    add(policies, "list", list_)
    add(policies, "lint", lint)
    add(policies, "diff", diff)
    add(policies, "adopt", adopt)


async def show(
    call: Call,
    policy: Annotated[
        str, typer.Argument(metavar="[NAME@VERSION]", help="Absent: the one in force.")
    ] = "",
    on: On = None,
    known_at: KnownAt = None,
    min_position: MinPosition = 0,
) -> None:
    """A policy document: every number that balances are computed with."""
    async with call.client() as client:
        found = await client.policy(**as_of_options(on, known_at, policy, min_position))
    document = full_document(found) | {"document": json.loads(found.policy_json)}
    document.pop("policy_json")
    call.answer(document, lambda: policy_view(found))


async def list_(
    call: Call, on: On = None, known_at: KnownAt = None, min_position: MinPosition = 0
) -> None:
    """The built-in policy and those adopted, by the day they take effect."""
    async with call.client() as client:
        found = await client.policies(**as_of_options(on, known_at, "", min_position))
    documents = [full_document(each) for each in found]
    for document in documents:
        document["policy"].pop("policy_json")
    call.answer(documents, lambda: policies_view(found))


async def lint(call: Call, file: File) -> int:
    """What is wrong with a policy, without adopting it; exit code 1 if it could not be."""
    text = document_of(file)
    async with call.client() as client:
        found = await client.lint_policy(text)
    call.answer(_lint_document(found), lambda: lint_view(found))
    return EXIT_REFUSED if any(each.fatal for each in found.findings) else EXIT_OK


async def diff(
    call: Call,
    other: Annotated[str, typer.Argument(metavar="FILE|NAME@VERSION", help="The other policy.")],
    of: Annotated[str | None, typer.Option(help="Only this person's relationships.")] = None,
    limit: Limit = 20,
    on: On = None,
    known_at: KnownAt = None,
    policy: Policy = "",
    min_position: MinPosition = 0,
) -> None:
    """Who would move under another policy, by how much and why, on what really happened."""
    text = None if _NAME.fullmatch(other) else document_of(Path(other))
    async with call.client() as client:
        found = await client.diff_policy(
            policy_json=text,
            other=None if text is not None else other,
            of=of,
            limit=min(limit, 1000),
            **as_of_options(on, known_at, policy, min_position),
        )
    call.answer(full_document(found), lambda: diff_view(found))


async def adopt(
    call: Call,
    file: File,
    event_id: Annotated[
        str | None, typer.Option(help="To repeat safely. Absent: a new one.")
    ] = None,
) -> int:
    """Put a policy in force from its own effective_from on, if nothing fatal is wrong with it."""
    text = document_of(file)
    async with call.client() as client:
        found = await client.lint_policy(text)
        if any(each.fatal for each in found.findings):
            call.answer(_lint_document(found), lambda: lint_view(found))
            return EXIT_REFUSED
        answer = await append_one(client, policy_adopted(found.policy_json, event_id=event_id))
    call.answer(
        appended_document(answer) | {"policy": found.policy},
        lambda: Group(f"[green]adopted[/] {escape(found.policy)}", appended_text(answer)),
    )
    return EXIT_OK


def document_of(file: Path) -> str:
    """The text of a policy file."""
    try:
        content = sys.stdin.buffer.read(_BYTES_MAX + 1) if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise UsageProblem(f"{file} cannot be read: {error.strerror}") from None
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise UsageProblem(f"{file} is no text in UTF-8") from None


def _lint_document(found: wire.LintPolicyResponse) -> dict[str, Any]:
    document = full_document(found)
    document.pop("policy_json")
    return document


def policy_view(found: capital.Policy) -> RenderableType:
    """A document for people."""
    head = Text.from_markup(
        f"[bold]{escape(found.policy)}[/]  in force from {day_cell(found.effective_from)}"
    )
    document = json.dumps(json.loads(found.policy_json), indent=2, ensure_ascii=False)
    return Group(head, Syntax(document, "json", background_color="default"))


def policies_view(found: list[wire.AdoptedPolicy]) -> RenderableType:
    """The policies for people."""
    listed = table("policy", "from", "", "adopted by", "position", right=("position",))
    for each in found:
        listed.add_row(
            escape(each.policy.policy),
            day_cell(each.policy.effective_from),
            Text("in force", style="green") if each.in_force else Text(),
            each.event_id or Text("built in", style="dim"),
            str(each.position) if each.position else "",
        )
    return listed


def lint_view(found: wire.LintPolicyResponse) -> RenderableType:
    """Findings for people."""
    if not found.findings:
        return Text.from_markup(f"[green]nothing wrong[/] with {escape(found.policy)}")
    listed = table("", "where", "what")
    for each in found.findings:
        mark = Text("fatal", style="bold red") if each.fatal else Text("advice", style="yellow")
        listed.add_row(mark, escape(each.path), escape(each.message))
    head = escape(found.policy) or "[red]this is no policy[/]"
    return Group(Text.from_markup(head), listed)


def diff_view(found: wire.DiffPolicyResponse) -> RenderableType:
    """A difference for people, in points."""
    head = Text.from_markup(
        f"under [bold]{escape(found.other)}[/] [bold]{found.moved}[/] of {found.relationships} "
        "relationships move"
    )
    right = ("KNOW", "CARE", "buffer", "change")
    listed = table("relationship", *right, "because of", right=right)
    for move in found.moves:
        kinds = sorted(move.by_kind.items(), key=lambda item: -abs(item[1]))
        change = move.after.buffer_mp - move.before.buffer_mp
        listed.add_row(
            pair_text(move.relationship),
            coloured(move.after.know_mp),
            coloured(move.after.care_mp),
            coloured(move.after.buffer_mp),
            coloured(change),
            escape(", ".join(f"{kind} {mp / 1000:+.3f}" for kind, mp in kinds)),
        )
    foot = Text(f"compared with {computed_text(found.computed)}", style="dim")
    return Group(head, listed, foot)
