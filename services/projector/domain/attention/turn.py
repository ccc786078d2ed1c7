"""The turn of the day: which items are new, and which are cleared, for what reason.

A turn looks at the items open before and those of its day, at nothing else. Days missed are
turned one by one, each with the state of its own day, so what is logged does not depend on when
anybody ran it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.projector.domain.attention.day import AttentionDay, most_at_stake_first
from services.projector.domain.attention.items import Item, Reason


class ChangeKind(StrEnum):
    """What happened to an item."""

    RAISED = "RAISED"
    CLEARED = "CLEARED"


@dataclass(frozen=True, slots=True)
class OpenItem:
    """An item and the day it was raised. The item is as of the latest turn."""

    item: Item
    raised_on: int


@dataclass(frozen=True, slots=True)
class Change:
    """An item raised or cleared by the turn of a day; `reason` says why it was cleared.

    A cleared item is as of the last day it was there.
    """

    kind: ChangeKind
    on: int
    item: Item
    raised_on: int
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn changes, in the order it is numbered, and what is open after it, by item id."""

    on: int
    changes: tuple[Change, ...]
    open_items: Mapping[str, OpenItem]


def turn(
    previous: Mapping[str, OpenItem],
    items: Iterable[Item],
    on: int,
    reason: Callable[[Item], Reason],
) -> Turn:
    """The turn of the day `on`.

    `items` are those of the day, `reason` says of an item no longer among them why. Cleared ones
    come first, by item id, then raised ones, most at stake first. Turning the same day again
    changes nothing. To keep an open item, store what `Item` has: a later turn reads its `item`,
    `rule`, `person`, `about`, `pair`, `numbers`, `event_ids` and `trace`.
    """
    today = {item.item: item for item in items}
    changes = [
        Change(ChangeKind.CLEARED, on, gone.item, gone.raised_on, reason(gone.item))
        for item_id, gone in sorted(previous.items())
        if item_id not in today
    ]
    open_items: dict[str, OpenItem] = {}
    for item in most_at_stake_first(today.values()):
        before = previous.get(item.item)
        if before is None:
            changes.append(Change(ChangeKind.RAISED, on, item, on))
        open_items[item.item] = OpenItem(item, on if before is None else before.raised_on)
    return Turn(on, tuple(changes), open_items)


def turn_day(previous: Mapping[str, OpenItem], day: AttentionDay) -> Turn:
    """The turn of a tenant's whole day."""
    return turn(previous, day.items, day.surroundings.on, day.reason)


def catch_up(
    previous: Mapping[str, OpenItem],
    turned_through: int,
    to: int,
    day_of: Callable[[int], AttentionDay],
) -> Iterator[Turn]:
    """The turns of the days after `turned_through` up to `to`, in order; none if it is there.

    `day_of` gives the state of a day as known at its first instant, whenever it is asked. Each
    turn is to be kept before the next: whoever stops in between goes on from there.
    """
    open_items = previous
    for on in range(turned_through + 1, to + 1):
        done = turn_day(open_items, day_of(on))
        open_items = done.open_items
        yield done
