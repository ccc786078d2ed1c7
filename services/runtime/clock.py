"""Time as the domain counts it, and the clock it comes through.

An instant is an integer of microseconds since 2000-01-01T00:00:00Z, a day an integer of days since
2000-01-01; both are negative before. Years 1 to 9999, as protobuf's Timestamp.
"""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol

US_PER_SECOND: Final = 1_000_000
US_PER_DAY: Final = 86_400 * US_PER_SECOND
NS_PER_US: Final = 1_000

EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_NAIVE: Final = EPOCH.replace(tzinfo=None)
# 2000-01-01 in seconds since 1970-01-01.
EPOCH_UNIX_S: Final = 946_684_800

_US: Final = timedelta(microseconds=1)
INSTANT_US_MIN: Final = (datetime.min.replace(tzinfo=UTC) - EPOCH) // _US
INSTANT_US_MAX: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _US


class InvalidInstant(ValueError):  # noqa: N818 - the sentence reads without "Error"
    """A time that is no instant: out of range, finer than a microsecond, or without an offset."""


class Clock(Protocol):
    """Where the time comes from; tests bring one that stands still."""

    def now_us(self) -> int:
        """The present instant in microseconds since 2000-01-01T00:00:00Z."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never go back, from an unspecified start: for durations only."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now_us(self) -> int:
        """The present instant; may step when the machine's time is set."""
        return time.time_ns() // NS_PER_US - EPOCH_UNIX_S * US_PER_SECOND

    def monotonic_s(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()


class FixedClock:
    """A clock for tests: it stands still until it is moved."""

    def __init__(self, instant_us: int = 0) -> None:
        self._instant_us = instant_us

    def now_us(self) -> int:
        """The instant it was last set to."""
        return self._instant_us

    def monotonic_s(self) -> float:
        """The same, in seconds."""
        return self._instant_us / US_PER_SECOND

    def advance_us(self, duration_us: int) -> None:
        """Move forward by `duration_us`."""
        self._instant_us += duration_us


def day_of(instant_us: int) -> int:
    """The UTC calendar day an instant falls on."""
    return instant_us // US_PER_DAY


def instant_from_timestamp(seconds: int, nanos: int) -> int:
    """The instant of a protobuf Timestamp's two fields.

    Raises InvalidInstant outside years 1 to 9999, or for fractions of a microsecond, which would
    be lost in silence.
    """
    if not 0 <= nanos < 1_000_000_000:
        raise InvalidInstant("nanos must be 0 to 999,999,999")
    if nanos % NS_PER_US:
        raise InvalidInstant("an instant has whole microseconds")
    return _in_range((seconds - EPOCH_UNIX_S) * US_PER_SECOND + nanos // NS_PER_US)


def timestamp_from_instant(instant_us: int) -> tuple[int, int]:
    """The `seconds` and `nanos` of an instant's protobuf Timestamp."""
    seconds, us = divmod(_in_range(instant_us), US_PER_SECOND)
    return seconds + EPOCH_UNIX_S, us * NS_PER_US


def instant_from_datetime(moment: datetime) -> int:
    """The instant of an aware datetime; InvalidInstant for a naive one."""
    if moment.utcoffset() is None:
        raise InvalidInstant("a time needs its offset from UTC")
    return _in_range((moment - EPOCH) // _US)


def datetime_from_instant(instant_us: int) -> datetime:
    """The instant as an aware UTC datetime."""
    return EPOCH + timedelta(microseconds=_in_range(instant_us))


def instant_from_iso(text: str) -> int:
    """The instant of an ISO 8601 / RFC 3339 text with an offset or `Z`; at most microseconds."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInstant("a time is written like 2026-03-01T09:30:00Z") from None
    # fromisoformat drops digits beyond the sixth without a word.
    fraction = text.replace(",", ".").partition(".")[2]
    if len(fraction) - len(fraction.lstrip("0123456789")) > 6:
        raise InvalidInstant("an instant has whole microseconds")
    return instant_from_datetime(moment)


def iso_from_instant(instant_us: int) -> str:
    """RFC 3339 in UTC with `Z`, fractions only when there are any, as protobuf's JSON writes it."""
    text = (_EPOCH_NAIVE + timedelta(microseconds=_in_range(instant_us))).isoformat()
    if instant_us % 1_000 == 0 and instant_us % US_PER_SECOND:
        text = text[:-3]
    return f"{text}Z"


def day_from_date(day: date) -> int:
    """Days since 2000-01-01 of a calendar date."""
    return (day - EPOCH.date()).days


def date_from_day(day: int) -> date:
    """The calendar date of a day; InvalidInstant outside years 1 to 9999."""
    try:
        return EPOCH.date() + timedelta(days=day)
    except OverflowError:
        raise InvalidInstant("years 1 to 9999 only") from None


def _in_range(instant_us: int) -> int:
    if not INSTANT_US_MIN <= instant_us <= INSTANT_US_MAX:
        raise InvalidInstant("years 1 to 9999 only")
    return instant_us
