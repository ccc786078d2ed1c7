"""Capital at risk: what leaves when somebody leaves. Source: the domain contract, section 6."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from services.projector.domain.collective.concentration import Holding, concentration
from services.projector.domain.collective.stake import Stake, each_once, of_people
from services.projector.domain.measures.view import Side


@dataclass(frozen=True, slots=True)
class CapitalAtRisk:
    """The CARE one internal person holds, in mp, and the relationships it is in.

    `relationships` are all of his, the largest CARE first, then by pair; colleagues count as
    customers do. `care_mp` is their sum, what is below 0 included.
    """

    person: str
    care_mp: int
    relationships: tuple[Stake, ...]


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


def capital_at_risk_of(stakes: Iterable[Stake], person: str) -> CapitalAtRisk:
    """What leaves with one person, relationship by relationship.

    His side is the caller's business: after he left he may be described as external.
    """
    held = of_people(each_once(stakes), (person,))
    held.sort(key=lambda stake: (-stake.care_mp, stake.pair))
    return CapitalAtRisk(person, sum(stake.care_mp for stake in held), tuple(held))
