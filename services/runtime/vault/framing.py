"""One encoding of several byte strings as one, in which no two lists look the same."""


def frame(*parts: bytes) -> bytes:
    """Each part behind its length, 4 bytes big-endian."""
    return b"".join(len(part).to_bytes(4) + part for part in parts)
