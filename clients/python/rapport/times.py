"""Between Python's dates and the wire's."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from rapport.events.v1 import common_pb2
from rapport.v1 import capital_service_pb2 as capital

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def timestamp(when: datetime) -> Timestamp:
    """An instant on the wire, whole microseconds; ValueError for a time without a zone."""
    if when.tzinfo is None:
        raise ValueError("a time needs a zone: 10:00 is an instant only where one knows where")
    seconds, microseconds = divmod((when - _EPOCH) // _MICROSECOND, 1_000_000)
    return Timestamp(seconds=seconds, nanos=microseconds * 1_000)


def instant(stamp: Timestamp) -> datetime:
    """The wire's instant in UTC; below a microsecond, where the ledger has nothing, it is cut."""
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1_000)


def wire_date(day: date) -> common_pb2.Date:
    """A day on the wire."""
    return common_pb2.Date(year=day.year, month=day.month, day=day.day)


def day_of(wire: common_pb2.Date) -> date | None:
    """The wire's day; None where none is given."""
    return date(wire.year, wire.month, wire.day) if wire.year else None


def as_of(
    *,
    on: date | None = None,
    known_at: datetime | int | None = None,
    policy: str = "",
    min_position: int = 0,
) -> capital.AsOf:
    """Which day is asked and what may be known.

    on: the day, past or future; absent: today. known_at: a time or a position of the tenant's
    journal; absent: everything. policy: `name@version`; absent: the one in force on the day.
    min_position: wait until the read model has reached it, as answered by an append.
    """
    asked = capital.AsOf(policy=policy, min_position=min_position)
    if on is not None:
        asked.on.CopyFrom(wire_date(on))
    if isinstance(known_at, datetime):
        asked.known_at_time.CopyFrom(timestamp(known_at))
    elif known_at is not None:
        asked.known_at_position = known_at
    return asked
