"""Sealing of personal text: deterministic, and only readable while every key it takes exists.

A sealed text is

    version (1 byte) · AES-SIV(text key, associated data, padded text)

- The text key is derived by HKDF-SHA256 from the keys of *everybody* the text is about, sorted by
  subject, each once. Destroying one of them makes the text unreadable for good.
- AES-SIV (RFC 5297) is deterministic: the same event sent again seals to the same bytes, so a
  replay is recognised by its hash. It needs no nonce and survives equal inputs; equal texts of
  different events or fields differ, because the place is associated data.
- The associated data are a label with the version, tenant, event id and field path. RFC 5297
  authenticates them as separate strings, so no two places look alike.
- The text is padded to a multiple of 32 bytes (ISO/IEC 7816-4), because ciphertext outlives the
  key: after an erasure not even the length of a name is left. An empty text is sealed like others.

Pure: no clock, no I/O, no randomness. Source: the domain contract, section 3, PersonalText.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.runtime.limits import PERSONAL_TEXT_BYTES_MAX
from services.runtime.vault.framing import frame

# The subject of a tenant's own key: for texts whose people are not known.
TENANT_SUBJECT: Final = "tenant"

PADDING_BYTES: Final = 32
_VERSION_1: Final = b"\x01"
_TAG_BYTES: Final = 16
_TEXT_KEY_BYTES: Final = 64  # AES-256-SIV takes two AES-256 keys
_TEXT_KEY_INFO_V1: Final = b"rapport/personal-text/key/v1"
_SEAL_CONTEXT_V1: Final = b"rapport/personal-text/sealed/v1"

# What sealing adds at most to the bytes of a text.
SEAL_OVERHEAD_BYTES_MAX: Final = 1 + _TAG_BYTES + PADDING_BYTES


class Erased(Exception):  # noqa: N818 - a state of the text, which callers show as a tombstone
    """The text cannot be read any more: a key it needs was destroyed. Show a tombstone."""


class KeyMissing(Erased):
    """A key the text needs is not in the store, and nobody listed its subject as erased.

    Read like an erasure; an operator should know, because a key store restored from an old backup
    looks like this.
    """


class Tampered(Exception):  # noqa: N818
    """The sealed bytes are not what was sealed at this place, or a form not known here."""


class SubjectKeys:
    """The keys of some subjects of one tenant, as they stood when they were read.

    Made for one call and thrown away after it: a key kept longer would outlive its erasure.
    """

    __slots__ = ("_ciphers", "_erased", "_keys", "tenant")

    def __init__(self, tenant: str, keys: Mapping[str, bytes], erased: Iterable[str] = ()) -> None:
        self.tenant = tenant
        self._keys = dict(keys)
        self._erased = frozenset(erased)
        self._ciphers: dict[frozenset[str], AESSIV] = {}
        assert not self._erased & self._keys.keys(), "an erased subject has no key"

    def __repr__(self) -> str:
        return f"SubjectKeys(keys={len(self._keys)}, erased={len(self._erased)})"

    def is_erased(self, subject: str) -> bool:
        """Whether the subject is listed as erased."""
        return subject in self._erased

    def erased_among(self, subjects: Iterable[str]) -> list[str]:
        """Those of `subjects` that are listed as erased, in order."""
        return sorted(self._erased.intersection(subjects))

    def has_all(self, subjects: Iterable[str]) -> bool:
        """Whether every one of `subjects` has a key here."""
        return all(subject in self._keys for subject in subjects)

    def cipher(self, subjects: Collection[str]) -> AESSIV:
        """The cipher of texts about `subjects`, in any order, doubles ignored; raises Erased."""
        about = frozenset(subjects)
        assert about, "a text is about somebody; a tenant's own texts are about TENANT_SUBJECT"
        cipher = self._ciphers.get(about)
        if cipher is None:
            cipher = self._ciphers[about] = AESSIV(self._text_key(sorted(about)))
        return cipher

    def _text_key(self, subjects: list[str]) -> bytes:
        if any(subject in self._erased for subject in subjects):
            raise Erased("a key of this text was destroyed")
        if not self.has_all(subjects):
            raise KeyMissing("a key of this text is not in the key store")
        parts: list[bytes] = []
        for subject in subjects:
            parts += (subject.encode(), self._keys[subject])
        derivation = HKDF(
            algorithm=SHA256(), length=_TEXT_KEY_BYTES, salt=None, info=_TEXT_KEY_INFO_V1
        )
        return derivation.derive(frame(*parts))


def seal(
    keys: SubjectKeys,
    subjects: Collection[str],
    tenant: str,
    event_id: UUID,
    field: str,
    text: str,
) -> bytes:
    """Seal a text about `subjects` for its place: the field path of an event.

    At most 64 KiB of UTF-8; the result is up to SEAL_OVERHEAD_BYTES_MAX longer. The same arguments
    give the same bytes. Raises Erased (KeyMissing) when a subject has no key, ValueError for a
    text that is too long or no valid Unicode.
    """
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise ValueError("the text is not valid Unicode") from None
    if len(encoded) > PERSONAL_TEXT_BYTES_MAX:
        raise ValueError(f"a personal text is at most {PERSONAL_TEXT_BYTES_MAX} bytes")
    cipher = keys.cipher(subjects)
    return _VERSION_1 + cipher.encrypt(_pad(encoded), _place(keys, tenant, event_id, field))


def open_(
    keys: SubjectKeys,
    subjects: Collection[str],
    tenant: str,
    event_id: UUID,
    field: str,
    sealed: bytes,
) -> str:
    """The text that was sealed about `subjects` at this place.

    Raises Erased when a key is gone, whatever the bytes are, and Tampered when the bytes were not
    sealed for this place, these subjects and these keys.
    """
    cipher = keys.cipher(subjects)
    if sealed[:1] != _VERSION_1 or len(sealed) <= 1 + _TAG_BYTES:
        raise Tampered("the sealed text has no form this version knows")
    try:
        padded = cipher.decrypt(sealed[1:], _place(keys, tenant, event_id, field))
    except InvalidTag:
        raise Tampered("the sealed text was not sealed for this place") from None
    return _unpad(padded).decode()


def _place(keys: SubjectKeys, tenant: str, event_id: UUID, field: str) -> list[bytes]:
    assert tenant == keys.tenant, "keys of one tenant never meet texts of another"
    assert field, "a text stands in a field"
    return [_SEAL_CONTEXT_V1, tenant.encode(), event_id.bytes, field.encode()]


def _pad(text: bytes) -> bytes:
    return text + b"\x80" + b"\x00" * (-(len(text) + 1) % PADDING_BYTES)


def _unpad(padded: bytes) -> bytes:
    text, mark, rest = padded.rpartition(b"\x80")
    # Authenticated bytes: anything else was sealed by a program that is not this one.
    if mark != b"\x80" or rest.strip(b"\x00"):
        raise Tampered("the sealed text is not padded as this version does")
    return text
