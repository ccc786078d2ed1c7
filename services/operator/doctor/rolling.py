"""A hash over a sequence of records, fed as they come: equal for equal sequences, however cut."""

import hashlib


class RollingHash:
    """SHA-256 over records; every part carries its length, so no two sequences look alike."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.records = 0

    def add(self, *parts: bytes | str | int | None) -> None:
        """Add one record."""
        self.records += 1
        pieces: list[bytes] = []
        for part in parts:
            if part is None:
                pieces.append(b"-;")
                continue
            data = part if isinstance(part, bytes) else str(part).encode()
            pieces += (b"%d:" % len(data), data)
        self._hash.update(b"".join(pieces))

    @property
    def hex(self) -> str:
        """64 hex digits of what was added so far."""
        return self._hash.hexdigest()
