"""How long a stream has been behind its journal."""


class Lag:
    """Since when a position has not come to the head that was told the time before.

    While one chunk is published the next one is recorded already, so that a relay at full work is
    never quite at the head of the moment. Seconds of any clock that does not go back.
    """

    def __init__(self) -> None:
        self._head: int | None = None
        self._level_at_s: float | None = None

    def behind_s(self, position: int, head: int, now_s: float) -> float:
        """Seconds it has been behind; 0 where it came to what the head was when last told."""
        wanted, self._head = self._head, head
        if self._level_at_s is None or position >= (head if wanted is None else wanted):
            self._level_at_s = now_s
        return now_s - self._level_at_s
