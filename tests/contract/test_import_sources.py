"""What the importers make is taken by a real ledger, once; a bundle comes back as it went out."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rapport import Rapport
from rapport.bundle import Bundle
from rapport.cli.importing.bundles import BundleReading, is_present
from rapport.cli.importing.calendars import CalendarFile
from rapport.cli.importing.cards import CardFile
from rapport.cli.importing.linkedin import LinkedInFile
from rapport.cli.importing.mail import MailFile
from rapport.cli.loading import Load, Reject, Row
from rapport.events.v1.common_pb2 import PersonalText
from rapport.events.v1.touchpoint_pb2 import Touchpoint
from rapport.v1.ledger_service_pb2 import NewEvent

from services.projector.bundle.building import build_bundle
from tests.support.databases import Database
from tests.support.ledger import TENANT, LedgerUnderTest, ledger_on
from tests.unit.cli import test_import_calendar as calendars
from tests.unit.cli import test_import_cards as cards
from tests.unit.cli import test_import_linkedin as linkedin
from tests.unit.cli import test_import_mail as mail
from tests.unit.cli.importing_support import people, written

ME = "https://www.linkedin.com/in/me"


def client(ledger: LedgerUnderTest, tenant: str = TENANT) -> Rapport:
    return Rapport(f"127.0.0.1:{ledger.process.port}", tenant=tenant, principal="people/me")


async def loaded(
    to: Rapport, rows: Iterable[Row | Reject], **how: Any
) -> tuple[int, int, list[str]]:
    """Appended, replayed, and the reasons of rejects."""
    reasons: list[str] = []
    totals = await Load(to, lambda reject: reasons.append(reject.reason), **how).run(rows)
    return totals.appended, totals.replayed, reasons


def sources(folder: Path) -> list[Iterable[Row | Reject]]:
    meetings = calendars.calendar(
        calendars.SERIES,
        calendars.MOVED,
        calendars.meeting("u", calendars.HOST, calendars.ME, calendars.ANN, "SUMMARY:Plan"),
    )
    mails = (
        mail.mail("1", mail.ANN, mail.ME, mail.MONDAY),
        mail.mail("2", mail.ME, mail.ANN, mail.TUESDAY, "In-Reply-To: <1@m>"),
        mail.mail("3", mail.ANN, mail.ME, mail.TUESDAY, "List-Id: <x.example>"),
    )
    box = written(folder, "m.mbox", "\n".join(mails))
    return [
        CalendarFile(written(folder, "c.ics", meetings), people(), now=calendars.NOW, titles=True),
        MailFile(box, people(), subjects=True),
        CardFile(written(folder, "c.vcf", cards.ANN), people()),
        LinkedInFile(written(folder, "c.csv", linkedin.CONNECTIONS), people(ME)),
        LinkedInFile(written(folder, "m.csv", linkedin.MESSAGES), people(ME), texts=True),
    ]


async def test_every_source_is_taken_and_adds_nothing_the_second_time(
    database: Database, tmp_path: Path
) -> None:
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        async with client(ledger) as to:
            first = [await loaded(to, source) for source in sources(tmp_path)]
            again = [await loaded(to, source) for source in sources(tmp_path)]
    not_dates = ["Connected On: 'someday' is no date as LinkedIn writes it"]
    assert [(appended, replayed) for appended, replayed, _ in first] == [
        (5, 0),
        (3, 0),
        (7, 0),
        (8, 0),
        (4, 0),
    ]
    assert [rejects for *_, rejects in first] == [[], [], [], not_dates, []]
    assert [appended for appended, *_ in again] == [0] * 5
    assert [replayed for _, replayed, _ in again] == [appended for appended, *_ in first]


async def test_a_bundle_is_imported_once_here_and_elsewhere(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "me.zip"
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        await ledger.create_tenant("elsewhere")
        async with client(ledger) as here, client(ledger, "elsewhere") as there:
            for source in sources(tmp_path):
                await loaded(here, source)
            events = [event async for event in here.read_journal()]
            path.write_bytes(
                build_bundle(
                    "people/me",
                    events,
                    [],
                    [],
                    Ed25519PrivateKey.generate(),
                    made_at=datetime(2026, 3, 1, tzinfo=UTC),
                )
            )
            with Bundle(path) as bundle:
                count = len(events)
                assert await loaded(here, BundleReading(path, bundle)) == (0, count, [])
                assert await loaded(there, BundleReading(path, bundle)) == (count, 0, [])
                assert await loaded(there, BundleReading(path, bundle)) == (0, count, [])
            copied = [event async for event in there.read_journal()]
    assert [event.event_id for event in copied] == [event.event_id for event in events]
    assert [event.touchpoint for event in copied] == [event.touchpoint for event in events]


async def test_a_bundle_with_withheld_texts_adds_nothing_where_it_came_from(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "me.zip"
    noted = [NewEvent(event_id=str(uuid4()), touchpoint=touch(f"about {n}")) for n in range(3)]
    noted[2].touchpoint.attributes["room"].text = "blue"
    async with ledger_on(database) as ledger:
        await ledger.create_tenant()
        async with client(ledger) as here:
            await here.append(noted)
            events = [event async for event in here.read_journal()]
            for event in events[:2]:
                event.touchpoint.note.Clear()
                event.touchpoint.note.withheld = True
            events[2].touchpoint.attributes["room"].Clear()
            events[2].touchpoint.attributes["room"].erased = True
            key, made_at = Ed25519PrivateKey.generate(), datetime(2026, 3, 1, tzinfo=UTC)
            path.write_bytes(build_bundle("people/me", events, [], [], key, made_at=made_at))
            with Bundle(path) as bundle:
                reading = BundleReading(path, bundle)
                assert await loaded(here, reading, is_present=is_present) == (0, 3, [])
            # Another event under the same id is no such thing.
            events[1].touchpoint.kind = "meeting.video"
            path.write_bytes(build_bundle("people/me", events, [], [], key, made_at=made_at))
            with Bundle(path) as bundle:
                reading = BundleReading(path, bundle)
                appended, replayed, (why,) = await loaded(here, reading, is_present=is_present)
    assert (appended, replayed) == (0, 2)
    assert "touchpoint.kind" in why


def touch(note: str) -> Touchpoint:
    return Touchpoint(
        initiator="people/me",
        counterpart="people/ann",
        kind="call",
        note=PersonalText(text=note),
    )
