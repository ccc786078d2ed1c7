"""Address books (vCard 2.1 to 4.0): who people are, where, and the days that matter to them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import vobject

from rapport.cli.importing.files import (
    Contact,
    ContactRules,
    SourceFile,
    contact_events,
    event_of,
    lines_of,
    organization_event,
    unique_rows,
)
from rapport.cli.loading import Reject, Row
from rapport.events.v1 import people_pb2 as parties
from rapport.v1 import ledger_service_pb2 as ledger

SOURCE: Final = "vcard"

# RFC 6350, 4.3.1 and its truncated forms, and what came before it: 1996-04-15, 19960415,
# --04-15, --0415, each with or without a time.
_DAY: Final = re.compile(r"(?:(\d{4})|--)-?(\d{2})-?(\d{2})(?:[T ].*)?")
_APPLE_LABEL: Final = re.compile(r"_\$!<(.*)>!\$_")
_DATES: Final = {"BDAY": "birthday", "ANNIVERSARY": "anniversary", "X-ANNIVERSARY": "anniversary"}
# In this year only Feb 29 can be checked without knowing the year.
_LEAP_YEAR: Final = 2000


@dataclass(slots=True)
class CardFile(SourceFile):
    """The cards of a file. A person is known by e-mail addresses, else telephone, else UID."""

    rules: ContactRules = field(default_factory=lambda: ContactRules(SOURCE))

    def __iter__(self) -> Iterator[Row | Reject]:
        seen: set[str] = set()
        for record, (line, text) in enumerate(_split(self.text()), start=1):
            try:
                card = vobject.readOne(text, allowQP=True)
                events = self._events(card)
            except (ValueError, TypeError, KeyError, AttributeError, IndexError) as problem:
                # what vobject says of a broken card, and how it fails on some
                yield Reject(line, record, "", str(problem) or type(problem).__name__)
            except vobject.base.VObjectError as problem:
                yield Reject(line, record, "", str(problem))
            else:
                yield from unique_rows(events, line, record, seen)

    def _events(self, card: Any) -> list[ledger.NewEvent]:
        kind = _text(card, "kind").lower() or _text(card, "x-addressbookserver-kind").lower()
        if kind in {"group", "location", "application", "device"}:
            self.skipped["groups and places"] += 1
            return []
        name = _text(card, "fn") or _full_name(card)
        organization, *_ = [*_texts(card, "org"), ""]
        if kind == "org" or _text(card, "x-abshowas").upper() == "COMPANY":
            if not (organization or name):
                raise ValueError("FN: an organisation without a name")
            return [organization_event(organization or name, self.people, self.rules)]
        contact = Contact(self._addresses(card), name, organization, _text(card, "title"))
        made = contact_events(contact, self.people, self.rules)
        if not made:
            self.skipped["oneself"] += 1
            return []
        who = self.people.person(contact.addresses[0])
        return made + [self._noted(who, *noted) for noted in _dates(card)]

    def _addresses(self, card: Any) -> tuple[str, ...]:
        usable: list[str] = []
        for address in _texts(card, "email"):
            try:
                self.people.is_me(address)
            except ValueError:
                self.skipped["addresses that are none"] += 1
            else:
                usable.append(address)
        others = [f"tel:{number.removeprefix('tel:')}" for number in _texts(card, "tel")]
        others += [f"uid:{uid}" for uid in _texts(card, "uid")]
        for address in others if not usable else ():
            try:
                self.people.is_me(address)
            except ValueError:
                continue
            return (address,)
        if not usable:
            raise ValueError("EMAIL: no e-mail address, telephone number or UID")
        return tuple(usable)

    def _noted(
        self, who: str, label: str, year: int | None, month: int, day: int
    ) -> ledger.NewEvent:
        noted = parties.DateNoted(person=who, month=month, day=day, year=year)
        noted.label.text = label
        event_id = self.people.event_id(SOURCE, "date", who, label, f"{year}-{month}-{day}")
        return event_of(event_id, self.rules.since, date_noted=noted)


def _split(text: str) -> Iterator[tuple[int, str]]:
    """Every card with the line it begins on, so that a broken one breaks no other."""
    card: list[str] = []
    begun = 0
    for number, line in enumerate(lines_of(text), start=1):
        if line.strip().upper() == "BEGIN:VCARD":
            if card:
                yield begun, "\r\n".join(card) + "\r\n"
            card, begun = [line], number
        elif card:
            card.append(line)
            if line.strip().upper() == "END:VCARD":
                yield begun, "\r\n".join(card) + "\r\n"
                card = []
    if card:
        yield begun, "\r\n".join(card) + "\r\n"


def _texts(card: Any, name: str) -> list[str]:
    """The values of a property; of one with parts the first part."""
    values = []
    for line in card.contents.get(name, ()):
        value = line.value[0] if isinstance(line.value, list) and line.value else line.value
        if str(value).strip():
            values.append(" ".join(str(value).split()))
    return values


def _text(card: Any, name: str) -> str:
    return next(iter(_texts(card, name)), "")


def _full_name(card: Any) -> str:
    line = next(iter(card.contents.get("n", ())), None)
    if line is None:
        return ""
    parts = (getattr(line.value, "given", ""), getattr(line.value, "family", ""))
    return " ".join(str(part) for part in parts if part)


def _dates(card: Any) -> Iterator[tuple[str, int | None, int, int]]:
    """(label, year, month, day) of the days on a card; those in other words are left out."""
    for line in card.lines():
        name = str(line.name).upper()
        label = _DATES.get(name, "")
        if name == "X-ABDATE":
            label = _label_of(card, line.group) or "date"
        found = _DAY.fullmatch(str(line.value).strip()) if label else None
        if found is None:
            continue
        year = int(found[1]) if found[1] else None
        # Apple writes a year it means to leave out, 1604, and names it in a parameter.
        omitted = next(iter(line.params.get("X-APPLE-OMIT-YEAR", ())), "")
        if year is not None and (str(year) == omitted or year in {0, 1604}):
            year = None
        month, day = int(found[2]), int(found[3])
        try:
            date(year or _LEAP_YEAR, month, day)
        except ValueError:
            raise ValueError(f"{name}: {line.value} is no day") from None
        yield label, year, month, day


def _label_of(card: Any, group: str | None) -> str:
    for line in card.contents.get("x-ablabel", ()):
        if group and line.group == group:
            found = _APPLE_LABEL.fullmatch(line.value)
            return (found[1] if found else str(line.value)).lower()
    return ""
