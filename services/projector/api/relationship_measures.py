"""One relationship, a person's list of them, and what changed between two days."""

from collections.abc import Sequence
from typing import Final

from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import relationship_service_pb2 as wire

from services.projector.api.answers import balance_message, computed_message, timestamp_message
from services.projector.api.calls import Context, Dependencies
from services.projector.api.fields import Fields
from services.projector.api.lines import Line
from services.projector.api.listing import listing
from services.projector.api.notes import by_event, read_notes
from services.projector.api.relationship_answers import (
    QUADRANTS,
    STAGES,
    relationship_message,
    texts_wanted,
)
from services.projector.api.texts import open_all
from services.projector.domain.balance import Balance
from services.projector.domain.compare import Change, ChangeLine, compare
from services.projector.domain.contact import contact_days
from services.projector.domain.measures.summary import RelationshipSummary, summary
from services.projector.domain.measures.view import RelationshipView
from services.projector.queries.balances import Part, RelationBalance, rounded
from services.projector.queries.relationship_lists import (
    Order,
    RelationshipsAsked,
    Wanted,
    list_relationships,
)
from services.projector.queries.relationships import read_relationship
from services.projector.queries.snapshot import Snapshot
from services.runtime.errors import RapportError, Reason
from services.runtime.limits import MESSAGE_BYTES_MAX

_LIST: Final = "RelationshipService/ListRelationships"
_STAGES: Final = {number: stage for stage, number in STAGES.items()}
_QUADRANTS: Final = {
    number: quadrant for quadrant, number in QUADRANTS.items() if quadrant is not None
}
_CHANGES: Final = {
    Change.DECAY: wire.CHANGE_GROUP_DECAY,
    Change.REWEIGHTED: wire.CHANGE_GROUP_REWEIGHTED,
    Change.NEW: wire.CHANGE_GROUP_NEW,
}


class Measures:
    """GetRelationship, ListRelationships and CompareBalances."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._with = dependencies

    async def GetRelationship(  # noqa: N802
        self, request: wire.GetRelationshipRequest, context: Context
    ) -> wire.GetRelationshipResponse:
        """Every measure of one relationship."""
        fields = Fields()
        pair = fields.pair("relationship", request.relationship)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)

        async def work(
            snapshot: Snapshot,
        ) -> tuple[RelationshipView, RelationshipSummary, Sequence[Line], capital.Computed]:
            question = await self._with.resolve(snapshot, as_of)
            view = (await read_relationship(snapshot, question, pair)).view
            measured = summary(view)
            lines = await read_notes(snapshot, call, view, texts_wanted(measured))
            return view, measured, lines, computed_message(snapshot, question)

        view, measured, lines, computed = await call.read(work)
        await open_all(self._with.keys, call.tenant, [line.sealed() for line in lines])
        return wire.GetRelationshipResponse(
            relationship=relationship_message(view, measured, by_event(lines)),
            computed=computed,
        )

    async def ListRelationships(  # noqa: N802
        self, request: wire.ListRelationshipsRequest, context: Context
    ) -> wire.ListRelationshipsResponse:
        """A page of a person's relationships."""
        fields = Fields()
        person = fields.person("person", request.person)
        wanted = _wanted(fields, request)
        fields.known_enum("order_by", wire.RelationshipOrder, request.order_by)
        limit = fields.page_size(request.page_size)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)
        page = await listing(self._with, call, context, as_of, request, _LIST)
        asked = RelationshipsAsked(
            person=person,
            wanted=wanted,
            order=Order(request.order_by or Order.BUFFER),
            ascending=request.ascending,
            after=page.after,
            limit=limit,
        )

        async def work(snapshot: Snapshot) -> wire.ListRelationshipsResponse:
            question = await page.question(self._with, snapshot)
            found = await list_relationships(snapshot, question, asked)
            return wire.ListRelationshipsResponse(
                relationships=[
                    relationship_message(view, summary(view), {}) for view in found.views
                ],
                next_page_token=page.next_token(question, found.next),
                computed=computed_message(snapshot, question),
            )

        return await call.read(work)

    async def CompareBalances(  # noqa: N802
        self, request: wire.CompareBalancesRequest, context: Context
    ) -> wire.CompareBalancesResponse:
        """What changed between two days."""
        fields = Fields()
        pair = fields.pair("relationship", request.relationship)
        first_on = fields.day("first_on", request, "first_on")
        if not request.HasField("first_on"):
            fields.wrong("first_on", "is required", Reason.FIELD_REQUIRED)
        today = self._with.today()
        second_on = fields.as_of(request.as_of).on if request.as_of.HasField("on") else today
        if first_on is not None and second_on is not None and second_on < first_on:
            field = "as_of.on" if request.as_of.HasField("on") else "first_on"
            fields.wrong(field, "the window ends before it starts", Reason.OUT_OF_RANGE)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)
        assert first_on is not None

        async def work(snapshot: Snapshot) -> wire.CompareBalancesResponse:
            question = await self._with.resolve(snapshot, as_of)
            view = (await read_relationship(snapshot, question, pair)).view
            compared = compare(view.touchpoints, view.policy, first_on, view.on)
            return wire.CompareBalancesResponse(
                first=balance_message(_balance(view, first_on, compared.first)),
                second=balance_message(_balance(view, view.on, compared.second)),
                lines=[_change(line) for line in compared.lines],
                computed=computed_message(snapshot, question),
            )

        answer = await call.read(work)
        if (size := answer.ByteSize()) > MESSAGE_BYTES_MAX:
            raise RapportError(
                Reason.TOO_LARGE,
                "the comparison has more lines than an answer takes",
                metadata={"bytes": str(size), "limit": str(MESSAGE_BYTES_MAX)},
            )
        return answer


def _wanted(fields: Fields, request: wire.ListRelationshipsRequest) -> Wanted:
    fields.each(
        "stages",
        request.stages,
        lambda path, value: fields.known_enum(path, wire.Stage, value, unset=False),
    )
    fields.each(
        "quadrants",
        request.quadrants,
        lambda path, value: fields.known_enum(path, wire.Quadrant, value, unset=False),
    )
    fields.known_enum("overdue_from", wire.Overdue, request.overdue_from)
    return Wanted(
        stages={_STAGES[value] for value in request.stages if value in _STAGES},
        quadrants={_QUADRANTS[value] for value in request.quadrants if value in _QUADRANTS},
        overdue_from=request.overdue_from,
        know_only=request.know_only,
    )


def _balance(view: RelationshipView, on: int, balance: Balance) -> RelationBalance:
    days = frozenset(contact_days(view.touchpoints, view.policy, on))
    return rounded(view.pair, Part(balance, days), on, view.policy)


def _change(line: ChangeLine) -> wire.ChangeLine:
    touchpoint = line.entry.touchpoint
    return wire.ChangeLine(
        event_id=line.entry.event_id,
        kind=touchpoint.kind,
        occurred_at=timestamp_message(touchpoint.instant_us),
        group=_CHANGES[line.change],
        know_mp=line.know_mp,
        care_mp=line.care_mp,
    )
