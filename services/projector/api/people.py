"""PeopleService: who is one human, who watches whom, and what a person may take along."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from rapport.events.v1 import people_pb2
from rapport.v1 import people_service_pb2 as wire
from rapport.v1.people_service_pb2_grpc import PeopleServiceServicer

from services.projector.api.answers import balance_message, computed_message
from services.projector.api.calls import Call, Context, Dependencies
from services.projector.api.fields import Fields
from services.projector.api.lines import Line, line_messages, read_lines
from services.projector.api.listing import held
from services.projector.api.people_bundle import bundle_of
from services.projector.api.portfolio_answers import affiliation_message
from services.projector.api.texts import Sealed, open_all
from services.projector.api.tokens import page_token, read_position_token
from services.projector.domain.people.affiliations import Affiliation, Affiliations
from services.projector.queries.bundles import Taken, read_taken
from services.projector.queries.known_of_people import read_affiliations, read_affiliations_at
from services.projector.queries.links import LinkPage, LinkRow, list_links, list_proposals
from services.projector.queries.people import read_identities
from services.projector.queries.question import AsOf, Question
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.stays import read_watched_stays
from services.projector.queries.timelines import read_internal
from services.projector.queries.watch_lists import (
    WatchList,
    read_watch_list,
    read_watch_lists,
    read_watched_balances,
    read_watched_rows,
)
from services.runtime.errors import RapportError, Reason
from services.runtime.limits import (
    BUNDLE_CHUNK_BYTES,
    WATCH_LIST_LINES_DEFAULT,
    WATCH_LIST_LINES_MAX,
)
from services.runtime.names import is_person
from services.runtime.page_tokens import request_key

_LINKS: Final = "PeopleService/ListLinks"
_PROPOSALS: Final = "PeopleService/ListLinkProposals"
# Of the first page: no token, and after no position.
_FIRST: Final = (None, 0)


class People(PeopleServiceServicer):
    """The handlers of PeopleService; errors are RapportErrors, which the edge answers."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._with = dependencies

    async def ListLinks(  # noqa: N802
        self, request: wire.ListLinksRequest, context: Context
    ) -> wire.ListLinksResponse:
        """A page of identity links, weak ones too."""
        fields = Fields()
        person = fields.person("person", request.person) if request.person else None
        limit = fields.page_size(request.page_size)
        as_of, call = await self._with.begin_asked(fields, request, context)
        key = request_key(_LINKS, call.tenant, request)
        pin, after = read_position_token(request.page_token, key) if request.page_token else _FIRST
        as_of = await held(self._with, context, as_of, pin)

        async def work(snapshot: Snapshot) -> tuple[Question, LinkPage]:
            question = await self._with.resolve(snapshot, as_of)
            return question, await list_links(snapshot, person, after, limit, question.position)

        question, page = await call.read(work)
        return wire.ListLinksResponse(
            links=await self._links(call, page.rows),
            next_page_token="" if page.next is None else page_token(key, question, page.next),
        )

    async def ListLinkProposals(  # noqa: N802
        self, request: wire.ListLinkProposalsRequest, context: Context
    ) -> wire.ListLinkProposalsResponse:
        """A page of what weak evidence proposes and nobody has linked."""
        fields = Fields()
        limit = fields.page_size(request.page_size)
        as_of, call = await self._with.begin_asked(fields, request, context)
        key = request_key(_PROPOSALS, call.tenant, request)
        pin, after = read_position_token(request.page_token, key) if request.page_token else _FIRST
        as_of = await held(self._with, context, as_of, pin)

        async def work(snapshot: Snapshot) -> tuple[Question, LinkPage]:
            question = await self._with.resolve(snapshot, as_of)
            return question, await list_proposals(snapshot, after, limit, question.position)

        question, page = await call.read(work)
        return wire.ListLinkProposalsResponse(
            proposals=await self._links(call, page.rows),
            next_page_token="" if page.next is None else page_token(key, question, page.next),
        )

    async def ListAffiliations(  # noqa: N802
        self, request: wire.ListAffiliationsRequest, context: Context
    ) -> wire.ListAffiliationsResponse:
        """Who is where on a day."""
        fields = Fields()
        party = fields.party("party", request.party)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)

        async def work(snapshot: Snapshot) -> wire.ListAffiliationsResponse:
            question = await self._with.resolve(snapshot, as_of)
            found = await _affiliations(snapshot, question, party)
            return wire.ListAffiliationsResponse(
                affiliations=[
                    affiliation_message(each)
                    for each in sorted(found, key=lambda each: (each.first_day, each.event_id))
                    if each.in_force(question.on)
                    or (request.include_ended and each.over(question.on))
                ],
                journal=snapshot.journal,
                position=question.position,
            )

        return await call.read(work)

    async def ListWatchLists(  # noqa: N802
        self, request: wire.ListWatchListsRequest, context: Context
    ) -> wire.ListWatchListsResponse:
        """The caller's lists by name."""
        as_of, call = await self._with.begin_asked(Fields(), request, context)
        owner = call.caller.principal

        async def work(snapshot: Snapshot) -> dict[str, WatchList]:
            question = await self._with.resolve(snapshot, as_of)
            return await read_watch_lists(snapshot, owner, question.position)

        found = await call.read(work)
        return wire.ListWatchListsResponse(
            lists=[_list_message(each, owner) for each in found.values()]
        )

    async def GetWatchList(  # noqa: N802
        self, request: wire.GetWatchListRequest, context: Context
    ) -> wire.GetWatchListResponse:
        """One of the caller's lists, with balances and its timeline."""
        fields = Fields()
        if not request.list:
            fields.wrong("list", "is required", Reason.FIELD_REQUIRED)
        if not 0 <= request.lines <= WATCH_LIST_LINES_MAX:
            fields.wrong("lines", f"is 0 to {WATCH_LIST_LINES_MAX}", Reason.OUT_OF_RANGE)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)
        owner = call.caller.principal
        limit = request.lines if request.HasField("lines") else WATCH_LIST_LINES_DEFAULT

        async def work(snapshot: Snapshot) -> tuple[wire.GetWatchListResponse, list[Line]]:
            question = await self._with.resolve(snapshot, as_of)
            watched = await read_watch_list(snapshot, owner, request.list, question.position)
            stays = await read_watched_stays(snapshot, question, watched.parties)
            people = sorted({stay.person for stay in stays if stay.covers_day(question.on)})
            balances = await read_watched_balances(snapshot, question, owner, people)
            rows = await read_watched_rows(snapshot, question, stays, limit)
            answer = wire.GetWatchListResponse(
                list=_list_message(watched, owner),
                balances=[balance_message(balance) for balance in balances],
                computed=computed_message(snapshot, question),
            )
            return answer, await read_lines(snapshot, call, rows)

        answer, lines = await call.read(work)
        answer.timeline.extend(await line_messages(self._with.keys, call, lines))
        return answer

    async def ExportBundle(  # noqa: N802
        self, request: wire.ExportBundleRequest, context: Context
    ) -> AsyncIterator[wire.ExportBundleResponse]:
        """The caller's own relationships as an archive, in pieces."""
        fields = Fields()
        person = fields.person("person", request.person)
        min_position = fields.position("min_position", request.min_position)
        fields.done()
        call = await self._with.begin(context, min_position)
        if person != call.caller.principal:
            raise RapportError(
                Reason.CALLER_REQUIRED, "a bundle is made for the person it is about alone"
            )
        signing_key = self._with.signing_key
        if signing_key is None:
            raise RapportError(Reason.UNAVAILABLE, "this service has no key to sign bundles with")

        async def work(snapshot: Snapshot) -> tuple[list[Taken], Affiliations, bool]:
            question = await self._with.resolve(snapshot, AsOf())
            taken = await read_taken(snapshot, question, person)
            people = {each.message.person for each in taken if hasattr(each.message, "person")}
            places = await read_affiliations(snapshot, people, question.position)
            internal = await read_internal(snapshot, [person], people_pb2.SIDE_INTERNAL)
            return taken, places, person in internal

        taken, places, internal = await call.read(work)
        archive = await bundle_of(
            self._with.keys,
            call,
            taken,
            places,
            internal=internal,
            signing_key=signing_key,
            now_us=self._with.clock.now_us(),
        )
        for start in range(0, len(archive), BUNDLE_CHUNK_BYTES):
            yield wire.ExportBundleResponse(chunk=archive[start : start + BUNDLE_CHUNK_BYTES])

    async def _links(self, call: Call, rows: Sequence[LinkRow]) -> list[wire.Link]:
        linked = []
        for row in rows:
            message = people_pb2.IdentityLinked()
            message.ParseFromString(row.payload)
            linked.append(message)
        # What speaks for a link is the whole tenant's.
        await open_all(
            self._with.keys,
            call.tenant,
            [
                Sealed(message, str(row.event_id), (row.a, row.b), visible=True)
                for row, message in zip(rows, linked, strict=True)
            ],
        )
        return [_link_message(row, message) for row, message in zip(rows, linked, strict=True)]


async def _affiliations(
    snapshot: Snapshot, question: Question, party: str
) -> Sequence[Affiliation]:
    """The places of a human, under all ids, or of an organisation's people there."""
    if not is_person(party):
        found = await read_affiliations_at(snapshot, party, question.position)
        return [each for each in found.everything if each.organization == party]
    people = await read_identities(snapshot, [party], question.position)
    found = await read_affiliations(snapshot, people.members(party), question.position)
    return found.everything


def _link_message(row: LinkRow, linked: people_pb2.IdentityLinked) -> wire.Link:
    message = wire.Link(
        event_id=str(row.event_id),
        a=row.a,
        b=row.b,
        strength=(people_pb2.LINK_STRENGTH_STRONG if row.strong else people_pb2.LINK_STRENGTH_WEAK),
        ended_by=row.ended_by,
        ineffective_because=row.ineffective,
        position=row.position,
    )
    if linked.HasField("evidence"):
        message.evidence.CopyFrom(linked.evidence)
    return message


def _list_message(watched: WatchList, owner: str) -> wire.WatchList:
    return wire.WatchList(
        list=watched.name, owner=owner, parties=watched.parties, event_id=watched.event_id
    )
