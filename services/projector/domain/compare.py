"""What changed between two days, line by line. Source: the domain contract, section 5."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.projector.domain.apportion import Share, apportion
from services.projector.domain.balance import Balance
from services.projector.domain.buckets import Buckets
from services.projector.domain.entries import Entry, fold
from services.projector.domain.facts import Touchpoint
from services.projector.domain.receipt import decayed
from services.runtime.policy import Policy


class Change(StrEnum):
    """Why an entry is worth something else."""

    # The same mp on both days.
    DECAY = "DECAY"
    # Saturation deals its places again when more comes into the week.
    REWEIGHTED = "REWEIGHTED"
    # There on one of the days only.
    NEW = "NEW"


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """An entry as it is on the later day that has it, and how much more it is worth, in mp."""

    entry: Entry
    change: Change
    know_mp: int
    care_mp: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two balances and the lines between them.

    `know_mp` and `care_mp` are the differences of the two rounded balances and the sums of the
    lines, which stand by change (new, re-weighted, decay), then (occurred_at, event_id).
    """

    first: Balance
    second: Balance
    know_mp: int
    care_mp: int
    lines: tuple[ChangeLine, ...]


_ORDER = {Change.NEW: 0, Change.REWEIGHTED: 1, Change.DECAY: 2}


def compare(
    touchpoints: Sequence[Touchpoint], policy: Policy, first_day: int, second_day: int
) -> Comparison:
    """What makes the balance of `second_day` differ from that of `first_day`, under one policy."""
    return compare_entries(
        fold(touchpoints, policy, first_day).entries,
        first_day,
        fold(touchpoints, policy, second_day).entries,
        second_day,
    )


def compare_entries(
    first_entries: Sequence[Entry],
    first_day: int,
    second_entries: Sequence[Entry],
    second_day: int,
) -> Comparison:
    """As `compare`, for entries folded up to each day."""
    before = {entry.event_id: entry for entry in first_entries}
    after = {entry.event_id: entry for entry in second_entries}
    latest = before | after
    changes = [
        (entry, _change(before.get(event_id), after.get(event_id)))
        for event_id, entry in latest.items()
    ]
    changes.sort(key=lambda item: (_ORDER[item[1]], item[0].touchpoint.order))

    def share(event_id: str, know: bool) -> Share:
        numerator, denominator = 0, 1
        for side, day, sign in ((before, first_day, -1), (after, second_day, 1)):
            if (entry := side.get(event_id)) is not None:
                value, scale = decayed(entry.know_mp if know else entry.care_mp, entry, day)
                numerator = numerator * scale + sign * value * denominator
                denominator *= scale
        return Share(numerator, denominator, event_id)

    first = Buckets(first_entries).balance(first_day)
    second = Buckets(second_entries).balance(second_day)
    know_mp = second.know_mp - first.know_mp
    care_mp = second.care_mp - first.care_mp
    know = apportion([share(entry.event_id, True) for entry, _ in changes], know_mp)
    care = apportion([share(entry.event_id, False) for entry, _ in changes], care_mp)
    lines = tuple(
        ChangeLine(entry, change, know_line, care_line)
        for (entry, change), know_line, care_line in zip(changes, know, care, strict=True)
    )
    return Comparison(first, second, know_mp, care_mp, lines)


def _change(old: Entry | None, new: Entry | None) -> Change:
    if old is None or new is None:
        return Change.NEW
    same = (old.know_mp, old.care_mp) == (new.know_mp, new.care_mp)
    return Change.DECAY if same else Change.REWEIGHTED
