"""How every command of operators ends: with its exit code, or with one line that says why not."""

import json
from collections.abc import Awaitable, Callable

import typer
from rapport.cli.command import Call
from rapport.cli.output import show_error

from services.operator.outcomes import CommandError


async def guarded(call: Call, work: Callable[[], Awaitable[int]]) -> int:
    """Runs a command's work; a CommandError becomes its line on stderr and its exit code."""
    try:
        return await work()
    except CommandError as error:
        if call.as_json:
            found = {"reason": error.reason, "message": str(error), "definite": True}
            typer.echo(json.dumps({"error": found}), err=True)
        else:
            show_error(error, as_json=False)
        return error.exit_code
