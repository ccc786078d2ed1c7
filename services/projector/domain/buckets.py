"""Sums of decaying entries as exact integers. Source: the domain contract, section 5."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final, NamedTuple, Self

from services.projector.domain.balance import Balance
from services.projector.domain.decay import decay_table
from services.projector.domain.entries import Entry

KNOW: Final = "know"
CARE: Final = "care"

type BucketKey = tuple[int, int]


class BucketRow(NamedTuple):
    """One bucket as a row: never zero, an integer of any size."""

    account: str
    half_life_days: int
    quotient: int
    amount: int


class Buckets:
    """What a set of entries adds up to, on any day not before `through_day`.

    Entries may be added and taken out in any order, and sums merged: the same set gives the same
    buckets. `through_day` is the latest day or effective_from ever added (taking out does not
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
        self._post(entry, 1)

    def subtract(self, entry: Entry) -> None:
        """Take out an entry that was added before."""
        self._post(entry, -1)

    def merge(self, other: "Buckets") -> None:
        """Add everything in other buckets, of the same policy."""
        for key, amount in other.know.items():
            _shift(self.know, key, amount)
        for key, amount in other.care.items():
            _shift(self.care, key, amount)
        if other.through_day is not None:
            self.extend_through(other.through_day)

    def extend_through(self, day: int) -> None:
        """Answer from `day` on only, or from later if that is so already."""
        if self.through_day is None or day > self.through_day:
            self.through_day = day

    def balance(self, on: int) -> Balance:
        """The exact balance on a day; ValueError before `through_day`, which only a fold knows."""
        if self.through_day is not None and on < self.through_day:
            raise ValueError("buckets answer no day before the latest one in them")
        return Balance(_value(self.know, on), _value(self.care, on))

    def rows(self) -> list[BucketRow]:
        """All buckets, by account, half-life and quotient: what `from_rows` makes them of."""
        accounts = ((CARE, self.care), (KNOW, self.know))
        return [
            BucketRow(name, half_life_days, quotient, account[half_life_days, quotient])
            for name, account in accounts
            for half_life_days, quotient in sorted(account)
        ]

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[str, int, int, int]], through_day: int | None) -> Self:
        """Buckets of stored rows (account, half-life, quotient, amount); a key twice adds up."""
        buckets = cls()
        accounts = {KNOW: buckets.know, CARE: buckets.care}
        for account, half_life_days, quotient, amount in rows:
            _shift(accounts[account], (half_life_days, quotient), amount)
        buckets.through_day = through_day
        return buckets

    def to_mapping(self) -> dict[str, object]:
        """As plain data for JSON: keys `H:q`, amounts as decimal text (they exceed 64 bits)."""
        return {
            "through_day": self.through_day,
            KNOW: {f"{h}:{q}": str(amount) for (h, q), amount in sorted(self.know.items())},
            CARE: {f"{h}:{q}": str(amount) for (h, q), amount in sorted(self.care.items())},
        }

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> Self:
        """Buckets from what `to_mapping` gave; ValueError for anything else."""
        through_day = mapping.get("through_day")
        if through_day is not None and not isinstance(through_day, int):
            raise ValueError("through_day is a day or nothing")
        rows = []
        for name in (KNOW, CARE):
            account = mapping.get(name)
            if not isinstance(account, Mapping):
                raise ValueError(f"{name} is a mapping")
            for key, amount in account.items():
                half_life_days, _, quotient = str(key).partition(":")
                rows.append((name, int(half_life_days), int(quotient), int(amount)))
        return cls.from_rows(rows, through_day)

    def _post(self, entry: Entry, sign: int) -> None:
        half_life_days = entry.half_life_days
        quotient, remainder = divmod(entry.day, half_life_days)
        scale = decay_table(half_life_days)[remainder] * sign
        if entry.know_mp:
            _shift(self.know, (half_life_days, quotient), entry.know_mp * scale)
        if entry.care_mp:
            _shift(self.care, (half_life_days, quotient), entry.care_mp * scale)


def group_totals(account: Mapping[BucketKey, int]) -> list[tuple[int, int, int]]:
    """One (H, q, numerator) for each half-life: all its buckets as one, by its smallest q."""
    by_half_life: dict[int, list[tuple[int, int]]] = {}
    for (half_life_days, quotient), amount in account.items():
        by_half_life.setdefault(half_life_days, []).append((quotient, amount))
    totals = []
    for half_life_days, buckets in by_half_life.items():
        base = min(quotient for quotient, _ in buckets)
        numerator = sum(amount << (quotient - base) for quotient, amount in buckets)
        if numerator:
            totals.append((half_life_days, base, numerator))
    return totals


def _value(account: Mapping[BucketKey, int], on: int) -> Fraction:
    """Sum of bucket x 2^(q - q_t) / T_H[r_t], exactly."""
    total = Fraction(0)
    for half_life_days, base, numerator in group_totals(account):
        quotient, remainder = divmod(on, half_life_days)
        scale = decay_table(half_life_days)[remainder]
        if quotient >= base:
            total += Fraction(numerator, scale << (quotient - base))
        else:
            total += Fraction(numerator << (base - quotient), scale)
    return total


def _shift(account: dict[BucketKey, int], key: BucketKey, amount: int) -> None:
    total = account.get(key, 0) + amount
    if total:
        account[key] = total
    else:
        account.pop(key, None)
