"""Meetings of calendar files."""

from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from zoneinfo import ZoneInfo

import pytest
from rapport.cli.importing.calendars import CalendarFile
from rapport.cli.importing.files import FileProblem
from rapport.events.v1 import touchpoint_pb2 as touch
from rapport.times import instant

from tests.unit.cli.importing_support import events, people, rejects, written

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ME = "ATTENDEE:mailto:me@home.example"
ANN = "ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:Ann@x.example"
BOB = "ATTENDEE:mailto:bob@x.example"
HOST = "ORGANIZER;CN=Host:MAILTO:host@x.example"


def calendar(*components: str, head: str = "") -> str:
    body = "\n".join(dedent(component).strip() for component in components)
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:t\n{head}{body}\nEND:VCALENDAR\n"
    return text.replace("\n", "\r\n")


def vevent(uid: str, *lines: str) -> str:
    inner = "\n".join(lines)
    return f"BEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20260101T000000Z\n{inner}\nEND:VEVENT"


def meeting(uid: str, *lines: str) -> str:
    return vevent(uid, "DTSTART:20260112T090000Z", "DTEND:20260112T094500Z", *lines)


def file(folder: Path, text: str, *, zone: str = "UTC", **options: object) -> CalendarFile:
    path = written(folder, "c.ics", text)
    made = CalendarFile(path, people(), now=NOW, zone=ZoneInfo(zone))
    for key, value in options.items():
        setattr(made, key, value)
    return made


def test_a_meeting_is_the_host_with_every_guest_of_one_occasion(tmp_path: Path) -> None:
    text = calendar(meeting("u1", HOST, ME, ANN, HOST.replace("ORGANIZER", "ATTENDEE")))
    made = events(file(tmp_path, text))
    who = people()
    host, ann = who.person("host@x.example"), who.person("ann@x.example")
    pairs = [(e.touchpoint.initiator, e.touchpoint.counterpart) for e in made]
    assert pairs == [(host, "people/me"), (host, ann)]
    assert len({event.touchpoint.occasion_id for event in made}) == 1
    assert len({event.event_id for event in made}) == 2
    what = made[0].touchpoint
    assert (what.mutual, what.minutes.live, what.audience) == (True, 45, touch.AUDIENCE_FEW)
    assert what.kind == "meeting.video"
    assert instant(made[0].occurred_at) == datetime(2026, 1, 12, 9, tzinfo=UTC)
    assert b"x.example" not in made[0].SerializeToString()
    assert b"u1" not in made[0].SerializeToString()


def test_a_calendar_without_a_host_is_the_users(tmp_path: Path) -> None:
    (made,) = events(file(tmp_path, calendar(meeting("u", ME, ANN))))
    assert made.touchpoint.initiator == "people/me"
    assert made.touchpoint.audience == touch.AUDIENCE_UNSPECIFIED


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["LOCATION:Room 1"], "meeting.in_person"),
        (["LOCATION:https://acme.zoom.us/j/1"], "meeting.video"),
        (["LOCATION:Room 1", "DESCRIPTION:join https://meet.google.com/x"], "meeting.video"),
        (["LOCATION:Room 1", "X-GOOGLE-CONFERENCE:https://x"], "meeting.video"),
        ([], "meeting.video"),
    ],
)
def test_the_place_says_the_kind(tmp_path: Path, lines: list[str], kind: str) -> None:
    (made,) = events(file(tmp_path, calendar(meeting("u", HOST, ME, *lines))))
    assert made.touchpoint.kind == kind
    (same,) = events(file(tmp_path, calendar(meeting("u", HOST, ME, *lines)), kind="call"))
    assert (same.touchpoint.kind, same.event_id) == ("call", made.event_id)


SERIES = """
    BEGIN:VEVENT
    UID:s
    DTSTAMP:20260101T000000Z
    DTSTART;TZID=Europe/Berlin:20260202T100000
    DTEND;TZID=Europe/Berlin:20260202T103000
    RRULE:FREQ=WEEKLY
    EXDATE;TZID=Europe/Berlin:20260209T100000
    ORGANIZER:mailto:me@home.example
    ATTENDEE:mailto:ann@x.example
    END:VEVENT
"""
MOVED = """
    BEGIN:VEVENT
    UID:s
    DTSTAMP:20260101T000000Z
    RECURRENCE-ID;TZID=Europe/Berlin:20260216T100000
    DTSTART;TZID=Europe/Berlin:20260217T120000
    DTEND;TZID=Europe/Berlin:20260217T130000
    ORGANIZER:mailto:me@home.example
    ATTENDEE:mailto:ann@x.example
    END:VEVENT
"""


