"""Portable bundles: built here, read by the client."""

import base64
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import vobject
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from icalendar import Calendar
from rapport.bundle import DATES, EVENTS, MANIFEST, PEOPLE, Bundle, BundleError
from rapport.cli.importing.bundles import BundleReading
from rapport.cli.loading import Reject, Row
from rapport.events.v1 import people_pb2 as people
from rapport.events.v1 import touchpoint_pb2 as touch
from rapport.times import timestamp
from rapport.v1 import ledger_service_pb2 as ledger

from services.projector.bundle.building import build_bundle
from services.projector.bundle.parties import BundleDate, BundleParty

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
MADE_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN, BOB = "people/ann", "people/bob"
IDS = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(9)]


def event(n: int, name: str, **payload: object) -> ledger.Event:
    made = ledger.Event(
        event_id=IDS[n],
        type=f"rapport.events.v1.{name}",
        occurred_at=timestamp(datetime(2026, 1, n + 1, 9, tzinfo=UTC)),
        recorded_at=timestamp(datetime(2026, 2, 1, tzinfo=UTC)),
        journal="main",
        position=n + 1,
        tenant="acme",
        home="relationships/ann~bob",
        revision=n + 1,
        **payload,  # type: ignore[arg-type]
    )
    made.recorded_by.principal = ANN
    return made


def meeting() -> touch.Touchpoint:
    made = touch.Touchpoint(initiator=ANN, counterpart=BOB, kind="meeting.in_person", mutual=True)
    made.minutes.live = 45
    made.note.text = "Änne – line\nbreak"
    return made


def told(kind: str) -> touch.Touchpoint:
    made = meeting()
    setattr(made.note, kind, True)
    made.note.text = ""
    return made


def all_events() -> list[ledger.Event]:
    fact = people.FactLearned(person=BOB, category="family")
    fact.text.withheld = True
    noted = people.DateNoted(person=BOB, month=2, day=29)
    noted.label.text = "birthday"
    return [
        event(0, "Touchpoint", touchpoint=meeting()),
        event(1, "Touchpoint", touchpoint=told("erased")),
        event(2, "Touchpoint", touchpoint=told("withheld")),
        event(3, "FactLearned", fact_learned=fact),
        event(4, "DateNoted", date_noted=noted),
        event(5, "SubjectErased", subject_erased=people.SubjectErased(subject="people/cy")),
        event(6, "FromTheFuture"),
        event(
            7,
            "Corrected",
            corrected=touch.Corrected(
                replaces=IDS[0],
                touchpoint=meeting(),
                occurred_at=timestamp(datetime(2026, 1, 3, tzinfo=UTC)),
            ),
        ),
    ]


PARTIES = [
    BundleParty(BOB, "Bob Bär, Jr.; the 3rd", "Acme; Co", "Buyer"),
    BundleParty("people/cy"),
    BundleParty("organizations/acme", "Acme; Co"),
]
DAYS = [
    BundleDate(IDS[4], BOB, "birthday", 2, 29),
    BundleDate(IDS[8], BOB, "graduation", 6, 30, 2024),
]


def built() -> bytes:
    return build_bundle(ANN, all_events(), PARTIES, DAYS, KEY, made_at=MADE_AT)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ann.zip"
    path.write_bytes(built())
    return path


def rows(path: Path) -> list[Row | Reject]:
    with Bundle(path) as bundle:
        return list(BundleReading(path, bundle))


def test_the_same_input_makes_the_same_bytes() -> None:
    assert built() == built()


def test_what_goes_in_comes_out_under_the_same_ids(file: Path) -> None:
    read = []
    for row in rows(file):
        assert isinstance(row, Row), row
        read.append(row.event)
    assert [e.event_id for e in read] == [IDS[n] for n in (0, 1, 2, 4, 7)]
    assert read[0].touchpoint == meeting()
    assert read[0].occurred_at == all_events()[0].occurred_at
    assert not any(read[n].touchpoint.HasField("note") for n in (1, 2))
    assert read[4].corrected == all_events()[7].corrected
    again = rows(file)
    assert [row.event for row in again if isinstance(row, Row)] == read


