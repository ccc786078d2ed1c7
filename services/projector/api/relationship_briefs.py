"""What to read before a contact, whom to wake, and whom to ask."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rapport.events.v1 import people_pb2, touchpoint_pb2
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import relationship_service_pb2 as wire

from services.projector.api.answers import computed_message, date_message, timestamp_message
from services.projector.api.calls import Call, Context, Dependencies
from services.projector.api.fields import Fields
from services.projector.api.lines import Line, read_lines
from services.projector.api.listing import listing
from services.projector.api.notes import by_event
from services.projector.api.parties import party_message
from services.projector.api.plans import severity
from services.projector.api.relationship_answers import (
    STAGES,
    balance_of_view,
    forecast_message,
    incident_message,
    is_open,
    relationship_message,
    texts_wanted,
)
from services.projector.api.texts import Sealed, open_all
from services.projector.domain.collective.reconnect import Reconnect
from services.projector.domain.facts import Pair, Touchpoint
from services.projector.domain.forecast import forecast
from services.projector.domain.measures.stage import stage
from services.projector.domain.measures.summary import RelationshipSummary, summary
from services.projector.domain.measures.view import RelationshipView, Side
from services.projector.domain.people.affiliations import Affiliation
from services.projector.queries.acquaintances import AcquaintancesAsked, list_acquaintances
from services.projector.queries.briefs import (
    Brief,
    DateNear,
    FactToUse,
    common_ground,
    facts_to_use,
    read_brief,
    surroundings,
)
from services.projector.queries.known_of_people import KnownOfPeople, read_known
from services.projector.queries.lines import read_rows
from services.projector.queries.question import Question
from services.projector.queries.reconnects import ReconnectsAsked, list_reconnects
from services.projector.queries.relationships import read_relationship
from services.projector.queries.snapshot import Snapshot
from services.runtime.errors import Violation, invalid

_RECONNECTS: Final = "RelationshipService/ListReconnects"
_ACQUAINTANCES: Final = "RelationshipService/ListAcquaintances"
_SEVERITY: Final = 2
# What to say to somebody one has not talked to for half a year.
_TO_SAY_MAX: Final = 5
_SIDES: Final = {
    None: people_pb2.SIDE_UNSPECIFIED,
    Side.INTERNAL: people_pb2.SIDE_INTERNAL,
    Side.EXTERNAL: people_pb2.SIDE_EXTERNAL,
}

type Learned = people_pb2.FactLearned | people_pb2.DateNoted


@dataclass(frozen=True, slots=True)
class _Page:
    """A brief on its way out: everything but the texts, which are opened outside the snapshot."""

    view: RelationshipView
    measured: RelationshipSummary
    brief: Brief
    described: people_pb2.PartyDescribed
    lines: Sequence[Line]
    computed: capital.Computed


@dataclass(frozen=True, slots=True)
class _Dormant:
    """A dormant relationship on its way out, with what there is to say."""

    view: RelationshipView
    worth: Reconnect
    facts: Sequence[FactToUse]
    ground: Sequence[Touchpoint]


class Briefs:
    """GetBrief, ListReconnects and ListAcquaintances."""

    _with: Dependencies

    async def GetBrief(  # noqa: N802
        self, request: wire.GetBriefRequest, context: Context
    ) -> wire.GetBriefResponse:
        """One page to read before a contact."""
        fields = Fields()
        pair = fields.pair("relationship", request.relationship)
        about = fields.person("about", request.about) if request.about else None
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)

        async def work(snapshot: Snapshot) -> _Page:
            question = await self._with.resolve(snapshot, as_of)
            return await _page(snapshot, call, question, pair, about)

        page = await call.read(work)
        brief, view = page.brief, page.view
        sealed = [line.sealed() for line in page.lines]
        sealed.append(_sealed_party(brief, page.described))
        sealed += _sealed_facts(_messages_of(brief))
        await open_all(self._with.keys, call.tenant, sealed)
        notes = by_event(page.lines)
        lines = {str(line.row.event_id): line.message() for line in page.lines}
        return wire.GetBriefResponse(
            party=party_message(brief.party, page.described),
            affiliations=[affiliation_message(each) for each in brief.affiliations],
            relationship=relationship_message(view, page.measured, notes),
            forecast=forecast_message(
                view, forecast(view.touchpoints, view.policy, view.on, _SEVERITY)
            ),
            last_touches=[lines[touch.event_id] for touch in brief.last_touches],
            open_incidents=[
                incident_message(view, each, notes)
                for each in page.measured.incidents
                if is_open(each)
            ],
            facts=[_known_fact(each, brief.known.messages) for each in brief.facts],
            dates=[_noted_date(each, brief.known.messages) for each in brief.dates],
            common_ground=[lines[touch.event_id] for touch in brief.common_ground],
            suggestions=[
                wire.Suggestion(rule=each.rule, why=each.why, event_ids=each.event_ids)
                for each in brief.suggestions
            ],
            computed=page.computed,
        )

    async def ListReconnects(  # noqa: N802
        self, request: wire.ListReconnectsRequest, context: Context
    ) -> wire.ListReconnectsResponse:
        """A page of dormant relationships that were strong once."""
        fields = Fields()
        person = fields.person("person", request.person)
        limit = fields.page_size(request.page_size)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)
        page = await listing(self._with, call, context, as_of, request, _RECONNECTS)
        asked = ReconnectsAsked(person, page.after, limit)

        async def work(
            snapshot: Snapshot,
        ) -> tuple[list[_Dormant], KnownOfPeople, Sequence[Line], wire.ListReconnectsResponse]:
            question = await page.question(self._with, snapshot)
            found = await list_reconnects(snapshot, question, asked)
            others = {
                member
                for _, view in found.found
                for member in view.humans.members(view.other(found.human))
            }
            known = await read_known(snapshot, others, question.position)
            dormant = [
                _dormant(view, worth, known, view.other(found.human)) for worth, view in found.found
            ]
            ground = [touch for each in dormant for touch in each.ground]
            rows = await read_rows(snapshot, question.policy, ground)
            lines = await read_lines(snapshot, call, rows)
            answer = wire.ListReconnectsResponse(
                next_page_token=page.next_token(question, found.next),
                computed=computed_message(snapshot, question),
            )
            return dormant, known, lines, answer

        dormant, known, lines, answer = await call.read(work)
        messages = {
            each.fact.event_id: known.messages[each.fact.event_id]
            for some in dormant
            for each in some.facts
        }
        sealed = [*(line.sealed() for line in lines), *_sealed_facts(messages)]
        await open_all(self._with.keys, call.tenant, sealed)
        notes = by_event(lines)
        for each in dormant:
            answer.reconnects.append(
                wire.Reconnect(
                    balance=balance_of_view(each.view),
                    peak_mp=each.worth.peak_mp,
                    peak_on=date_message(each.worth.peak_on),
                    silent_days=each.worth.silent_days,
                    facts=[
                        *(_known_fact(fact, known.messages) for fact in each.facts),
                        *(_ground_as_fact(touch, notes[touch.event_id]) for touch in each.ground),
                    ],
                )
            )
        return answer

    async def ListAcquaintances(  # noqa: N802
        self, request: wire.ListAcquaintancesRequest, context: Context
    ) -> wire.ListAcquaintancesResponse:
        """A page of who knows a party and would survive bad news."""
        fields = Fields()
        party = fields.party("party", request.party)
        level = severity(fields, request.severity, default=_SEVERITY)
        limit = fields.page_size(request.page_size)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)
        page = await listing(self._with, call, context, as_of, request, _ACQUAINTANCES)
        asked = AcquaintancesAsked(party, level, page.after, limit)

        async def work(snapshot: Snapshot) -> wire.ListAcquaintancesResponse:
            question = await page.question(self._with, snapshot)
            found = await list_acquaintances(snapshot, question, asked)
            return wire.ListAcquaintancesResponse(
                acquaintances=[
                    wire.Acquaintance(
                        person=knows.person,
                        balance=balance_of_view(view),
                        stage=STAGES[stage(view).stage],
                        side=_SIDES[knows.side],
                    )
                    for knows, view in found.found
                ],
                next_page_token=page.next_token(question, found.next),
                computed=computed_message(snapshot, question),
            )

        return await call.read(work)


def affiliation_message(affiliation: Affiliation) -> wire.Affiliation:
    """A person's place in an organisation."""
    message = wire.Affiliation(
        event_id=affiliation.event_id,
        person=affiliation.person,
        organization=affiliation.organization,
        role=affiliation.role,
    )
    getattr(message, "from").CopyFrom(date_message(affiliation.first_day))
    if affiliation.end_day is not None:
        message.until.CopyFrom(date_message(affiliation.end_day))
    return message


