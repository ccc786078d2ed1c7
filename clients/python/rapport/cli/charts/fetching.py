"""Asking the services for what a chart shows."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from rapport.cli.charts.data import (
    BalanceChart,
    Bar,
    Mark,
    Moment,
    Point,
    PortfolioChart,
    RecoveryChart,
    Survival,
)
from rapport.client import Rapport
from rapport.events.v1 import touchpoint_pb2 as touch
from rapport.ids import person, relationship
from rapport.retry import call_with_retries
from rapport.times import as_of, day_of, instant
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import portfolio_service_pb2 as portfolios
from rapport.v1 import relationship_service_pb2 as relationships
from rapport.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from rapport.v1.relationship_service_pb2_grpc import RelationshipServiceStub

# A line of so many days looks whole; days with a touchpoint come on top, with the days before them.
DAYS_EVENLY: Final = 120
TOUCHED_DAYS_MAX: Final = 200
CALLS_AT_ONCE: Final = 16
INCIDENTS_MAX: Final = 1000
# What is shown of the time before and after what happened.
DAYS_BEFORE_MAX: Final = 730
RECOVERY_BEFORE: Final = 14
RECOVERY_AFTER: Final = 45


@dataclass(frozen=True, slots=True)
class Question:
    """What every chart is asked with. names: of parties, to be shown instead of their ids."""

    on: date | None = None
    policy: str = ""
    min_position: int = 0
    names: Mapping[str, str] = field(default_factory=dict)

    def as_of(self, on: date | None = None) -> capital.AsOf:
        """For the wire; `on`: another day."""
        return as_of(on=on or self.on, policy=self.policy, min_position=self.min_position)

    def name(self, party: str) -> str:
        """What a party is called."""
        return self.names.get(party) or party.removeprefix("people/")

    def pair(self, name: str) -> tuple[str, str]:
        """The names of the two of a relationship."""
        a, _, b = name.removeprefix("relationships/").partition("~")
        return self.name(f"people/{a}"), self.name(f"people/{b}")


async def balance_chart(
    client: Rapport,
    a: str,
    b: str,
    question: Question,
    *,
    since: date | None = None,
    days_ahead: int = 180,
    severity: int = 2,
) -> BalanceChart:
    """A relationship from its beginning, at most two years back, or from `since` on."""
    now = await client.balance(
        a, b, on=question.on, policy=question.policy, min_position=question.min_position
    )
    today = _day(now.balance.on)
    begin = since or today - timedelta(days=min(now.balance.age_days + 14, DAYS_BEFORE_MAX))
    incidents = await _incidents(client, relationship(a, b), question, begin, today)
    touched = await _touched_on(client, a, b, begin, today)
    turns = {*touched, *(mark.on for mark in incidents)}
    days = days_to_ask(begin, today, today + timedelta(days=days_ahead), turns)
    first, second = (question.name(person(name)) for name in (a, b))
    return BalanceChart(
        a=first,
        b=second,
        today=today,
        points=tuple(await _points(client, a, b, days, question)),
        incidents=incidents,
        touched_on=tuple(sorted(touched)),
        survival=await _survival(client, a, b, question, severity),
        note=_note(now.computed),
    )


async def recovery_chart(client: Rapport, event_id: str, question: Question) -> RecoveryChart:
    """An incident by its event id."""
    request = relationships.GetIncidentRequest(event_id=event_id, as_of=question.as_of())
    answer: relationships.GetIncidentResponse = await _call(
        client, RelationshipServiceStub(client.projector.channel).GetIncident, request
    )
    incident, today = answer.incident, _day(answer.computed.on)
    moments = tuple(Moment(_day(point.on), point.moment, point.buffer_mp) for point in answer.curve)
    happened = instant(incident.occurred_at).date()
    on_days = [moment.on for moment in moments] or [happened]
    begin = min(on_days) - timedelta(days=RECOVERY_BEFORE)
    end = max(on_days) + timedelta(days=RECOVERY_AFTER)
    a, b = _people_of(incident.relationship)
    touched = await _touched_on(client, a, b, begin, min(end, today))
    days = days_to_ask(begin, min(end, today), end, {*touched, *on_days})
    points = await _points(client, a, b, days, question)
    first, second = question.pair(incident.relationship)
    return RecoveryChart(
        a=first,
        b=second,
        today=today,
        severity=incident.severity,
        about=_about(incident),
        moments=moments,
        daily=tuple((point.on, point.buffer_mp) for point in points),
        is_open=incident.open,
        note=_note(answer.computed),
    )


async def portfolio_chart(client: Rapport, parent: str, question: Question) -> PortfolioChart:
    """The portfolio of `people/x`, `teams/x` or `tenants/x`."""
    request = portfolios.GetPortfolioRequest(parent=parent, as_of=question.as_of())
    answer: portfolios.GetPortfolioResponse = await _call(
        client, PortfolioServiceStub(client.projector.channel).GetPortfolio, request
    )
    sums = answer.sums
    quadrant = relationships.Quadrant
    return PortfolioChart(
        owner=question.name(parent),
        on=_day(answer.computed.on),
        know_mp=sums.know_mp,
        care_mp=sums.care_mp,
        buffer_mp=sums.buffer_mp,
        relationships=sums.relationships,
        quadrants={
            quadrant.Name(count.quadrant).removeprefix("QUADRANT_"): count.relationships
            for count in sums.quadrants
        },
        too_little_evidence=sums.too_little_evidence,
        internal=_held(answer.by_internal, question),
        external=_held(answer.by_external, question),
        at_risk=tuple(Bar(question.name(h.party), h.care_mp) for h in answer.capital_at_risk),
        strongest=_pairs(answer.strongest, question),
        weakest=_pairs(answer.weakest, question),
        note=_note(answer.computed),
    )


def days_to_ask(begin: date, today: date, end: date, turns: Iterable[date]) -> list[date]:
    """Days in order: evenly, today, and each turn with the day before it, so that steps are steep.

    Of more than TOUCHED_DAYS_MAX turns the latest count.
    """
    asked = {begin, today, end}
    step = max(1, (end - begin).days // DAYS_EVENLY)
    asked |= {begin + timedelta(days=n) for n in range(0, (end - begin).days, step)}
    latest = sorted(day for day in set(turns) if begin <= day <= today)[-TOUCHED_DAYS_MAX:]
    for day in latest:
        asked |= {day, max(begin, day - timedelta(days=1))}
    return sorted(asked)


async def _points(
    client: Rapport, a: str, b: str, days: Iterable[date], question: Question
) -> list[Point]:
    turn = asyncio.Semaphore(CALLS_AT_ONCE)

    async def one(day: date) -> Point:
        async with turn:
            balance = (await client.balance(a, b, on=day, policy=question.policy)).balance
        return Point(day, balance.know_mp, balance.care_mp, balance.buffer_mp)

    return list(await asyncio.gather(*(one(day) for day in days)))


async def _incidents(
    client: Rapport, parent: str, question: Question, begin: date, today: date
) -> tuple[Mark, ...]:
    request = relationships.ListIncidentsRequest(
        parent=parent, page_size=INCIDENTS_MAX, as_of=question.as_of()
    )
    answer: relationships.ListIncidentsResponse = await _call(
        client, RelationshipServiceStub(client.projector.channel).ListIncidents, request
    )
    marks = (
        Mark(instant(incident.occurred_at).date(), incident.severity, incident.open)
        for incident in answer.incidents
    )
    return tuple(sorted((m for m in marks if begin <= m.on <= today), key=lambda mark: mark.on))


async def _touched_on(client: Rapport, a: str, b: str, begin: date, today: date) -> set[date]:
    """The latest days with a touchpoint."""
    found: set[date] = set()
    async for line in client.timeline(a, b):
        day = instant(line.occurred_at).date()
        if day < begin or len(found) == TOUCHED_DAYS_MAX:
            break
        if day <= today:
            found.add(day)
    return found


async def _survival(
    client: Rapport, a: str, b: str, question: Question, severity: int
) -> Survival | None:
    if not severity:
        return None
    request = relationships.ForecastRelationshipRequest(
        relationship=relationship(a, b), severity=severity, as_of=question.as_of()
    )
    answer: relationships.ForecastRelationshipResponse = await _call(
        client, RelationshipServiceStub(client.projector.channel).ForecastRelationship, request
    )
    forecast = answer.forecast
    return Survival(
        severity, forecast.impact_mp, day_of(forecast.survives_through), forecast.beyond_horizon
    )


async def _call(client: Rapport, method: Any, request: Any) -> Any:
    connection = client.projector
    return await call_with_retries(
        lambda once_s: method(request, metadata=connection.metadata, timeout=once_s),
        connection.policy,
    )


def _held(holdings: Iterable[portfolios.Holding], question: Question) -> tuple[Bar, ...]:
    return tuple(
        Bar(
            question.name(holding.party),
            holding.buffer_mp,
            holding.share_per_mille if holding.HasField("share_per_mille") else None,
        )
        for holding in holdings
    )


def _pairs(balances: Iterable[capital.Balance], question: Question) -> tuple[Bar, ...]:
    return tuple(Bar(" ~ ".join(question.pair(b.relationship)), b.buffer_mp) for b in balances)


def _people_of(name: str) -> tuple[str, str]:
    a, _, b = name.removeprefix("relationships/").partition("~")
    return a, b


def _about(incident: relationships.Incident) -> str:
    attribution = touch.Attribution.Name(incident.attribution).removeprefix("ATTRIBUTION_")
    said = "" if attribution == "UNSPECIFIED" else attribution.lower()
    return "".join(f", {word}" for word in (said, incident.category, incident.channel) if word)


def _note(computed: capital.Computed) -> str:
    return f"{computed.policy} · journal {computed.journal} up to position {computed.position:,}"


def _day(wire: Any) -> date:
    day = day_of(wire)
    if day is None:
        raise ValueError("the answer names no day")
    return day
