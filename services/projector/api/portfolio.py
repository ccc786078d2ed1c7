"""PortfolioService: what many relationships are worth together."""

from collections.abc import Awaitable, Callable
from typing import Final

from google.protobuf.message import Message
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import portfolio_service_pb2 as wire
from rapport.v1.portfolio_service_pb2_grpc import PortfolioServiceServicer

from services.projector.api.answers import computed_message
from services.projector.api.calls import Context, Dependencies
from services.projector.api.fields import Fields
from services.projector.api.portfolio_answers import (
    account_message,
    builders_message,
    parity_message,
    person_effort_message,
    portfolio_message,
    programme_message,
)
from services.projector.queries.efforts import read_effort
from services.projector.queries.portfolios import (
    Whose,
    read_account,
    read_builders,
    read_parity,
    read_portfolio,
    read_programme,
)
from services.projector.queries.question import Question
from services.projector.queries.snapshot import Snapshot
from services.runtime.caller import current_caller

_TEAMS: Final = "teams/"
_TENANTS: Final = "tenants/"


class Portfolios(PortfolioServiceServicer):
    """The handlers of PortfolioService; errors are RapportErrors, which the edge answers."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._with = dependencies

    async def GetPortfolio(  # noqa: N802
        self, request: wire.GetPortfolioRequest, context: Context
    ) -> wire.GetPortfolioResponse:
        """The sums of a person, a team or the tenant."""
        fields = Fields()
        whose = _whose(request.parent, fields, tenant=True)

        async def work(snapshot: Snapshot, question: Question) -> wire.GetPortfolioResponse:
            answer = portfolio_message(*await read_portfolio(snapshot, question, whose))
            if whose.person is not None:
                effort = await read_effort(snapshot, question, whose.person)
                answer.effort.CopyFrom(person_effort_message(effort))
            return answer

        return await self._answer(fields, request.as_of, context, work)

    async def GetAccount(  # noqa: N802
        self, request: wire.GetAccountRequest, context: Context
    ) -> wire.GetAccountResponse:
        """An organisation, through the people affiliated that day."""
        fields = Fields()
        organization = fields.organization("organization", request.organization)

        async def work(snapshot: Snapshot, question: Question) -> wire.GetAccountResponse:
            return account_message(*await read_account(snapshot, question, organization))

        return await self._answer(fields, request.as_of, context, work)

    async def GetProgramme(  # noqa: N802
        self, request: wire.GetProgrammeRequest, context: Context
    ) -> wire.GetProgrammeResponse:
        """The weeks kept by a person or a team."""
        fields = Fields()
        whose = _whose(request.parent, fields, tenant=False)

        async def work(snapshot: Snapshot, question: Question) -> wire.GetProgrammeResponse:
            return programme_message(await read_programme(snapshot, question, whose))

        return await self._answer(fields, request.as_of, context, work)

    async def ListBuilders(  # noqa: N802
        self, request: wire.ListBuildersRequest, context: Context
    ) -> wire.ListBuildersResponse:
        """Whose relationships survive, where the policy lets it be asked."""
        fields = Fields()
        team = fields.team("team", request.team) if request.team else None

        async def work(snapshot: Snapshot, question: Question) -> wire.ListBuildersResponse:
            return builders_message(await read_builders(snapshot, question, team))

        return await self._answer(fields, request.as_of, context, work)

    async def GetParity(  # noqa: N802
        self, request: wire.GetParityRequest, context: Context
    ) -> wire.GetParityResponse:
        """How colleagues and customers are looked after."""

        async def work(snapshot: Snapshot, question: Question) -> wire.GetParityResponse:
            return parity_message(await read_parity(snapshot, question))

        return await self._answer(Fields(), request.as_of, context, work)

    async def _answer[M: Message](
        self,
        fields: Fields,
        message: capital.AsOf,
        context: Context,
        work: Callable[[Snapshot, Question], Awaitable[M]],
    ) -> M:
        """What `work` makes of one snapshot, with what it was computed with."""
        as_of, call = await self._with.begin_as_of(fields, message, context)

        async def whole(snapshot: Snapshot) -> M:
            question = await self._with.resolve(snapshot, as_of)
            answer = await work(snapshot, question)
            answer.computed.CopyFrom(computed_message(snapshot, question))  # type: ignore[attr-defined]
            return answer

        return await call.read(whole)


def _whose(text: str, fields: Fields, *, tenant: bool) -> Whose:
    """Whose relationships `parent` names."""
    if text.startswith(_TEAMS):
        return Whose(team=fields.team("parent", text.removeprefix(_TEAMS)))
    if tenant and text.startswith(_TENANTS):
        if text.removeprefix(_TENANTS) != current_caller().tenant:
            fields.wrong("parent", "of the tenants only the caller's own may be asked")
        return Whose()
    return Whose(person=fields.person("parent", text))
