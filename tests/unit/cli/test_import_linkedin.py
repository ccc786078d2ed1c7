"""LinkedIn's export."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from rapport.cli.importing.files import FileProblem
from rapport.cli.importing.linkedin import LinkedInFile
from rapport.events.v1 import touchpoint_pb2 as touch
from rapport.times import instant

from tests.unit.cli.importing_support import events, people, rejects, written

CONNECTIONS = """\
Notes:
"When exporting your connection data, you may notice that some of the email addresses are missing."

First Name,Last Name,URL,Email Address,Company,Position,Connected On
Änne,"Müller, PhD",https://www.linkedin.com/in/anne-m,ann@x.example,Acme Inc.,Buyer,05 Jan 2023
Bob,Berg,https://www.linkedin.com/in/bob,,,,17 Feb 2024
,,,,,,17 Feb 2024
Cy,Cole,https://www.linkedin.com/in/cy,,,,someday
"""
MESSAGES = """\
CONVERSATION ID,CONVERSATION TITLE,FROM,SENDER PROFILE URL,TO,RECIPIENT PROFILE URLS,DATE,SUBJECT,\
CONTENT,FOLDER,ATTACHMENTS,IS MESSAGE DRAFT
c1,,Me,https://linkedin.com/in/me,Bob Berg,https://www.linkedin.com/in/bob,\
2024-02-18 09:30:00 UTC,,"Fine,\nthanks",INBOX,,No
c1,,Bob Berg,https://www.linkedin.com/in/bob,Me,https://www.linkedin.com/in/me,\
2024-02-18 09:00:00 UTC,,How are you?,INBOX,,No
c2,,Me,https://linkedin.com/in/me,"Bob Berg,Ann",\
"https://www.linkedin.com/in/bob,https://www.linkedin.com/in/anne-m",\
2024-03-01 10:00:00 UTC,,Meet,INBOX,,No
c3,Ad,Acme,,Me,https://linkedin.com/in/me,2024-03-01 10:00:00 UTC,,Buy!,INBOX,,No
c4,,Me,https://linkedin.com/in/me,Bob,https://www.linkedin.com/in/bob,,,unsent,INBOX,,Yes
"""
ME = "https://www.linkedin.com/in/me"


def file(folder: Path, text: str, *, texts: bool = False, me: str = ME) -> LinkedInFile:
    return LinkedInFile(written(folder, "l.csv", text), people(me), texts=texts)


def test_connections_come_after_a_preamble_with_names_and_companies(tmp_path: Path) -> None:
    source = file(tmp_path, CONNECTIONS)
    rows = list(source)
    assert rejects(rows) == [(8, 4, "Connected On: 'someday' is no date as LinkedIn writes it")]
    assert source.skipped == {"members who left": 1}
    made = events(row for row in rows if row.record < 3)
    who = people()
    anne, bob = who.person("linkedin.com/in/anne-m"), who.person("linkedin.com/in/bob")
    accepted = [e for e in made if e.WhichOneof("payload") == "touchpoint"]
    assert [e.touchpoint.counterpart for e in accepted] == [anne, bob]
    assert {e.touchpoint.kind for e in accepted} == {"channel.accepted"}
    assert {e.touchpoint.channel for e in accepted} == {"linkedin"}
    assert all(e.touchpoint.initiator == "people/me" and e.touchpoint.mutual for e in accepted)
    assert instant(accepted[0].occurred_at) == datetime(2023, 1, 5, 12, tzinfo=UTC)
    names = [e.party_described.display_name.text for e in made if e.HasField("party_described")]
    assert names == ["Änne Müller, PhD", "Änne Müller, PhD", "Acme Inc.", "Bob Berg"]
    (started,) = [e.affiliation_started for e in made if e.HasField("affiliation_started")]
    assert (started.person, started.role) == (anne, "Buyer")
    assert started.organization == who.organization("ACME inc.")
    (linked,) = [e.identity_linked for e in made if e.HasField("identity_linked")]
    assert linked.b == who.person("ann@x.example")


def test_messages_answer_each_other(tmp_path: Path) -> None:
    source = file(tmp_path, MESSAGES)
    first, answer, *group = events(source)
    who = people()
    bob = who.person("linkedin.com/in/bob")
    assert (first.touchpoint.initiator, first.touchpoint.counterpart) == (bob, "people/me")
    assert first.touchpoint.initiative == touch.INITIATIVE_PROACTIVE
    assert answer.touchpoint.in_reply_to == first.event_id
    assert answer.touchpoint.initiative == touch.INITIATIVE_RESPONSIVE
    assert instant(answer.occurred_at) == datetime(2024, 2, 18, 9, 30, tzinfo=UTC)
    assert {e.touchpoint.kind for e in (first, answer, *group)} == {"message.personal"}
    assert [e.touchpoint.audience for e in group] == [touch.AUDIENCE_FEW] * 2
    assert source.skipped == {"without a profile": 1, "drafts": 1}
    assert not any(e.touchpoint.HasField("note") for e in (first, answer))


def test_texts_go_along_when_asked_for(tmp_path: Path) -> None:
    first, *_ = events(file(tmp_path, MESSAGES, texts=True))
    assert first.touchpoint.note.text == "How are you?"
    assert first.touchpoint.visibility == touch.VISIBILITY_PARTIES


def test_the_ids_do_not_depend_on_the_order_or_the_repeat(tmp_path: Path) -> None:
    once = {event.event_id: event for event in events(file(tmp_path, MESSAGES))}
    header, rest = MESSAGES.split("\n", 1)
    more = f"c9,,Bob,{ME.replace('/me', '/bob')},Me,{ME},2024-04-01 10:00:00 UTC,,Hi,INBOX,,No\n"
    again = {event.event_id: event for event in events(file(tmp_path, f"{header}\n{more}{rest}"))}
    assert once.items() <= again.items()
    assert len(again) == len(once) + 1
    with_texts = {event.event_id for event in events(file(tmp_path, MESSAGES, texts=True))}
    assert with_texts == set(once)
    (connection, *_) = (row for row in file(tmp_path, CONNECTIONS) if row.record == 1)
    (same, *_) = (row for row in file(tmp_path, CONNECTIONS) if row.record == 1)
    assert connection == same


def test_messages_need_to_know_who_the_user_is(tmp_path: Path) -> None:
    rows = list(file(tmp_path, MESSAGES, me="other@home.example"))
    assert {reason for *_, reason in rejects(rows)} == {
        "neither sender nor recipient is the user: give the address of the profile as --me"
    }


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "x\n" * 50])
def test_another_table_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FileProblem, match="neither"):
        list(file(tmp_path, text))
