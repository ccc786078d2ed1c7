"""Names and event ids: what callers need to speak of people, pairs and events."""

import os
import re
import threading
import time
from typing import Final
from uuid import UUID, uuid5

_ID: Final = re.compile(r"[a-z0-9._@-]{1,128}")
_PERSON: Final = re.compile(r"people/([a-z0-9._@-]{1,128})")

# Fixed for ever: ids derived from it must come out the same in every version.
_DERIVED: Final = UUID("3f0c8a52-6d1e-5b7a-9c40-52a0f6f7d1b3")

_lock = threading.Lock()
_last: int = 0


def new_event_id() -> str:
    """A UUIDv7 (RFC 9562) in canonical lower case, increasing within this process.

    48 bits of Unix milliseconds, then 12 bits of the sub-millisecond fraction (method 3 of section
    6.2), then 62 random bits. When the clock stands still or goes back, the 60 bits of time go on
    by one.
    """
    global _last
    milliseconds, rest_ns = divmod(time.time_ns(), 1_000_000)
    stamp = milliseconds << 12 | (rest_ns << 12) // 1_000_000
    with _lock:
        stamp = _last = max(stamp, _last + 1)
    return str(_uuid7(stamp, int.from_bytes(os.urandom(8)) & (1 << 62) - 1))


def _uuid7(stamp: int, random: int) -> UUID:
    """`stamp`: 60 bits, milliseconds and their fraction; `random`: 62 bits."""
    high = (stamp >> 12) << 16 | 0x7000 | stamp & 0xFFF
    return UUID(int=high << 64 | 0b10 << 62 | random)


def derived_event_id(source: str, row: str) -> str:
    """The event id (UUIDv5) of one row of a source: the same every time, so that repeats are safe.

    `source` names where the rows come from and holds no line break; `row` is the row's identity.
    """
    if "\n" in source:
        raise ValueError("the name of a source is one line")
    return str(uuid5(_DERIVED, f"{source}\n{row}"))


def person(name: str) -> str:
    """`people/{id}` of `people/{id}` or `{id}`; ValueError if the id has not its form."""
    full = name if name.startswith("people/") else f"people/{name}"
    if _PERSON.fullmatch(full) is None:
        raise ValueError("a person is people/{id}; an id is 1 to 128 of a-z, 0-9 and . _ @ -")
    return full


def organization(name: str) -> str:
    """`organizations/{id}` of `organizations/{id}` or `{id}`; ValueError for another form."""
    full = name if name.startswith("organizations/") else f"organizations/{name}"
    if _ID.fullmatch(full.removeprefix("organizations/")) is None:
        raise ValueError(
            "an organisation is organizations/{id}; an id is 1 to 128 of a-z, 0-9 and . _ @ -"
        )
    return full


def relationship(a: str, b: str) -> str:
    """`relationships/{a}~{b}` of two different people in any order, ids in byte order."""
    first, second = sorted((person(a)[len("people/") :], person(b)[len("people/") :]))
    if first == second:
        raise ValueError("a relationship is between two different people")
    return f"relationships/{first}~{second}"


def make_id(text: str) -> str:
    """A valid id out of any text: lower case, every other character a `-`; `nobody` for nothing."""
    made = re.sub(r"[^a-z0-9._@-]+", "-", text.lower())[:128].strip("-")
    return made if _ID.fullmatch(made) else "nobody"
