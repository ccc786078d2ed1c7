"""Mail (mbox, RFC 5322): what the user and others wrote to each other. Only headers are read.

Mail to a machine's list and by a machine is told by its headers (RFC 2919, 3834, and what is in
use): it becomes `email.bulk`, which weighs nothing.
"""

import mailbox
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from email.utils import getaddresses, parsedate_to_datetime
from statistics import median
from typing import Any, Final

from rapport.cli.importing.files import (
    AUDIENCE_FEW_MAX,
    NOTE_BYTES_MAX,
    FileProblem,
    SourceFile,
    audience_of,
    event_of,
    provenance,
    shortened,
)
from rapport.cli.loading import Reject, Row
from rapport.events.v1 import touchpoint_pb2 as touch

SOURCE: Final = "mbox"
HEADER_BYTES_MAX: Final = 1024 * 1024
RECIPIENTS_MAX: Final = 1000

_FOLDED: Final = re.compile(r"\r?\n(?=[ \t])")
_MESSAGE_ID: Final = re.compile(r"<[^<>\s]+>")
_UNSENT: Final = frozenset({"draft", "drafts", "spam", "trash"})


class Headers:
    """The headers of a message, raw 8-bit bytes in them read as UTF-8, else as Windows-1252."""

    def __init__(self, content: bytes) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in BytesHeaderParser().parsebytes(content).raw_items():
            raw = str(value).encode("utf-8", "surrogateescape")
            try:
                text = raw.decode()
            except UnicodeDecodeError:
                text = raw.decode("cp1252", "replace")
            self._values.setdefault(name.lower(), []).append(_FOLDED.sub("", text).strip())

    def first(self, name: str) -> str:
        """The first of a name; empty for none."""
        return self._values.get(name, [""])[0]

    def addresses(self, *names: str) -> list[tuple[str, str]]:
        """(name, address) of everybody in these headers."""
        values = [value for name in names for value in self._values.get(name, ())]
        return [(unencoded(name), mail) for name, mail in getaddresses(values) if "@" in mail]


def unencoded(text: str) -> str:
    """A header's text with its encoded words (RFC 2047) read; as it stands when they are broken."""
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        return text


def bulk_reason(headers: Headers, recipients: int) -> str:
    """Why a message is no personal one: `list`, `precedence`, `automatic`, `many`; or empty."""
    if headers.first("list-id") or headers.first("list-unsubscribe"):
        return "list"
    if headers.first("precedence").lower() in {"bulk", "list", "junk", "auto_reply"}:
        return "precedence"
    submitted = headers.first("auto-submitted").lower().partition(";")[0].strip()
    if (submitted and submitted != "no") or headers.first("x-autoreply"):
        return "automatic"
    return "many" if recipients > AUDIENCE_FEW_MAX else ""


@dataclass(frozen=True, slots=True)
class Mail:
    """What of a message matters. pairs: (sender, recipient) with the user in it."""

    record: int
    identity: str
    sent_at: datetime
    answers: str
    pairs: tuple[tuple[str, str], ...]
    recipients: int
    bulk: str
    subject: str


