"""Rule 5: repeated small touches wear off within a week. Source: the domain contract, section 5."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from services.projector.domain.calendar import week_of
from services.projector.domain.facts import Pair, Touchpoint
from services.projector.domain.rounding import divide_half_even
from services.projector.domain.weights import PER_MILLE, PRODUCT_SCALE, Weight

_POSTED_SCALE: Final = PRODUCT_SCALE * PER_MILLE


class Rank(NamedTuple):
    """The place of a touchpoint in its cell, from 1, and the per mille paid there."""

    place: int
    marginal: int


class Saturated(NamedTuple):
    """What a member of a cell posts on both accounts, each ranked for itself."""

    know_mp: int
    care_mp: int
    know_rank: Rank
    care_rank: Rank


type Member = tuple[Touchpoint, Weight]
type Cell = tuple[Pair, str, str, int]


def cell_of(touchpoint: Touchpoint, weight: Weight, day: int) -> Cell:
    """The cell of a touchpoint with a group: relationship, initiator, group and ISO week."""
    return touchpoint.pair, touchpoint.initiator, weight.group, week_of(day)


def saturate(cell: Sequence[Member], marginal: Sequence[int]) -> list[Saturated]:
    """What each member of one cell posts, in the order given.

    A cell holds the touchpoints of one relationship, initiator, group and ISO week up to the day
    asked; its accounts are ranked apart: by the size of the exact product, descending, then by
    (occurred_at, event_id).
    """
    if len(cell) == 1:
        weight = cell[0][1]
        rank = Rank(1, marginal[0] if marginal else 0)
        return [Saturated(*saturate_alone(weight, marginal), rank, rank)]
    know = _account([(weight.know_product, touchpoint) for touchpoint, weight in cell], marginal)
    care = _account([(weight.care_product, touchpoint) for touchpoint, weight in cell], marginal)
    return [
        Saturated(know_mp, care_mp, know_rank, care_rank)
        for (know_mp, know_rank), (care_mp, care_rank) in zip(know, care, strict=True)
    ]


def saturate_alone(weight: Weight, marginal: Sequence[int]) -> tuple[int, int]:
    """What the only member of a cell posts on KNOW and CARE; equal to `saturate` of it."""
    per_mille = marginal[0] if marginal else 0
    return (
        divide_half_even(weight.know_product * per_mille, _POSTED_SCALE),
        divide_half_even(weight.care_product * per_mille, _POSTED_SCALE),
    )


def _account(
    products: list[tuple[int, Touchpoint]], marginal: Sequence[int]
) -> list[tuple[int, Rank]]:
    def place_key(index: int) -> tuple[int, int, str]:
        product, touchpoint = products[index]
        return -abs(product), touchpoint.instant_us, touchpoint.event_id

    posted: dict[int, tuple[int, Rank]] = {}
    for place, index in enumerate(sorted(range(len(products)), key=place_key), start=1):
        per_mille = marginal[place - 1] if place <= len(marginal) else 0
        mp = divide_half_even(products[index][0] * per_mille, _POSTED_SCALE)
        posted[index] = (mp, Rank(place, per_mille))
    return [posted[index] for index in range(len(products))]
