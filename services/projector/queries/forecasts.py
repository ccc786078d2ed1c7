"""Which relationships of a person would not survive bad news on a day."""

from dataclasses import dataclass
from fractions import Fraction

from services.projector.domain.facts import Pair
from services.projector.domain.forecast import impact_of
from services.projector.domain.rounding import ceiling, round_half_even
from services.projector.queries.balances import Part, read_parts
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.standings import Place
from services.projector.queries.wide import read_wide
from services.runtime.policy import Attribution


@dataclass(frozen=True, slots=True)
class ForecastsAsked:
    """A page of forecasts for the day `incident_on`, after a place; the lowest buffer first."""

    person: str
    severity: int
    attribution: Attribution
    incident_on: int
    include_surviving: bool
    after: Place | None
    limit: int


@dataclass(frozen=True, slots=True)
class DayForecast:
    """What an incident on one day would meet; `short_by_mp` is 0 where it is survived."""

    pair: Pair
    impact_mp: int
    buffer_mp: int
    short_by_mp: int


@dataclass(frozen=True, slots=True)
class ForecastsPage:
    """A page of forecasts, and the place to go on from; None at the end."""

    forecasts: list[DayForecast]
    next: Place | None


async def list_forecasts(
    snapshot: Snapshot, question: Question, asked: ForecastsAsked
) -> ForecastsPage:
    """A page of the relationships in which something had happened by the day of the question.

    From buckets where they answer: nothing happens between that day and the incident's. Raises
    LIST_TOO_WIDE beyond 10,000.
    """
    wide = await read_wide(snapshot, question, [asked.person])
    raw = [pair for relation in wide.relations for pair in relation.raw]
    parts = await read_parts(snapshot, question, raw, at=asked.incident_on)
    impact = impact_of(question.policy, asked.severity, asked.attribution)
    found = []
    for relation in wide.relations:
        total = Part()
        for pair in relation.raw:
            total = total.plus(parts[pair])
        if total.touched:
            told = _forecast(relation.pair, total.balance.buffer(question.policy), impact)
            if asked.include_surviving or told.short_by_mp:
                found.append(told)
    found.sort(key=lambda each: (each.buffer_mp, each.pair))
    if asked.after is not None:
        after = asked.after.key, asked.after.pair
        found = [each for each in found if (each.buffer_mp, each.pair) > after]
    page = found[: asked.limit]
    last = page[-1] if page and len(found) > len(page) else None
    return ForecastsPage(page, None if last is None else Place(last.buffer_mp, last.pair))


def _forecast(pair: Pair, buffer: Fraction, impact: Fraction) -> DayForecast:
    return DayForecast(
        pair=pair,
        impact_mp=round_half_even(impact),
        buffer_mp=round_half_even(buffer),
        short_by_mp=max(ceiling(impact - buffer), 0) if buffer < impact else 0,
    )
