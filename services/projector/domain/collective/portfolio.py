"""Portfolio: the relationships of a person, a team or the tenant. Source: the contract, 6."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from heapq import nsmallest
from typing import Final

from services.projector.domain.collective.capital_at_risk import capital_at_risk
from services.projector.domain.collective.concentration import Holding, concentration
from services.projector.domain.collective.stake import Stake, each_once, of_people, without_side
from services.projector.domain.collective.sums import Sums, sums
from services.projector.domain.measures.view import Side
from services.runtime.policy import Policy

EXTREMES_MAX: Final = 10
# As many holdings of a kind are told.
HOLDINGS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What somebody's relationships are worth together.

    Holdings stand by buffer (`capital_at_risk` by CARE), the largest first. `strongest` and
    `weakest` are at most 10 each, by buffer, then pair; few relationships are in both.
    `without_side` are people that no holding can name. Of holdings and of those without a side at
    least the first HOLDINGS_MAX are there.
    """

    sums: Sums
    by_internal: tuple[Holding, ...]
    by_external: tuple[Holding, ...]
    capital_at_risk: tuple[Holding, ...]
    strongest: tuple[Stake, ...]
    weakest: tuple[Stake, ...]
    without_side: tuple[str, ...]


def portfolio(
    stakes: Iterable[Stake], policy: Policy, people: Collection[str] | None = None
) -> Portfolio:
    """The portfolio of some people (of a team: all its people), None of everybody.

    Each canonical pair counts once, a pair of two of them too. Of colleagues outside `people`
    only the relationships with them are seen, so none of them is said to hold capital at risk.
    """
    chosen = each_once(stakes)
    if people is not None:
        chosen = of_people(chosen, people)
    strongest = nsmallest(EXTREMES_MAX, chosen, key=lambda stake: (-stake.buffer_mp, stake.pair))
    weakest = nsmallest(EXTREMES_MAX, chosen, key=lambda stake: (stake.buffer_mp, stake.pair))
    return Portfolio(
        sums=sums(chosen, policy),
        by_internal=concentration(chosen, Side.INTERNAL),
        by_external=concentration(chosen, Side.EXTERNAL),
        capital_at_risk=capital_at_risk(chosen, people),
        strongest=tuple(strongest),
        weakest=tuple(weakest),
        without_side=without_side(chosen),
    )
