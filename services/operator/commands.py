"""The operator's commands of the CLI (entry point group `rapport.commands`)."""

import getpass
import socket
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rapport.cli.command import Call, add, group
from rich.table import Table

from services.operator import archive_commands, version_commands
from services.operator.config import Installation
from services.operator.guarding import guarded as _guarded
from services.operator.outcomes import EXIT_OK, EXIT_REFUSED, Usage

Journal = Annotated[
    str | None, typer.Option("--journal", help="Only this journal; without it, every one.")
]


def register(app: typer.Typer) -> None:
    """Adds `doctor`, `journal`, `stream`, `views`, `parked` and `keys` to the CLI."""
    add(app, "doctor", doctor)
    journals = group(app, "journal", "Journals.")
    add(journals, "restored", restored)
    archive_commands.register(journals)
    add(group(app, "stream", "The streams on NATS, copies of journals."), "rebuild", rebuild_stream)
    views = group(app, "views", "The read models, derived from journals.")
    version_commands.register(views)
    add(views, "rebuild", rebuild_views)
    parked = group(app, "parked", "Events that a projection could not take.")
    add(parked, "list", parked_list)
    add(parked, "retry", parked_retry)
    add(parked, "discard", parked_discard)
    add(group(app, "keys", "The key store."), "rotate", rotate)


async def doctor(
    call: Call,
    journal: Journal = None,
    deep: Annotated[
        bool,
        typer.Option("--deep/--quick", help="Every event and every fold, or heads and counts."),
    ] = True,
    patience: Annotated[
        float,
        typer.Option(min=0.0, help="Seconds that relay and projector may stand still."),
    ] = 15.0,
) -> int:
    """Compare journal, stream, read models and key store; name the first difference.

    Exits with 0 when all is clean, 4 with any difference, 3 when something is out of reach.
    """
    from services.operator.doctor.examination import examine
    from services.operator.doctor.output import rendered

    async def work() -> int:
        installation = Installation.find(call.directory)
        report = await examine(installation, journal=journal, deep=deep, patience_s=patience)
        call.answer(report.document(), lambda: rendered(report))
        return report.exit_code

    return await _guarded(call, work)


async def restored(call: Call, journal: Journal = None) -> int:
    """Make a journal restored from a backup safe to go on with; says what to do next.

    Renews the journal's incarnation and applies the erasures of the key store again.
    """
    from services.operator import restoring

    async def work() -> int:
        done = await restoring.restored(Installation.find(call.directory), journal)
        lines = [f"journal {name}: incarnation {new}" for name, new in done.incarnations.items()]
        lines += [
            f"SubjectErased recorded again: {len(done.recorded)}",
            f"erasures that the key store had not listed: {done.listed}",
            f"keys destroyed again: {done.destroyed}",
        ]
        for tenant, subject in done.orphaned:
            lines.append(f"erased, and in no journal: tenant {tenant}, {subject}")
        option = "" if journal is None else f" --journal {journal}"
        lines += [
            "",
            "Next:",
            f"  rapport stream rebuild{option}",
            f"  rapport views rebuild{option}",
            f"  rapport doctor{option}",
        ]
        call.answer(asdict(done), lambda: "\n".join(lines))
        return EXIT_OK

    return await _guarded(call, work)


async def rebuild_stream(
    call: Call,
    journal: Journal = None,
    from_position: Annotated[
        int, typer.Option(min=1, help="The first position that the stream is to hold.")
    ] = 1,
    attention: Annotated[
        bool, typer.Option("--attention", help="The stream of attention items instead, whole.")
    ] = False,
) -> int:
    """Delete a journal's stream and make it anew; the relay fills it from the journal.

    Durable consumers are dropped with it. Subscribers keep their own position and go on. With
    --attention the projector fills it from the attention log.
    """
    from services.operator.rebuilding import rebuild_attention_streams, rebuild_streams

    async def work() -> int:
        installation = Installation.find(call.directory)
        if attention:
            done = await rebuild_attention_streams(installation, journal)
        else:
            done = await rebuild_streams(installation, journal, from_position)
        who = "the projector" if attention else "the relay"
        call.answer(
            {"rebuilt": [asdict(item) for item in done]},
            lambda: "\n".join(
                f"journal {item.journal}: {who} publishes {item.from_position} to {item.head}"
                for item in done
            ),
        )
        return EXIT_OK

    return await _guarded(call, work)


