"""Ids by keyed hash, and the folder that says who they are."""

import json
import stat
from pathlib import Path

import pytest
from rapport.cli.importing.keyed import MapError, People, address_of

from tests.unit.cli.importing_support import KEY, people


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("Ann@X.example", "mailto:ann@x.example"),
        (" MAILTO:ann@x.example?subject=x ", "mailto:ann@x.example"),
        ("mailto:an%6E@x.example", "mailto:ann@x.example"),
        ("<ann+list@x.example>", "mailto:ann+list@x.example"),
        ("tel:+49 (170) 12-34", "tel:+491701234"),
        ("https://www.linkedin.com/in/Ann-M%C3%BCller-1/?x=1", "linkedin:ann-müller-1"),
        ("de.linkedin.com/in/ann", "linkedin:ann"),
        ("uid:URN:uuid:1", "uid:urn:uuid:1"),
    ],
)
def test_an_address_has_one_spelling(text: str, spelled: str) -> None:
    assert address_of(text) == spelled


@pytest.mark.parametrize("text", ["", "ann", "invalid:nomail", "tel:12", "a b@x", "/o=exch/cn=ann"])
def test_what_is_no_address_has_none(text: str) -> None:
    with pytest.raises(ValueError, match="no "):
        address_of(text)


def test_an_id_depends_on_the_key_and_says_nothing() -> None:
    one, other = people().person("ann@x.example"), People(bytes(32)).person("ann@x.example")
    assert one == people().person("ANN@x.example")
    assert one != other
    assert "ann" not in one
    assert len(one) == len("people/") + 16
    assert people().event_id("ics", "a", "b") != people().event_id("ics", "ab", "")
    assert people().event_id("ics", "a") != People(bytes(32)).event_id("ics", "a")
    assert "ann" not in people().external_id("mbox", "<1@ann>")


def test_the_users_addresses_are_the_caller() -> None:
    mine = people("me@home.example", "https://linkedin.com/in/me")
    assert mine.person("ME@home.example") == "people/me"
    assert mine.person("linkedin.com/in/me/") == "people/me"
    assert mine.person("ann@x.example") != "people/me"
    service = people(myself="")
    assert service.person("me@home.example") == service.myself != "people/me"


def test_the_folder_is_the_users_alone_and_the_key_stays(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "map"
    first = People.open(folder, keep=True)
    ann = first.person("ann@x.example", "Ann Müller")
    first.save(folder)
    again = People.open(folder, keep=True)
    assert again.person("ann@x.example", "A. Müller") == ann
    again.person("bob@x.example")
    again.save(folder)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"key": 0o600, "people.json": 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    known = json.loads((folder / "people.json").read_text())
    assert known[ann] == {
        "addresses": ["mailto:ann@x.example"],
        "names": ["A. Müller", "Ann Müller"],
    }
    assert len(known) == 2


def test_without_keeping_nothing_is_written(tmp_path: Path) -> None:
    People.open(tmp_path / "map", keep=False).person("ann@x.example")
    assert not (tmp_path / "map").exists()


def test_a_broken_key_or_map_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("nonsense")
    with pytest.raises(MapError, match="no key"):
        People.open(tmp_path, keep=True)
    (tmp_path / "people.json").write_text("[1]")
    known = People(KEY)
    known.person("ann@x.example")
    with pytest.raises(MapError, match="move it away"):
        known.save(tmp_path)
    assert (tmp_path / "people.json").read_text() == "[1]"
