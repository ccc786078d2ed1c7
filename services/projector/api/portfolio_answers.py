"""From what many relationships are worth together to the messages of PortfolioService."""

from collections.abc import Iterable, Mapping
from typing import Final

from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import portfolio_service_pb2 as wire
from rapport.v1 import relationship_service_pb2 as relationship

from services.projector.api.answers import balance_message, date_message, relationship_name
from services.projector.api.relationship_answers import QUADRANTS, minutes_message
from services.projector.domain.collective.account import Account
from services.projector.domain.collective.builders import PURPOSE, Builder, Builders
from services.projector.domain.collective.concentration import Holding
from services.projector.domain.collective.parity import Parity, ParityMeasure
from services.projector.domain.collective.portfolio import HOLDINGS_MAX, Portfolio
from services.projector.domain.collective.programme import Programme, ProgrammeWeek
from services.projector.domain.collective.stake import Stake
from services.projector.domain.collective.sums import Sums
from services.projector.domain.facts import Pair
from services.projector.domain.measures.effort import PersonEffort
from services.projector.domain.people.affiliations import Affiliation
from services.projector.queries.balances import RelationBalance

_MISSED_MAX: Final = 20


def portfolio_message(
    found: Portfolio, known: Mapping[Pair, RelationBalance]
) -> wire.GetPortfolioResponse:
    """A portfolio, without what it was computed with."""

    def balances(stakes: Iterable[Stake]) -> list[capital.Balance]:
        return [balance_message(known[stake.pair]) for stake in stakes]

    return wire.GetPortfolioResponse(
        sums=_sums(found.sums),
        by_internal=_holdings(found.by_internal),
        by_external=_holdings(found.by_external),
        capital_at_risk=_holdings(found.capital_at_risk),
        strongest=balances(found.strongest),
        weakest=balances(found.weakest),
        without_side=found.without_side[:HOLDINGS_MAX],
    )


def person_effort_message(found: PersonEffort) -> wire.PersonEffort:
    """The time somebody gave and received."""
    return wire.PersonEffort(
        given=minutes_message(found.given),
        received=minutes_message(found.received),
        window_days=found.window_days,
        touchpoints=found.touchpoints,
        with_minutes=found.recorded,
    )


def account_message(found: Account, there: Iterable[Affiliation]) -> wire.GetAccountResponse:
    """An account, without what it was computed with."""
    return wire.GetAccountResponse(
        sums=_sums(found.sums),
        affiliations=[affiliation_message(each) for each in there],
        by_internal=_holdings(found.by_internal),
        by_external=_holdings(found.by_external),
        single_threaded=found.single_threaded,
        single_thread=found.single_thread or "",
        without_side=found.without_side[:HOLDINGS_MAX],
    )


def affiliation_message(held: Affiliation) -> relationship.Affiliation:
    """An affiliation; `until` is the day it ended."""
    message = relationship.Affiliation(
        event_id=held.event_id,
        person=held.person,
        organization=held.organization,
        role=held.role,
    )
    # `from` is a word of Python's own.
    getattr(message, "from").CopyFrom(date_message(held.first_day))
    if held.end_day is not None:
        message.until.CopyFrom(date_message(held.end_day))
    return message


def programme_message(found: Programme) -> wire.GetProgrammeResponse:
    """A programme, without what it was computed with."""
    return wire.GetProgrammeResponse(
        kept=_share(found.kept, found.counted, found.per_mille),
        weeks=[_week(week) for week in found.weeks],
    )


def builders_message(found: Builders) -> wire.ListBuildersResponse:
    """Builders, without what they were computed with; the purpose always."""
    return wire.ListBuildersResponse(
        builders=[_builder(builder) for builder in found.builders],
        withheld_because=found.withheld or "",
        purpose=PURPOSE,
        group=found.group,
    )


def parity_message(found: Parity) -> wire.GetParityResponse:
    """Parity, without what it was computed with."""
    return wire.GetParityResponse(
        measures=[_measure(measure) for measure in found.measures],
        internal_relationships=found.internal_relationships,
        external_relationships=found.external_relationships,
        withheld_because=found.withheld or "",
        reading=found.reading,
        internal_people=found.internal_people,
        external_people=found.external_people,
    )


def _sums(found: Sums) -> wire.Sums:
    return wire.Sums(
        know_mp=found.know_mp,
        care_mp=found.care_mp,
        buffer_mp=found.buffer_mp,
        relationships=found.relationships,
        quadrants=[
            wire.QuadrantCount(
                quadrant=QUADRANTS[count.quadrant], relationships=count.relationships
            )
            for count in found.quadrants
        ],
        too_little_evidence=found.too_little_evidence,
    )


def _holdings(found: Iterable[Holding]) -> list[wire.Holding]:
    return [_holding(holding) for holding in list(found)[:HOLDINGS_MAX]]


def _holding(holding: Holding) -> wire.Holding:
    return wire.Holding(
        party=holding.person,
        know_mp=holding.know_mp,
        care_mp=holding.care_mp,
        buffer_mp=holding.buffer_mp,
        relationships=holding.relationships,
        share_per_mille=holding.share_per_mille,
    )


def _week(week: ProgrammeWeek) -> wire.ProgrammeWeek:
    return wire.ProgrammeWeek(
        monday=date_message(week.monday),
        kept=week.kept,
        relationships=week.relationships,
        missed=[relationship_name(pair) for pair in week.missed[:_MISSED_MAX]],
    )


def _builder(builder: Builder) -> wire.Builder:
    return wire.Builder(
        person=builder.person,
        survival=_share(builder.survived, builder.decided, builder.survival_per_mille),
        wilson_lower_per_mille=builder.wilson_lower_per_mille,
        open_incidents=builder.open_incidents,
        unproven=builder.unproven,
        reciprocity_per_mille=builder.reciprocity_per_mille,
        teams_reached=builder.teams_reached,
        relationships=builder.relationships,
        pleaser=builder.pleaser,
        gifts_mp=builder.gifts_mp,
        outbound_mp=builder.outbound_mp,
    )


def _measure(measure: ParityMeasure) -> wire.ParityMeasure:
    return wire.ParityMeasure(
        name=measure.name,
        internal=measure.internal_rounded,
        external=measure.external_rounded,
        ratio_per_mille=measure.ratio_per_mille,
        flagged=measure.flagged,
    )


def _share(numerator: int, denominator: int, per_mille: int | None) -> relationship.Share:
    said = relationship.SAID_NOTHING if per_mille is None else relationship.SAID_KNOWN
    return relationship.Share(
        numerator=numerator, denominator=denominator, per_mille=per_mille, said=said
    )
