"""Master keys: what wraps the keys of subjects, so that the key store alone opens nothing."""

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.runtime.vault.framing import frame

MASTER_KEY_BYTES: Final = 32
SUBJECT_KEY_BYTES: Final = 32

_KEY_ID: Final = re.compile(r"[a-z0-9._-]{1,64}")
_URL_ALPHABET: Final = str.maketrans("-_", "+/")
_NONCE_BYTES: Final = 12
# The first byte of every wrapped key: AES-256-GCM, 12-byte random nonce, key and tag.
_WRAP_V1: Final = b"\x01"
_SIGN_CONTEXT_V1: Final = b"rapport/vault/signing-seed/v1"
_WRAP_CONTEXT_V1: Final = b"rapport/vault/wrapped-subject-key/v1"


class MasterKeyError(RuntimeError):
    """Master keys are missing, malformed or not those that wrapped a key.

    A matter for the operator, and never to be read as an erasure. Messages hold key ids only.
    """

    safe_message: ClassVar[bool] = True


class MasterKeys:
    """The master keys of an installation: the current one wraps, all of them unwrap.

    Read from text: one key a line, `id:base64url` or `base64url` alone (its id is then derived from
    the key), 32 bytes each, padded or not, the plain base64 alphabet as well; the first is current.
    Empty lines and lines starting with `#` do not count.

    To rotate without a pause: add the new line at the end and restart every process, so that all
    know the key; move it to the top and restart again; rotate; take out the old line.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """Take keys by id, the current one first; raises MasterKeyError."""
        if not keys:
            raise MasterKeyError("no master key: give at least one line of 32 bytes in base64url")
        if any(len(key) != MASTER_KEY_BYTES for key in keys.values()):
            raise MasterKeyError(f"a master key is {MASTER_KEY_BYTES} bytes")
        if len(set(keys.values())) != len(keys):
            raise MasterKeyError("a master key is given twice under different ids")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.current_id: Final = next(iter(keys))
        self._signing_seed = _derived_seed(keys[self.current_id], _SIGN_CONTEXT_V1)

    def __repr__(self) -> str:
        return f"MasterKeys(ids={list(self._ciphers)})"

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys, the current one first."""
        return tuple(self._ciphers)

    @classmethod
    def from_text(cls, text: str) -> "MasterKeys":
        """Parse the content of a master key file or variable; raises MasterKeyError."""
        keys: dict[str, bytes] = {}
        for number, raw in enumerate(text.splitlines(), start=1):
            line = raw.strip()
            if not line or line.startswith("#"):
                continue
            given_id, separator, encoded = line.rpartition(":")
            key = _decode(encoded.strip(), number)
            key_id = given_id.strip() if separator else _derived_id(key)
            if _KEY_ID.fullmatch(key_id) is None:
                raise MasterKeyError(f"line {number}: a key id is 1 to 64 of a-z, 0-9, . _ -")
            if key_id in keys:
                raise MasterKeyError(f"line {number}: the key id stands on a line before it too")
            keys[key_id] = key
        return cls(keys)

    @staticmethod
    def generate_line(key_id: str | None = None) -> str:
        """A new random key as a line for `from_text`, without the line's end."""
        key = secrets.token_bytes(MASTER_KEY_BYTES)
        encoded = base64.urlsafe_b64encode(key).decode().rstrip("=")
        return f"{key_id or _derived_id(key)}:{encoded}"

    @property
    def signing_seed(self) -> bytes:
        """32 bytes that what this installation signs is signed with; others after a rotation."""
        return self._signing_seed

    def wrap(self, tenant: str, subject: str, key: bytes) -> bytes:
        """Wrap a subject's key under the current master key, bound to its tenant and subject."""
        assert len(key) == SUBJECT_KEY_BYTES
        nonce = secrets.token_bytes(_NONCE_BYTES)
        context = _context(self.current_id, tenant, subject)
        return _WRAP_V1 + nonce + self._ciphers[self.current_id].encrypt(nonce, key, context)

    def unwrap(self, tenant: str, subject: str, wrapped: bytes, master_key_id: str) -> bytes:
        """The subject's key; MasterKeyError when it cannot be had with these master keys."""
        cipher = self._ciphers.get(master_key_id)
        if cipher is None:
            raise MasterKeyError(
                f"a key is wrapped by master key {master_key_id}, which is not among those given: "
                "add its line to the master key file"
            )
        nonce, sealed = wrapped[1 : 1 + _NONCE_BYTES], wrapped[1 + _NONCE_BYTES :]
        try:
            if wrapped[:1] != _WRAP_V1:
                raise InvalidTag
            key = cipher.decrypt(nonce, sealed, _context(master_key_id, tenant, subject))
        except (InvalidTag, ValueError):
            raise MasterKeyError(
                f"a key does not open with master key {master_key_id}: either that line of the "
                "master key file was changed, or the row in the key store was"
            ) from None
        assert len(key) == SUBJECT_KEY_BYTES
        return key


def _context(master_key_id: str, tenant: str, subject: str) -> bytes:
    # Bound to its place, so that a wrapped key copied to another row is refused.
    return frame(_WRAP_CONTEXT_V1, master_key_id.encode(), tenant.encode(), subject.encode())


def _derived_id(key: bytes) -> str:
    return "k-" + hashlib.sha256(frame(b"rapport/vault/master-key-id/v1", key)).hexdigest()[:12]


def _decode(encoded: str, number: int) -> bytes:
    try:
        plain = encoded.translate(_URL_ALPHABET) + "=" * (-len(encoded) % 4)
        key = base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise MasterKeyError(f"line {number}: a master key is 32 bytes in base64url") from None
    return key


def _derived_seed(key: bytes, context: bytes) -> bytes:
    return HKDF(hashes.SHA256(), MASTER_KEY_BYTES, salt=None, info=context).derive(key)
