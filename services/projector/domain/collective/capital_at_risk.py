"""Capital at risk: what leaves when somebody leaves. Source: the domain contract, section 6."""

from collections.abc import Collection, Iterable

from services.projector.domain.collective.concentration import Holding, concentration
from services.projector.domain.collective.stake import Stake
from services.projector.domain.measures.view import Side


def capital_at_risk(
    stakes: Iterable[Stake], people: Collection[str] | None = None
) -> tuple[Holding, ...]:
    """The CARE each internal person holds, the largest first, then by id.

    `people`: only of these, whose relationships must all be among the stakes; None: of all.
    """
    holdings = [
        holding
        for holding in concentration(stakes, Side.INTERNAL)
        if people is None or holding.person in people
    ]
    return tuple(sorted(holdings, key=lambda holding: (-holding.care_mp, holding.person)))
