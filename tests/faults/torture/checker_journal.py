"""Rules about the journal by itself."""

from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256

from tests.faults.torture.checker_index import History, Violation
from tests.faults.torture.records import JournalRow, Sent


def positions(history: History) -> Iterator[Violation]:
    """Decision 1: positions are 1, 2, 3 … without a gap, and each is one event's."""
    for name, journal in history.journals.items():
        expected = 1
        for row in journal.rows:
            if row.position != expected:
                message = f"{name}: position {row.position} where {expected} is due"
                yield Violation("positions", message, (row.n,))
            expected = row.position + 1


def once(history: History) -> Iterator[Violation]:
    """Decision 2: an event id is recorded once in a tenant, however often it was sent."""
    for name, journal in history.journals.items():
        for row in journal.rows:
            first = journal.of[row.tenant, row.event_id]
            if first is not row:
                message = f"{name}: {row.event_id} at {first.position} and at {row.position}"
                yield Violation("once", message, (first.n, row.n))


def revisions(history: History) -> Iterator[Violation]:
    """Domain, "revision": the events of one home count 1, 2, 3 … in the order of positions."""
    for name, journal in history.journals.items():
        last: dict[tuple[str, str], JournalRow] = {}
        for row in journal.rows:
            before = last.get((row.tenant, row.home))
            expected = before.revision + 1 if before else 1
            if row.revision != expected:
                message = f"{name}: {row.home} has revision {row.revision}, {expected} is due"
                records = (before.n, row.n) if before else (row.n,)
                yield Violation("revisions", message, records)
            last[row.tenant, row.home] = row


def recorded_order(history: History) -> Iterator[Violation]:
    """Domain, "recorded_at": it never decreases along positions, whatever the clocks did."""
    for name, journal in history.journals.items():
        before: JournalRow | None = None
        for row in journal.rows:
            if before is not None and row.recorded_at_us < before.recorded_at_us:
                back_us = before.recorded_at_us - row.recorded_at_us
                message = f"{name}: recorded_at goes back {back_us} us at position {row.position}"
                yield Violation("recorded_order", message, (before.n, row.n))
            before = row


def stored_bytes(history: History) -> Iterator[Violation]:
    """Decision 6: the bytes stored are those hashed, and those the caller sent where it says so."""
    for name, journal in history.journals.items():
        for row in journal.rows:
            payload = row.payload_b64
            if payload is not None and sha256(b64decode(payload)).hexdigest() != row.sha256:
                message = f"{name}: the payload at {row.position} is not what was hashed"
                yield Violation("stored_bytes", message, (row.n,))
            for invoke, sent in history.attempts.get((name, row.tenant, row.event_id), ()):
                if sent.sha256 not in (None, row.sha256):
                    message = f"{name}: {row.position} does not hold the bytes that were sent"
                    yield Violation("stored_bytes", message, (invoke.n, row.n))


def as_sent(history: History) -> Iterator[Violation]:
    """Decision 6: what is stored of an event is what its caller sent: type, home, kind and time."""
    for name, journal in history.journals.items():
        for row in journal.rows:
            for invoke, sent in history.attempts.get((name, row.tenant, row.event_id), ()):
                for what, stored, told in _compared(row, sent):
                    if stored != told:
                        message = f"{name}: {row.position} has the {what} {stored}, sent: {told}"
                        yield Violation("as_sent", message, (invoke.n, row.n))


def _compared(row: JournalRow, sent: Sent) -> Iterator[tuple[str, object, object]]:
    yield "home", row.home, sent.home
    if sent.event_type is not None:
        yield "type", row.event_type, sent.event_type
        yield "kind", row.kind, sent.kind
        told_us = row.recorded_at_us if sent.occurred_at_us is None else sent.occurred_at_us
        yield "time", row.occurred_at_us, told_us


def invented(history: History) -> Iterator[Violation]:
    """The journal is the only truth: nothing is in it that nobody sent."""
    for name, journal in history.journals.items():
        for row in journal.rows:
            known = (name, row.tenant, row.event_id) in history.attempts
            if not known and row.event_id not in history.planted:
                message = f"{name}: nobody sent {row.event_id} at {row.position}"
                yield Violation("invented", message, (row.n,))
