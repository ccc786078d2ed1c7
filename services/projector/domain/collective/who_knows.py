"""Who knows somebody best, and could bring bad news. Source: the domain contract, section 6."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from services.projector.domain.collective.stake import Stake, each_once, of_people
from services.projector.domain.forecast import impact_of
from services.projector.domain.measures.view import Side
from services.runtime.policy import Attribution, Policy

SEVERITY: Final = 2


@dataclass(frozen=True, slots=True)
class Knows:
    """Somebody of ours, and whom he knows: of an organisation, its person known best.

    `side` is INTERNAL, or None when nobody has said.
    """

    person: str
    whom: str
    side: Side | None
    stake: Stake


def impact(policy: Policy, severity: int = SEVERITY) -> Fraction:
    """What the buffer must hold, in mp: an incident of ours, that being the bad news."""
    return impact_of(policy, severity, Attribution.OURS)


def who_knows(
    stakes: Iterable[Stake], whom: Collection[str], policy: Policy, severity: int = SEVERITY
) -> tuple[Knows, ...]:
    """Who of ours knows a person, or the people of an organisation, by the canonical ids.

    Those whose best relationship survives the severity, the highest buffer first, then by id.
    Whoever is known to be external is none of ours; `whom` do not answer for each other. ValueError
    for a stake that needs its exact buffer and does not have it (`Stake.survives`).
    """
    bound = impact(policy, severity)
    best: dict[str, Knows] = {}
    for stake in of_people(each_once(stakes), whom):
        for person in stake.pair:
            known = stake.other(person)
            if person in whom or known not in whom or stake.side(person) is Side.EXTERNAL:
                continue
            if _survives(stake, bound):
                knows = Knows(person, known, stake.side(person), stake)
                best[person] = min(best.get(person, knows), knows, key=_rank)
    return tuple(sorted(best.values(), key=lambda knows: (-knows.stake.buffer_mp, knows.person)))


def _rank(knows: Knows) -> tuple[int, str]:
    return -knows.stake.buffer_mp, knows.whom


def _survives(stake: Stake, bound: Fraction) -> bool:
    survived = stake.survives(bound)
    if survived is None:
        raise ValueError("the rounded buffer cannot tell: give the exact one")
    return survived
