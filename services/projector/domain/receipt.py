"""Receipts: the lines a balance consists of. Source: the domain contract, section 5."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.projector.domain.apportion import Share, apportion
from services.projector.domain.balance import Balance
from services.projector.domain.buckets import Buckets
from services.projector.domain.decay import decay_table
from services.projector.domain.entries import Entry


@dataclass(frozen=True, slots=True)
class Line:
    """An entry and what is left of it on the day asked, in whole mp that add up."""

    entry: Entry
    know_mp: int
    care_mp: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """A balance line by line: `know_mp` and `care_mp` are the sums of the lines exactly.

    Lines stand by effective_from, then (occurred_at, event_id); each event has one at most.
    """

    on: int
    balance: Balance
    know_mp: int
    care_mp: int
    lines: tuple[Line, ...]


def decayed(mp: int, entry: Entry, on: int) -> tuple[int, int]:
    """The exact value on a day of `mp` that decay as the entry does: numerator, denominator."""
    quotient, remainder = divmod(entry.day, entry.half_life_days)
    quotient_on, remainder_on = divmod(on, entry.half_life_days)
    table = decay_table(entry.half_life_days)
    halvings = quotient_on - quotient
    if halvings < 0:
        return mp * table[remainder] << -halvings, table[remainder_on]
    return mp * table[remainder], table[remainder_on] << halvings


def receipt(entries: Sequence[Entry], on: int) -> Receipt:
    """The receipt of entries folded up to `on`; several raw pairs' may be put together.

    Entries that are not effective yet have no line.
    """
    shown = sorted(
        (entry for entry in entries if entry.effective_from <= on),
        key=lambda entry: (entry.effective_from, entry.touchpoint.order),
    )
    balance = Buckets(shown).balance(on)
    know = apportion(
        [Share(*decayed(e.know_mp, e, on), e.event_id) for e in shown], balance.know_mp
    )
    care = apportion(
        [Share(*decayed(e.care_mp, e, on), e.event_id) for e in shown], balance.care_mp
    )
    lines = tuple(Line(*line) for line in zip(shown, know, care, strict=True))
    return Receipt(on, balance, balance.know_mp, balance.care_mp, lines)
