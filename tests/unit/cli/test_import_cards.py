"""People of address books."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from rapport.cli.importing.cards import SOURCE, CardFile
from rapport.cli.importing.files import ContactRules
from rapport.events.v1 import people_pb2 as parties
from rapport.times import instant
from rapport.v1 import ledger_service_pb2 as ledger

from tests.unit.cli.importing_support import events, people, rejects, written

ANN = """\
BEGIN:VCARD
VERSION:3.0
N:Müller;Änne;;;
FN:Änne Mü
 ller
item1.EMAIL;TYPE=INTERNET:Ann@X.example
EMAIL:ann@home.example
item2.X-ABDATE:2011-05-06
item2.X-ABLabel:_$!<Anniversary>!$_
BDAY;X-APPLE-OMIT-YEAR=1604:1604-03-26
ORG:Acme\\; Co;Sales
TITLE:Head of Sales
TEL:+49 170 12345
PHOTO;ENCODING=b:AAAA
END:VCARD
"""


def file(folder: Path, text: str | bytes, rules: ContactRules | None = None) -> CardFile:
    path = written(folder, "c.vcf", text)
    return CardFile(path, people(), rules=rules or ContactRules(SOURCE))


def of_kind(made: list[ledger.NewEvent], payload: str) -> list[ledger.NewEvent]:
    return [event for event in made if event.WhichOneof("payload") == payload]


def test_a_card_is_a_person_with_names_dates_and_a_place(tmp_path: Path) -> None:
    made = events(file(tmp_path, ANN.replace("\n", "\r\n")))
    who = people()
    ann, home = who.person("ann@x.example"), who.person("ann@home.example")
    described = [e.party_described for e in of_kind(made, "party_described")]
    assert [d.party for d in described] == [ann, home, who.organization("acme;  co")]
    assert [d.display_name.text for d in described] == ["Änne Müller", "Änne Müller", "Acme; Co"]
    assert [d.side for d in described] == [parties.SIDE_EXTERNAL] * 2 + [0]
    (linked,) = of_kind(made, "identity_linked")
    assert (linked.identity_linked.a, linked.identity_linked.b) == (ann, home)
    assert linked.identity_linked.strength == parties.LINK_STRENGTH_WEAK
    (started,) = of_kind(made, "affiliation_started")
    assert started.affiliation_started.organization == described[2].party
    assert started.affiliation_started.role == "Head of Sales"
    dates = [e.date_noted for e in of_kind(made, "date_noted")]
    assert {(d.label.text, d.month, d.day) for d in dates} == {
        ("birthday", 3, 26),
        ("anniversary", 5, 6),
    }
    assert [(d.label.text, d.year) for d in dates if d.HasField("year")] == [("anniversary", 2011)]
    sent = b"".join(event.SerializeToString() for event in made)
    assert b"example" not in sent
    assert b"170" not in sent


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("BDAY:--0229", (None, 2, 29)),
        ("BDAY:--04-15", (None, 4, 15)),
        ("BDAY:19960415", (1996, 4, 15)),
        ("BDAY;VALUE=date:1996-04-15", (1996, 4, 15)),
        ("BDAY:1996-04-15T10:00:00Z", (1996, 4, 15)),
        ("ANNIVERSARY:20100704", (2010, 7, 4)),
    ],
)
def test_days_are_read_in_every_form(
    tmp_path: Path, line: str, day: tuple[int | None, int, int]
) -> None:
    text = f"BEGIN:VCARD\nVERSION:4.0\nFN:Bob\nEMAIL:bob@x.example\n{line}\nEND:VCARD\n"
    (made,) = of_kind(events(file(tmp_path, text)), "date_noted")
    noted = made.date_noted
    assert (noted.year if noted.HasField("year") else None, noted.month, noted.day) == day


def test_an_old_card_in_quoted_printable_is_read(tmp_path: Path) -> None:
    text = (
        "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;Anne\n"
        "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Anne M=C3=BC=\nller\nTEL;CELL:0170 123\n"
        "END:VCARD\n"
    )
    (made,) = events(file(tmp_path, text))
    assert made.party_described.display_name.text == "Anne Müller"
    assert made.party_described.party == people().person("tel:0170123")


def test_a_file_in_another_encoding_is_read(tmp_path: Path) -> None:
    text = "BEGIN:VCARD\nVERSION:3.0\nFN:Jörg\nEMAIL:j@x.example\nEND:VCARD\n".encode("cp1252")
    (made,) = events(file(tmp_path, text))
    assert made.party_described.display_name.text == "Jörg"


def test_our_own_people_are_internal_under_all_their_addresses(tmp_path: Path) -> None:
    rules = ContactRules(SOURCE, frozenset({"x.example"}), link=True)
    made = events(file(tmp_path, ANN, rules))
    people_described = of_kind(made, "party_described")[:2]
    assert {e.party_described.side for e in people_described} == {parties.SIDE_INTERNAL}
    (linked,) = of_kind(made, "identity_linked")
    assert linked.identity_linked.strength == parties.LINK_STRENGTH_STRONG


def test_repeating_adds_nothing_and_a_changed_card_only_what_changed(tmp_path: Path) -> None:
    before = events(file(tmp_path, ANN))
    assert events(file(tmp_path, ANN + ANN)) == before
    after = events(file(tmp_path, ANN.replace("Head of Sales", "Director")))
    old, new = ({e.event_id: e for e in made} for made in (before, after))
    assert all(old[i] == new[i] for i in old.keys() & new.keys())
    (changed,) = (new[i] for i in new.keys() - old.keys())
    assert changed.affiliation_started.role == "Director"


def test_since_says_from_when_on_it_holds(tmp_path: Path) -> None:
    since = datetime(2020, 1, 1, 12, tzinfo=UTC)
    made = events(file(tmp_path, ANN, ContactRules(SOURCE, since=since)))
    assert {instant(event.occurred_at) for event in made} == {since}
    plain = events(file(tmp_path, ANN))
    assert not any(event.HasField("occurred_at") for event in plain)
    assert not {e.event_id for e in plain} & {e.event_id for e in of_kind(made, "party_described")}


def test_a_broken_card_breaks_no_other(tmp_path: Path) -> None:
    text = (
        "BEGIN:VCARD\nVERSION:3.0\nFN:No Address\nEND:VCARD\n"
        "BEGIN:VCARD\nVERSION:3.0\nFN:A\nEMAIL:a@x.example\nBDAY:1999-02-30\nEND:VCARD\n"
        "BEGIN:VCARD\nVERSION:3.0\nnonsense\nEND:VCARD\n"
        "BEGIN:VCARD\nVERSION:3.0\nFN:Cut off\nEMAIL:c@x.example\n"
        "BEGIN:VCARD\nVERSION:3.0\nFN:Group\nKIND:group\nEND:VCARD\n"
        "BEGIN:VCARD\nVERSION:3.0\nFN:Me\nEMAIL:me@home.example\nEND:VCARD\n"
        "BEGIN:VCARD\nVERSION:3.0\nFN:Acme\nORG:Acme\nX-ABSHOWAS:COMPANY\nEND:VCARD\n"
        "BEGIN:VCARD\nVERSION:3.0\nFN:Fine\nUID:7\nEND:VCARD\n"
    )
    source = file(tmp_path, text)
    rows = list(source)
    found = rejects(rows)
    assert [(line, record) for line, record, _ in found] == [(1, 1), (5, 2), (11, 3), (15, 4)]
    assert found[0][2] == "EMAIL: no e-mail address, telephone number or UID"
    assert found[1][2] == "BDAY: 1999-02-30 is no day"
    assert source.skipped == {"groups and places": 1, "oneself": 1}
    described = [e.party_described for e in events(r for r in rows if r.line > 20)]
    assert [d.display_name.text for d in described] == ["Acme", "Fine"]
