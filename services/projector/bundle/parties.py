"""The people of a bundle as vCard 4, and the days that matter to them as iCalendar."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from icalendar import Calendar, Component, Event, vText

_PRODUCT: Final = "-//Rapport//portable bundle 1//EN"
# Days that have a property of their own on a card, by what they are called.
_ON_CARDS: Final = {"birthday": "BDAY", "anniversary": "ANNIVERSARY"}


@dataclass(frozen=True, slots=True)
class BundleParty:
    """A person or organisation. name: empty when there is none, or none to be seen.

    organization: what the person's organisation is called now; role: what the person is there.
    """

    party: str
    name: str = ""
    organization: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class BundleDate:
    """A day that matters to a person. year None: not known."""

    event_id: str
    person: str
    label: str
    month: int
    day: int
    year: int | None = None


def cards_of(parties: Sequence[BundleParty], dates: Sequence[BundleDate]) -> bytes:
    """One card each, in the given order; the UID is the party's name in the ledger."""
    return b"".join(_card(party, dates) for party in parties)


class _Card(Component):
    name = "VCARD"


def _card(party: BundleParty, dates: Sequence[BundleDate]) -> bytes:
    card = _Card()
    card.add("VERSION", vText("4.0"))
    card.add("UID", vText(party.party), parameters={"VALUE": "text"})
    card.add("KIND", vText("org" if party.party.startswith("organizations/") else "individual"))
    card.add("FN", vText(party.name or party.party))
    if party.organization:
        card.add("ORG", vText(party.organization))
    if party.role:
        card.add("TITLE", vText(party.role))
    shown: set[str] = set()
    for noted in dates:
        name = _ON_CARDS.get(noted.label.strip().lower(), "")
        if noted.person == party.party and name and name not in shown:
            shown.add(name)  # a card has one of each
            year = "--" if noted.year is None else f"{noted.year:04}"
            card.add(name, vText(f"{year}{noted.month:02}{noted.day:02}"))
    return bytes(card.to_ical(sorted=False))  # VERSION comes first (RFC 6350, 6.7.9)


def calendar_of(
    parties: Sequence[BundleParty], dates: Sequence[BundleDate], *, made_at: datetime
) -> bytes:
    """Every day as one that comes back each year, Feb 29 on Feb 28 in other years."""
    names = {party.party: party.name or party.party for party in parties}
    made = Calendar()
    made.add("PRODID", _PRODUCT)
    made.add("VERSION", "2.0")
    for noted in dates:
        made.add_component(_day(noted, names.get(noted.person, noted.person), made_at))
    return bytes(made.to_ical())


def _day(noted: BundleDate, name: str, made_at: datetime) -> Event:
    year = noted.year or made_at.year
    last = calendar.monthrange(year, noted.month)[1]
    event = Event()
    event.add("UID", noted.event_id)
    event.add("DTSTAMP", made_at)
    event.add("DTSTART", date(year, noted.month, min(noted.day, last)))
    rule: dict[str, str | int] = {"FREQ": "YEARLY"}
    if (noted.month, noted.day) == (2, 29):
        rule |= {"BYMONTH": 2, "BYMONTHDAY": -1}
    event.add("RRULE", rule)
    event.add("SUMMARY", f"{name}: {noted.label}")
    event.add("TRANSP", "TRANSPARENT")
    return event
