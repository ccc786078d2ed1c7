"""The calls of PortfolioService: what many relationships are worth together."""

from typing import TYPE_CHECKING, Unpack

from rapport.connection import Connection
from rapport.ids import organization
from rapport.relationship_calls import AsOfOptions
from rapport.times import as_of
from rapport.v1 import portfolio_service_pb2 as wire

if TYPE_CHECKING:  # the name stands in the stub file alone
    from rapport.v1.portfolio_service_pb2_grpc import PortfolioServiceAsyncStub


class PortfolioCalls:
    """Portfolios, accounts, programme, builders, parity. Part of `Rapport`.

    on, known_at, policy, min_position: see rapport.times.as_of. Amounts are integer milli-points,
    shares per mille. Errors: LIST_TOO_WIDE beyond 10,000 relationships.
    """

    _projector: Connection
    _portfolio_stub: "PortfolioServiceAsyncStub"

    async def portfolio(
        self, parent: str, **asked: Unpack[AsOfOptions]
    ) -> wire.GetPortfolioResponse:
        """The sums of `people/{id}`, `teams/{team}` or `tenants/{tenant}` (the caller's own)."""
        request = wire.GetPortfolioRequest(parent=parent, as_of=as_of(**asked))
        return await self._projector.ask(self._portfolio_stub.GetPortfolio, request)

    async def account(self, name: str, **asked: Unpack[AsOfOptions]) -> wire.GetAccountResponse:
        """An organisation through the people affiliated that day."""
        request = wire.GetAccountRequest(organization=organization(name), as_of=as_of(**asked))
        return await self._projector.ask(self._portfolio_stub.GetAccount, request)

    async def programme(
        self, parent: str, **asked: Unpack[AsOfOptions]
    ) -> wire.GetProgrammeResponse:
        """The weeks kept by `people/{id}` or `teams/{team}`."""
        request = wire.GetProgrammeRequest(parent=parent, as_of=as_of(**asked))
        return await self._projector.ask(self._portfolio_stub.GetProgramme, request)

    async def builders(
        self, team: str = "", **asked: Unpack[AsOfOptions]
    ) -> wire.ListBuildersResponse:
        """Whose relationships survive; empty, with the reason, where that may not be asked."""
        request = wire.ListBuildersRequest(team=team, as_of=as_of(**asked))
        return await self._projector.ask(self._portfolio_stub.ListBuilders, request)

    async def parity(self, **asked: Unpack[AsOfOptions]) -> wire.GetParityResponse:
        """How colleagues and customers are looked after."""
        request = wire.GetParityRequest(as_of=as_of(**asked))
        return await self._projector.ask(self._portfolio_stub.GetParity, request)
