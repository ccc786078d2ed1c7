"""CapitalService: what relationships are worth."""

from dataclasses import replace
from typing import Final

from rapport.v1 import capital_service_pb2 as capital
from rapport.v1.capital_service_pb2_grpc import CapitalServiceServicer

from services.projector.api.answers import (
    balance_message,
    computed_message,
    explanation_message,
    kind_messages,
    policy_message,
)
from services.projector.api.calls import Context, Dependencies
from services.projector.api.fields import Fields
from services.projector.api.tokens import ListToken, token_invalid
from services.projector.queries.balances import balances_ahead, read_balances
from services.projector.queries.question import (
    AsOf,
    PolicyName,
    Question,
    policy_for,
    resolve,
)
from services.projector.queries.receipts import explain
from services.projector.queries.snapshot import Snapshot
from services.projector.queries.standings import ListAsked, Order, list_balances
from services.runtime.errors import RapportError, Reason
from services.runtime.limits import BALANCES_PER_BATCH_MAX, MESSAGE_BYTES_MAX
from services.runtime.page_tokens import request_key
from services.runtime.policy import Policy

_LIST: Final = "CapitalService/ListBalances"


class Capital(CapitalServiceServicer):
    """The handlers of CapitalService; errors are RapportErrors, which the edge answers."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._with = dependencies

    async def GetBalance(  # noqa: N802
        self, request: capital.GetBalanceRequest, context: Context
    ) -> capital.GetBalanceResponse:
        """The two accounts of one relationship."""
        fields = Fields()
        pair = fields.pair("relationship", request.relationship)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)

        async def work(snapshot: Snapshot) -> capital.GetBalanceResponse:
            question = await self._with.resolve(snapshot, as_of)
            (balance,) = await read_balances(snapshot, question, [pair])
            return capital.GetBalanceResponse(
                balance=balance_message(balance), computed=computed_message(snapshot, question)
            )

        return await call.read(work, ahead=balances_ahead(as_of, [pair]))

    async def BatchGetBalances(  # noqa: N802
        self, request: capital.BatchGetBalancesRequest, context: Context
    ) -> capital.BatchGetBalancesResponse:
        """Several balances at one position."""
        fields = Fields()
        if not request.relationships:
            fields.wrong("relationships", "is required", Reason.FIELD_REQUIRED)
        fields.at_most("relationships", request.relationships, BALANCES_PER_BATCH_MAX)
        pairs = [
            fields.pair(f"relationships[{index}]", text)
            for index, text in enumerate(request.relationships[:BALANCES_PER_BATCH_MAX])
        ]
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)

        async def work(snapshot: Snapshot) -> capital.BatchGetBalancesResponse:
            question = await self._with.resolve(snapshot, as_of)
            balances = await read_balances(snapshot, question, pairs)
            return capital.BatchGetBalancesResponse(
                balances=[balance_message(balance) for balance in balances],
                computed=computed_message(snapshot, question),
            )

        return await call.read(work, ahead=balances_ahead(as_of, pairs))

    async def ListBalances(  # noqa: N802
        self, request: capital.ListBalancesRequest, context: Context
    ) -> capital.ListBalancesResponse:
        """A page of relationships in order."""
        fields = Fields()
        person = fields.person("person", request.person) if request.person else None
        fields.known_enum("order_by", capital.BalanceOrder, request.order_by)
        limit = fields.page_size(request.page_size)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)
        key = request_key(_LIST, call.tenant, request)
        token = ListToken.read(request.page_token, key) if request.page_token else None
        if token is not None:
            # A replica that is behind the one that made the token would leave out what it knew.
            await self._with.begin(context, token.position)
        asked = ListAsked(
            person=person,
            order=Order(request.order_by or Order.BUFFER),
            ascending=request.ascending,
            after=None if token is None else token.place,
            limit=limit,
        )

        async def work(snapshot: Snapshot) -> capital.ListBalancesResponse:
            question, is_today = await self._list_question(snapshot, as_of, token)
            page = await list_balances(snapshot, question, asked, is_today=is_today)
            answer = capital.ListBalancesResponse(
                balances=[balance_message(balance) for balance in page.balances],
                computed=computed_message(snapshot, question),
            )
            if page.next is not None:
                answer.next_page_token = ListToken.of(question, page.next).text(key)
            return answer

        return await call.read(work)

    async def ExplainBalance(  # noqa: N802
        self, request: capital.ExplainBalanceRequest, context: Context
    ) -> capital.ExplainBalanceResponse:
        """The receipt of a relationship."""
        fields = Fields()
        pair = fields.pair("relationship", request.relationship)
        as_of, call = await self._with.begin_as_of(fields, request.as_of, context)

        async def work(snapshot: Snapshot) -> capital.ExplainBalanceResponse:
            question = await self._with.resolve(snapshot, as_of)
            return explanation_message(snapshot, question, await explain(snapshot, question, pair))

        answer = await call.read(work)
        if (size := answer.ByteSize()) > MESSAGE_BYTES_MAX:
            raise RapportError(
                Reason.TOO_LARGE,
                "the receipt has more lines than an answer takes",
                metadata={"bytes": str(size), "limit": str(MESSAGE_BYTES_MAX)},
            )
        return answer

    async def GetPolicy(  # noqa: N802
        self, request: capital.GetPolicyRequest, context: Context
    ) -> capital.GetPolicyResponse:
        """A policy document."""
        policy = await self._policy(request, context)
        return capital.GetPolicyResponse(policy=policy_message(policy))

    async def ListKinds(  # noqa: N802
        self, request: capital.ListKindsRequest, context: Context
    ) -> capital.ListKindsResponse:
        """The kinds of a policy."""
        policy = await self._policy(request, context)
        return capital.ListKindsResponse(kinds=kind_messages(policy), policy=policy.label)

    async def _policy(
        self, request: capital.GetPolicyRequest | capital.ListKindsRequest, context: Context
    ) -> Policy:
        fields = Fields()
        named: PolicyName | None = fields.policy("policy", request.policy)
        if named is not None and request.as_of.policy:
            fields.wrong("policy", "and as_of.policy say the same: give one of them")
        as_of, call = await self._with.begin_asked(fields, request, context)
        if named is not None:
            as_of = replace(as_of, policy=named)

        async def work(snapshot: Snapshot) -> Policy:
            return (await self._with.resolve(snapshot, as_of)).policy

        return await call.read(work)

    async def _list_question(
        self, snapshot: Snapshot, as_of: AsOf, token: ListToken | None
    ) -> tuple[Question, bool]:
        """What a page is computed with, and whether it is of today's list as it stands.

        A page that continues keeps the first one's day and policy, and takes today's list as it
        stands now while those are still today's; when they are not, it is folded at the position of
        the page before.
        """
        today = self._with.today()
        pinned = as_of
        if token is not None:
            pinned = AsOf(on=token.day, known_at_position=token.position, policy=as_of.policy)
        question = await resolve(snapshot, self._with.shelf, pinned, today)
        if token is not None and question.policy.hash != token.policy_hash:
            raise token_invalid()
        in_force = await policy_for(snapshot, self._with.shelf, None, today, snapshot.position)
        is_today = (
            not as_of.names_knowledge
            and question.on == today
            and question.policy.hash == in_force.hash
        )
        if is_today:
            question = replace(question, position=snapshot.position, newest=True)
        return question, is_today
