"""Rules about copies of the journal: the stream on NATS, and what subscribers were handed."""

from bisect import bisect_left
from collections.abc import Iterator

from tests.faults.torture.checker_index import History, Violation
from tests.faults.torture.records import Ended, Received, Subscribed


def stream_equal(history: History) -> Iterator[Violation]:
    """Decisions 3 and 6: each message is its position's event, byte for byte, and says so."""
    for name, journal in history.journals.items():
        for message in journal.stream:
            row = journal.at.get(message.sequence)
            if row is None or (row.event_id, row.sha256) != (message.event_id, message.sha256):
                what = f"{name}: message {message.sequence} is not the event of that position"
                yield Violation("stream_equal", what, (message.n,) + ((row.n,) if row else ()))
            if message.position_header != message.sequence:
                what = f"{name}: message {message.sequence} says {message.position_header}"
                yield Violation("stream_equal", what, (message.n,))


def stream_whole(history: History) -> Iterator[Violation]:
    """Decision 3: from its first message on, the stream has every position of the journal once.

    From position 1 on where streams keep everything, whatever the stream says of its beginning.
    """
    keeps_everything = history.run is not None and history.run.keeps_everything
    for name, journal in history.journals.items():
        info = journal.stream_info
        if info is None:
            continue
        seen: set[int] = set()
        for message in journal.stream:
            inside = info.first_sequence <= message.sequence <= info.last_sequence
            if message.sequence in seen or not inside:
                what = f"{name}: message {message.sequence} is doubled or out of bounds"
                yield Violation("stream_whole", what, (info.n, message.n))
            seen.add(message.sequence)
        first = 1 if keeps_everything else info.first_sequence
        due = range(first, info.last_sequence + 1)
        missing = [row for at, row in journal.at.items() if at in due and at not in seen]
        if missing:
            what = f"{name}: the stream has no message {missing[0].position}"
            what += f", and {len(missing) - 1} more" if len(missing) > 1 else ""
            yield Violation("stream_whole", what, (info.n, missing[0].n))


def stream_head(history: History) -> Iterator[Violation]:
    """Decision 3: when all has come to rest, the stream reaches the journal's head."""
    for name, journal in history.journals.items():
        info = journal.stream_info
        if info is None:
            if journal.rows:
                yield Violation("stream_head", f"{name}: no stream was looked at")
        elif info.last_sequence != journal.head:
            what = f"{name}: the stream ends at {info.last_sequence}, the journal {journal.head}"
            yield Violation("stream_head", what, (info.n,))


def subscribed_order(history: History) -> Iterator[Violation]:
    """Decision 3: a subscriber sees every event once, in order, from where it began or goes on."""
    for subscription, records in history.subscriptions.items():
        begun: Subscribed | None = None
        places: list[int] = []
        index = 0
        for record in records:
            match record:
                case Subscribed():
                    if begun is None:
                        places = _places(history, record)
                        index = bisect_left(places, record.from_position)
                    elif bisect_left(places, record.from_position) != index:
                        what = f"{subscription} goes on at {record.from_position}"
                        yield Violation("subscribed_order", what, (record.n,))
                        index = bisect_left(places, record.from_position)
                    begun = record
                case Received():
                    due = places[index] if index < len(places) else None
                    if begun is None or record.position != due:
                        what = f"{subscription} was handed {record.position}, {due} is due"
                        yield Violation("subscribed_order", what, (record.n,))
                    index = bisect_left(places, record.position + 1)
                case Ended():
                    pass


def _places(history: History, begun: Subscribed) -> list[int]:
    """The positions that a subscription is about."""
    journal = history.journals[begun.journal]
    return [position for position, row in journal.at.items() if begun.tenant in (None, row.tenant)]


def subscribed_equal(history: History) -> Iterator[Violation]:
    """Decision 6: what a subscriber is handed is the journal's event, byte for byte."""
    for subscription, records in history.subscriptions.items():
        name = next((each.journal for each in records if isinstance(each, Subscribed)), "")
        if name not in history.journals:
            continue
        at = history.journals[name].at
        for record in records:
            if isinstance(record, Received):
                row = at.get(record.position)
                if row is None or (row.event_id, row.sha256) != (record.event_id, record.sha256):
                    what = f"{subscription} was handed another event than {name} has"
                    message = f"{what} at {record.position}"
                    records_shown = (record.n,) + ((row.n,) if row else ())
                    yield Violation("subscribed_equal", message, records_shown)
