"""A relationship as a part of a sum: what people see of it, and who its two humans are."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fractions import Fraction

from services.projector.domain.facts import Pair
from services.projector.domain.measures.view import RelationshipView, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """One canonical relationship on a day: rounded accounts and buffer, in mp.

    Sums are made of these, the figures people see, so that a total is that of its lines exactly.
    `a` < `b` are canonical ids, a side is None for a person nobody described. `exact_buffer` is
    wanted only where the rounded one leaves open whether an incident is survived.
    """

    a: str
    b: str
    know_mp: int
    care_mp: int
    buffer_mp: int
    contact_days: int
    a_side: Side | None = None
    b_side: Side | None = None
    exact_buffer: Fraction | None = None

    @property
    def pair(self) -> Pair:
        """The canonical ids, the smaller first."""
        return self.a, self.b

    @property
    def held_mp(self) -> int:
        """The buffer where it is above 0: what there is to be concentrated."""
        return max(self.buffer_mp, 0)

    def side(self, person: str) -> Side | None:
        """The side of one of the two."""
        return self.a_side if person == self.a else self.b_side

    def other(self, person: str) -> str:
        """The other of the two humans."""
        return self.b if person == self.a else self.a

    def of_side(self, side: Side | None) -> tuple[str, ...]:
        """Those of the two on a side (None: without one), ascending."""
        return tuple(person for person in self.pair if self.side(person) is side)

    def survives(self, impact: Fraction) -> bool | None:
        """Whether the exact buffer holds an impact in mp (equal is enough).

        None where the rounded buffer cannot tell and the exact one was not given.
        """
        if self.exact_buffer is not None:
            return self.exact_buffer >= impact
        if abs(self.buffer_mp - impact) <= Fraction(1, 2):
            return None
        return self.buffer_mp > impact


def stake_of(view: RelationshipView) -> Stake:
    """The stake of a relationship, with its exact buffer."""
    return Stake(
        a=view.a,
        b=view.b,
        know_mp=view.balance.know_mp,
        care_mp=view.balance.care_mp,
        buffer_mp=view.buffer_mp,
        contact_days=len(view.contact_days),
        a_side=view.side(view.a),
        b_side=view.side(view.b),
        exact_buffer=view.buffer,
    )


def each_once(stakes: Iterable[Stake]) -> list[Stake]:
    """Each canonical pair once, by pair, however often it was given.

    ValueError when one pair was given with two different values: they are not of one day.
    """
    by_pair: dict[Pair, Stake] = {}
    for stake in stakes:
        known = by_pair.setdefault((stake.a, stake.b), stake)
        if known is not stake and known != stake:
            raise ValueError("one relationship has one balance")
    return [by_pair[pair] for pair in sorted(by_pair)]


def of_people(stakes: Iterable[Stake], people: Collection[str]) -> list[Stake]:
    """The stakes that one of some people is in: a person's or a team's."""
    return [stake for stake in stakes if stake.a in people or stake.b in people]


def without_side(stakes: Iterable[Stake]) -> tuple[str, ...]:
    """The people without a side, ascending: measures that need one leave them out."""
    return tuple(sorted({person for stake in stakes for person in stake.of_side(None)}))
