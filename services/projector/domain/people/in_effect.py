"""Which facts about people count, once voids are applied, in whatever order they came."""

from collections.abc import Iterable
from typing import Protocol

from services.projector.domain.facts import Void


class Recorded(Protocol):
    """An event of the journal."""

    @property
    def event_id(self) -> str:
        """Canonical UUID text."""
        ...

    @property
    def position(self) -> int:
        """Its position in the journal."""
        ...


def in_effect[F: Recorded](
    facts: Iterable[F], voids: Iterable[Void] = (), known_at: int | None = None
) -> tuple[F, ...]:
    """The facts that nobody took back, by event id, each once.

    Both in any order, duplicates allowed; those of a position beyond `known_at` are as if they
    had not been recorded. A Void of a Void has no effect, as the ledger refuses it.
    """
    known = [void for void in voids if known_at is None or void.position <= known_at]
    voided = {void.target for void in known}
    kept = {
        fact.event_id: fact
        for fact in facts
        if (known_at is None or fact.position <= known_at) and fact.event_id not in voided
    }
    return tuple(kept[event_id] for event_id in sorted(kept))
