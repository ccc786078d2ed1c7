"""Whether relationships would survive bad news."""

from typing import Final

from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import relationship_service_pb2 as wire

from services.projector.api.answers import computed_message, date_message, relationship_name
from services.projector.api.calls import Context, Dependencies
from services.projector.api.fields import Fields
from services.projector.api.listing import listing
from services.projector.api.plans import (
    attribution,
    check_plan,
    day_ahead,
    look_ahead,
    read_plan,
    severity,
)
from services.projector.api.relationship_answers import forecast_message
from services.projector.domain.facts import Touchpoint
from services.projector.domain.forecast import forecast
from services.projector.queries.forecasts import DayForecast, ForecastsAsked, list_forecasts
from services.projector.queries.relationships import read_relationship
from services.projector.queries.snapshot import Snapshot
from services.runtime.policy import default_policy

_LIST: Final = "RelationshipService/ListForecasts"


class Forecasts:
    """ForecastRelationship and ListForecasts."""

    _with: Dependencies

    async def ForecastRelationship(  # noqa: N802
        self, request: wire.ForecastRelationshipRequest, context: Context
    ) -> wire.ForecastRelationshipResponse:
        """What an incident would do, until when, and what a plan would change."""
        fields = Fields()
        pair = fields.pair("relationship", request.relationship)
        level = severity(fields, request.severity)
        whose = attribution(fields, request.attribution)
        on = self._day(request.as_of, fields)
        plan = read_plan(fields, request.plan, on)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)

        async def work(snapshot: Snapshot) -> wire.ForecastRelationshipResponse:
            question = await self._with.resolve(snapshot, as_of)
            view = (await read_relationship(snapshot, question, pair)).view
            kinds = await self._kinds(snapshot) | set(question.policy.kinds)
            steps = check_plan(plan, pair, view.humans, kinds)

            def told(some: list[Touchpoint]) -> wire.Forecast:
                return forecast_message(
                    view, forecast(view.touchpoints, view.policy, view.on, level, whose, some)
                )

            return wire.ForecastRelationshipResponse(
                forecast=told(steps),
                without_plan=told([]) if steps else None,
                computed=computed_message(snapshot, question),
            )

        return await call.read(work)

    async def ListForecasts(  # noqa: N802
        self, request: wire.ListForecastsRequest, context: Context
    ) -> wire.ListForecastsResponse:
        """Which relationships of a person would not survive an incident on a day."""
        fields = Fields()
        person = fields.person("person", request.person)
        level = severity(fields, request.severity)
        whose = attribution(fields, request.attribution)
        on = self._day(request.as_of, fields)
        incident_on = fields.day("incident_on", request, "incident_on")
        if incident_on is not None:
            day_ahead(fields, "incident_on", incident_on, on)
        limit = fields.page_size(request.page_size)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)
        page = await listing(self._with, call, context, as_of, request, _LIST)

        async def work(snapshot: Snapshot) -> wire.ListForecastsResponse:
            question = await page.question(self._with, snapshot)
            day = question.on if incident_on is None else incident_on
            asked = ForecastsAsked(
                person=person,
                severity=level,
                attribution=whose,
                incident_on=day,
                include_surviving=request.include_surviving,
                after=page.after,
                limit=limit,
            )
            found = await list_forecasts(snapshot, question, asked)
            return wire.ListForecastsResponse(
                forecasts=[_day_forecast(each, day) for each in found.forecasts],
                next_page_token=page.next_token(question, found.next),
                computed=computed_message(snapshot, question),
            )

        return await call.read(work)

    def _day(self, message: capital.AsOf, fields: Fields) -> int:
        """The day asked, which leaves room for the look-ahead."""
        on = fields.as_of(message).on if message.HasField("on") else None
        day = self._with.today() if on is None else on
        look_ahead(fields, day)
        return day

    async def _kinds(self, snapshot: Snapshot) -> set[str]:
        """The kinds that an append would take today."""
        adopted = await self._with.shelf.adopted(snapshot, snapshot.position)
        return {kind for each in adopted for kind in each.policy.kinds} | set(
            default_policy().kinds
        )


def _day_forecast(told: DayForecast, day: int) -> wire.Forecast:
    message = wire.Forecast(
        relationship=relationship_name(told.pair),
        impact_mp=told.impact_mp,
        buffer_mp=told.buffer_mp,
        short_by_mp=told.short_by_mp,
    )
    if not told.short_by_mp:
        message.survives_through.CopyFrom(date_message(day))
    return message
