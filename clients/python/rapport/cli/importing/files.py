"""What the importers of personal files have in common."""

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final

from rapport.cli.importing.keyed import People
from rapport.cli.loading import Reject, Row
from rapport.events.v1 import people_pb2 as parties
from rapport.events.v1 import touchpoint_pb2 as touch
from rapport.ids import person
from rapport.times import timestamp
from rapport.v1 import ledger_service_pb2 as ledger

# To more people than this it is no message and no meeting but a broadcast.
AUDIENCE_FEW_MAX: Final = 25
# As the ledger takes them, in bytes of UTF-8.
ROLE_BYTES_MAX: Final = 128
NAME_BYTES_MAX: Final = 1024
NOTE_BYTES_MAX: Final = 4096


class FileProblem(ValueError):  # noqa: N818 - it is said as it is
    """A file that cannot be read as what it was said to be."""


@dataclass(slots=True)
class SourceFile(ABC):
    """A file read as a whole, and what was left out on purpose, counted by reason."""

    path: Path
    people: People
    size_bytes: int = 0
    read_bytes: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    @abstractmethod
    def __iter__(self) -> Iterator[Row | Reject]:
        """What the file makes. Raises FileProblem before the first when it is not of its kind."""

    def text(self) -> str:
        """The file's text: UTF-8, else Windows-1252. Raises FileProblem."""
        return decoded(self.content())

    def content(self) -> bytes:
        """The file's bytes. Raises FileProblem."""
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise FileProblem(f"{self.path} cannot be read: {error.strerror}") from error
        self.size_bytes = self.read_bytes = len(content)
        return content

    def more(self) -> dict[str, Any]:
        """What the answer says beside the totals."""
        return {"left_out": dict(sorted(self.skipped.items()))}


def decoded(content: bytes) -> str:
    """Text of bytes that are UTF-8 or, when they are not, Windows-1252."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def lines_of(text: str) -> list[str]:
    """The lines, ended as files end them; `splitlines` ends them at ten other characters too."""
    return re.split(r"\r\n|\n|\r", text)


def audience_of(others: int) -> "touch.Audience.ValueType":
    """To how many it went, by how many others took part; unset for one."""
    if others <= 1:
        return touch.AUDIENCE_UNSPECIFIED
    return touch.AUDIENCE_FEW if others <= AUDIENCE_FEW_MAX else touch.AUDIENCE_MANY


def provenance(method: str, tool: str) -> touch.Provenance:
    """How it came to be known. Without a version: the same row makes the same bytes for ever."""
    return touch.Provenance(method=method, tool=f"rapport import {tool}")


def noon(day: date) -> datetime:
    """The instant that stands for a day without a time: it is that day almost everywhere."""
    return datetime.combine(day, time(12), UTC)


def shortened(text: str, bytes_max: int) -> str:
    """The text, or as much of its beginning as fits, in whole characters."""
    encoded = " ".join(text.split()).encode("utf-8", "replace")
    return encoded[:bytes_max].decode("utf-8", "ignore")


@dataclass(frozen=True, slots=True)
class Contact:
    """A person as an address book knows one. addresses: at least one; the first stands for all.

    since: from when on the name holds. None: from when it is recorded.
    """

    addresses: tuple[str, ...]
    name: str
    organization: str = ""
    role: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ContactRules:
    """How contacts become events.

    ours: domains whose people are internal. link: several addresses of one entry are one human for
    certain; else they are proposed as such, since people do share addresses. since: from when on
    everything holds, whatever the source says. None: affiliations from when they are recorded.
    """

    source: str
    ours: frozenset[str] = frozenset()
    link: bool = False
    since: datetime | None = None


def contact_events(contact: Contact, people: People, rules: ContactRules) -> list[ledger.NewEvent]:
    """Who a contact is, where, and under which other ids. ValueError without a usable address.

    What the entry says is part of the event ids: a changed entry makes new events, an unchanged
    one none. Names of people are sealed by the ledger.
    """
    ids = list(dict.fromkeys(people.person(a, contact.name) for a in contact.addresses))
    if people.myself in ids:
        return []
    # All ids of one entry have one side: an internal and an external person cannot be linked.
    inside = any(a.strip().lower().rpartition("@")[2] in rules.ours for a in contact.addresses)
    side = parties.SIDE_INTERNAL if inside else parties.SIDE_EXTERNAL
    name = shortened(contact.name, NAME_BYTES_MAX)
    since = rules.since or contact.since
    made: list[ledger.NewEvent] = []
    for who in ids:
        described = parties.PartyDescribed(party=who, side=side)
        if name:
            described.display_name.text = name
        event_id = people.event_id(rules.source, "described", who, name, str(side), str(since))
        made.append(event_of(event_id, since, party_described=described))
    made += [_linked(ids[0], other, people, rules) for other in ids[1:]]
    if contact.organization.strip():
        made += _affiliation(ids[0], contact, people, rules)
    return made


def _linked(a: str, b: str, people: People, rules: ContactRules) -> ledger.NewEvent:
    strength = parties.LINK_STRENGTH_STRONG if rules.link else parties.LINK_STRENGTH_WEAK
    linked = parties.IdentityLinked(a=a, b=b, strength=strength)
    linked.evidence.text = f"one entry of {rules.source} has both"
    event_id = people.event_id(rules.source, "linked", a, b, str(strength), str(rules.since))
    return event_of(event_id, rules.since, identity_linked=linked)


def _affiliation(
    who: str, contact: Contact, people: People, rules: ContactRules
) -> list[ledger.NewEvent]:
    where = people.organization(contact.organization)
    role = shortened(contact.role, ROLE_BYTES_MAX)
    started = parties.AffiliationStarted(person=who, organization=where, role=role)
    return [
        organization_event(contact.organization, people, rules),
        event_of(
            people.event_id(rules.source, "affiliated", who, where, role, str(rules.since)),
            rules.since,
            affiliation_started=started,
        ),
    ]


def organization_event(text: str, people: People, rules: ContactRules) -> ledger.NewEvent:
    """What an organisation is called."""
    where, name = people.organization(text), shortened(text, NAME_BYTES_MAX)
    described = parties.PartyDescribed(party=where)
    described.display_name.text = name
    event_id = people.event_id(rules.source, "organization", where, name, str(rules.since))
    return event_of(event_id, rules.since, party_described=described)


def event_of(event_id: str, at: datetime | None, **payload: Any) -> ledger.NewEvent:
    """An event to append; `at` None: it happens when it is recorded."""
    event = ledger.NewEvent(event_id=event_id, **payload)
    if at is not None:
        event.occurred_at.CopyFrom(timestamp(at))
    return event


def unique_rows(
    events: list[ledger.NewEvent], line: int, record: int, seen: set[str]
) -> list[Row | Reject]:
    """Rows of those events that no earlier record of the file has made."""
    fresh = [event for event in events if event.event_id not in seen]
    seen.update(event.event_id for event in fresh)
    return [Row(line, record, event) for event in fresh]


def caller_of(principal: str) -> str:
    """The person a principal is; empty for a service."""
    return person(principal) if principal.startswith("people/") else ""
