"""Today's portfolio of a whole tenant: added up where the standings are, however many there are."""

from collections.abc import Mapping
from typing import Any, Final

from services.projector.domain.collective.concentration import Holding
from services.projector.domain.collective.portfolio import EXTREMES_MAX, HOLDINGS_MAX, Portfolio
from services.projector.domain.collective.sums import QuadrantCount, Sums
from services.projector.domain.facts import Pair
from services.projector.domain.measures.quadrant import Quadrant
from services.projector.queries.balances import RelationBalance
from services.projector.queries.many import read_humans, stake_of_balance
from services.projector.queries.question import Question
from services.projector.queries.relationships import people_of
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.standings import is_built, standing_of
from services.runtime.clock import US_PER_DAY

# The ranks of tenant_holdings.
_NO_SIDE: Final = 0
_OURS: Final = 1
_THEIRS: Final = 2
_AT_RISK: Final = 3


async def read_tenant_portfolio(
    snapshot: Snapshot, question: Question
) -> tuple[Portfolio, Mapping[Pair, RelationBalance]] | None:
    """The sums with the balances of the extremes; None where standings do not answer the question.

    The same figures as adding up every relationship; of holdings the first HOLDINGS_MAX of each
    kind. Costs by the number of relationships (`rapport bench --rows wide`).
    """
    if not question.newest or not is_built(snapshot, question):
        return None
    empty = await snapshot.fetch("tenant_not_begun", (question.on + 1) * US_PER_DAY)
    left_out = [row["a"] for row in empty], [row["b"] for row in empty]
    measures = question.policy.measures
    bounds = measures.evidence_contact_days, measures.quadrant_mp
    row = await snapshot.fetch_row("tenant_sums", *left_out, *bounds)
    assert row is not None, "an aggregate has a row"
    held = await snapshot.fetch("tenant_holdings", *left_out, HOLDINGS_MAX)
    extremes = await snapshot.fetch("tenant_extremes", *left_out, EXTREMES_MAX)
    balances = {(each["a"], each["b"]): standing_of(each, question.on) for each in extremes}
    humans = await read_humans(snapshot, question, people_of(balances))
    strong, weak = (
        [
            stake_of_balance(standing_of(each, question.on), humans)
            for each in extremes
            if each["strong"] is end
        ]
        for end in (True, False)
    )
    of_mp = int(row["held_mp"])
    by_rank: dict[int, list[Holding]] = {rank: [] for rank in (_NO_SIDE, _OURS, _THEIRS, _AT_RISK)}
    for each in held:
        by_rank[each["rank"]].append(_holding(each, of_mp))
    found = Portfolio(
        sums=_sums(row),
        by_internal=_by_buffer(by_rank[_OURS]),
        by_external=_by_buffer(by_rank[_THEIRS]),
        capital_at_risk=_by_care(by_rank[_AT_RISK]),
        strongest=tuple(sorted(strong, key=lambda stake: (-stake.buffer_mp, stake.pair))),
        weakest=tuple(sorted(weak, key=lambda stake: (stake.buffer_mp, stake.pair))),
        without_side=tuple(sorted(holding.person for holding in by_rank[_NO_SIDE])),
    )
    return found, balances


def _sums(row: Any) -> Sums:
    return Sums(
        know_mp=int(row["know_mp"]),
        care_mp=int(row["care_mp"]),
        buffer_mp=int(row["buffer_mp"]),
        relationships=row["relationships"],
        quadrants=tuple(QuadrantCount(each, row[each.value.lower()]) for each in Quadrant),
        too_little_evidence=row["too_little_evidence"],
    )


def _by_buffer(held: list[Holding]) -> tuple[Holding, ...]:
    return tuple(sorted(held, key=lambda holding: (-holding.buffer_mp, holding.person)))


def _by_care(held: list[Holding]) -> tuple[Holding, ...]:
    return tuple(sorted(held, key=lambda holding: (-holding.care_mp, holding.person)))


def _holding(row: Any, of_mp: int) -> Holding:
    return Holding(
        person=row["person"],
        know_mp=int(row["know_mp"]),
        care_mp=int(row["care_mp"]),
        buffer_mp=int(row["buffer_mp"]),
        relationships=int(row["relationships"]),
        held_mp=int(row["held_mp"]),
        of_mp=of_mp,
    )
