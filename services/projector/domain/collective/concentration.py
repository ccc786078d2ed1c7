"""Concentration: in whose hands relationships are. Source: the domain contract, section 6."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.projector.domain.collective.stake import Stake, each_once
from services.projector.domain.measures.view import Side
from services.projector.domain.rounding import divide_half_even


@dataclass(frozen=True, slots=True)
class Holding:
    """One person's part: the sums of the relationships he is in, in mp.

    `held_mp` sums his buffers above 0, `of_mp` those of all relationships: a debt in one pair
    makes nobody's share of another larger. A relationship of two colleagues is held by both, so
    their shares may add up to more than 1000.
    """

    person: str
    know_mp: int
    care_mp: int
    buffer_mp: int
    relationships: int
    held_mp: int
    of_mp: int

    @property
    def share_per_mille(self) -> int | None:
        """Part of all buffers above 0, rounded once; None when there is none above 0."""
        return divide_half_even(self.held_mp * 1000, self.of_mp) if self.of_mp else None


def concentration(stakes: Iterable[Stake], side: Side) -> tuple[Holding, ...]:
    """The people of a side and what they hold, the largest buffer first, then by id."""
    distinct = each_once(stakes)
    of_mp = sum(stake.held_mp for stake in distinct)
    held: dict[str, list[Stake]] = {}
    for stake in distinct:
        for person in stake.of_side(side):
            held.setdefault(person, []).append(stake)
    holdings = [_holding(person, theirs, of_mp) for person, theirs in held.items()]
    return tuple(sorted(holdings, key=lambda holding: (-holding.buffer_mp, holding.person)))


def _holding(person: str, stakes: list[Stake], of_mp: int) -> Holding:
    return Holding(
        person=person,
        know_mp=sum(stake.know_mp for stake in stakes),
        care_mp=sum(stake.care_mp for stake in stakes),
        buffer_mp=sum(stake.buffer_mp for stake in stakes),
        relationships=len(stakes),
        held_mp=sum(stake.held_mp for stake in stakes),
        of_mp=of_mp,
    )
