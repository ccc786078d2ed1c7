"""Page tokens: opaque to callers, good for the request they were made for and no other.

A token holds a cursor of plain values and a digest of the request it continues. It is no secret and
grants nothing: whoever makes one up gets a page that the same request could have had anyway.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Final

from google.protobuf.message import Message

from services.runtime.errors import RapportError, Reason, Violation, invalid
from services.runtime.limits import PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, PAGE_TOKEN_BYTES_MAX

_VERSION: Final = 1
_DIGEST_BYTES: Final = 12

type Value = str | int | bool | None


def request_key(method: str, tenant: str | None, request: Message) -> bytes:
    """What a token is bound to: method, tenant and request, its page size and token aside."""
    bare = type(request)()
    bare.CopyFrom(request)
    bare.ClearField("page_size")
    bare.ClearField("page_token")
    parts = (method.encode(), (tenant or "").encode(), bare.SerializeToString(deterministic=True))
    framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hashlib.sha256(framed).digest()


def make_token(key: bytes, cursor: Sequence[Value]) -> str:
    """The token that continues the request of `key` behind `cursor`."""
    body = json.dumps([_VERSION, *cursor], ensure_ascii=True, separators=(",", ":")).encode()
    token = base64.urlsafe_b64encode(_digest(key, body) + body).decode().rstrip("=")
    assert len(token) <= PAGE_TOKEN_BYTES_MAX, "a cursor is small"
    return token


def read_token(token: str, key: bytes, types: Sequence[type | tuple[type, ...]]) -> list[Value]:
    """The cursor of a token, whose values have `types`.

    Raises PAGE_TOKEN_INVALID for a token that was not made for the request of `key`.
    """
    try:
        if len(token) > PAGE_TOKEN_BYTES_MAX:
            raise ValueError("longer than any token")
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        digest, body = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        if digest != _digest(key, body):
            raise ValueError("made for another request")
        cursor: list[Value]
        version, *cursor = json.loads(body)
        if version != _VERSION or len(cursor) != len(types):
            raise ValueError("of another version")
        if not all(isinstance(v, t) for v, t in zip(cursor, types, strict=True)):
            raise ValueError("of another version")
    except (binascii.Error, UnicodeError, ValueError, TypeError):
        raise invalid(
            [
                Violation(
                    "page_token",
                    "was not made by this service for this very request: begin with the first page",
                    Reason.PAGE_TOKEN_INVALID,
                )
            ]
        ) from None
    return cursor


def page_size_of(requested: int) -> int:
    """The page size asked for, 50 when absent; OUT_OF_RANGE below 0 or beyond 1000."""
    if not 0 <= requested <= PAGE_SIZE_MAX:
        raise _size_out_of_range()
    return requested or PAGE_SIZE_DEFAULT


def _size_out_of_range() -> RapportError:
    return invalid([Violation("page_size", f"takes 0 to {PAGE_SIZE_MAX}", Reason.OUT_OF_RANGE)])


def _digest(key: bytes, body: bytes) -> bytes:
    return hashlib.sha256(key + body).digest()[:_DIGEST_BYTES]
