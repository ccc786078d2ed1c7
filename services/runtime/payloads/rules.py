"""Rules of single values: what a field takes. Pure, and without a word about the wire.

A rule answers with a Fault or None. A fault says what the field takes and never repeats what it
held: messages end up in logs and a value may be personal.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, NamedTuple

from services.runtime.clock import InvalidInstant, instant_from_timestamp, iso_from_instant
from services.runtime.errors import Reason
from services.runtime.limits import CLOCK_AHEAD_MAX_US, CORRELATION_ID_BYTES_MAX
from services.runtime.names import InvalidName, parse_kind

_PRINTABLE: Final = re.compile(r"[\x20-\x7e]*")
_LIST_NAME: Final = re.compile(r"[a-z0-9._-]{1,64}")
# `rule-` and 32 hexadecimal digits: services.projector.domain.attention.items.
_ITEM_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,62}-[0-9a-f]{32}")
_ATTRIBUTE_KEY: Final = re.compile(r"[a-z0-9_.]{1,64}")
_LEAP_YEAR: Final = 2000


class Fault(NamedTuple):
    """What is wrong with a value: the reason, what the field takes, metadata of the reason."""

    reason: Reason
    description: str
    metadata: Mapping[str, str] = {}


type Rule[T] = Callable[[T], Fault | None]

REQUIRED: Final = Fault(Reason.FIELD_REQUIRED, "is required")


def named(parse: Callable[[str], object]) -> Rule[str]:
    """A name or id that `parse` (services.runtime.names) takes."""

    def rule(value: str) -> Fault | None:
        try:
            parse(value)
        except InvalidName as error:
            return Fault(Reason.FIELD_MALFORMED, str(error))
        return None

    return rule


named_kind: Final = named(parse_kind)


def sized(limit_bytes: int) -> Rule[str]:
    """Text of at most so many bytes of UTF-8."""

    def rule(value: str) -> Fault | None:
        # Most texts are short: their length settles it without encoding them.
        if len(value) * 4 <= limit_bytes:
            return None
        size_bytes = len(value.encode())
        return too_large(size_bytes, limit_bytes) if size_bytes > limit_bytes else None

    return rule


def lower_case(limit_bytes: int) -> Rule[str]:
    """A word of ours: no capitals, no control characters, no space around it, at most so long."""
    size = sized(limit_bytes)

    def rule(value: str) -> Fault | None:
        if value != value.lower() or value != value.strip() or not value.isprintable():
            return Fault(Reason.FIELD_MALFORMED, f"takes lower case, at most {limit_bytes} bytes")
        return size(value)

    return rule


def item_id(value: str) -> Fault | None:
    """The id of an attention item. Rules come and go: any word is taken before the digest."""
    if _ITEM_ID.fullmatch(value) is None:
        text = "takes the id of an attention item, as listed: RULE-DIGEST with 32 digits 0-9a-f"
        return Fault(Reason.FIELD_MALFORMED, text)
    return None


def between(low: int, high: int) -> Rule[int]:
    """A number of the closed range."""

    def rule(value: int) -> Fault | None:
        return None if low <= value <= high else out_of_range(low, high)

    return rule


def not_negative(value: int) -> Fault | None:
    """A number from 0 on."""
    return Fault(Reason.OUT_OF_RANGE, "takes 0 or more") if value < 0 else None


def list_name(value: str) -> Fault | None:
    """The name of a watch list."""
    if _LIST_NAME.fullmatch(value) is None:
        return Fault(Reason.FIELD_MALFORMED, "takes 1 to 64 of a-z, 0-9 and . _ -")
    return None


def attribute_key(value: str) -> Fault | None:
    """The key of a free attribute."""
    if _ATTRIBUTE_KEY.fullmatch(value) is None:
        return Fault(Reason.FIELD_MALFORMED, "a key takes 1 to 64 of a-z, 0-9 and _ .")
    return None


def correlation_id(value: str) -> Fault | None:
    """What ties events of one business transaction."""
    if len(value) > CORRELATION_ID_BYTES_MAX or _PRINTABLE.fullmatch(value) is None:
        return Fault(
            Reason.FIELD_MALFORMED,
            f"takes at most {CORRELATION_ID_BYTES_MAX} bytes of printable ASCII",
        )
    return None


def digest_sha256(value: bytes) -> Fault | None:
    """A SHA-256."""
    return None if len(value) == 32 else Fault(Reason.FIELD_MALFORMED, "takes 32 bytes")


def calendar_day(year: int, month: int, day: int) -> Fault | None:
    """A day of the calendar, years 1 to 9999."""
    try:
        date(year, month, day)
    except (ValueError, OverflowError):
        return Fault(Reason.FIELD_MALFORMED, "takes a day of the calendar, years 1 to 9999")
    return None


def day_of_year(month: int, day: int) -> Fault | None:
    """The day of a month, as the month allows in a leap year."""
    try:
        date(_LEAP_YEAR, month, day)
    except (ValueError, OverflowError):
        return Fault(Reason.OUT_OF_RANGE, "takes a day of the month")
    return None


def occurred_at(seconds: int, nanos: int, now_us: int) -> Fault | None:
    """When something happened: whole microseconds from year 1, at most 5 minutes ahead of now."""
    try:
        instant_us = instant_from_timestamp(seconds, nanos)
    except (InvalidInstant, OverflowError) as error:
        return Fault(Reason.FIELD_MALFORMED, str(error))
    if instant_us - now_us > CLOCK_AHEAD_MAX_US:
        return Fault(
            Reason.TIME_AHEAD,
            "lies more than 5 minutes ahead of the ledger's clock",
            {"now": iso_from_instant(now_us)},
        )
    return None


def out_of_range(low: int, high: int) -> Fault:
    """A number outside the closed range."""
    return Fault(Reason.OUT_OF_RANGE, f"takes {low} to {high}")


def too_large(size_bytes: int, limit_bytes: int) -> Fault:
    """Too many bytes."""
    return Fault(
        Reason.TOO_LARGE,
        f"has {size_bytes} bytes and takes at most {limit_bytes}",
        {"bytes": str(size_bytes), "limit": str(limit_bytes)},
    )


def too_many(count: int, limit: int) -> Fault:
    """Too many items."""
    return Fault(
        Reason.TOO_MANY,
        f"has {count} items and takes at most {limit}",
        {"count": str(count), "limit": str(limit)},
    )


def not_allowed(description: str) -> Fault:
    """A field that has no place here."""
    return Fault(Reason.FIELD_NOT_ALLOWED, description)
