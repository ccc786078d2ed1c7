"""The calls of CapitalService: what relationships are worth."""

from collections.abc import AsyncIterator, Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

from rapport.connection import Connection
from rapport.ids import person, relationship
from rapport.retry import call_with_retries
from rapport.times import as_of
from rapport.v1 import capital_service_pb2 as capital

if TYPE_CHECKING:  # the name stands in the stub file alone
    from rapport.v1.capital_service_pb2_grpc import CapitalServiceAsyncStub


class CapitalCalls:
    """Balances, receipts and policies. Part of `Rapport`.

    on, known_at, policy, min_position: see rapport.times.as_of. Amounts are integer milli-points.
    timeout_s: absent, the retry policy's; with min_position the server waits as long as that.
    """

    _projector: Connection
    _capital_stub: "CapitalServiceAsyncStub"

    async def balance(
        self,
        a: str,
        b: str,
        *,
        on: date | None = None,
        known_at: datetime | int | None = None,
        policy: str = "",
        min_position: int = 0,
        timeout_s: float | None = None,
    ) -> capital.GetBalanceResponse:
        """The two accounts of one relationship on a day, and what they were computed with."""
        request = capital.GetBalanceRequest(
            relationship=relationship(a, b),
            as_of=as_of(on=on, known_at=known_at, policy=policy, min_position=min_position),
        )
        return await call_with_retries(
            lambda once_s: self._capital_stub.GetBalance(
                request, metadata=self._projector.metadata, timeout=once_s
            ),
            self._projector.policy,
            timeout_s=timeout_s,
        )

    async def explain(
        self,
        a: str,
        b: str,
        *,
        on: date | None = None,
        known_at: datetime | int | None = None,
        policy: str = "",
        min_position: int = 0,
        timeout_s: float | None = None,
    ) -> capital.ExplainBalanceResponse:
        """The receipt: every entry with its factors; its lines add up to the balance exactly."""
        request = capital.ExplainBalanceRequest(
            relationship=relationship(a, b),
            as_of=as_of(on=on, known_at=known_at, policy=policy, min_position=min_position),
        )
        return await call_with_retries(
            lambda once_s: self._capital_stub.ExplainBalance(
                request, metadata=self._projector.metadata, timeout=once_s
            ),
            self._projector.policy,
            timeout_s=timeout_s,
        )

    async def balances_of(
        self,
        pairs: Iterable[tuple[str, str]],
        *,
        on: date | None = None,
        known_at: datetime | int | None = None,
        policy: str = "",
        min_position: int = 0,
        timeout_s: float | None = None,
    ) -> capital.BatchGetBalancesResponse:
        """Up to 1000 balances for the same day, all at the same position, in the given order."""
        request = capital.BatchGetBalancesRequest(
            relationships=[relationship(a, b) for a, b in pairs],
            as_of=as_of(on=on, known_at=known_at, policy=policy, min_position=min_position),
        )
        return await call_with_retries(
            lambda once_s: self._capital_stub.BatchGetBalances(
                request, metadata=self._projector.metadata, timeout=once_s
            ),
            self._projector.policy,
            timeout_s=timeout_s,
        )

    async def balances_page(
        self, request: capital.ListBalancesRequest, *, timeout_s: float | None = None
    ) -> capital.ListBalancesResponse:
        """One page. Errors: LIST_TOO_WIDE; VIEW_BUILDING is waited for."""
        return await call_with_retries(
            lambda once_s: self._capital_stub.ListBalances(
                request, metadata=self._projector.metadata, timeout=once_s
            ),
            self._projector.policy,
            timeout_s=timeout_s,
        )

    async def balances(
        self,
        of: str | None = None,
        *,
        order_by: "capital.BalanceOrder.ValueType" = capital.BALANCE_ORDER_BUFFER,
        ascending: bool = False,
        on: date | None = None,
        known_at: datetime | int | None = None,
        policy: str = "",
        min_position: int = 0,
        page_size: int = 200,
    ) -> AsyncIterator[capital.Balance]:
        """Balances in an order, page after page: of one person, or of the whole tenant."""
        request = capital.ListBalancesRequest(
            person=person(of) if of else "",
            order_by=order_by,
            ascending=ascending,
            page_size=page_size,
            as_of=as_of(on=on, known_at=known_at, policy=policy, min_position=min_position),
        )
        while True:
            page = await self.balances_page(request)
            for balance in page.balances:
                yield balance
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def policy(
        self,
        policy: str = "",
        *,
        on: date | None = None,
        known_at: datetime | int | None = None,
        min_position: int = 0,
    ) -> capital.Policy:
        """A policy document; absent: the one in force on the day. Errors: POLICY_UNKNOWN."""
        request = capital.GetPolicyRequest(
            policy=policy, as_of=as_of(on=on, known_at=known_at, min_position=min_position)
        )
        answer = await call_with_retries(
            lambda once_s: self._capital_stub.GetPolicy(
                request, metadata=self._projector.metadata, timeout=once_s
            ),
            self._projector.policy,
        )
        return answer.policy

    async def kinds(
        self,
        policy: str = "",
        *,
        on: date | None = None,
        known_at: datetime | int | None = None,
        min_position: int = 0,
    ) -> capital.ListKindsResponse:
        """The kinds of a policy by name."""
        request = capital.ListKindsRequest(
            policy=policy, as_of=as_of(on=on, known_at=known_at, min_position=min_position)
        )
        return await call_with_retries(
            lambda once_s: self._capital_stub.ListKinds(
                request, metadata=self._projector.metadata, timeout=once_s
            ),
            self._projector.policy,
        )
