"""LinkedIn's data export: Connections.csv and messages.csv, as they come out of the archive.

A member is known by the address of the profile. An e-mail address beside it is rare; where there
is one, both ids are linked or proposed as one human, as with address books.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from rapport.cli.importing.files import (
    NOTE_BYTES_MAX,
    Contact,
    ContactRules,
    FileProblem,
    SourceFile,
    audience_of,
    contact_events,
    event_of,
    noon,
    provenance,
    shortened,
    unique_rows,
)
from rapport.cli.importing.rows import FIELD_CHARACTERS_MAX
from rapport.cli.loading import Reject, Row
from rapport.events.v1 import touchpoint_pb2 as touch
from rapport.v1 import ledger_service_pb2 as ledger

SOURCE: Final = "linkedin"
# Before its header Connections.csv says what it is: `Notes:`, a paragraph, an empty line.
PREAMBLE_RECORDS_MAX: Final = 20

_CONNECTIONS: Final = frozenset({"URL", "CONNECTED ON"})
_MESSAGES: Final = frozenset({"CONVERSATION ID", "SENDER PROFILE URL", "DATE"})
_DAY_FORMS: Final = ("%d %b %Y", "%d %B %Y", "%Y-%m-%d")
_TIME_FORMS: Final = ("%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S", "%m/%d/%y, %I:%M %p")

type Record = tuple[int, int, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Message:
    """A message between members, ids of people as ours."""

    line: int
    record: int
    identity: tuple[str, ...]
    conversation: str
    sent_at: datetime
    sender: str
    recipients: tuple[str, ...]
    text: str


@dataclass(slots=True)
class LinkedInFile(SourceFile):
    """One of the two files; which one is told by its columns. The user is `people.myself`.

    texts: what messages say goes along as notes, sealed, for the two people to see.
    """

    rules: ContactRules = field(default_factory=lambda: ContactRules(SOURCE))
    texts: bool = False

    def __iter__(self) -> Iterator[Row | Reject]:
        records = self._records()
        header = next(records)[2].keys()
        if header >= _CONNECTIONS:
            yield from self._connections(records)
        else:
            yield from self._messages(records)

    def _records(self) -> Iterator[Record]:
        """The header's names first (as keys), then every record by them."""
        csv.field_size_limit(FIELD_CHARACTERS_MAX)
        reader = csv.reader(io.StringIO(self.text(), newline=""))
        header: list[str] = []
        number = 0
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                raise FileProblem(f"{self.path}, line {line}: {error}") from None
            if not header:
                number += 1
                names = [cell.strip().upper() for cell in cells]
                if set(names) >= _CONNECTIONS or set(names) >= _MESSAGES:
                    header, number = names, 0
                    yield line, 0, dict.fromkeys(header, "")
                elif number > PREAMBLE_RECORDS_MAX:
                    break
            elif any(cell.strip() for cell in cells):
                number += 1
                yield line, number, dict(zip(header, map(str.strip, cells), strict=False))
        if not header:
            raise FileProblem(
                f"{self.path} is neither Connections.csv nor messages.csv of LinkedIn's export"
            )

    def _connections(self, records: Iterator[Record]) -> Iterator[Row | Reject]:
        seen: set[str] = set()
        for line, record, cells in records:
            try:
                events = self._connection(cells)
            except ValueError as problem:
                yield Reject(line, record, "", str(problem))
            else:
                yield from unique_rows(events, line, record, seen)

    def _connection(self, cells: dict[str, str]) -> list[ledger.NewEvent]:
        name = " ".join(part for key in ("FIRST NAME", "LAST NAME") if (part := cells.get(key, "")))
        profile, mail = cells.get("URL", ""), cells.get("EMAIL ADDRESS", "")
        connected_on = noon(_parsed(cells.get("CONNECTED ON", ""), _DAY_FORMS, "Connected On"))
        if not (profile or mail):
            # Members who left stay in the list without a name or an address.
            self.skipped["members who left"] += 1
            return []
        addresses = tuple(address for address in (profile, mail) if address)
        contact = Contact(
            addresses, name, cells.get("COMPANY", ""), cells.get("POSITION", ""), connected_on
        )
        made = contact_events(contact, self.people, self.rules)
        who, me = self.people.person(addresses[0], name), self.people.myself
        if who == me or not made:
            self.skipped["oneself"] += 1
            return []
        accepted = touch.Touchpoint(
            initiator=me,
            counterpart=who,
            mutual=True,  # who asked the other the export does not say
            kind="channel.accepted",
            channel="linkedin",
            external_id=self.people.external_id(SOURCE, "connection", who),
            provenance=provenance("export", SOURCE),
        )
        event_id = self.people.event_id(SOURCE, "connection", me, who)
        return [*made, event_of(event_id, connected_on, touchpoint=accepted)]

    def _messages(self, records: Iterator[Record]) -> Iterator[Row | Reject]:
        conversations: dict[str, list[Message]] = {}
        for line, record, cells in records:
            try:
                message = self._message(line, record, cells)
            except ValueError as problem:
                yield Reject(line, record, "", str(problem))
            else:
                if message is not None:
                    conversations.setdefault(message.conversation, []).append(message)
        seen: set[str] = set()
        for messages in conversations.values():
            messages.sort(key=lambda message: (message.sent_at, message.identity))
            before: Message | None = None
            for message in messages:
                events = list(self._touchpoints(message, before))
                yield from unique_rows(events, message.line, message.record, seen)
                before = message

    def _message(self, line: int, record: int, cells: dict[str, str]) -> Message | None:
        if "YES" in (cells.get(key, "").upper() for key in ("IS MESSAGE DRAFT", "DRAFT")):
            self.skipped["drafts"] += 1
            return None
        sent = _parsed(cells.get("DATE", ""), _TIME_FORMS, "DATE")
        profile, text = cells.get("SENDER PROFILE URL", ""), cells.get("CONTENT", "")
        to = cells.get("RECIPIENT PROFILE URLS", "").replace(";", ",").split(",")
        if not profile or not any(url.strip() for url in to):
            # Advertisers and members who left have no profile.
            self.skipped["without a profile"] += 1
            return None
        sender = self.people.person(profile, cells.get("FROM", ""))
        names = cells.get("TO", "") if len(to) == 1 else ""
        recipients = {self.people.person(url, names): None for url in to if url.strip()}
        recipients.pop(sender, None)
        if self.people.myself not in {sender, *recipients}:
            raise ValueError(
                "neither sender nor recipient is the user: give the address of the profile as --me"
            )
        conversation = cells.get("CONVERSATION ID", "")
        return Message(
            line=line,
            record=record,
            identity=(conversation, sent.isoformat(), sender, text),
            conversation=conversation,
            sent_at=sent,
            sender=sender,
            recipients=tuple(recipients),
            text=text,
        )

    def _touchpoints(self, message: Message, before: Message | None) -> Iterator[ledger.NewEvent]:
        me = self.people.myself
        to = message.recipients if message.sender == me else (me,)
        answer = before is not None and before.sender != message.sender
        for recipient in to:
            what = touch.Touchpoint(
                initiator=message.sender,
                counterpart=recipient,
                kind="message.personal",
                channel="linkedin",
                audience=audience_of(len(message.recipients)),
                initiative=touch.INITIATIVE_RESPONSIVE if answer else touch.INITIATIVE_PROACTIVE,
                external_id=self.people.external_id(SOURCE, *message.identity),
                provenance=provenance("export", SOURCE),
            )
            if answer and before is not None and before.sender == recipient:
                what.in_reply_to = self._id(before, message.sender)
            if self.texts and message.text:
                what.note.text = shortened(message.text, NOTE_BYTES_MAX)
                what.visibility = touch.VISIBILITY_PARTIES
            yield event_of(self._id(message, recipient), message.sent_at, touchpoint=what)

    def _id(self, message: Message, recipient: str) -> str:
        return self.people.event_id(SOURCE, *message.identity, recipient)


def _parsed(text: str, forms: tuple[str, ...], column: str) -> datetime:
    for form in forms:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(f"{column}: {text[:40]!r} is no date as LinkedIn writes it")
