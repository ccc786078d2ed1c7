"""How answers look: JSON for programs; tables, points and error blocks for people."""

import json
import sys
from datetime import date
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from rapport.errors import RapportError

_ADVICE = {
    "TENANT_UNKNOWN": "Create it: rapport tenant create NAME",
    "KIND_UNKNOWN": "See the kinds: rapport kinds",
    "REVISION_CONFLICT": "Somebody wrote in between: read it again, decide again, append again.",
    "EVENT_ID_TAKEN": "Use a new event id, or correct the event: rapport correct EVENT_ID",
    "STREAM_DIVERGED": "Repair it: rapport stream rebuild",
    "UNAVAILABLE": "Nothing was written. Is it up? rapport status",
    "VIEW_BUILDING": "The list is being computed; try again in a moment.",
    "LIST_TOO_WIDE": "Ask about a person or a team with fewer relationships.",
    "WATCH_LIST_UNKNOWN": "See your lists: rapport watch list",
    "CALLER_REQUIRED": "Call as the person it is about: --as people/NAME",
    "SERVICE_PRINCIPAL_REQUIRED": "Call as a service: --as services/NAME",
}


def write_json(document: Any) -> None:
    """One JSON document on a line of stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def points(mp: int) -> str:
    """Milli-points as points, exactly: 12345 → `12.345`."""
    sign = "-" if mp < 0 else ""
    return f"{sign}{abs(mp) // 1000:,}.{abs(mp) % 1000:03}"


def coloured(mp: int) -> Text:
    """Points, red when negative."""
    return Text(points(mp), style="red" if mp < 0 else "green" if mp > 0 else "dim")


def day_text(day: date | None) -> str:
    """A day, or a dash."""
    return day.isoformat() if day else "–"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number of things: `1 day`, `2 days`; `many` where an s does not do."""
    return f"{number:,} {one if abs(number) == 1 else many or one + 's'}"


def short(name: str) -> str:
    """`ann` of `people/ann`."""
    return name.removeprefix("people/")


def table(*headers: str, right: tuple[str, ...] = (), title: str | None = None) -> Table:
    """An empty table in the house style; columns named in `right` hold numbers."""
    made = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for header in headers:
        made.add_column(header, justify="right" if header in right else "left")
    return made


def error_document(error: Exception) -> dict[str, Any]:
    """An error for programs."""
    if not isinstance(error, RapportError):
        return {"error": {"reason": "USAGE", "message": str(error), "definite": True}}
    document: dict[str, Any] = {
        "reason": error.reason,
        "code": error.code.name,
        "message": error.message,
        "definite": error.is_definite,
        "metadata": error.metadata,
        "violations": [
            {"field": violation.field, "description": violation.description}
            | ({"reason": violation.reason} if violation.reason else {})
            for violation in error.violations
        ],
    }
    if error.retry_after_s is not None:
        document["retry_after_s"] = error.retry_after_s
    return {"error": document}


def show_error(error: Exception, *, as_json: bool) -> None:
    """One block on stderr: what happened, where, and what to do."""
    if as_json:
        sys.stderr.write(json.dumps(error_document(error), ensure_ascii=False) + "\n")
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if not isinstance(error, RapportError):
        console.print(f"[bold red]rapport:[/] {escape(str(error))}")
        return
    word = "refused" if error.is_definite and not error.is_passing else "not answered"
    console.print(f"[bold red]rapport: {word}[/] [bold]{escape(error.reason)}[/]")
    if not any(error.message == f"{v.field}: {v.description}" for v in error.violations):
        console.print(f"  {escape(error.message)}")
    for violation in error.violations:
        console.print(f"  [bold]{escape(violation.field)}[/]: {escape(violation.description)}")
    for key, value in sorted(error.metadata.items()):
        console.print(f"  [dim]{escape(key)}[/] {escape(value)}")
    console.print(f"  [dim]{_what_to_do(error)}[/]")


def _what_to_do(error: RapportError) -> str:
    if error.reason in _ADVICE:
        return _ADVICE[error.reason]
    if not error.is_definite:
        return "It may have been recorded. Repeat it with the same event ids."
    if error.is_passing:
        return "Nothing was written. Try again later."
    return "Nothing was written."
