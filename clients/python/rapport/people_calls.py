"""The calls of PeopleService: who is one human, who watches whom, what a person takes along."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Unpack

import grpc

from rapport.connection import Connection
from rapport.errors import error_of
from rapport.ids import person
from rapport.relationship_calls import PAGE_SIZE, AsOfOptions
from rapport.times import as_of
from rapport.v1 import people_service_pb2 as wire
from rapport.v1 import relationship_service_pb2 as relationship

if TYPE_CHECKING:  # the name stands in the stub file alone
    from rapport.v1.people_service_pb2_grpc import PeopleServiceAsyncStub


class PeopleCalls:
    """Links, places, watch lists, bundles. Part of `Rapport`."""

    _projector: Connection
    _people_stub: "PeopleServiceAsyncStub"

    async def links(
        self, of: str | None = None, **asked: Unpack[AsOfOptions]
    ) -> AsyncIterator[wire.Link]:
        """Identity links, of one id or all, weak ones too, oldest first, page after page."""
        request = wire.ListLinksRequest(
            person="" if of is None else person(of), page_size=PAGE_SIZE, as_of=as_of(**asked)
        )
        while True:
            page = await self._projector.ask(self._people_stub.ListLinks, request)
            for link in page.links:
                yield link
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def link_proposals(self, **asked: Unpack[AsOfOptions]) -> AsyncIterator[wire.Link]:
        """What weak evidence proposes and nobody has linked, oldest first, page after page."""
        request = wire.ListLinkProposalsRequest(page_size=PAGE_SIZE, as_of=as_of(**asked))
        while True:
            page = await self._projector.ask(self._people_stub.ListLinkProposals, request)
            for link in page.proposals:
                yield link
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def affiliations(
        self, party: str, *, include_ended: bool = False, **asked: Unpack[AsOfOptions]
    ) -> list[relationship.Affiliation]:
        """Where `people/{id}` is, or who is at `organizations/{id}`, on a day; by start."""
        request = wire.ListAffiliationsRequest(
            party=party, include_ended=include_ended, as_of=as_of(**asked)
        )
        answer = await self._projector.ask(self._people_stub.ListAffiliations, request)
        return list(answer.affiliations)

    async def watch_lists(self, **asked: Unpack[AsOfOptions]) -> list[wire.WatchList]:
        """The caller's lists by name."""
        request = wire.ListWatchListsRequest(as_of=as_of(**asked))
        answer = await self._projector.ask(self._people_stub.ListWatchLists, request)
        return list(answer.lists)

    async def watch_list(
        self, name: str, *, lines: int | None = None, **asked: Unpack[AsOfOptions]
    ) -> wire.GetWatchListResponse:
        """One of the caller's lists with balances and the last lines of its timeline (20).

        Errors: WATCH_LIST_UNKNOWN.
        """
        request = wire.GetWatchListRequest(list=name, lines=lines, as_of=as_of(**asked))
        return await self._projector.ask(self._people_stub.GetWatchList, request)

    async def export_bundle(self, of: str, *, min_position: int = 0) -> AsyncIterator[bytes]:
        """The pieces of the caller's own bundle: a ZIP archive, which rapport.bundle reads.

        Begin again after an error: half an archive is none. Errors: CALLER_REQUIRED,
        LIST_TOO_WIDE.
        """
        request = wire.ExportBundleRequest(person=person(of), min_position=min_position)
        pieces = self._people_stub.ExportBundle(request, metadata=self._projector.metadata)
        try:
            async for piece in pieces:
                yield piece.chunk
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from None