async def rebuild_views(
    call: Call,
    journal: Journal = None,
    relationship: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="Only what is kept of these two people of the tenant."),
    ] = None,
) -> int:
    """Delete a journal's read models; running projectors build them anew from the journal.

    Queries see less meanwhile: `rapport views build` and `switch` do without that. With
    --relationship one pair's rows are written anew at once, from the ledger.
    """
    from services.operator import rebuilding

    if relationship is not None:
        return await version_commands.rebuild_relationship(call, *relationship)

    async def work() -> int:
        done = await rebuilding.rebuild_views(Installation.find(call.directory), journal)
        call.answer(
            {"rebuilt": [asdict(item) for item in done]},
            lambda: "\n".join(
                f"journal {item.journal}: the projector reads it again, up to {item.head}"
                for item in done
            ),
        )
        return EXIT_OK

    return await _guarded(call, work)


async def parked_list(call: Call, journal: Journal = None) -> int:
    """List parked events and why they are."""
    from services.operator.parking import list_parked

    async def work() -> int:
        rows = await list_parked(Installation.find(call.directory), journal)
        document = [{**asdict(row), "parked_at": row.parked_at.isoformat()} for row in rows]
        call.answer({"parked": document}, lambda: _table(document) if document else "none parked")
        return EXIT_OK

    return await _guarded(call, work)


async def parked_retry(
    call: Call,
    journal: Journal = None,
    position: Annotated[
        int | None, typer.Option(min=1, help="Only the one at this position.")
    ] = None,
) -> int:
    """Try parked events again; exits with 1 if any stays parked."""
    from services.operator.parking import retry_parked

    async def work() -> int:
        tried = await retry_parked(Installation.find(call.directory), journal, position)
        document = [asdict(item) for item in tried]
        call.answer({"retried": document}, lambda: _table(document) if tried else "none parked")
        return EXIT_REFUSED if any(item.reason for item in tried) else EXIT_OK

    return await _guarded(call, work)


async def parked_discard(
    call: Call,
    position: Annotated[int, typer.Argument(min=1, help="Its position.")],
    reason: Annotated[str, typer.Option(help="Why it is done without; kept with your name.")],
    journal: Journal = None,
) -> int:
    """Decide to do without a parked event. It stays in the journal, and may still be retried."""
    from services.operator.parking import discard_parked

    async def work() -> int:
        if not reason.strip():
            raise Usage("--reason says why, in words")
        who = f"{getpass.getuser()}@{socket.gethostname()}"
        installation = Installation.find(call.directory)
        rows = await discard_parked(installation, journal, position, reason=reason.strip(), by=who)
        document = [{**asdict(row), "parked_at": row.parked_at.isoformat()} for row in rows]
        call.answer({"discarded": document}, lambda: _table(document))
        return EXIT_OK

    return await _guarded(call, work)


async def rotate(call: Call) -> int:
    """Wrap every key of the key store under the first master key given."""
    from services.operator.rotating import rotate as rotate_keys

    async def work() -> int:
        done = await rotate_keys(Installation.find(call.directory))
        lines = [f"{done.rewrapped} keys wrapped again under master key {done.current}"]
        for key_id, count in done.unreadable.items():
            lines.append(f"{count} keys under {key_id} cannot be opened: give that key as well")
        call.answer(asdict(done), lambda: "\n".join(lines))
        return EXIT_REFUSED if done.unreadable else EXIT_OK

    return await _guarded(call, work)


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in rows[0]:
        table.add_column(name.replace("_", " ").capitalize())
    for row in rows:
        table.add_row(*("–" if value is None else str(value) for value in row.values()))
    return table
