"""`rapport views build`, `compare`, `switch`, `list` and `drop`."""

import getpass
import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rapport.cli.command import Call, add
from rapport.cli.config import find_targets
from rich.table import Table

from services.operator.config import Installation
from services.operator.guarding import guarded
from services.operator.outcomes import EXIT_DIFFERENCES, EXIT_OK, Refused

if TYPE_CHECKING:
    from services.projector.versions.comparing import Compared
    from services.projector.versions.progress import Progress, Tell

_MIB: Final = 1 << 20


def register(views: typer.Typer) -> None:
    """Adds the commands to the group `views`."""
    add(views, "build", build)
    add(views, "compare", compare)
    add(views, "switch", switch)
    add(views, "list", list_versions)
    add(views, "drop", drop)


async def build(
    call: Call,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew, whatever was built before.")
    ] = False,
) -> int:
    """Build a version of the read models beside the live one, from the ledger.

    Queries go on with the live one. Stopped or killed, the same command goes on where it was.
    """

    async def work() -> int:
        from services.operator.rebuilding import require_attached
        from services.operator.versions import workshop

        # A build reads every event.
        await require_attached(Installation.find(call.directory), None)
        with _progress(call) as tell:
            async with workshop(*_place(call), tell) as shop:
                positions = await shop.builder.build(fresh=fresh)
        call.answer(
            {"built": positions},
            lambda: "\n".join(
                [
                    *(f"journal {name}: built to {at}" for name, at in positions.items()),
                    "Next: rapport views compare, then rapport views switch",
                ]
            ),
        )
        return EXIT_OK

    return await guarded(call, work)


async def compare(
    call: Call,
    keys: Annotated[int, typer.Option(min=0, help="How many differing rows to list a table.")] = 20,
) -> int:
    """Compare the version built beside with the live one, both at the same positions.

    Exits with 4 when they differ.
    """

    async def work() -> int:
        from services.operator.versions import workshop
        from services.projector.versions.comparing import compare as compared

        with _progress(call) as tell:
            async with workshop(*_place(call), tell) as shop:
                _built(await shop.builder.is_built())
                found = await compared(shop.live, shop.holder, shop.builder, keys_max=keys)
        call.answer({**asdict(found), "equal": found.equal}, lambda: _differences(found))
        return EXIT_OK if found.equal else EXIT_DIFFERENCES

    return await guarded(call, work)


async def switch(
    call: Call,
    force: Annotated[
        bool, typer.Option("--force", help="Switch though the versions differ; needs --reason.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why a version that differs is taken.")] = "",
) -> int:
    """Make the version built beside the live one, in one transaction; compares first.

    The version before stays until `rapport views drop`.
    """

    async def work() -> int:
        from services.operator.versions import workshop
        from services.projector.versions.comparing import compare as compared
        from services.projector.versions.switching import switch as switched

        if force != bool(reason.strip()):
            raise Refused("--force and --reason go together")
        with _progress(call) as tell:
            async with workshop(*_place(call), tell) as shop:
                _built(await shop.builder.is_built())
                # Whatever was compared before: operators may have changed the live rows since.
                if not force:
                    found = await compared(shop.live, shop.holder, shop.builder)
                    if not found.equal:
                        call.answer({**asdict(found), "equal": False}, lambda: _differences(found))
                        return EXIT_DIFFERENCES
                who = f"{getpass.getuser()}@{socket.gethostname()}"
                done = await switched(shop.live, shop.builder, by=who, why=reason.strip())
        call.answer(
            asdict(done),
            lambda: f"switched; the version before is {done.old}: rapport views drop {done.old}",
        )
        return EXIT_OK

    return await guarded(call, work)


async def list_versions(call: Call) -> int:
    """List the versions of the read models: the live one, the one being built, the old ones."""

    async def work() -> int:
        from services.operator.versions import owner
        from services.projector.versions.switching import versions

        async with owner(Installation.find(call.directory), lock=False) as conn:
            found = await versions(conn)
        table = Table(box=None, header_style="bold", pad_edge=False)
        for name in ("Schema", "State", "MiB", "Live until", "By", "Forced because"):
            table.add_column(name)
        for each in found:
            told = [each.note.get(key, "") for key in ("live_until", "by", "forced")]
            table.add_row(each.schema, each.state, f"{each.bytes / _MIB:.1f}", *told)
        call.answer({"versions": [asdict(each) for each in found]}, lambda: table)
        return EXIT_OK

    return await guarded(call, work)


async def drop(
    call: Call,
    schema: Annotated[
        str | None, typer.Argument(help="views_old_<n> or views_next; without it, all old ones.")
    ] = None,
) -> int:
    """Drop old versions of the read models, or the one being built. Never the live one."""

    async def work() -> int:
        from services.operator.versions import owner
        from services.projector.versions.switching import drop as dropped

        async with owner(Installation.find(call.directory)) as conn:
            names = await dropped(conn, schema)
        call.answer({"dropped": names}, lambda: f"dropped: {', '.join(names) or 'nothing'}")
        return EXIT_OK

    return await guarded(call, work)


async def rebuild_relationship(call: Call, first: str, second: str) -> int:
    """Write one relationship's rows anew from the ledger, in one transaction."""

    async def work() -> int:
        from services.operator.versions import rebuild_relationship as rebuilt

        events = await rebuilt(*_place(call), call.tenant, first, second)
        call.answer({"events": events}, lambda: f"written anew from {events} events")
        return EXIT_OK

    return await guarded(call, work)


def _place(call: Call) -> tuple[Installation, str]:
    return Installation.find(call.directory), find_targets(call.directory).ledger


def _built(whole: bool) -> None:
    if not whole:
        raise Refused("no version is built whole: run `rapport views build`")


def _differences(found: "Compared") -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("Table", "Live rows", "Beside", "Content", "First rows that differ"):
        table.add_column(name)
    for each in found.tables:
        live, beside = (str(rows) for rows in each.rows)
        verdict = "equal" if each.equal else "differs"
        table.add_row(each.table, live, beside, verdict, "\n".join(each.differing))
    return table


@contextmanager
def _progress(call: Call) -> "Iterator[Tell]":
    """JSON lines with --json; one line that changes on a terminal; nothing in a pipe."""
    if call.as_json:

        def line(progress: "Progress") -> None:
            document = {**asdict(progress), "percent": round(progress.percent, 1)}
            sys.stdout.write(json.dumps(document) + "\n")
            sys.stdout.flush()

        yield line
        return
    with call.console.status("views") as status:

        def text(progress: "Progress") -> None:
            left = "" if progress.eta_s is None else f", {progress.eta_s:,.0f} s left"
            status.update(
                f"{progress.phase} {progress.journal}: {progress.done:,} of {progress.total:,}"
                f" ({progress.percent:.0f} %), {progress.per_second:,.0f}/s{left}"
            )

        yield text
