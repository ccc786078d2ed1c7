"""Calendars (RFC 5545): meetings that took place become touchpoints of the host and every guest.

Left out and counted: cancelled and declined ones, those not over yet, those nobody else was at.
A series is its UID; an occurrence is the UID with its RECURRENCE-ID, whether it was moved or not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Event

from rapport.cli.importing.files import (
    NOTE_BYTES_MAX,
    FileProblem,
    SourceFile,
    audience_of,
    event_of,
    lines_of,
    noon,
    provenance,
    shortened,
)
from rapport.cli.loading import Reject, Row
from rapport.events.v1 import touchpoint_pb2 as touch
from rapport.v1 import ledger_service_pb2 as ledger

SOURCE: Final = "ics"
OCCURRENCES_MAX: Final = 20_000
GUESTS_MAX: Final = 1000
# Longer ones are stays, not time given to somebody.
MINUTES_MAX: Final = 24 * 60
# No calendar of meetings goes back further; a series begun in year 1 would never be through.
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)

_DENSE: Final = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})
_ABSENT: Final = frozenset({"DECLINED", "DELEGATED"})
_NO_PERSON: Final = frozenset({"ROOM", "RESOURCE", "GROUP"})
_ONLINE: Final = re.compile(
    r"https?://\S*(?:zoom\.us|teams\.(?:microsoft|live)\.com|meet\.google\.com|webex\.com"
    r"|whereby\.com|gotomeet|jit\.si|bigbluebutton)",
    re.IGNORECASE,
)
_ONLINE_KEYS: Final = (
    "CONFERENCE",
    "X-GOOGLE-CONFERENCE",
    "X-MICROSOFT-ONLINEMEETINGCONFLINK",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
)


@dataclass(slots=True)
class CalendarFile(SourceFile):
    """The meetings of a calendar file.

    now: what is not over by then is left out. zone: of times that do not say theirs. kind: of all
    meetings; empty: `meeting.video` with a link to one, `meeting.in_person` with another place,
    else `meeting.video`, the lighter of the two; `event.attended_together` for whole days.
    titles: the titles go along as notes, sealed, for the two people to see.
    """

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    kind: str = ""
    titles: bool = False

    def __iter__(self) -> Iterator[Row | Reject]:
        text = self.text()
        lines = [
            number
            for number, line in enumerate(lines_of(text), start=1)
            if line.strip().upper() == "BEGIN:VEVENT"
        ]
        try:
            calendars = Calendar.from_ical(text, multiple=True)
        except ValueError as error:
            raise FileProblem(f"{self.path} is no calendar: {error}") from None
        if not calendars:
            raise FileProblem(f"{self.path} is no calendar, or not the whole of one")
        record = 0
        for calendar in calendars:
            series: dict[str, list[tuple[int, int, Event]]] = {}
            for event in calendar.events:
                record += 1
                line = lines[record - 1] if record <= len(lines) else 0
                uid = str(event.get("UID", "")).strip()
                series.setdefault(uid or f"\n{record}", []).append((line, record, event))
            if str(calendar.get("METHOD", "")).upper() == "CANCEL":
                self.skipped["cancelled"] += sum(map(len, series.values()))
                continue
            for uid, members in series.items():
                yield from self._series(calendar, uid, members)

    def _series(
        self, calendar: Calendar, uid: str, members: list[tuple[int, int, Event]]
    ) -> Iterator[Row | Reject]:
        line, record, first = members[0]
        try:
            if uid.startswith("\n"):
                raise ValueError("UID: missing, so that a repeat could not be told from a new one")
            occurrences = self._occurrences(calendar, [event for *_, event in members])
            for recurrence, event in occurrences:
                for made in self._touchpoints(uid, recurrence, event):
                    yield Row(line, record, made)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as problem:
            words = str(problem) or type(problem).__name__
            yield Reject(line, record, "", f"{words} ({shortened(str(first.get('UID')), 80)})")

    def _occurrences(self, calendar: Calendar, events: list[Event]) -> list[tuple[str, Event]]:
        """(RECURRENCE-ID or nothing, event) of a series until now, or of a single event."""
        recurring = [event for event in events if "RRULE" in event or "RDATE" in event]
        if len(events) == 1 and not recurring:
            return [(_instant_text(events[0].get("RECURRENCE-ID")), events[0])]
        for event in recurring:
            if _DENSE & set(_frequencies(event)):
                raise ValueError("RRULE: a meeting that repeats within the day")
        alone = Calendar()
        for key in ("PRODID", "VERSION", "X-WR-TIMEZONE"):
            if key in calendar:
                alone[key] = calendar[key]
        for event in events:
            alone.add_component(event)
        begins = [self._instant(event.start) for event in events]
        since = max(min(begins) - timedelta(days=2), _EARLIEST)
        found = recurring_ical_events.of(alone).between(since, self.now + timedelta(days=1))
        if len(found) > OCCURRENCES_MAX:
            raise ValueError(f"RRULE: more than {OCCURRENCES_MAX} occurrences")
        return [
            (_instant_text(event.get("RECURRENCE-ID")) if recurring else "", event)
            for event in found
        ]

    def _touchpoints(self, uid: str, recurrence: str, event: Event) -> Iterator[ledger.NewEvent]:
        """One for every guest, all of one occasion; none when it is left out."""
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            self.skipped["cancelled"] += 1
            return
        whole_days = not isinstance(event.start, datetime)
        begin, end = self._instant(event.start), self._instant(event.end, end=True)
        if max(begin, end) > self.now:
            self.skipped["not over yet"] += 1
            return
        host, guests, why_not = self._who(event)
        if why_not:
            self.skipped[why_not] += 1
            return
        template = touch.Touchpoint(
            initiator=host,
            mutual=True,
            kind=self._kind_of(event, whole_days),
            channel="calendar",
            audience=audience_of(len(guests)),
            occasion_id=self.people.event_id(SOURCE, "occasion", uid, recurrence),
            external_id=self.people.external_id(SOURCE, uid, recurrence),
            provenance=provenance("calendar", SOURCE),
        )
        live = (end - begin) // timedelta(minutes=1)
        if not whole_days and 0 < live <= MINUTES_MAX:
            template.minutes.live = live
        title = shortened(str(event.get("SUMMARY", "")), NOTE_BYTES_MAX)
        if self.titles and title:
            template.note.text = title
            template.visibility = touch.VISIBILITY_PARTIES
        for guest in guests:
            event_id = self.people.event_id(SOURCE, uid, recurrence, host, guest)
            made = event_of(event_id, begin, touchpoint=template)
            made.touchpoint.counterpart = guest
            yield made

    def _who(self, event: Event) -> tuple[str, list[str], str]:
        """Host, guests, and why it is left out, if it is."""
        attendees = event.get("ATTENDEE", [])
        attendees = attendees if isinstance(attendees, list) else [attendees]
        host = self._person(event.get("ORGANIZER")) or self.people.myself
        guests: dict[str, None] = {}
        for attendee in attendees:
            parameters = attendee.params
            who = self._person(attendee)
            if str(parameters.get("PARTSTAT", "")).upper() in _ABSENT:
                if who == self.people.myself and who:
                    return host, [], "declined"
                continue
            spectator = str(parameters.get("ROLE", "")).upper() == "NON-PARTICIPANT"
            room = str(parameters.get("CUTYPE", "")).upper() in _NO_PERSON
            if who and who != host and not room and not spectator:
                guests[who] = None
        if len(guests) > GUESTS_MAX:
            raise ValueError(f"ATTENDEE: more than {GUESTS_MAX}")
        if not host:
            return host, [], "no host"
        return host, list(guests), "" if guests else "nobody else"

    def _person(self, address: Any) -> str:
        """Whose calendar address it is; empty for none, as `invalid:nomail`."""
        if address is None:
            return ""
        try:
            return self.people.person(str(address), str(address.params.get("CN", "")))
        except ValueError:
            # Exchange writes people of its own directory without an address.
            mail = str(address.params.get("EMAIL", ""))
            try:
                return self.people.person(mail)
            except ValueError:
                self.skipped["people without an address"] += 1
                return ""

    def _kind_of(self, event: Event, whole_days: bool) -> str:
        if self.kind:
            return self.kind
        if whole_days:
            return "event.attended_together"
        place = str(event.get("LOCATION", ""))
        told = " ".join(str(event.get(key, "")) for key in ("LOCATION", "URL", "DESCRIPTION"))
        online = any(key in event for key in _ONLINE_KEYS) or _ONLINE.search(told)
        return "meeting.in_person" if place.strip() and not online else "meeting.video"

    def _instant(self, when: date | datetime, *, end: bool = False) -> datetime:
        """The instant; of a whole day its noon (the end of a stay is the morning after it)."""
        if isinstance(when, datetime):
            return (when if when.tzinfo else when.replace(tzinfo=self.zone)).astimezone(UTC)
        return noon(when) - (timedelta(days=1) if end else timedelta())


def _frequencies(event: Event) -> Iterator[str]:
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        yield from (str(one).upper() for one in rule.get("FREQ", []))


def _instant_text(recurrence: Any) -> str:
    """A RECURRENCE-ID as text that is the same in every zone it may be written in."""
    if recurrence is None:
        return ""
    when = recurrence.dt
    if isinstance(when, datetime) and when.tzinfo is not None:
        return when.astimezone(UTC).isoformat()
    return str(when.isoformat())
