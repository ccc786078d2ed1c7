"""`rapport import ics|mbox|vcard|linkedin|bundle`: what people already have.

All but a bundle, whose events have ids already, come under opaque ids.

The readers are imported by the command that needs them: their libraries take longer to load than
any other command takes altogether.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from rapport.cli.command import Call, UsageProblem, add, group
from rapport.cli.config import default_principal
from rapport.cli.import_commands import Batch, DryRun, Rejects
from rapport.cli.importing.files import ContactRules, SourceFile, caller_of, noon
from rapport.cli.importing.keyed import People
from rapport.cli.importing.run import Settings, run_import
from rapport.cli.loading import BATCH_ROWS

Me = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS[,ADDRESS]",
        help="Which addresses are the caller's: e-mail, or the LinkedIn profile.",
    ),
]
MapFolder = Annotated[
    Path | None,
    typer.Option(
        "--map",
        metavar="FOLDER",
        help="Key of the ids, and who they are. Keep it. Absent: ~/.rapport/map",
    ),
]
Ours = Annotated[
    str, typer.Option(metavar="DOMAIN[,DOMAIN]", help="Mail domains of our own people.")
]
Linked = Annotated[
    bool,
    typer.Option("--link", help="Addresses of one entry are one human; absent: only proposed."),
]
Since = Annotated[
    str | None, typer.Option(metavar="DAY", help="From when on it holds. Absent: from now on.")
]


def register(app: typer.Typer) -> None:
    """Adds `import ics`, `mbox`, `vcard`, `linkedin` and `bundle`."""
    importing = group(app, "import", "Bring in what other systems know.")
    add(importing, "ics", import_ics)
    add(importing, "mbox", import_mbox)
    add(importing, "vcard", import_vcard)
    add(importing, "linkedin", import_linkedin)
    add(importing, "bundle", import_bundle)


async def import_ics(
    call: Call,
    file: Annotated[Path, typer.Argument(help="The calendar.")],
    me: Me = "",
    map_folder: MapFolder = None,
    zone: Annotated[str, typer.Option(help="Of times that do not say theirs.")] = "UTC",
    kind: Annotated[str, typer.Option(help="Of all meetings. Absent: by place and link.")] = "",
    titles: Annotated[
        bool, typer.Option("--titles", help="Titles as notes, sealed, for both people.")
    ] = False,
    rejects: Rejects = None,
    batch: Batch = BATCH_ROWS,
    dry_run: DryRun = False,
) -> None:
    """Import meetings: the host with every guest. Cancelled, declined and coming ones are left."""
    from rapport.cli.importing.calendars import CalendarFile

    try:
        zone_info = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise UsageProblem(f"--zone: there is no time zone {zone}") from None
    with _people(call, map_folder, me, dry_run) as people:
        source = CalendarFile(file, people, zone=zone_info, kind=kind, titles=titles)
        await _run(call, source, Settings(rejects, batch, dry_run))


async def import_mbox(
    call: Call,
    file: Annotated[Path, typer.Argument(help="The mailbox.")],
    me: Me,
    map_folder: MapFolder = None,
    bulk: Annotated[bool, typer.Option(help="Also of lists and machines; weighs nothing.")] = True,
    subjects: Annotated[
        bool, typer.Option("--subjects", help="Subjects as notes, sealed, for both people.")
    ] = False,
    rejects: Rejects = None,
    batch: Batch = BATCH_ROWS,
    dry_run: DryRun = False,
) -> None:
    """Import mail to and from the caller. Only headers are read, and no subject is sent."""
    from rapport.cli.importing.mail import MailFile

    with _people(call, map_folder, me, dry_run) as people:
        source = MailFile(file, people, bulk=bulk, subjects=subjects)
        await _run(call, source, Settings(rejects, batch, dry_run))


async def import_vcard(
    call: Call,
    file: Annotated[Path, typer.Argument(help="The address book.")],
    me: Me = "",
    map_folder: MapFolder = None,
    ours: Ours = "",
    link: Linked = False,
    since: Since = None,
    rejects: Rejects = None,
    batch: Batch = BATCH_ROWS,
    dry_run: DryRun = False,
) -> None:
    """Import people: names (sealed), organisations, birthdays and anniversaries."""
    from rapport.cli.importing.cards import SOURCE, CardFile

    rules = _rules(SOURCE, ours, link, since)
    with _people(call, map_folder, me, dry_run) as people:
        source = CardFile(file, people, rules=rules)
        await _run(call, source, Settings(rejects, batch, dry_run))


async def import_linkedin(
    call: Call,
    file: Annotated[Path, typer.Argument(help="Connections.csv or messages.csv.")],
    me: Me = "",
    map_folder: MapFolder = None,
    ours: Ours = "",
    link: Linked = False,
    since: Since = None,
    texts: Annotated[
        bool, typer.Option("--texts", help="Messages as notes, sealed, for both people.")
    ] = False,
    rejects: Rejects = None,
    batch: Batch = BATCH_ROWS,
    dry_run: DryRun = False,
) -> None:
    """Import LinkedIn's export: connections with names and companies, or messages."""
    from rapport.cli.importing.linkedin import SOURCE, LinkedInFile

    rules = _rules(SOURCE, ours, link, since)
    with _people(call, map_folder, me, dry_run) as people:
        source = LinkedInFile(file, people, rules=rules, texts=texts)
        await _run(call, source, Settings(rejects, batch, dry_run))


async def import_bundle(
    call: Call,
    file: Annotated[Path, typer.Argument(help="The bundle (ZIP).")],
    key: Annotated[
        str | None, typer.Option(help="The public key it must be signed with. Absent: any.")
    ] = None,
    rejects: Rejects = None,
    batch: Batch = BATCH_ROWS,
    dry_run: DryRun = False,
) -> None:
    """Import a portable bundle, once its signature and files are checked."""
    from rapport.bundle import Bundle
    from rapport.cli.importing.bundles import BundleReading, is_present

    with Bundle(file, key=key) as bundle:
        reading = BundleReading(file, bundle)
        settings = Settings(rejects, batch, dry_run)
        await run_import(
            call, reading, iter(reading), settings, more=reading.more, is_present=is_present
        )


async def _run(call: Call, source: SourceFile, settings: Settings) -> None:
    await run_import(call, source, iter(source), settings, more=source.more)


@contextmanager
def _people(call: Call, folder: Path | None, me: str, dry_run: bool) -> Iterator[People]:
    """The map of a folder, saved at the end, also of an import that broke off."""
    where = folder or Path.home() / ".rapport" / "map"
    addresses = [address for address in me.split(",") if address.strip()]
    caller = caller_of(call.principal or default_principal())
    try:
        people = People.open(where, keep=not dry_run, me=addresses, myself=caller)
    except ValueError as problem:
        raise UsageProblem(str(problem)) from problem
    try:
        yield people
    finally:
        if not dry_run:
            people.save(where)


def _rules(source: str, ours: str, link: bool, since: str | None) -> ContactRules:
    try:
        begins: datetime | None = noon(date.fromisoformat(since)) if since else None
    except ValueError:
        raise UsageProblem("--since takes a day like 2026-01-31") from None
    domains = frozenset(part.strip().lower() for part in ours.split(",") if part.strip())
    return ContactRules(source, domains, link, begins)
