"""The async client of both services."""

from types import TracebackType
from typing import Self

import grpc

from rapport.admin_calls import AdminCalls
from rapport.attention_calls import AttentionCalls
from rapport.capital_calls import CapitalCalls
from rapport.connection import Connection
from rapport.ledger_calls import LedgerCalls
from rapport.people_calls import PeopleCalls
from rapport.policy_calls import PolicyCalls
from rapport.portfolio_calls import PortfolioCalls
from rapport.relationship_calls import RelationshipCalls
from rapport.retry import RetryPolicy
from rapport.timeline_calls import TimelineCalls
from rapport.v1.attention_service_pb2_grpc import AttentionServiceStub
from rapport.v1.capital_service_pb2_grpc import CapitalServiceStub
from rapport.v1.ledger_service_pb2_grpc import LedgerServiceStub
from rapport.v1.people_service_pb2_grpc import PeopleServiceStub
from rapport.v1.policy_service_pb2_grpc import PolicyServiceStub
from rapport.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from rapport.v1.relationship_service_pb2_grpc import RelationshipServiceStub
from rapport.v1.timeline_service_pb2_grpc import TimelineServiceStub


class Rapport(
    LedgerCalls,
    AdminCalls,
    CapitalCalls,
    TimelineCalls,
    RelationshipCalls,
    PortfolioCalls,
    PolicyCalls,
    PeopleCalls,
    AttentionCalls,
):
    """One caller's way to the ledger and the projector. Use it as an async context manager.

    ledger, projector: `host:port`; absent projector: the ledger's. tenant: absent for calls above
    tenants (create_tenant, journals …). principal: `people/{id}` or `services/{name}`.
    credentials: absent, no TLS. One channel each, connected on first use and again after a loss;
    safe to share between the tasks of one event loop.
    """

    def __init__(
        self,
        ledger: str,
        projector: str | None = None,
        *,
        principal: str,
        tenant: str | None = None,
        retry: RetryPolicy | None = None,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        policy = retry or RetryPolicy()
        self._ledger = Connection(
            ledger, tenant=tenant, principal=principal, policy=policy, credentials=credentials
        )
        self._projector = self._ledger
        if projector is not None and projector != ledger:
            self._projector = Connection(
                projector,
                tenant=tenant,
                principal=principal,
                policy=policy,
                credentials=credentials,
            )
        self._ledger_stub = LedgerServiceStub(self._ledger.channel)
        self._attention_stub = AttentionServiceStub(self._projector.channel)
        self._capital_stub = CapitalServiceStub(self._projector.channel)
        self._timeline_stub = TimelineServiceStub(self._projector.channel)
        self._relationship_stub = RelationshipServiceStub(self._projector.channel)
        self._portfolio_stub = PortfolioServiceStub(self._projector.channel)
        self._policy_stub = PolicyServiceStub(self._projector.channel)
        self._people_stub = PeopleServiceStub(self._projector.channel)

    @property
    def projector(self) -> Connection:
        """The channel to the projector, for the stubs of services without calls of their own."""
        return self._projector

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the channels; calls under way are cancelled."""
        await self._ledger.channel.close()
        if self._projector is not self._ledger:
            await self._projector.channel.close()