def test_a_bundle_says_whose_it_is_and_nothing_of_the_house(file: Path) -> None:
    with Bundle(file) as bundle:
        manifest = bundle.manifest
        assert (manifest.person, manifest.made_at) == (ANN, MADE_AT)
        assert [(f.name, f.records) for f in manifest.files] == [
            (EVENTS, 5),
            (PEOPLE, 3),
            (DATES, 2),
        ]
        documents = [document for _, document in bundle.events()]
    assert not {"tenant", "journal", "position", "home"} & set().union(*documents)


def test_people_are_cards_that_others_read(file: Path) -> None:
    with Bundle(file) as bundle, bundle.open(PEOPLE) as cards:
        text = cards.read().decode()
    bob, cy, acme = vobject.readComponents(text)
    assert text.startswith("BEGIN:VCARD\r\nVERSION:4.0\r\n")
    assert (bob.fn.value, bob.org.value, bob.title.value) == (
        "Bob Bär, Jr.; the 3rd",
        ["Acme; Co"],
        "Buyer",
    )
    assert (bob.uid.value, bob.bday.value, bob.kind.value) == (BOB, "--0229", "individual")
    assert (cy.fn.value, acme.kind.value) == ("people/cy", "org")


def test_dates_come_back_every_year(file: Path) -> None:
    with Bundle(file) as bundle, bundle.open(DATES) as dates:
        calendar = Calendar.from_ical(dates.read())
    birthday, graduation = calendar.events
    assert birthday.start == date(2026, 2, 28), "the year of the bundle has no Feb 29"
    assert b"RRULE:FREQ=YEARLY;BYMONTHDAY=-1;BYMONTH=2\r\n" in birthday.to_ical()
    assert graduation.start == date(2024, 6, 30)
    assert str(graduation["SUMMARY"]) == "Bob Bär, Jr.; the 3rd: graduation"


def test_a_known_key_is_held_to(file: Path) -> None:
    key = base64.urlsafe_b64encode(KEY.public_key().public_bytes_raw()).decode()
    with Bundle(file, key=key) as bundle:
        assert bundle.manifest.key == key.rstrip("=")
    with pytest.raises(BundleError, match="another key"):
        Bundle(file, key="A" * 43)


def changed(file: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    with zipfile.ZipFile(file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    change(contents)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file


def forge(contents: dict[str, bytes]) -> None:
    manifest = json.loads(contents[MANIFEST])
    manifest["person"] = BOB
    contents[MANIFEST] = json.dumps(manifest).encode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update({EVENTS: c[EVENTS].replace(b"45", b"46")}), "not what was signed"),
        (lambda c: c.update({EVENTS: c[EVENTS] + b"{}\n"}), "not what was signed"),
        (lambda c: c.update({"more.txt": b""}), "exactly the files"),
        (lambda c: c.pop(PEOPLE), "exactly the files"),
        (lambda c: c.pop("manifest.sig"), "no manifest with a signature"),
        (lambda c: c.update({"manifest.sig": b"AAAA"}), "not that of the manifest"),
        (lambda c: c.update({MANIFEST: b"[]"}), "cannot be read"),
        (lambda c: c.update({MANIFEST: b'{"format": "x"}'}), "of the format 'x'"),
        (forge, "not that of the manifest"),
    ],
)
def test_what_was_changed_is_refused(
    file: Path, change: Callable[[dict[str, bytes]], object], words: str
) -> None:
    with pytest.raises(BundleError, match=words):
        Bundle(changed(file, change))


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"hello")
    with pytest.raises(BundleError, match="cannot be read"):
        Bundle(path)


def test_a_line_that_is_no_event_is_a_reject(tmp_path: Path) -> None:
    strange = event(0, "Touchpoint", touchpoint=meeting())
    strange.type = "rapport.events.v1.Unheard"
    path = tmp_path / "x.zip"
    path.write_bytes(build_bundle(ANN, [strange], [], [], KEY, made_at=MADE_AT))
    (row,) = rows(path)
    assert isinstance(row, Reject)
    assert (row.line, row.field) == (1, "type")