async def _page(
    snapshot: Snapshot, call: Call, question: Question, pair: Pair, about: str | None
) -> _Page:
    view = (await read_relationship(snapshot, question, pair)).view
    whom = _whom(view, about, call.caller.principal)
    brief = await read_brief(snapshot, question, view, whom)
    measured = summary(view)
    wanted = {touch.event_id: touch for touch in (*brief.last_touches, *brief.common_ground)}
    for event_id in texts_wanted(measured):
        wanted[event_id] = view.by_id[event_id]
    for each in measured.incidents:
        if is_open(each):
            wanted[each.event_id] = each.touchpoint
    rows = await read_rows(snapshot, question.policy, wanted.values())
    lines = await read_lines(snapshot, call, rows)
    described = people_pb2.PartyDescribed.FromString(brief.party.payload or b"")
    return _Page(view, measured, brief, described, lines, computed_message(snapshot, question))


def _whom(view: RelationshipView, about: str | None, principal: str) -> str:
    """Who is to be met: as asked, else the external one, else the one that is not the caller."""
    if about is not None:
        human = view.humans.canonical(about)
        if human not in view.pair:
            raise invalid([Violation("about", "is one of the two people of the relationship")])
        return human
    if len(view.external) == 1:
        return view.external[0]
    caller = view.humans.canonical(principal)
    return view.a if caller == view.b else view.b


