"""Mail of mbox files."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from rapport.cli.importing.files import FileProblem
from rapport.cli.importing.mail import MailFile
from rapport.events.v1 import touchpoint_pb2 as touch
from rapport.times import instant

from tests.unit.cli.importing_support import events, people, rejects, written


def mail(message_id: str, sender: str, to: str, date: str, *more: str) -> str:
    lines = [f"From: {sender}", f"To: {to}", f"Date: {date}", f"Message-ID: <{message_id}@m>"]
    return "\n".join(["From x Mon Jan 12 09:00:00 2026", *lines, *more, "", "text\n>From x", ""])


ME, ANN, BOB = "Me <me@home.example>", "Ann <ann@x.example>", "bob@x.example"
MONDAY, TUESDAY = "Mon, 12 Jan 2026 10:00:00 +0100", "Tue, 13 Jan 2026 10:30:00 +0100"


def file(folder: Path, *mails: str | bytes, bulk: bool = True, subjects: bool = False) -> MailFile:
    content = b"\n".join(m if isinstance(m, bytes) else m.encode() for m in mails)
    path = written(folder, "m.mbox", content)
    return MailFile(path, people(), bulk=bulk, subjects=subjects)


def test_a_mail_and_its_answer(tmp_path: Path) -> None:
    source = file(
        tmp_path,
        mail("2", ME, ANN, TUESDAY, "In-Reply-To: <1@m>", "Subject: Re: x"),
        mail("1", ANN, ME, MONDAY, "Subject: x"),
    )
    answer, first = events(source)
    ann = people().person("ann@x.example")
    assert (first.touchpoint.initiator, first.touchpoint.counterpart) == (ann, "people/me")
    assert (answer.touchpoint.initiator, answer.touchpoint.counterpart) == ("people/me", ann)
    assert answer.touchpoint.in_reply_to == first.event_id
    assert answer.touchpoint.initiative == touch.INITIATIVE_RESPONSIVE
    assert first.touchpoint.initiative == touch.INITIATIVE_PROACTIVE
    assert {e.touchpoint.kind for e in (answer, first)} == {"email.one_to_one"}
    assert instant(first.occurred_at) == datetime(2026, 1, 12, 9, tzinfo=UTC)
    assert source.more()["reply_minutes"] == {"mine": 24 * 60 + 30}
    assert b"@" not in first.SerializeToString(), "neither addresses nor Message-IDs"


def test_a_reminder_to_oneself_answers_nobody(tmp_path: Path) -> None:
    source = file(
        tmp_path,
        mail("1", ME, ANN, MONDAY),
        mail("2", ME, ANN, TUESDAY, "References: <0@m> <1@m>"),
        mail("3", ANN, ME, TUESDAY, "In-Reply-To: <unknown@m>"),
    )
    _, nudge, answer = events(source)
    assert nudge.touchpoint.initiative == touch.INITIATIVE_PROACTIVE
    assert not nudge.touchpoint.in_reply_to
    assert answer.touchpoint.initiative == touch.INITIATIVE_RESPONSIVE
    assert not answer.touchpoint.in_reply_to


@pytest.mark.parametrize(
    ("header", "audience"),
    [
        ("List-Id: News <news.x.example>", touch.AUDIENCE_MANY),
        ("List-Unsubscribe: <mailto:x>", touch.AUDIENCE_MANY),
        ("Precedence: bulk", touch.AUDIENCE_MANY),
        ("Auto-Submitted: auto-replied", touch.AUDIENCE_UNSPECIFIED),
        ("Cc: " + ", ".join(f"p{n}@x.example" for n in range(30)), touch.AUDIENCE_MANY),
    ],
)
def test_bulk_mail_is_told_by_its_headers(tmp_path: Path, header: str, audience: int) -> None:
    (made,) = events(file(tmp_path, mail("1", ANN, ME, MONDAY, header)))
    what = made.touchpoint
    assert (what.kind, what.initiative) == ("email.bulk", touch.INITIATIVE_AUTOMATED)
    assert what.audience == audience
    source = file(tmp_path, mail("1", ANN, ME, MONDAY, header), bulk=False)
    assert events(source) == []
    assert source.skipped == {"bulk": 1}


def test_a_person_who_says_no_to_automation_is_one(tmp_path: Path) -> None:
    (made,) = events(file(tmp_path, mail("1", ANN, ME, MONDAY, "Auto-Submitted: no")))
    assert made.touchpoint.kind == "email.one_to_one"


def test_only_the_users_own_pairs_are_made(tmp_path: Path) -> None:
    made = events(
        file(
            tmp_path,
            mail("1", ANN, f"{ME}, {BOB}", MONDAY),
            mail("2", ME, f"{ANN}, Bob <{BOB}>, {ME}", MONDAY),
            mail("3", ANN, BOB, MONDAY),
            mail("4", ME, ME, MONDAY),
        )
    )
    ann, bob = people().person("ann@x.example"), people().person("bob@x.example")
    pairs = [(e.touchpoint.initiator, e.touchpoint.counterpart) for e in made]
    assert pairs == [
        (ann, "people/me"),
        ("people/me", ann),
        ("people/me", bob),
        (ann, "people/me"),
    ], "the third came as a blind copy"
    assert [e.touchpoint.audience for e in made] == [
        touch.AUDIENCE_FEW,
        touch.AUDIENCE_FEW,
        touch.AUDIENCE_FEW,
        touch.AUDIENCE_UNSPECIFIED,
    ]


def test_copies_and_repeats_add_nothing(tmp_path: Path) -> None:
    once = mail("1", ANN, ME, MONDAY)
    source = file(tmp_path, once, once)
    (made,) = events(source)
    assert source.skipped == {"copies": 1}
    (again,) = events(file(tmp_path, mail("9", BOB, ME, MONDAY), once))[1:]
    assert again == made, "whatever stands before it"
    unnamed = once.replace("Message-ID: <1@m>\n", "")
    assert len(events(file(tmp_path, unnamed, unnamed))) == 1


def test_names_and_subjects_are_read_in_every_encoding(tmp_path: Path) -> None:
    encoded = "=?utf-8?q?=C3=84nne?= =?iso-8859-1?q?_M=FCller?= <ann@x.example>"
    latin = (
        mail("2", "x", ME, MONDAY).encode().replace(b"From: x", b"From: M\xfcller <bob@x.example>")
    )
    broken = mail("3", "=?utf-8?b?!?= <c@x.example>", ME, MONDAY, "Subject: =?nope?q?x?=")
    source = file(
        tmp_path,
        mail("1", encoded, ME, MONDAY, "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=", " and more"),
        latin,
        broken,
        subjects=True,
    )
    first, _, third = events(source)
    assert first.touchpoint.note.text == "Grüße and more"
    assert first.touchpoint.visibility == touch.VISIBILITY_PARTIES
    assert third.touchpoint.note.text == "=?nope?q?x?="
    source.people.save(tmp_path)
    known = (tmp_path / "people.json").read_text()
    assert "Änne Müller" in known
    assert '"Müller"' in known


def test_a_mail_that_says_too_little_is_a_reject_with_its_number(tmp_path: Path) -> None:
    source = file(
        tmp_path,
        mail("1", "nobody", ME, MONDAY),
        mail("2", ANN, ME, "last week"),
        mail("3", ANN, ME, "Mon, 12 Jan 2026 10:00:00 -0000"),
        mail("4", ANN, ME, MONDAY, "X-Gmail-Labels: Inbox,Spam"),
    )
    rows = list(source)
    assert rejects(rows) == [
        (0, 1, "From: no address"),
        (0, 2, "Date: 'last week' is no date"),
    ]
    assert len(rows) == 3
    assert source.skipped == {"drafts, spam and trash": 1}


def test_what_is_no_mailbox_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no mbox"):
        list(file(tmp_path, b"hello\n"))
    with pytest.raises(FileProblem, match="cannot be read"):
        list(MailFile(tmp_path / "none", people()))
    assert list(file(tmp_path, b"")) == []