@dataclass(slots=True)
class MailFile(SourceFile):
    """The messages of an mbox to or from the user; the people of `people` must know who that is.

    bulk: also those of lists and machines. subjects: the subjects go along as notes, sealed, for
    the two people to see. reply_minutes: how long answers took, by who answered, once it was read.
    """

    bulk: bool = True
    subjects: bool = False
    reply_minutes: dict[str, list[int]] = field(default_factory=lambda: {"mine": [], "theirs": []})

    def __iter__(self) -> Iterator[Row | Reject]:
        # An answer may stand before what it answers: all are read, then told.
        mails: dict[str, Mail] = {}
        for read in self._read():
            if isinstance(read, Reject):
                yield read
            elif read.identity in mails:
                self.skipped["copies"] += 1
            else:
                mails[read.identity] = read
        for mail in mails.values():
            yield from self._rows(mail, mails.get(mail.answers))

    def more(self) -> dict[str, Any]:
        """Also how long answers took: the median, in minutes."""
        said = {who: round(median(took)) for who, took in self.reply_minutes.items() if took}
        # super() without arguments does not know the class that slots=True makes
        return SourceFile.more(self) | {"reply_minutes": said}

    def _read(self) -> Iterator[Mail | Reject]:
        try:
            self.size_bytes = self.path.stat().st_size
            box = mailbox.mbox(self.path, create=False)
            keys = box.keys()
        except (OSError, mailbox.Error) as error:
            raise FileProblem(f"{self.path} cannot be read: {error}") from error
        if not keys and self.size_bytes:
            box.close()
            raise FileProblem(f"{self.path} is no mbox: it has no line `From …` before a message")
        try:
            for record, key in enumerate(keys, start=1):
                content, size = _header_bytes(box, key)
                self.read_bytes += size
                try:
                    mail = self._mail(record, Headers(content))
                except (ValueError, OverflowError) as problem:
                    yield Reject(0, record, "", str(problem))
                else:
                    if mail is not None:
                        yield mail
        finally:
            box.close()

    def _mail(self, record: int, headers: Headers) -> Mail | None:
        """The message; None when it is left out. ValueError when it says too little."""
        labels = headers.first("x-gmail-labels").lower().split(",")
        if not _UNSENT.isdisjoint(label.strip() for label in labels):
            self.skipped["drafts, spam and trash"] += 1
            return None
        senders = headers.addresses("from") or headers.addresses("sender")
        if not senders:
            raise ValueError("From: no address")
        to = headers.addresses("to", "cc", "bcc")
        recipients = {address.lower() for _, address in to} - {senders[0][1].lower()}
        if len(recipients) > RECIPIENTS_MAX:
            raise ValueError(f"To: more than {RECIPIENTS_MAX} addresses")
        bulk = bulk_reason(headers, len(recipients))
        if bulk and not self.bulk:
            self.skipped["bulk"] += 1
            return None
        sender = self.people.person(senders[0][1], senders[0][0])
        pairs = self._pairs(sender, to)
        if not pairs:
            self.skipped["to oneself"] += 1
            return None
        date, subject = headers.first("date"), unencoded(headers.first("subject"))
        own = _MESSAGE_ID.search(headers.first("message-id"))
        answered = _MESSAGE_ID.findall(headers.first("in-reply-to"))
        answered = answered[:1] or _MESSAGE_ID.findall(headers.first("references"))[-1:]
        return Mail(
            record=record,
            identity=own[0] if own else "\n".join((date, sender, pairs[0][1], subject)),
            sent_at=_sent_at(date),
            answers=answered[0] if answered else "",
            pairs=pairs,
            recipients=len(recipients),
            bulk=bulk,
            subject=subject,
        )

    def _pairs(self, sender: str, to: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """The user's own: with every recipient, or with the sender, also as an unnamed one."""
        if sender != self.people.myself:
            for name, address in to:
                if self.people.is_me(address):
                    self.people.person(address, name)
            return ((sender, self.people.myself),)
        found: dict[str, None] = {}
        for name, address in to:
            try:
                found[self.people.person(address, name)] = None
            except ValueError:
                self.skipped["people without an address"] += 1
        found.pop(sender, None)
        return tuple((sender, recipient) for recipient in found)

    def _rows(self, mail: Mail, answered: Mail | None) -> Iterator[Row]:
        for sender, recipient in mail.pairs:
            what = touch.Touchpoint(
                initiator=sender,
                counterpart=recipient,
                kind="email.bulk" if mail.bulk else "email.one_to_one",
                channel="email",
                external_id=self.people.external_id(SOURCE, mail.identity),
                provenance=provenance("mail", SOURCE),
            )
            if mail.bulk:
                what.initiative = touch.INITIATIVE_AUTOMATED
                if mail.bulk != "automatic":
                    what.audience = touch.AUDIENCE_MANY
            else:
                self._personal(what, mail, answered)
            yield Row(
                0,
                mail.record,
                event_of(self._id(mail, sender, recipient), mail.sent_at, touchpoint=what),
            )

    def _personal(self, what: touch.Touchpoint, mail: Mail, answered: Mail | None) -> None:
        """A mail that answers nobody was nobody's wish: its writer moved first."""
        pair = (what.counterpart, what.initiator)
        if answered is not None and pair in answered.pairs:
            what.in_reply_to = self._id(answered, *pair)
            took = (mail.sent_at - answered.sent_at).total_seconds()
            who = "mine" if what.initiator == self.people.myself else "theirs"
            if took >= 0:
                self.reply_minutes[who].append(int(took // 60))
        nudge = answered is not None and answered.pairs[0][0] == what.initiator
        answer = bool(mail.answers) and not nudge
        what.initiative = touch.INITIATIVE_RESPONSIVE if answer else touch.INITIATIVE_PROACTIVE
        what.audience = audience_of(mail.recipients)
        if self.subjects and mail.subject:
            what.note.text = shortened(mail.subject, NOTE_BYTES_MAX)
            what.visibility = touch.VISIBILITY_PARTIES

    def _id(self, mail: Mail, sender: str, recipient: str) -> str:
        return self.people.event_id(SOURCE, mail.identity, sender, recipient)


def _header_bytes(box: mailbox.mbox, key: Any) -> tuple[bytes, int]:
    """A message's header, and the whole message's length."""
    with box.get_file(key) as file:
        header = bytearray()
        while line := file.readline():
            if not line.strip() or len(header) > HEADER_BYTES_MAX:
                break
            header += line
        file.seek(0, 2)
        return bytes(header), file.tell()


def _sent_at(text: str) -> datetime:
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        raise ValueError(f"Date: {text[:60]!r} is no date") from None
    # RFC 5322 writes -0000 for UTC of an unknown place; Python gives it no zone.
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)
