"""Opaque ids for people one knows by an address, and the folder that says who they are.

An id is HMAC-SHA-256 of the address under a key of the user's own, so that nobody without the key
can tell whom it stands for, not even by trying addresses. Event ids and external ids go the same
way: a Message-ID or a calendar's UID often holds an address.

The folder (0700) is the user's to keep, and is never sent: `key` (0600) makes the ids; without it
all rows of the next import are new people and new events. `people.json` (0600) says what every id
stands for; it can be lost, the next import writes it again.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import unquote

from rapport.ids import derived_event_id

KEY_FILE: Final = "key"
MAP_FILE: Final = "people.json"
KEY_BYTES: Final = 32
# 80 bits of an id: among a million people two share one with a chance of 1 in 10^12.
ID_CHARACTERS: Final = 16
# 160 bits of what has to be told apart for ever.
TOKEN_CHARACTERS: Final = 32

_PROFILE: Final = re.compile(r"(?:https?://)?(?:[a-z0-9-]+\.)*linkedin\.com/(?:in|pub)/([^/?#\s]+)")
_MAIL: Final = re.compile(r"[^\s@<>]+@[^\s@<>]+")


class MapError(ValueError):
    """The map folder cannot be used: which file, and why."""


def address_of(text: str) -> str:
    """One spelling of an address: `mailto:`, `tel:` or `linkedin:` and the rest in lower case.

    Nothing is guessed: `a.b@x` and `ab@x` are different, as are `a+b@x` and `a@x`. A telephone
    number keeps its digits and a leading `+`. ValueError for anything else.
    """
    bare = text.strip().strip("<>").strip().lower()
    if found := _PROFILE.match(bare):
        return "linkedin:" + unquote(found[1])
    scheme, colon, rest = bare.partition(":")
    if colon and scheme == "tel":
        digits = ("+" if rest.strip().startswith("+") else "") + re.sub(r"\D", "", rest)
        if len(digits) < 4:
            raise ValueError("no telephone number")
        return "tel:" + digits
    if colon and scheme in {"uid", "linkedin"} and rest:
        return bare
    mail = unquote(rest.partition("?")[0]) if colon and scheme == "mailto" else bare
    if _MAIL.fullmatch(mail) is None:
        raise ValueError("no e-mail address, telephone number or profile")
    return "mailto:" + mail


class People:
    """Who is who. `me`: addresses of the user, which stand for `myself` instead of a hash."""

    def __init__(self, key: bytes, *, me: Iterable[str] = (), myself: str = "") -> None:
        self._key = key
        self._me = {address_of(address) for address in me}
        self._known: dict[str, dict[str, Any]] = {}
        self.myself = myself or (self._hashed(min(self._me)) if self._me else "")

    @classmethod
    def open(cls, folder: Path, *, keep: bool, me: Iterable[str] = (), myself: str = "") -> Self:
        """Those of a map folder. keep: a folder and key that are not there yet are made.

        Without keep a missing key is made for this run alone. Raises MapError, and ValueError for
        an address in `me` that is none.
        """
        path = folder / KEY_FILE
        try:
            if keep:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _create(path, base64.b32encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            text = path.read_bytes() if path.exists() else None
        except OSError as error:
            raise MapError(f"{path} cannot be used: {error.strerror}") from error
        if text is None:
            return cls(secrets.token_bytes(KEY_BYTES), me=me, myself=myself)
        try:
            key = base64.b32decode(text.strip())
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise MapError(f"{path} is no key: 32 bytes in base32")
        return cls(key, me=me, myself=myself)

    def person(self, address: str, name: str = "") -> str:
        """`people/{id}` of an address; ValueError if it is none. The name goes into the map."""
        spelled = address_of(address)
        found = self.myself if self.is_me(spelled) and self.myself else self._hashed(spelled)
        self._note(found, "addresses", spelled)
        if name.strip() and name.strip().lower() != spelled.partition(":")[2]:
            self._note(found, "names", name.strip())
        return found

    def organization(self, name: str) -> str:
        """`organizations/{id}` of a name, whatever its case and spacing."""
        spelled = " ".join(name.lower().split())
        found = "organizations/" + self._token("organization", spelled)[:ID_CHARACTERS]
        self._note(found, "names", " ".join(name.split()))
        return found

    def is_me(self, address: str) -> bool:
        """Whether an address is the user's."""
        return address_of(address) in self._me

    def external_id(self, source: str, *parts: str) -> str:
        """What the source calls it, told to nobody: `{source}:` and 160 bits of the keyed hash."""
        return f"{source}:{self._token(source, *parts)}"

    def event_id(self, source: str, *parts: str) -> str:
        """The event id of what a source calls so: the same with every import under this key."""
        return derived_event_id(source, self._token(source, *parts))

    def save(self, folder: Path) -> None:
        """Adds what is new to the map file, replaced as a whole. Raises MapError."""
        path = folder / MAP_FILE
        try:
            known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            for party, told in self._known.items():
                entry = known.setdefault(party, {})
                for what, texts in told.items():
                    entry[what] = sorted({*entry.get(what, ()), *texts})
            staged = path.with_suffix(".new")
            staged.unlink(missing_ok=True)
            text = json.dumps(known, ensure_ascii=False, indent=1, sort_keys=True)
            _create(staged, text.encode() + b"\n")
            staged.replace(path)
        except (ValueError, AttributeError, TypeError) as error:
            raise MapError(f"{path} is no map any more ({error}): move it away") from error
        except OSError as error:
            raise MapError(f"{path} cannot be written: {error.strerror}") from error

    def _note(self, party: str, what: str, text: str) -> None:
        self._known.setdefault(party, {}).setdefault(what, set()).add(text)

    def _hashed(self, spelled: str) -> str:
        return "people/" + self._token("person", spelled)[:ID_CHARACTERS]

    def _token(self, *parts: str) -> str:
        # Each part with its length, so that no two lists of parts read the same.
        text = "".join(f"{len(part.encode())}:{part}" for part in map(_utf8, parts))
        digest = hmac.digest(self._key, text.encode(), hashlib.sha256)
        return base64.b32encode(digest).decode().lower()[:TOKEN_CHARACTERS]


def names_in(folder: Path) -> dict[str, str]:
    """What the parties of a map folder are called, else their address; empty without a map."""
    path = folder / MAP_FILE
    try:
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return {
            party: (told.get("names") or [told["addresses"][0].partition(":")[2]])[0]
            for party, told in known.items()
            if told.get("names") or told.get("addresses")
        }
    except (OSError, ValueError, AttributeError, TypeError, KeyError) as error:
        raise MapError(f"{path} cannot be read: {error}") from error


def _utf8(text: str) -> str:
    """Text that can be encoded, whatever bytes it came from."""
    return text.encode("utf-8", "backslashreplace").decode()


def _create(path: Path, content: bytes) -> None:
    """Writes a file of 0600 that is not there yet; leaves one that is."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