def test_a_series_has_its_exceptions_and_ends_today(tmp_path: Path) -> None:
    plain = events(file(tmp_path, calendar(SERIES)))
    moved = events(file(tmp_path, calendar(MOVED, SERIES)))
    days = [instant(event.occurred_at).strftime("%m-%d %H") for event in plain]
    assert days == ["02-02 09", "02-16 09", "02-23 09"], "in UTC, without the excluded one"
    by_time = sorted(moved, key=lambda event: event.occurred_at.seconds)
    days = [instant(event.occurred_at).strftime("%m-%d %H") for event in by_time]
    assert days == ["02-02 09", "02-17 11", "02-23 09"]
    assert [e.event_id for e in by_time] == [e.event_id for e in plain], "moved or not"
    assert by_time[1].touchpoint.minutes.live == 60


def test_a_cancelled_occurrence_is_left_out_and_a_cancelled_series_whole(tmp_path: Path) -> None:
    cancelled = MOVED.replace("END:VEVENT", "STATUS:CANCELLED\n    END:VEVENT")
    source = file(tmp_path, calendar(SERIES, cancelled))
    assert len(events(source)) == 2
    assert source.skipped["cancelled"] == 1
    whole = file(tmp_path, calendar(SERIES, MOVED, head="METHOD:CANCEL\n"))
    assert events(whole) == []


def test_repeating_makes_the_same_events(tmp_path: Path) -> None:
    text = calendar(SERIES, MOVED, meeting("u", HOST, ME, ANN))
    once, again = events(file(tmp_path, text)), events(file(tmp_path, text))
    assert once == again
    assert len({event.event_id for event in once}) == len(once) == 5


def test_what_did_not_happen_or_not_yet_is_left_out(tmp_path: Path) -> None:
    source = file(
        tmp_path,
        calendar(
            meeting("1", HOST, ANN, ME.replace("ATTENDEE", "ATTENDEE;PARTSTAT=DECLINED")),
            meeting("2", HOST, BOB.replace("ATTENDEE", "ATTENDEE;PARTSTAT=DECLINED"), ME),
            vevent("3", "DTSTART:20260228T230000Z", "DTEND:20260301T003000Z", HOST, ME),
            meeting("4"),
            meeting("5", HOST, "ATTENDEE;CUTYPE=ROOM:mailto:room@x.example"),
            meeting("6", HOST, "ATTENDEE:invalid:nomail"),
        ),
    )
    (made,) = events(source)
    assert made.touchpoint.counterpart == "people/me"
    assert source.skipped == {
        "declined": 1,
        "not over yet": 1,
        "nobody else": 3,
        "people without an address": 1,
    }


def test_a_whole_day_is_its_day_everywhere_and_has_no_minutes(tmp_path: Path) -> None:
    days = ["DTSTART;VALUE=DATE:20260110", "DTEND;VALUE=DATE:20260112"]
    today = ["DTSTART;VALUE=DATE:20260301"]
    text = calendar(vevent("d", *days, HOST, ME), vevent("e", *today, HOST, ME))
    (made,) = events(file(tmp_path, text))
    assert instant(made.occurred_at) == datetime(2026, 1, 10, 12, tzinfo=UTC)
    assert made.touchpoint.kind == "event.attended_together"
    assert not made.touchpoint.HasField("minutes")


def test_times_without_a_zone_are_of_the_zone_given(tmp_path: Path) -> None:
    floating = ["DTSTART:20260112T100000", "DURATION:PT90M"]
    text = calendar(vevent("f", *floating, HOST, ME))
    (made,) = events(file(tmp_path, text, zone="America/New_York"))
    assert instant(made.occurred_at) == datetime(2026, 1, 12, 15, tzinfo=UTC)
    assert made.touchpoint.minutes.live == 90


def test_titles_stay_at_home_unless_asked_for(tmp_path: Path) -> None:
    text = calendar(meeting("u", HOST, ME, "SUMMARY:Ann's secret"))
    (plain,) = events(file(tmp_path, text))
    assert not plain.touchpoint.HasField("note")
    (told,) = events(file(tmp_path, text, titles=True))
    assert told.touchpoint.note.text == "Ann's secret"
    assert told.touchpoint.visibility == touch.VISIBILITY_PARTIES


def test_a_broken_series_breaks_no_other(tmp_path: Path) -> None:
    text = calendar(
        vevent("a", HOST, ME),
        meeting("b", HOST, ME, "RRULE:FREQ=SECONDLY"),
        meeting("c", HOST, ME),
        meeting("", HOST, ME),
    )
    rows = list(file(tmp_path, text))
    found = rejects(rows)
    assert [(line, record) for line, record, _ in found] == [(4, 1), (10, 2), (27, 4)]
    assert "repeats within the day" in found[1][2]
    assert len(rows) == 4


@pytest.mark.parametrize("content", [b"hello", b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n"])
def test_what_is_no_calendar_is_said(tmp_path: Path, content: bytes) -> None:
    source = CalendarFile(written(tmp_path, "c.ics", content), people(), now=NOW)
    with pytest.raises(FileProblem, match="no calendar"):
        list(source)
