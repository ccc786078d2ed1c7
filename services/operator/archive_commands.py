"""`rapport journal freeze`, `detach` and `attach`: old events to files and back."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rapport.cli.command import Call, add

from services.operator.config import Installation
from services.operator.guarding import guarded as _guarded
from services.operator.outcomes import EXIT_OK

Journal = Annotated[
    str | None, typer.Option("--journal", help="Only this journal; without it, every one.")
]


def register(journals: typer.Typer) -> None:
    """Adds the commands to the group `journal`."""
    add(journals, "freeze", freeze)
    add(journals, "detach", detach)
    add(journals, "attach", attach)


async def freeze(call: Call) -> int:
    """Vacuum and freeze the partitions that no journal adds to any more."""
    from services.operator.archiving.freezing import freeze as freeze_closed

    async def work() -> int:
        done = await freeze_closed(Installation.find(call.directory))
        call.answer({"frozen": done}, lambda: "\n".join(done) or "nothing to freeze")
        return EXIT_OK

    return await _guarded(call, work)


async def detach(
    call: Call,
    before: Annotated[int, typer.Option(min=2, help="Only what is wholly before this position.")],
    to: Annotated[Path, typer.Option(help="The folder for the files.")],
    journal: Journal = None,
) -> int:
    """Move old events to Parquet files, with a manifest and hashes; their keys stay.

    Each file is read back before anything goes. Detached events cannot be read until they are
    attached again; appends that repeat them are still replays. Keep the files with the backups.
    """
    from services.operator.archiving.detaching import detach as detach_before

    async def work() -> int:
        done = await detach_before(Installation.find(call.directory), before, to, journal)
        call.answer(
            {"detached": [asdict(item) for item in done]},
            lambda: (
                "\n".join(
                    f"journal {item.journal}: {item.from_position} to {item.through_position} is in"
                    f" {item.file_name}"
                    for item in done
                )
                or "no partition is wholly before that position and behind every head"
            ),
        )
        return EXIT_OK

    return await _guarded(call, work)


async def attach(
    call: Call, file: Annotated[Path, typer.Argument(help="A Parquet file of `journal detach`.")]
) -> int:
    """Put detached events back, if the file's hashes are those noted when it was detached."""
    from services.operator.archiving.attaching import attach as attach_file

    async def work() -> int:
        done = await attach_file(Installation.find(call.directory), file)
        call.answer(
            asdict(done),
            lambda: (
                f"journal {done.journal}: {done.from_position} to {done.through_position} is back"
            ),
        )
        return EXIT_OK

    return await _guarded(call, work)
