"""The closeness ladder: where they let each other in. Source: the domain contract, section 6."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.projector.domain.facts import Touchpoint
from services.projector.domain.measures.view import RelationshipView
from services.runtime.policy import INCIDENT, RECOVERY

OPENING: Final = frozenset({"channel.accepted", "channel.followed"})
REMOVED: Final = "channel.removed"


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of the policy that was reached: its rung, and when it was opened or last used.

    `open` until it is removed; use after that opens it again.
    """

    name: str
    rung: int
    open: bool
    last_used_day: int | None


@dataclass(frozen=True, slots=True)
class Rung:
    """The highest rung with an open channel, and the next one up.

    `channels` are all that were ever tried, by (rung, name). `rung` is None without an open one.
    `stale`: none of that rung used for the policy's days. `next_rung` is the lowest above (above
    the ground, 0, without any), None at the top; `next_untried` when none of its `next_channels`
    was ever tried, so that it may be suggested: one that was removed is not.
    """

    rung: int | None
    open_channels: tuple[str, ...]
    last_used_day: int | None
    stale: bool
    next_rung: int | None
    next_channels: tuple[str, ...]
    next_untried: bool
    channels: tuple[Channel, ...]


def rung(view: RelationshipView) -> Rung:
    """The rung they are on.

    A channel is reached by channel.accepted or channel.followed on it, or by use: counted contact
    on it that is neither incident nor recovery (a public complaint brings nobody closer). Unused
    for n days means not within the n days that end today. Channels the policy does not have are
    on no rung.
    """
    rungs = view.policy.channels
    channels = _channels(view, rungs)
    reached = [channel for channel in channels if channel.open]
    top = max((channel.rung for channel in reached), default=None)
    at_top = [channel for channel in reached if channel.rung == top]
    last_used_day = max(
        (c.last_used_day for c in at_top if c.last_used_day is not None), default=None
    )
    stale_days = view.policy.measures.rung_stale_days
    next_rung = min((r for r in rungs.values() if r > (top or 0)), default=None)
    next_channels = tuple(sorted(name for name, r in rungs.items() if r == next_rung))
    tried = {channel.name for channel in channels}
    return Rung(
        rung=top,
        open_channels=tuple(channel.name for channel in at_top),
        last_used_day=last_used_day,
        stale=last_used_day is not None and last_used_day <= view.on - stale_days,
        next_rung=next_rung,
        next_channels=next_channels,
        next_untried=next_rung is not None and tried.isdisjoint(next_channels),
        channels=tuple(channels),
    )


def _channels(view: RelationshipView, rungs: Mapping[str, int]) -> list[Channel]:
    found: dict[str, Channel] = {}
    for touch in view.touchpoints:
        name = touch.channel
        if name not in rungs:
            continue
        if touch.kind == REMOVED:
            before = found.get(name)
            last_used_day = None if before is None else before.last_used_day
            found[name] = Channel(name, rungs[name], False, last_used_day)
        elif _uses(view, touch):
            found[name] = Channel(name, rungs[name], True, touch.day)
    return sorted(found.values(), key=lambda channel: (channel.rung, channel.name))


def _uses(view: RelationshipView, touch: Touchpoint) -> bool:
    if touch.kind in OPENING:
        return True
    return touch.kind not in (INCIDENT, RECOVERY) and view.is_counted(touch)
