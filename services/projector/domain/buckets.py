"""Sums of decaying entries as exact integers. Source: the domain contract, section 5."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Self

from services.projector.domain.balance import Balance
from services.projector.domain.decay import decay_table
from services.projector.domain.entries import Entry

type BucketKey = tuple[int, int]
# Numerator and denominator (> 0), not reduced.
type Ratio = tuple[int, int]


class Buckets:
    """What a set of entries adds up to, on any day not before `through_day`.

    Entries may be added and taken out in any order: the same set gives the same buckets.
    `through_day` is the latest day or effective_from ever added (taking out does not
    bring it back, so it may be later than needed), None for none. Not safe to share between
    threads.
    """

    __slots__ = ("care", "know", "through_day")

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.know: dict[BucketKey, int] = {}
        self.care: dict[BucketKey, int] = {}
        self.through_day: int | None = None
        for entry in entries:
            self.add(entry)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Buckets) and (self.know, self.care, self.through_day) == (
            other.know,
            other.care,
            other.through_day,
        )

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __bool__(self) -> bool:
        """Whether anything is left in them."""
        return bool(self.know or self.care)

    def add(self, entry: Entry) -> None:
        """Add an entry."""
        self.extend_through(max(entry.day, entry.effective_from))
        self.post(entry.day, entry.half_life_days, entry.know_mp, entry.care_mp)

    def subtract(self, entry: Entry) -> None:
        """Take out an entry that was added before."""
        self.post(entry.day, entry.half_life_days, -entry.know_mp, -entry.care_mp)

    def post(self, day: int, half_life_days: int, know_mp: int, care_mp: int) -> None:
        """Add mp that decay from a day, leaving `through_day` to the caller."""
        quotient, remainder = divmod(day, half_life_days)
        scale = decay_table(half_life_days)[remainder]
        if know_mp:
            _shift(self.know, (half_life_days, quotient), know_mp * scale)
        if care_mp:
            _shift(self.care, (half_life_days, quotient), care_mp * scale)

    def extend_through(self, day: int) -> None:
        """Answer from `day` on only, or from later if that is so already."""
        if self.through_day is None or day > self.through_day:
            self.through_day = day

    def balance(self, on: int) -> Balance:
        """The exact balance on a day; ValueError before `through_day`, which only a fold knows."""
        know, care = self.values(on)
        return Balance(Fraction(*know), Fraction(*care))

    def values(self, on: int) -> tuple[Ratio, Ratio]:
        """KNOW and CARE of `balance` as quotients that are not reduced: all that rounding takes."""
        if self.through_day is not None and on < self.through_day:
            raise ValueError("buckets answer no day before the latest one in them")
        return _value(self.know, on), _value(self.care, on)

    @classmethod
    def from_mapping(
        cls, mapping: Mapping[str, Mapping[str, Sequence[int]]], through_day: int | None
    ) -> Self:
        """Buckets from plain data, `{"H": {"q": [know, care]}}`; integers of any size."""
        buckets = cls()
        account_know, account_care = buckets.know, buckets.care
        for half_life, quotients in mapping.items():
            half_life_days = int(half_life)
            for quotient, (know, care) in quotients.items():
                key = half_life_days, int(quotient)
                if know:
                    account_know[key] = know
                if care:
                    account_care[key] = care
        buckets.through_day = through_day
        return buckets


def group_totals(account: Mapping[BucketKey, int]) -> list[tuple[int, int, int]]:
    """One (H, q, numerator) for each half-life: all its buckets as one, by its smallest q."""
    by_half_life: dict[int, tuple[int, int]] = {}
    for (half_life_days, quotient), amount in account.items():
        found = by_half_life.get(half_life_days)
        if found is None:
            by_half_life[half_life_days] = quotient, amount
            continue
        base, total = found
        if quotient >= base:
            by_half_life[half_life_days] = base, total + (amount << (quotient - base))
        else:
            by_half_life[half_life_days] = quotient, amount + (total << (base - quotient))
    return [
        (half_life_days, base, total)
        for half_life_days, (base, total) in by_half_life.items()
        if total
    ]


def _value(account: Mapping[BucketKey, int], on: int) -> Ratio:
    """Sum of bucket x 2^(q - q_t) / T_H[r_t], exactly."""
    if not account:
        return 0, 1
    terms = []
    halvings: int | None = None
    for half_life_days, base, total in group_totals(account):
        quotient, remainder = divmod(on, half_life_days)
        halved = quotient - base
        terms.append((total, decay_table(half_life_days)[remainder], halved))
        if halvings is None or halved > halvings:
            halvings = halved
    if halvings is None:
        return 0, 1
    numerator, denominator = 0, 1
    for total, scale, halved in terms:
        numerator = numerator * scale + (total << (halvings - halved)) * denominator
        denominator *= scale
    if halvings < 0:
        return numerator << -halvings, denominator
    return numerator, denominator << halvings


def _shift(account: dict[BucketKey, int], key: BucketKey, amount: int) -> None:
    total = account.get(key, 0) + amount
    if total:
        account[key] = total
    else:
        account.pop(key, None)
