"""Journals as the ledger tells of them, over gRPC as `services/projector`."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rapport.v1 import ledger_service_pb2 as pb

from services.projector.facts import Delivered
from services.projector.intake.wire import from_event
from services.runtime.caller import PRINCIPAL_KEY, TENANT_KEY
from services.runtime.limits import PAGE_SIZE_MAX

if TYPE_CHECKING:  # the name stands in the stub file alone
    from rapport.v1.ledger_service_pb2_grpc import LedgerServiceAsyncStub

PRINCIPAL: Final = "services/projector"
_METADATA: Final = ((PRINCIPAL_KEY, PRINCIPAL),)
_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class JournalInfo:
    """A journal as the ledger has it."""

    journal: str
    incarnation: str
    head: int


@dataclass(frozen=True, slots=True)
class Part:
    """Some consecutive events of a journal, or none as a sign of life."""

    events: list[Delivered]
    incarnation: str
    head: int


class LedgerJournals:
    """Reads journals from the ledger; raises grpc.aio.AioRpcError as calls do."""

    def __init__(self, stub: "LedgerServiceAsyncStub") -> None:
        self._stub = stub

    async def journals(self) -> list[JournalInfo]:
        """All journals, by name."""
        found: list[JournalInfo] = []
        token = ""
        while True:
            answer = await self._stub.ListJournals(
                pb.ListJournalsRequest(page_size=PAGE_SIZE_MAX, page_token=token),
                metadata=_METADATA,
                timeout=_TIMEOUT_S,
            )
            found += [
                JournalInfo(each.journal, each.incarnation, each.head_position)
                for each in answer.journals
            ]
            token = answer.next_page_token
            if not token:
                return found

    async def home(self, tenant: str, home: str, incarnation: str) -> list[Delivered]:
        """All events of a tenant's home, in order, as those of an incarnation of its journal."""
        call = self._stub.ReadEvents(
            pb.ReadEventsRequest(home=pb.HomeSource(home=home), view=pb.EVENT_VIEW_STORED),
            metadata=(*_METADATA, (TENANT_KEY, tenant)),
        )
        return [from_event(event, incarnation) async for part in call for event in part.events]

    @asynccontextmanager
    async def follow(self, journal: str, from_position: int) -> AsyncIterator[AsyncIterator[Part]]:
        """The events of a journal from a position on, old ones and then new ones as they come.

        Every part says the journal's incarnation, so that a restore in the middle is noticed. The
        call is cancelled at the end of the block.
        """
        call = self._stub.SubscribeEvents(
            pb.SubscribeEventsRequest(
                journal=journal, from_position=from_position, view=pb.EVENT_VIEW_STORED
            ),
            metadata=_METADATA,
        )
        try:
            async with aclosing(_parts(call)) as parts:
                yield parts
        finally:
            call.cancel()


async def _parts(call: AsyncIterable[pb.SubscribeEventsResponse]) -> AsyncGenerator[Part]:
    async for answer in call:
        incarnation = answer.incarnation
        events = [from_event(event, incarnation) for event in answer.events.events]
        yield Part(events, incarnation, answer.head_position)