def _dormant(
    view: RelationshipView, worth: Reconnect, known: KnownOfPeople, about: str
) -> _Dormant:
    facts = facts_to_use(view, surroundings(view, known), about)[:_TO_SAY_MAX]
    return _Dormant(view, worth, facts, common_ground(view)[: _TO_SAY_MAX - len(facts)])


def _messages_of(brief: Brief) -> Mapping[str, Learned]:
    """What the brief shows of facts and dates."""
    shown = {each.fact.event_id for each in brief.facts} | {each.event_id for each in brief.dates}
    return {event_id: brief.known.messages[event_id] for event_id in sorted(shown)}


def _sealed_party(brief: Brief, described: people_pb2.PartyDescribed) -> Sealed:
    return Sealed(described, str(brief.party.described_by), (brief.party.party,), visible=True)


def _sealed_facts(messages: Mapping[str, Learned]) -> Iterable[Sealed]:
    """Facts and dates have no visibility: they are the whole tenant's."""
    return [
        Sealed(message, event_id, (message.person,), visible=True)
        for event_id, message in messages.items()
    ]


def _known_fact(each: FactToUse, messages: Mapping[str, Learned]) -> wire.KnownFact:
    learned = messages[each.fact.event_id]
    assert isinstance(learned, people_pb2.FactLearned)
    return wire.KnownFact(
        event_id=each.fact.event_id,
        category=each.fact.category,
        text=learned.text,
        occurred_at=timestamp_message(each.fact.instant_us),
        times_used=each.times_used,
        reason_for_relationship=each.fact.reason_for_relationship,
    )


def _ground_as_fact(touch: Touchpoint, opened: touchpoint_pb2.Touchpoint) -> wire.KnownFact:
    return wire.KnownFact(
        event_id=touch.event_id,
        category=touch.kind,
        text=opened.note if opened.HasField("note") else None,
        occurred_at=timestamp_message(touch.instant_us),
    )


def _noted_date(each: DateNear, messages: Mapping[str, Learned]) -> wire.NotedDate:
    message = messages[each.event_id]
    text = message.text if isinstance(message, people_pb2.FactLearned) else message.label
    return wire.NotedDate(
        event_id=each.event_id,
        next_on=date_message(each.next_on),
        days_until=each.days_until,
        text=text,
    )
